"""Directories read through their own protocols, from servers that run."""
