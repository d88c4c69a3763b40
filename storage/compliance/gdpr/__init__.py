"""What people may ask about themselves, and what has to be written down about that."""
