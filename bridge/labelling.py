"""How far what somebody says may be shown: asked before the policy is."""

from collections.abc import Sequence
from typing import Protocol

from bridge.access import Label
from bridge.document import Document
from bridge.messages import File


class Labeller(Protocol):
    """Reads what is said, and says how far it may be shown."""

    def label(self, tenant: str, document: Document, files: Sequence[File]) -> Label:
        """
        Return the label of what a message says, by its words and its files' names.

        Asked for every message and again before its copy is made, so it asks nobody.
        Never raises: what cannot be looked at has the highest label.
        """
        ...
