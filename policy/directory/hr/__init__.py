"""HR systems: who works here, from when, until when, and for whom."""
