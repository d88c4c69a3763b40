"""Every system writes as the person, once, and never over somebody else's change."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridge.errors import BadInput, NotAllowed
from bridge.records.forms import AMEND, DEED, MADE, TAKE_BACK, Deed
from bridge.records.model import Absence, Record, System
from bridge.records.ports import (
    Amends,
    Done,
    EditConflict,
    NotConnected,
    NotYours,
    Rejected,
    TakesBack,
    Unsure,
)
from tests.contract.records.conftest import written
from tests.contract.records.worlds import World
from tests.stand_ins import Account

# HR systems are read, and never written to.
pytestmark = pytest.mark.parametrize("world", written(), indirect=True)


async def deed(
    world: World, account: Account, values: Mapping[str, str], key: str = "d1"
) -> Deed:
    """Open the form of the sample's edit, and fill it in."""
    sample = world.sample
    form = await world.records.form(account, sample.edit, sample.open[0])
    shown = {one.id: one.value for one in form.inputs}
    assert set(values) <= set(shown)
    seen = {name: shown[name] for name in values}
    return Deed(sample.edit, key, sample.open[0], "", values, seen, form.rev)


def addition(world: World, key: str = "a1") -> Deed:
    sample = world.sample
    return Deed(sample.add, key, sample.commented, values=sample.addition)


async def test_a_form_asks_for_what_may_be_written(
    world: World, reader: Account
) -> None:
    form = await world.records.form(reader, world.sample.edit, world.sample.open[0])

    assert form.ref == world.sample.open[0]
    assert form.rev is not None
    assert form.inputs
    assert world.sample.values.keys() <= {one.id for one in form.inputs}


async def test_an_act_that_there_is_not_is_refused(
    world: World, reader: Account
) -> None:
    with pytest.raises(BadInput):
        await world.records.form(reader, "explode", world.sample.open[0])
    with pytest.raises(BadInput):
        await world.records.perform(reader, Deed("explode", "x", world.sample.open[0]))


async def test_what_is_entered_is_written(world: World, reader: Account) -> None:
    values = world.sample.values

    done = await world.records.perform(reader, await deed(world, reader, values))

    (name,) = values
    assert world.value(name) == values[name]
    assert done.after == dict(values)
    assert done.before.keys() == values.keys()
    assert done.record.ref == world.sample.open[0]
    assert not done.again


async def test_the_systems_own_name_of_each_request_is_told(world: World) -> None:
    """So that somebody can look it up there, and their support can."""
    insider = world.account("insider")
    edit = await deed(world, insider, world.sample.values)
    said = addition(world)
    edited = await world.records.perform(insider, edit)
    added = await world.records.perform(insider, said)
    new, made = await made_anew(world, world.account(world.deletes))
    told = [edited.request, added.request, made.request]
    if isinstance(world.records, Amends):
        anew = await world.records.perform(
            insider, reworded(said, added, "Fixed by now", "w1")
        )
        told.append(anew.request)
    if isinstance(world.records, TakesBack):
        owner = world.account(world.deletes)
        told.append((await world.records.perform(owner, back(new, made))).request)

    assert all(told)
    assert len(set(told)) == len(told)


async def test_it_is_written_as_the_person(world: World, reader: Account) -> None:
    await world.records.perform(reader, await deed(world, reader, world.sample.values))

    users = {one.user for one in world.told.stand_in.journal.all()}
    assert users == {reader.user}


async def test_the_same_deed_twice_is_done_once(world: World, reader: Account) -> None:
    same = await deed(world, reader, world.sample.values)
    first = await world.records.perform(reader, same)
    writes = len(world.told.calls(world.writes))

    second = await world.records.perform(reader, same)

    assert not first.again
    assert second.again
    assert len(world.told.calls(world.writes)) == writes


async def test_an_addition_twice_is_one(world: World, reader: Account) -> None:
    await world.records.perform(reader, addition(world))

    again = await world.records.perform(reader, replace(addition(world), tried_us=1))

    assert again.again
    assert world.added() == 1


async def test_the_same_may_be_added_twice_on_purpose(
    world: World, reader: Account
) -> None:
    await world.records.perform(reader, addition(world))

    second = replace(addition(world), key="on-purpose")
    made = await world.records.perform(reader, second)

    assert not made.again
    assert world.added() == 2


def back(deed: Deed, done: Done, key: str = "back") -> Deed:
    told = {DEED: deed.key, MADE: done.made}
    return Deed(TAKE_BACK, key, deed.ref, deed.kind, told)


def deletes(world: World) -> list[str]:
    journal = world.told.stand_in.journal.all()
    return [one.call for one in journal if one.call.startswith("DELETE ")]


