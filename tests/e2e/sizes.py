"""
How large the tests are.

The examination's own numbers take minutes, and show no more than smaller ones do: set
`ATOM_FULL_SIZE=1` to run them.
"""

import os
import sys

FULL = bool(os.environ.get("ATOM_FULL_SIZE"))


def figures(what: str, **found: object) -> None:
    """Tell what a test of the full size found: `pytest -s` shows it."""
    if FULL:
        told = ", ".join(f"{name} {value}" for name, value in found.items())
        sys.stdout.write(f"\n{what}: {told}\n")
