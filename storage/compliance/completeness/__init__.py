"""How much of what was said is on record, and who vouches for it."""
