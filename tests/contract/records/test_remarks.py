"""What people say on records is read as it is for those outside, and known if it is ours."""

from contextlib import suppress

import pytest

from bridge.records.forms import Deed
from bridge.records.ports import Gone, Remarks
from tests.contract.records.conftest import written
from tests.contract.records.worlds import World
from tests.stand_ins import Account

pytestmark = pytest.mark.parametrize("world", written(), indirect=True)
FOR_ALL = "Globex says <thank you> & goodbye"


async def test_what_is_for_those_outside_is_read_and_nothing_else(
    world: World, reader: Account
) -> None:
    records, ref = world.records, world.sample.commented
    assert isinstance(records, Remarks)
    since_us = world.remark(FOR_ALL)
    world.remark_inside("Do not tell them")

    found = await records.remarks(reader, ref, since_us)

    assert [(each.by, each.text) for each in found] == [("Carol Díaz", FOR_ALL)]
    assert since_us <= found[0].said_us <= since_us + 60_000_000
    later = await records.remarks(reader, ref, since_us + 61_000_000)
    assert later == []


async def test_what_a_deed_said_is_known_by_what_it_made(
    world: World, reader: Account
) -> None:
    records, ref = world.records, world.sample.commented
    assert isinstance(records, Remarks)
    world.remark("Somebody else's")
    said = Deed(world.sample.add, "a1", ref, values=world.sample.addition)
    done = await records.perform(reader, said)

    found = await records.remarks(reader, ref, 0)

    ours = [one.text for one in found if done.made.startswith(tuple(one.names))]
    assert ours == [world.sample.addition[world.words]]


async def test_what_somebody_may_not_see_is_not_told(
    world: World, reader: Account
) -> None:
    assert isinstance(world.records, Remarks)
    with suppress(Gone):
        assert await world.records.remarks(reader, world.sample.secret, 0) == []
