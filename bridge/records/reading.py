"""Read records as everybody's eyes: with the integration's account, many at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from bridge.errors import NotAllowed, NotFound, ServiceUnavailable
from bridge.records.model import Absence, Record, RecordRef
from bridge.records.ports import Accesses, Gone, Spent
from bridge.records.systems import Systems, home

_AT_ONCE = 100
_REST = 15 * 60.0  # seconds to leave a system alone that says no more than "spent"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was read; `wait` says for how many seconds a record is not to be asked for."""

    seen: Mapping[RecordRef, Record | Absence]
    wait: Mapping[RecordRef, float] = field(default_factory=dict)


Seen = Mapping[RecordRef, Record | Absence]
Annotated = Callable[[str, Seen], Awaitable[Seen]]
"""Return a company's records with what ATOM knows about them beside the system."""


async def as_they_are(_tenant: str, seen: Seen) -> Seen:
    """The default: ATOM knows nothing beside."""
    return seen


@dataclass(frozen=True, slots=True)
class RoomReading:
    """Reads for rooms. What one person sees of a record never gets into a room's card."""

    systems: Systems
    accesses: Accesses
    annotated: Annotated = as_they_are

    async def read(
        self, tenant: str, refs: Iterable[RecordRef], *, urgent: bool = False
    ) -> Answers:
        """Read each record once. Never raises for a system that does not answer."""
        seen: dict[RecordRef, Record | Absence] = {}
        wait: dict[RecordRef, float] = {}
        ordered = sorted(set(refs))
        for _, group in groupby(ordered, key=lambda r: (r.system, r.instance)):
            wanted = list(group)
            for first in range(0, len(wanted), _AT_ONCE):
                part = wanted[first : first + _AT_ONCE]
                answers = await self._part(tenant, part, urgent=urgent)
                seen |= answers.seen
                wait |= answers.wait
        return Answers(await self.annotated(tenant, seen), wait)

    async def _part(
        self, tenant: str, refs: Sequence[RecordRef], *, urgent: bool
    ) -> Answers:
        first = refs[0]
        try:
            records = home(self.systems, tenant, first)
            access = self.accesses.integration(tenant, first.system, first.instance)
            found = await records.read(access, refs, urgent=urgent)
        except Spent as error:
            wait = error.retry_after or _REST
            absent = Absence.SPENT
            return Answers(dict.fromkeys(refs, absent), dict.fromkeys(refs, wait))
        except ServiceUnavailable:
            return Answers(dict.fromkeys(refs, Absence.UNREACHABLE))
        except Gone:
            return Answers(dict.fromkeys(refs, Absence.GONE))
        except (NotAllowed, NotFound):
            # Not configured, or its account is refused: nothing can be vouched for.
            return Answers(dict.fromkeys(refs, Absence.UNREACHABLE))
        return Answers({ref: found.get(ref, Absence.UNREACHABLE) for ref in refs})