async def test_what_was_added_is_taken_back_or_it_is_said_that_it_stays(
    world: World,
) -> None:
    """Of two that say the same, this very one goes."""
    insider = world.account("insider")
    said, again = addition(world), replace(addition(world), key="a2")
    done = await world.records.perform(insider, said)
    await world.records.perform(insider, again)
    assert isinstance(world.records, TakesBack)
    assert said.ref is not None

    if not world.records.takes_back(said.act, said.ref.kind):
        assert world.records.system is System.SERVICENOW
        with pytest.raises(BadInput):
            await world.records.perform(insider, back(said, done))
        assert world.added() == 2
        return
    gone = await world.records.perform(insider, back(said, done))

    assert not gone.again
    assert gone.record.ref == said.ref
    assert world.added() == 1
    assert len(deletes(world)) == 1
    with pytest.raises(NotAllowed):
        await world.records.perform(insider, back(said, done, "other"))


async def test_what_was_added_is_reworded_or_there_is_no_way_to(world: World) -> None:
    """And again, and then taken back; never over what somebody else wrote there."""
    insider, said = world.account("insider"), addition(world)
    done = await world.records.perform(insider, said)
    assert said.ref is not None
    if not isinstance(world.records, Amends):
        assert world.records.system is System.SERVICENOW
        return
    assert world.records.amends(said.act, said.ref.kind)
    for n, words in enumerate(("Fixed by now", "Fixed for good")):
        amended = reworded(said, done, words, f"w{n}")
        world.told.fault("drop_after_effect", world.rewords)
        try:
            done = await world.records.perform(insider, amended)
        except Unsure:
            again = replace(amended, tried_us=1)
            done = await world.records.perform(insider, again)
        assert world.added(words) == 1
    assert world.added() == 0

    world.reword_behind("Somebody else's")
    with pytest.raises(NotAllowed):
        await world.records.perform(insider, reworded(said, done, "Mine", "w9"))
    with pytest.raises(NotAllowed):
        await world.records.perform(insider, back(said, done))

    assert world.added("Somebody else's") == 1
    assert {e.user for e in world.told.stand_in.journal.all()} == {insider.user}


def reworded(said: Deed, done: Done, words: str, key: str) -> Deed:
    [*others, name] = sorted(
        said.values, key=lambda name: name == "text" or "Body" in name
    )
    values = {**{each: said.values[each] for each in others}, name: words}
    named = {DEED: said.key, MADE: done.made}
    return Deed(AMEND, key, said.ref, said.kind, {**values, **named})


async def made_anew(world: World, account: Account) -> tuple[Deed, Done]:
    """Make a record as somebody; returns how."""
    kind = world.sample.create_kind
    new = Deed("create", "c1", None, kind, world.sample.new)
    return new, await world.records.perform(account, new)


async def test_a_new_record_is_taken_back_whole(world: World) -> None:
    owner = world.account(world.deletes)
    new, done = await made_anew(world, owner)

    gone = await world.records.perform(owner, back(new, done))

    assert gone.record.ref == done.record.ref
    read = await world.records.read(owner, [done.record.ref])
    assert read[done.record.ref] is Absence.GONE
    users = {e.user for e in world.told.stand_in.journal.all()}
    assert users == {owner.user}


async def test_a_new_record_that_was_changed_since_stays(world: World) -> None:
    owner = world.account(world.deletes)
    new, done = await made_anew(world, owner)
    world.change_of(done.record.ref)

    with pytest.raises(NotAllowed, match="changed since"):
        await world.records.perform(owner, back(new, done))

    assert deletes(world) == []


async def test_what_somebody_may_not_delete_stays(world: World) -> None:
    owner = world.account(world.deletes)
    new, done = await made_anew(world, owner)
    world.forbid_deleting(owner)

    with pytest.raises(NotYours):
        await world.records.perform(owner, back(new, done))

    read = await world.records.read(owner, [done.record.ref])
    assert isinstance(read[done.record.ref], Record)


@pytest.mark.parametrize("kind", ["drop_after_effect", "drop"])
async def test_a_lost_answer_to_taking_back_is_looked_up(
    world: World, kind: str
) -> None:
    owner = world.account(world.deletes)
    new, done = await made_anew(world, owner)
    world.told.fault(kind, "DELETE *")
    undo = back(new, done)

    try:
        await world.records.perform(owner, undo)
    except Unsure:
        await world.records.perform(owner, replace(undo, tried_us=1))

    again = await world.records.perform(owner, replace(undo, tried_us=1))
    assert again.again
    assert len(deletes(world)) == (1 if kind == "drop_after_effect" else 2)
    read = await world.records.read(owner, [done.record.ref])
    assert read[done.record.ref] is Absence.GONE


async def test_taking_back_touches_nothing_that_atom_did_not_make(
    world: World,
) -> None:
    """Not even what somebody names in place of what was made."""
    owner = world.account(world.deletes)
    new, done = await made_anew(world, owner)
    what, _, rest = done.made.partition("/")
    _, _, state = rest.partition("/")
    other = world.other_of(done.record.ref)
    for made in ("", f"{what}/{other}/{state}", f"User/{other}/{state}"):
        with pytest.raises((NotAllowed, BadInput)):
            await world.records.perform(owner, back(new, replace(done, made=made)))
    assert deletes(world) == []


