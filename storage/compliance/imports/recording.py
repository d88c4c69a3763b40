"""Put what was imported on record: late, marked as imported, and never twice."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from bridge.errors import StoreUnavailable
from bridge.messages import Event
from bridge.ports import Commitment, Receipt
from storage.hot import HotStore, Statement
from storage.journal import Journal
from storage.rows import clean_id

VIA = "import"
_AT_ONCE = 200
_TRIES = 10
_Fact = tuple[str, int]  # an entry's type, and which version of the message


@dataclass(slots=True)
class Counts:
    """What became of what was read. `known` was on record already."""

    read: int = 0
    new: int = 0
    known: int = 0

    def as_json(self) -> dict[str, int]:
        return {"read": self.read, "new": self.new, "known": self.known}


@dataclass(frozen=True, slots=True)
class Recording:
    """
    Writes events as they come.

    Whatever is killed in between is started again from the beginning: what is on
    record is found there, and only read.
    """

    store: HotStore
    journal: Journal
    tenant: str

    async def take(
        self,
        events: Iterable[Event],
        progress: Callable[[int], None],
        *,
        dry: bool = False,
    ) -> Counts:
        """Put events on record, or with `dry` only say how many are new."""
        counts = Counts()
        heard: set[tuple[str, str]] = set()  # messages of which others told before us
        for batch in _batched(events):
            counts.read += len(batch)
            new = [e for e in batch if not await self._is_known(e, heard)]
            counts.known += len(batch) - len(new)
            if dry:
                counts.new += len(new)
            else:
                receipts = await self._written(new)
                told = sum(not receipt.duplicate for receipt in receipts)
                counts.new += told
                counts.known += len(new) - told
            progress(counts.read)
        return counts

    async def _is_known(self, event: Event, heard: set[tuple[str, str]]) -> bool:
        """
        Say whether an event is on record, in whatever way it came there.

        Of reactions an export tells what stands, and not when it came: if the message
        was heard of while it was written, the record of its reactions is the better.
        """
        if event.channel is None or not event.message:
            return False
        key = (event.channel.id, event.message)
        if event.kind.startswith("reaction."):
            return key in heard
        found = await self._facts(event)
        if any(via != VIA for _, via in found):
            heard.add(key)
        fact = (str(event.kind), event.version_us)
        return fact in {known for known, _ in found}

    async def _facts(self, event: Event) -> list[tuple[_Fact, str]]:
        assert event.channel is not None  # noqa: S101 - asked about messages only
        rows = await self.store.fetch(
            Statement(
                "SELECT etype, version_us, via FROM log WHERE tenant = :tenant "
                "AND conv = :conv AND msg = :msg AND etype LIKE 'message.%'",
                {
                    "tenant": self.tenant,
                    "conv": clean_id(event.channel.id),
                    "msg": clean_id(event.message),
                },
                brief=True,
            )
        )
        return [((etype, version), via) for etype, version, via in rows]

    async def _written(self, events: Sequence[Event]) -> Sequence[Receipt]:
        """A database that is busy is asked again; one that is away is an error."""
        made = [Commitment(self.tenant, replace(e, via=VIA), (), ()) for e in events]
        for _ in range(_TRIES):
            try:
                return await asyncio.gather(*map(self.journal.append, made))
            except StoreUnavailable:
                await asyncio.sleep(1)
        return await asyncio.gather(*map(self.journal.append, made))


def _batched(events: Iterable[Event]) -> Iterator[tuple[Event, ...]]:
    taken = iter(events)
    while batch := tuple(islice(taken, _AT_ONCE)):
        yield batch
