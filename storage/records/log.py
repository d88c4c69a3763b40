"""Entries of the compliance log about business records."""

from dataclasses import dataclass

from bridge.ports import Receipt
from bridge.records.entries import RecordEntry
from storage.compliance.acts import Act, Acts
from storage.hot import Statement
from storage.slices import SHORTEST_US, slices


@dataclass(frozen=True, slots=True)
class StoredRecordLog:
    """Implements `bridge.records.entries.RecordLog`."""

    acts: Acts

    async def note(
        self, entry: RecordEntry, changes: tuple[Statement, ...] = ()
    ) -> Receipt:
        """Write an entry, together with rows that it is about."""
        place = entry.channel
        act = Act(
            entry.tenant,
            entry.etype,
            entry.actor,
            entry.text,
            entry.detail,
            team=place.team if place else "",
            conv=place.id if place else "",
            msg=entry.message,
            outcome=entry.outcome,
        )
        if entry.again_us < SHORTEST_US:
            return await self.acts.note(act, changes, entry.key)
        now = self.acts.clock()
        keys = tuple(slices("r", entry.key, now, entry.again_us))
        return await self.acts.note(act, changes, keys)
