"""A record that somebody opens at the side is theirs alone, decided and on record."""

from dataclasses import replace

import pytest

from bridge.cards import Button, Card
from bridge.errors import NotFound, ServiceUnavailable
from bridge.messages import PersonKind
from bridge.records.cards import Standing
from bridge.records.desk import Asker, Opened
from bridge.records.model import Record, System
from bridge.records.opening import Opening
from bridge.records.ports import Spent
from tests.records_world import ALICE, ELSEWHERE, STRANGER, World, asker, said

LINK = "https://acme.example/CHG1"


async def made(*, carded: bool = True) -> tuple[World, Record]:
    world = World()
    record = world.system.add("CHG1")
    if carded:
        await world.mentions.noticed(said("CHG1"))
    world.log.entries.clear()
    return world, record


def views(world: World) -> list[str]:
    return [entry.etype for entry in world.log.entries]


async def test_a_record_is_opened_by_its_address_as_the_person() -> None:
    world, record = await made()
    world.system.calls.clear()

    opened = await world.desk.opened(asker(ALICE), str(record.ref), "")

    assert opened.standing is Standing.LIVE
    assert opened.card is not None
    assert opened.card.viewer
    assert "4711 EUR" in repr(opened.card)
    assert {account for _, account, _ in world.system.calls} == {"p-alice"}
    [entry] = world.log.entries
    assert (entry.etype, entry.actor) == ("record.view", "slack:alice")


async def test_it_is_opened_by_a_link_where_nothing_else_names_it() -> None:
    world, record = await made()

    opened = await world.desk.opened(asker(ALICE), LINK, LINK)

    assert opened.card is not None
    assert opened.card.ref == record.ref


async def test_its_buttons_are_the_persons_own_in_this_channel() -> None:
    world, record = await made()

    opened = await world.desk.opened(asker(ALICE), str(record.ref), "")

    assert opened.card is not None
    for button in opened.card.buttons:
        act = world.acts.kept[button.token]
        assert (act.person, act.channel) == ("p-alice", asker(ALICE).channel)


async def test_every_reason_for_nothing_is_told_in_words_of_its_own() -> None:
    world, record = await made()
    address = str(record.ref)

    world.policy.denied.add(("alice", "record.view", ""))
    forbidden = await world.desk.opened(asker(ALICE), address, "")
    world.policy.denied.clear()
    world.system.faults["read"].append(ServiceUnavailable("down"))
    stale = await world.desk.opened(asker(ALICE), address, "")
    world.cards.kept.clear()
    world.system.faults["read"].append(ServiceUnavailable("down"))
    unreachable = await world.desk.opened(asker(ALICE), address, "")
    world.system.gone.add(record.ref.id)
    gone = await world.desk.opened(asker(ALICE), address, "")

    told = {
        Standing.FORBIDDEN: forbidden,
        Standing.STALE: stale,
        Standing.UNAVAILABLE: unreachable,
        Standing.GONE: gone,
    }
    assert {standing: each.standing for standing, each in told.items()} == {
        standing: standing for standing in told
    }
    assert len({each.text for each in told.values()}) == len(told)
    assert all(each.text and each.card is None for each in told.values())
    assert "4711" not in repr(told)
    assert "Increase memory" not in repr(told)


async def test_how_old_a_card_is_is_told_in_its_own_channel_alone() -> None:
    world, record = await made()
    world.system.faults["read"] += [ServiceUnavailable("down")] * 2

    here = await world.desk.opened(asker(ALICE), str(record.ref), "")
    elsewhere = await world.desk.opened(asker(ALICE, ELSEWHERE), str(record.ref), "")

    assert here.standing is Standing.STALE
    assert "What this channel shows is of 2030-03-17 17:46 UTC" in here.text
    assert elsewhere.standing is Standing.UNAVAILABLE
    assert "UTC" not in elsewhere.text


async def test_what_is_spent_says_so_and_not_that_nothing_is_there() -> None:
    world, record = await made(carded=False)
    world.system.faults["read"].append(Spent("enough", 60.0))

    opened = await world.desk.opened(asker(ALICE), str(record.ref), "")

    assert opened.standing is Standing.UNAVAILABLE
    assert "takes no more calls" in opened.text


async def test_the_deleted_and_the_unseen_are_told_alike() -> None:
    world, record = await made()
    world.system.unseen.add(("p-alice", record.ref.id))
    unseen = await world.desk.opened(asker(ALICE), str(record.ref), "")
    world.system.unseen.clear()
    world.system.gone.add(record.ref.id)
    gone = await world.desk.opened(asker(ALICE), str(record.ref), "")

    assert unseen == gone
    assert gone.standing is Standing.GONE


async def test_who_may_not_see_it_is_on_record_and_nothing_is_read() -> None:
    world, record = await made()
    world.policy.denied.add(("alice", "record.view", ""))
    world.system.calls.clear()

    opened = await world.desk.opened(asker(ALICE), str(record.ref), "")

    assert opened.standing is Standing.FORBIDDEN
    assert "forbidden" in opened.text
    assert world.system.calls == []
    assert views(world) == ["record.denied"]


@pytest.mark.parametrize("kind", [PersonKind.USER, PersonKind.EXTERNAL])
async def test_strangers_are_refused(kind: PersonKind) -> None:
    world, record = await made()
    person = STRANGER if kind is PersonKind.USER else replace(ALICE, kind=kind)

    opened = await world.desk.opened(asker(person), str(record.ref), "")

    assert opened.standing is Standing.FORBIDDEN
    assert views(world) == ["record.denied"]


@pytest.mark.parametrize("how", ["address", "link"])
async def test_who_has_connected_nothing_is_offered_to(how: str) -> None:
    world, record = await made()
    world.accesses.connected.discard("p-alice")
    address = str(record.ref) if how == "address" else LINK

    opened = await connecting(world).open(asker(ALICE), address, LINK)

    assert opened.card is None
    assert opened.connect is not None
    assert opened.connect.buttons[0].url.endswith("/servicenow/acme")


async def test_where_nobody_can_connect_it_says_why() -> None:
    world, record = await made()
    world.accesses.connected.discard("p-alice")

    async def nowhere(_asker: Asker, _system: System, _instance: str) -> Card:
        raise NotFound("an admin has to set ATOM_PUBLIC_URL")

    opening = replace(connecting(world), connecting=nowhere)
    opened = await opening.open(asker(ALICE), str(record.ref), "")

    assert opened == Opened(Standing.UNAVAILABLE, "an admin has to set ATOM_PUBLIC_URL")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "jira:acme/issue/1",
        "servicenow:other/change_request/id-CHG1",
        "servicenow:acme/change_request/../sys_user",
        "servicenow:acme/change_request/id-CHG9",
        "https://evil.example/record",
    ],
)
async def test_what_names_no_record_opens_none(address: str) -> None:
    world, _ = await made()

    opened = await world.desk.opened(asker(ALICE), address, address)

    assert opened.standing is Standing.GONE
    assert opened.text
    assert opened.card is None


def connecting(world: World) -> Opening:
    async def offer(_asker: Asker, system: System, instance: str) -> Card:
        url = f"https://atom.example/connect/{system}/{instance}"
        return Card("Connect", buttons=(Button("Sign in", url=url),))

    return Opening(world.desk.acting.own, world.cards, offer)
