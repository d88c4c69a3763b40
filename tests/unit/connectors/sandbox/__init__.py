"""What the stand-ins do, as their vendors document it."""
