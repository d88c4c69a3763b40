"""The soak's own rules, tried on what is known to be wrong."""
