"""Every adapter of the organisation's ports keeps their promises."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from bots.sandbox.slack.seed import BOT_TOKEN
from bots.slack.admin_care import slack_administration
from bots.slack.clients import Clients
from bridge.errors import AtomError, Conflict, NotFound
from bridge.messages import Channel, Person, Platform
from bridge.workspaces import Administration, ManagedChannel, NewChannel, Workspace
from tests.fakes_organisation import FakeOrganisation
from tests.sandbox import running_sandbox, settled

HERE = Channel(Platform.SLACK, "T01ACME", "C02FALCON")


@pytest.fixture(params=["fake", "slack"])
async def organisation(
    request: pytest.FixtureRequest,
) -> AsyncIterator[Administration]:
    if request.param == "fake":
        yield FakeOrganisation(admins={"U01ALICE"}).administration()
        return

    async def token(_team: str) -> str:
        return BOT_TOKEN

    with running_sandbox() as sandbox:
        await sandbox.set({"slack.grid": True, "slack.rate_limits": False})
        async with ClientSession() as session:
            clients = Clients(sandbox.slack_api, token, session)
            yield slack_administration(sandbox.slack_api, ADMIN_TOKEN, clients)
            await clients.aclose()


async def space(organisation: Administration, address: str) -> Workspace:
    found = await organisation.organisation.workspaces()
    return next(one for one in found if one.address == address)


async def seen_in(organisation: Administration, channel: ManagedChannel) -> list[str]:
    return list((await organisation.book.channel(channel.name)).workspaces)


async def test_workspaces_have_ids_names_and_addresses(
    organisation: Administration,
) -> None:
    found = await organisation.organisation.workspaces()

    assert Workspace("T03LABS", "Acme Labs", "acme-labs") in found
    assert len({one.id for one in found}) == len(found) >= 3


@pytest.mark.parametrize(("who", "may"), [("U01ALICE", True), ("U21NORA", False)])
async def test_only_the_organisations_admins_may_manage(
    organisation: Administration, who: str, *, may: bool
) -> None:
    person = Person(Platform.SLACK, who)

    assert await organisation.organisation.may_manage(person, HERE) is may


async def test_a_channel_is_made_and_found_by_name_and_by_id(
    organisation: Administration,
) -> None:
    labs = await space(organisation, "acme-labs")

    made = await organisation.book.create(NewChannel("launch", labs, private=True))

    by_name = await organisation.book.channel("#launch")
    by_id = await organisation.book.channel(made.id)
    assert by_name.id == by_id.id == made.id
    assert (by_name.private, by_name.workspaces) == (True, (labs.id,))
    assert by_id.workspaces == (labs.id,)


async def test_what_is_not_there_is_not_found(organisation: Administration) -> None:
    with pytest.raises(NotFound):
        await organisation.book.channel("no-such-channel")
    with pytest.raises(NotFound):
        await organisation.membership.person("nobody")


async def test_a_workspaces_list_holds_its_channels_only(
    organisation: Administration,
) -> None:
    labs = await space(organisation, "acme-labs")

    within = {one.name for one in await organisation.book.channels(labs)}
    everything = {one.name for one in await organisation.book.channels(None)}

    assert within == {"lab-notes", "vault"}
    assert within <= everything


async def test_a_name_that_is_taken_is_refused(organisation: Administration) -> None:
    labs = await space(organisation, "acme-labs")

    with pytest.raises(AtomError, match="of that name already"):
        await organisation.book.create(NewChannel("vault", labs))


async def test_a_channel_is_renamed_closed_opened_and_deleted(
    organisation: Administration,
) -> None:
    vault = await organisation.book.channel("vault")
    assert organisation.disposal is not None
    await organisation.care.rename(vault, "safe")
    safe = await organisation.book.channel("safe")
    await organisation.care.archive(safe)
    closed = await organisation.book.channel("safe")
    with pytest.raises(AtomError, match="archived already"):
        await organisation.care.archive(closed)
    await organisation.care.unarchive(closed)

    await organisation.disposal.delete(await organisation.book.channel("safe"))

    assert closed.archived

    async def gone() -> bool:
        return "safe" not in {o.name for o in await organisation.book.channels(None)}

    await settled(gone)


async def test_sharing_adds_and_never_takes_away(organisation: Administration) -> None:
    sharing = organisation.sharing
    assert sharing is not None
    notes = await organisation.book.channel("lab-notes")

    await sharing.share(notes, [await space(organisation, "acme")])
    notes = await organisation.book.channel("lab-notes")
    await sharing.share(notes, [await space(organisation, "acme-sales")])

    seen = await seen_in(organisation, notes)
    assert set(seen) == {"T01ACME", "T03LABS", "T04SALES"}


async def test_a_channel_moves_unless_several_workspaces_see_it(
    organisation: Administration,
) -> None:
    sharing = organisation.sharing
    assert sharing is not None
    notes = await organisation.book.channel("lab-notes")
    sales = await space(organisation, "acme-sales")
    await sharing.move(notes, sales)

    async def moved() -> bool:
        return await seen_in(organisation, notes) == [sales.id]

    await settled(moved)
    notes = await organisation.book.channel("lab-notes")
    await sharing.share(notes, [await space(organisation, "acme-labs")])
    shared = await organisation.book.channel("lab-notes")
    with pytest.raises(Conflict, match="Several workspaces"):
        await sharing.move(shared, await space(organisation, "acme"))


async def test_a_channel_follows_a_group_and_stops(
    organisation: Administration,
) -> None:
    groups = organisation.groups
    assert groups is not None
    vault = await organisation.book.channel("vault")

    await groups.connect(vault, "S21RESEARCH")
    during = list(await groups.groups(vault))
    await groups.disconnect(vault, "S21RESEARCH")

    assert during == ["S21RESEARCH"]
    assert list(await groups.groups(vault)) == []


async def test_people_are_let_in_as_far_as_they_can_be(
    organisation: Administration,
) -> None:
    notes = await organisation.book.channel("lab-notes")
    people = [Person(Platform.SLACK, one) for one in ("U21NORA", "stranger")]

    failed = await organisation.membership.invite(notes, people)

    assert [line.partition(":")[0] for line in failed] == ["stranger"]


async def test_who_is_signed_out_twice_is_signed_out(
    organisation: Administration,
) -> None:
    assert organisation.sessions is not None
    person = await organisation.membership.person("U02BOB")

    await organisation.sessions.reset(person)
    await organisation.sessions.reset(person)
