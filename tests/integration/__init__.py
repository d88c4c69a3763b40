"""Tests through real servers."""
