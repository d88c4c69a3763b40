"""Signing in at business systems: as a person through their browser, or by itself."""
