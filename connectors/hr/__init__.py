"""Employee records from HR systems."""
