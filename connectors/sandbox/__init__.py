"""Local stand-ins of business systems: they speak HTTP alone and know nothing of ATOM."""
