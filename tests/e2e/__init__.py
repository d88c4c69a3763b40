"""Tests of whole processes against the sandbox."""
