"""Benchmarks: programs that print tables."""
