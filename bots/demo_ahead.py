"""
What the demo's fork server has at hand: all that ATOM imports, and what it makes of
rules and commands that are always the same.

It is nobody's garbage, and no process has to look through it.
"""

import gc

import bots.app
from bots.cli import app, command_of
from policy.dlp.rulebook import DEFAULT, prepared

__all__ = ["bots"]

prepared(DEFAULT)
command_of(app)
gc.collect()
gc.freeze()
