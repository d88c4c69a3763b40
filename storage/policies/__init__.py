"""Versions of companies' policies, and what their hashes stand for."""