async def test_a_change_behind_ones_back_is_a_conflict(
    world: World, reader: Account
) -> None:
    mine = await deed(world, reader, world.sample.values)
    world.change_behind(world.sample.other)

    with pytest.raises(EditConflict) as told:
        await world.records.perform(reader, mine)

    (name,) = world.sample.values
    assert world.value(name) == world.sample.other[name]
    latest = told.value.latest
    assert latest.ref == world.sample.open[0]
    # What is there now can be compared with what was to be written.
    there = latest.fact(name)
    assert there is not None
    assert world.sample.other[name] in {there.raw, there.text}


async def test_what_the_system_does_not_take_is_told_at_its_input(
    world: World, reader: Account
) -> None:
    wrong = await deed(world, reader, world.sample.wrong)

    with pytest.raises(Rejected) as told:
        await world.records.perform(reader, wrong)

    assert told.value.fields.keys() == world.sample.wrong_inputs


async def test_inputs_that_were_not_asked_for_are_not_written(
    world: World, reader: Account
) -> None:
    sample = world.sample
    smuggled = Deed(sample.edit, "d9", sample.open[0], values={"OwnerId": "005"})

    with pytest.raises((Rejected, NotYours, BadInput)):
        await world.records.perform(reader, smuggled)
    assert world.told.calls(world.writes) == []


async def test_who_may_not_write_does_not(world: World) -> None:
    onlooker = world.account("onlooker")
    smuggled = Deed(
        world.sample.edit, "d1", world.sample.open[0], "", world.sample.values
    )

    with pytest.raises((NotAllowed, Rejected)):
        await world.records.perform(onlooker, smuggled)

    (name,) = world.sample.values
    assert world.value(name) != world.sample.values[name]


async def test_a_token_that_runs_out_in_a_write_is_renewed_once(
    world: World, reader: Account
) -> None:
    mine = await deed(world, reader, world.sample.values)
    world.told.fault("expire_token", f"{world.writes}*")

    done = await world.records.perform(reader, mine)

    assert done.after == dict(world.sample.values)
    first, second = [
        one
        for one in world.told.stand_in.journal.all()
        if one.call.startswith(world.writes)
    ]
    own = {"authorization", "host", "content-length"}
    assert {n: v for n, v in first.headers.items() if n not in own} == {
        n: v for n, v in second.headers.items() if n not in own
    }
    assert first.body == second.body
    assert reader.renewals == 1


async def test_without_a_token_nothing_is_written_by_anybody(
    world: World, reader: Account
) -> None:
    mine = await deed(world, reader, world.sample.values)
    reader.run_out()
    reader.renewable = False

    with pytest.raises(NotConnected):
        await world.records.perform(reader, mine)

    (name,) = world.sample.values
    assert world.value(name) != world.sample.values[name]


async def test_a_lost_answer_is_looked_up_and_not_repeated(
    world: World, reader: Account
) -> None:
    mine = await deed(world, reader, world.sample.values)
    world.told.fault("drop_after_effect", f"{world.writes}*")

    try:
        done: Done | None = await world.records.perform(reader, mine)
    except Unsure:
        done = await world.records.perform(reader, mine)

    (name,) = world.sample.values
    assert done is not None
    assert world.value(name) == world.sample.values[name]
    assert len(world.told.calls(world.writes)) == 1


async def test_a_lost_answer_to_an_addition_does_not_double_it(
    world: World, reader: Account
) -> None:
    world.told.fault("drop_after_effect", world.adds)

    try:
        await world.records.perform(reader, addition(world))
    except Unsure:
        again = replace(addition(world), tried_us=1)
        await world.records.perform(reader, again)

    assert world.added() == 1


async def test_a_new_record_is_made_once(world: World, reader: Account) -> None:
    sample = world.sample
    form = await world.records.form(reader, "create", None, sample.create_kind)
    assert sample.new.keys() <= {one.id for one in form.inputs}
    new = Deed("create", "c1", None, sample.create_kind, sample.new)

    first = await world.records.perform(reader, new)
    second = await world.records.perform(reader, new)

    assert first.record.ref == second.record.ref
    assert (first.again, second.again) == (False, True)


async def test_two_people_at_once_do_not_overwrite_each_other(world: World) -> None:
    one, two = world.account("reader"), world.account("insider")
    first = await deed(world, one, world.sample.values, "d1")
    second = await deed(world, two, world.sample.other, "d2")

    results = await asyncio.gather(
        world.records.perform(one, first),
        world.records.perform(two, second),
        return_exceptions=True,
    )

    won = [each for each in results if isinstance(each, Done)]
    lost = [each for each in results if isinstance(each, EditConflict)]
    assert (len(won), len(lost)) == (1, 1)
    (name,) = world.sample.values
    assert world.value(name) == won[0].after[name]
