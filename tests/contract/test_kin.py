"""Families of many entries at once are those of each alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from bridge.messages import EventKind
from storage.compliance.family import family
from tests.contract.retained import ALICE, BOB, TENANT, Retained, company
from tests.events import FALCON, PROJECT


@pytest.fixture
async def acme(database_url: str, tmp_path: Path) -> AsyncIterator[Retained]:
    async with company(database_url, tmp_path) as built:
        yield built


async def test_many_families_are_each_ones_own(acme: Retained) -> None:
    random = Random(7)
    for n in range(25):
        where = random.choice([FALCON, PROJECT])
        thread = f"{random.randrange(n)}.0" if n and random.random() < 0.3 else ""
        who = random.choice([ALICE, BOB])
        seq = await acme.said(f"{n}.0", where=where, who=who, thread=thread)
        if random.random() < 0.5:
            target = PROJECT if where == FALCON else FALCON
            proven = random.random() < 0.5
            await acme.copied(seq, f"{n}.0", where, target, proven=proven)
        if random.random() < 0.3:
            kind, version = EventKind.MESSAGE_EDIT, acme.now_us
            await acme.said(f"{n}.0", where=where, kind=kind, version_us=version)
    size = (await acme.reader.head(TENANT)).size

    found = await acme.holding.kin(TENANT, range(size + 5))

    assert set(found) == set(range(size))
    for seq, kin in found.items():
        alone = await family(acme.hot, TENANT, seq)
        assert tuple(m.seq for m in kin.family) == alone.positions
        assert all((r.channel, r.thread) in kin.places for r in kin.replies)
        replies = [
            e.seq
            for e in await acme.reader.entries(TENANT, -1, 999)
            if e.row["thread"]
            and any(
                m.msg == e.row["thread"] and m.conv == e.row["conv"] for m in kin.family
            )
        ]
        assert [m.seq for m in kin.replies] == replies
