"""
What the fork server has at hand: everything that ATOM imports.

It is nobody's garbage, and no process has to look through it, which would also give
each of them a copy of all its pages.
"""

import gc

from tests.e2e import process

__all__ = ["process"]

gc.collect()
gc.freeze()
