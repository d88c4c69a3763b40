"""
Which records' cards have to be looked at again, and from when on.

However many changes come, a record stands here once; if too many records do, all of
their system's cards are due instead, which takes one line. So a storm takes no memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.messages import Channel
from bridge.records.model import NEVER, RecordRef, Revision, System

MOST = 10_000
_MOST_NOTES = 5

Part = tuple[str, System, str]  # a company's instance of a system


@dataclass(frozen=True, slots=True)
class Due:
    """
    Why a record is to be looked at, from a time in microseconds on.

    `urgent` is what somebody waits for. `floor` says that a room may see less now, and
    then nothing is waited for. `rev` is the newest that was told of. `notes` are lines
    to be said in its cards' threads. `fails` counts reads that came to nothing.
    """

    due_us: int
    urgent: bool = False
    floor: bool = False
    changed: bool = True
    deleted: bool = False
    restored: bool = False
    rev: Revision = NEVER
    notes: tuple[str, ...] = ()
    fails: int = 0

    def with_(self, other: "Due") -> "Due":
        """Return both as one: whatever either asks for."""
        return Due(
            due_us=min(self.due_us, other.due_us),
            urgent=self.urgent or other.urgent,
            floor=self.floor or other.floor,
            changed=self.changed or other.changed,
            deleted=other.deleted or (self.deleted and not other.restored),
            restored=other.restored or (self.restored and not other.deleted),
            rev=max(self.rev, other.rev),
            notes=(*self.notes, *other.notes)[-_MOST_NOTES:],
            fails=max(self.fails, other.fails),
        )


@dataclass(slots=True)
class Agenda:
    """What is due. `most` is how many records of one system are kept apart."""

    most: int = MOST
    _due: dict[Part, dict[RecordRef, Due]] = field(default_factory=dict)
    _whole: dict[Part, Due] = field(default_factory=dict)
    _rooms: dict[tuple[str, Channel], int] = field(default_factory=dict)
    _tenants: dict[str, Due] = field(default_factory=dict)

    def record(self, tenant: str, ref: RecordRef, due: Due) -> None:
        """A record is due."""
        part = (tenant, ref.system, ref.instance)
        waiting = self._due.setdefault(part, {})
        if ref in waiting:
            waiting[ref] = waiting[ref].with_(due)
        elif len(waiting) < self.most:
            waiting[ref] = due
        else:
            everything = [due, *waiting.values()]
            waiting.clear()
            urgent = any(each.urgent for each in everything)
            floor = any(each.floor for each in everything)
            self.system(part, Due(due.due_us, urgent=urgent, floor=floor))

    def system(self, part: Part, due: Due) -> None:
        """Every card of an instance of a system is due."""
        known = self._whole.get(part)
        self._whole[part] = known.with_(due) if known else due

    def room(self, tenant: str, channel: Channel, now_us: int) -> None:
        """Who is in a channel changed."""
        self._rooms.setdefault((tenant, channel), now_us)

    def company(self, tenant: str, due: Due) -> None:
        """What a company's people may see changed, or all has to be looked at."""
        known = self._tenants.get(tenant)
        self._tenants[tenant] = known.with_(due) if known else due

    def rooms(self) -> Sequence[tuple[str, Channel]]:
        """Take the channels that are due."""
        taken = list(self._rooms)
        self._rooms.clear()
        return taken

    def companies(self) -> Sequence[tuple[str, Due]]:
        """Take the companies that are due."""
        taken = list(self._tenants.items())
        self._tenants.clear()
        return taken

    def whole(self, part: Part) -> Due | None:
        """Take what is due for all of a system's cards."""
        return self._whole.pop(part, None)

    def take(self, part: Part, now_us: int) -> dict[RecordRef, Due]:
        """Take the records of a system that are due by now."""
        waiting = self._due.get(part, {})
        taken = {ref: due for ref, due in waiting.items() if due.due_us <= now_us}
        for ref in taken:
            del waiting[ref]
        if not waiting:
            self._due.pop(part, None)
        return taken

    def parts(self) -> list[Part]:
        """Return the systems for which anything is due, now or later."""
        return sorted({*self._due, *self._whole})

    def next_us(self, part: Part) -> int | None:
        """Return when the next of a system is due, None if nothing is."""
        if part in self._whole:
            return 0
        waiting = self._due.get(part)
        return min(due.due_us for due in waiting.values()) if waiting else None

    def __len__(self) -> int:
        return sum(map(len, self._due.values()))
