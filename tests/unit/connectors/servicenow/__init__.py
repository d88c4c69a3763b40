"""Tests without network, sleep or clock."""
