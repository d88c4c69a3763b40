"""Every adapter of the organisation's ports keeps their promises."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from bots.sandbox.slack.seed import BOT_TOKEN
from bots.sandbox.teams import seed as teams_seed
from bots.slack.admin_care import slack_administration
from bots.slack.clients import Clients
from bots.teams.admin_care import teams_administration
from bots.teams.admin_graph import AdminGraph
from bots.teams.connector import Connector
from bots.teams.tokens import Tokens
from bridge.errors import AtomError, Conflict, NotFound
from bridge.messages import Channel, Person, Platform
from bridge.places import Place
from bridge.workspaces import Administration, ManagedChannel, NewChannel, Workspace
from tests.fakes_organisation import FakeOrganisation
from tests.sandbox import running_sandbox, settled
from tests.teams_world import FakePlaces

# Teams moves and shares no channels between teams, and has none that follow groups.
only_where_there_is_such_a_thing = pytest.mark.parametrize(
    "platform", ["fake", "slack"], indirect=True
)


@dataclass(frozen=True)
class Here:
    """What one platform's sandbox calls the same things."""

    channel: Channel
    admin: str
    nobody_special: str
    space: Workspace
    within: frozenset[str]
    closed: str
    somebody: str
    stranger: str


SLACK = Here(
    Channel(Platform.SLACK, "T01ACME", "C02FALCON"),
    "U01ALICE",
    "U21NORA",
    Workspace("T03LABS", "Acme Labs", "acme-labs"),
    frozenset({"lab-notes", "vault"}),
    "vault",
    "U21NORA",
    "stranger",
)
TEAMS = Here(
    Channel(Platform.TEAMS, teams_seed.ACME_TEAM, "19:falcon@thread.tacv2"),
    "29:carol",
    "29:dave",
    Workspace(teams_seed.teams()[0].group_id, "Acme", "acme"),
    frozenset({"General", "Project Falcon", "Random", "Board"}),
    "board",
    "c0000000-0000-4000-8000-000000000003",
    "c0000000-0000-4000-8000-00000000dead",
)


@pytest.fixture(params=["fake", "slack", "teams"])
def platform(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def here(platform: str) -> Here:
    return TEAMS if platform == "teams" else SLACK


@pytest.fixture
async def organisation(
    platform: str,
) -> AsyncIterator[Administration]:
    if platform == "teams":
        async with teams_organisation() as administration:
            yield administration
        return
    if platform == "fake":
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


@asynccontextmanager
async def teams_organisation() -> AsyncIterator[Administration]:
    with running_sandbox() as sandbox:
        await sandbox.set({"teams.throttles": False})
        base, tenant = f"{sandbox.base}/teams", teams_seed.ACME
        login = f"{base}/login/{tenant}/oauth2/v2.0/token"
        async with ClientSession() as session:
            bot = Tokens(
                teams_seed.BOT_APP_ID,
                teams_seed.BOT_PASSWORD,
                login,
                tenant,
                time.monotonic,
            )
            admin = Tokens(
                teams_seed.ADMIN_APP_ID,
                teams_seed.ADMIN_PASSWORD,
                login,
                tenant,
                time.monotonic,
            )
            places = FakePlaces()
            url = f"{base}/connector/amer/"
            await places.remember(Place(tenant, TEAMS.channel.team, "", url))
            graph = AdminGraph(
                session, admin, f"{base}/graph/v1.0", tenant, asyncio.sleep
            )
            yield teams_administration(graph, Connector(session, bot), places)


async def space(organisation: Administration, address: str) -> Workspace:
    found = await organisation.organisation.workspaces()
    return next(one for one in found if one.address == address)


async def seen_in(organisation: Administration, channel: ManagedChannel) -> list[str]:
    return list((await organisation.book.channel(channel.name)).workspaces)


async def test_workspaces_have_ids_names_and_addresses(
    organisation: Administration, here: Here
) -> None:
    found = await organisation.organisation.workspaces()

    assert here.space in found
    assert len({one.id for one in found}) == len(found) >= 2


async def test_only_the_organisations_admins_may_manage(
    organisation: Administration, here: Here
) -> None:
    able = organisation.organisation.may_manage
    people = [
        Person(here.channel.platform, who) for who in (here.admin, here.nobody_special)
    ]

    assert [await able(person, here.channel) for person in people] == [True, False]


async def test_a_channel_is_made_and_found_by_name_and_by_id(
    organisation: Administration, here: Here
) -> None:
    labs = here.space

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
    organisation: Administration, here: Here
) -> None:
    within = {one.name for one in await organisation.book.channels(here.space)}
    everything = {one.name for one in await organisation.book.channels(None)}

    assert within == here.within
    assert within <= everything


async def test_a_name_that_is_taken_is_refused(
    organisation: Administration, here: Here
) -> None:
    with pytest.raises(AtomError, match="of that name already"):
        await organisation.book.create(NewChannel(here.closed, here.space))


async def test_a_channel_is_renamed_closed_opened_and_deleted(
    organisation: Administration, here: Here
) -> None:
    vault = await organisation.book.channel(here.closed)
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


@only_where_there_is_such_a_thing
async def test_sharing_adds_and_never_takes_away(organisation: Administration) -> None:
    sharing = organisation.sharing
    assert sharing is not None
    notes = await organisation.book.channel("lab-notes")

    await sharing.share(notes, [await space(organisation, "acme")])
    notes = await organisation.book.channel("lab-notes")
    await sharing.share(notes, [await space(organisation, "acme-sales")])

    seen = await seen_in(organisation, notes)
    assert set(seen) == {"T01ACME", "T03LABS", "T04SALES"}


@only_where_there_is_such_a_thing
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


@only_where_there_is_such_a_thing
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
    organisation: Administration, here: Here
) -> None:
    closed = await organisation.book.channel(here.closed)
    who = (here.somebody, here.stranger)
    people = [Person(here.channel.platform, one) for one in who]

    failed = await organisation.membership.invite(closed, people)

    assert [line.partition(":")[0] for line in failed] == [here.stranger]


async def test_who_is_signed_out_twice_is_signed_out(
    organisation: Administration, here: Here
) -> None:
    assert organisation.sessions is not None
    person = await organisation.membership.person(here.somebody)

    await organisation.sessions.reset(person)
    await organisation.sessions.reset(person)
