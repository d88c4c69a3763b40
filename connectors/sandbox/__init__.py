"""Local stand-ins for business systems: the outside world, spoken to by HTTP alone."""
