"""
What the fork server has at hand: everything that ATOM imports, and what it makes of
rules and commands that are always the same.

It is nobody's garbage, and no process has to look through it, which would also give
each of them a copy of all its pages.
"""

import gc

from bots.cli import app, command_of
from policy.dlp.rulebook import DEFAULT, prepared
from tests.e2e import process

__all__ = ["process"]

prepared(DEFAULT)
command_of(app)
gc.collect()
gc.freeze()
