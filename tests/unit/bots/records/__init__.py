"""Tests of record cards on both platforms, side by side."""
