"""One at a time writes to a record, and who gets no turn writes nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bridge.errors import ServiceUnavailable
from bridge.records.model import RecordRef
from tests.records_world import TENANT
from tests.unit.bridge.records.test_acting import carded, click


@dataclass
class FakeTurns:
    """Remembers who was alone with what; `free` is whether anybody may be."""

    taken: list[tuple[str, RecordRef]] = field(default_factory=list)
    inside: int = 0
    free: bool = True

    @asynccontextmanager
    async def turn(
        self, tenant: str, ref: RecordRef, within: float
    ) -> AsyncIterator[None]:
        if not self.free:
            raise ServiceUnavailable("somebody else is changing that right now")
        self.taken.append((tenant, ref))
        self.inside += 1
        yield
        self.inside -= 1


async def test_a_write_is_made_alone_with_its_record() -> None:
    turns = FakeTurns()
    world, record = await carded(turns=turns)
    seen: list[int] = []

    async def between() -> None:
        seen.append(turns.inside)

    world.system.between = between
    await click(world, "approve")

    assert turns.taken == [(TENANT, record.ref)]
    assert (seen, turns.inside) == ([1], 0)


async def test_who_gets_no_turn_writes_nothing_and_may_try_again() -> None:
    turns = FakeTurns(free=False)
    world, _ = await carded(turns=turns)

    await click(world, "approve")
    assert world.system.written == []

    turns.free = True
    await click(world, "approve")
    assert len(world.system.written) == 1
