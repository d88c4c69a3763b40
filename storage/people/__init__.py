"""Whose the platforms' accounts are, on record."""
