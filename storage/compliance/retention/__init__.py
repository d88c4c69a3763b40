"""How long what is on record stays, what keeps it longer, and how it goes."""
