"""
Which messages name no record for certain, as the process that took them in knows.

Whoever follows the log for records would have to open every message to find the few
that name one. Their words are at hand when they are taken in. What is not known here
(it was taken in by another process, or before a restart, or too long ago) is opened:
that nothing is known of a message never means that it names nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.messages import EventKind
from bridge.plain import plain_text
from bridge.ports import Commitment, Journal, Receipt

# INC0010001, or WEB-42: it begins with the digit, for which a text is looked through
# fastest.
_NUMBER = re.compile(r"\d(?:(?<=[^\W\d_]\d)|(?<=\w-\d))")
_SAID = frozenset({EventKind.MESSAGE_CREATE, EventKind.MESSAGE_EDIT})


def may_name(text: str) -> bool:
    """Whether a text could name a record of any system; many that could do not."""
    return "://" in text or _NUMBER.search(text) is not None


@dataclass(slots=True)
class Unnaming:
    """The newest `most` entries of each company's log that name no record."""

    most: int = 20_000
    _known: dict[str, dict[int, None]] = field(default_factory=dict)

    def note(self, tenant: str, seq: int) -> None:
        known = self._known.setdefault(tenant, {})
        known[seq] = None
        if len(known) > self.most:
            del known[next(iter(known))]

    def among(self, tenant: str, first: int, upto: int) -> list[int]:
        """Return those with `first <= seq < upto`; that many are looked at, no more."""
        known = self._known.get(tenant)
        if not known:
            return []
        return [seq for seq in range(first, upto) if seq in known]


@dataclass(frozen=True, slots=True)
class HintingJournal:
    """
    A journal that takes note of messages which name no record.

    Only for companies that are `followed` by this process: nobody else asks.
    """

    journal: Journal
    unnaming: Unnaming
    followed: Callable[[str], bool]

    async def append(self, commitment: Commitment) -> Receipt:
        receipt = await self.journal.append(commitment)
        event, tenant = commitment.event, commitment.tenant
        if receipt.duplicate or event.kind not in _SAID or not self.followed(tenant):
            return receipt
        if not may_name(plain_text(event.document)):
            self.unnaming.note(tenant, receipt.seq)
        return receipt
