"""Tests of what is said of records, and to whom."""
