"""From a change in Active Directory to what decisions see, through every part."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from bots.directory_settings import SourceSettings
from bots.directory_side import Means, source_of
from bots.following import Follower, Pace
from bots.syncing import Rules, Sync
from bridge.access import Action, Asked
from bridge.directory.model import Kind, Standing, Subject
from bridge.directory.people import Precedence
from bridge.directory.view import LiveDirectory
from bridge.messages import Channel, Person, Platform
from policy.cedar.bundle import Draft, build
from policy.cedar.engine import Engine
from policy.cedar.naming import FromDirectory
from policy.default import MembershipPolicy
from storage.directory.stored import StoredDirectory
from tests.contract.conftest import TENANT, Store
from tests.samba import Samba
from tests.samba_world import FINANCE, PASSWORD, SALES, SECURITY_UNIVERSAL, SYNC, Admin

GROUP = Kind.GROUP
HERE = Channel(Platform.SLACK, "T1", "C-FIN")
THERE = Channel(Platform.TEAMS, "19:team", "19:fin")
FRONT = """
spaces:
  team: ["slack:T1/C-FIN", "teams:19:team/19:fin"]
rules:
  - id: team-talks
    allow: [bridge.post, bridge.read]
    who: {{group: {group}}}
    where: {{links_between: [space:team, space:team]}}
    reason: The team talks in its own channels.
"""
PATIENCE = 60.0  # seconds for a busy machine; nothing here should take one


@pytest.fixture
def admin(samba: Samba) -> Iterator[Admin]:
    with samba.admin() as made:
        yield made


@pytest.fixture
async def view(store: Store, samba: Samba) -> AsyncIterator[LiveDirectory]:
    """A directory that follows the domain, as a running ATOM does."""
    given = SourceSettings.model_validate(
        {
            "name": "ad",
            "kind": "active-directory",
            "url": samba.url,
            "bind": SYNC,
            "password": PASSWORD,
            "ca": samba.authority,
            "attributes": {"slack_id": "info"},
        }
    )
    source = source_of(given, Means(None, now_us))
    live = LiveDirectory(now_us)
    live.configure(TENANT, ("ad",), Precedence())
    kept = StoredDirectory(store.database.hot, store.journal, now_us)
    sync = Sync(TENANT, live, kept, Rules(), now_us)
    follower = Follower(sync, source, "one", Pace(retry=0.1), lambda _: None)
    task = asyncio.create_task(follower.run())
    yield live
    task.cancel()
    await asyncio.wait([task])


def now_us() -> int:
    return time.time_ns() // 1000


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


def somebody(view: LiveDirectory, account: str) -> Subject | None:
    return view.subject(TENANT, Person(Platform.SLACK, account, account), "T1")


def places(view: LiveDirectory, account: str, kind: Kind = GROUP) -> set[str]:
    """Return the names of all groups somebody is in, through others too."""
    subject = somebody(view, account)
    ids = [each.partition(":") for each in subject.ancestors] if subject else []
    names = (view.name_of(TENANT, kind, id_) for of, _, id_ in ids if of == kind)
    return {name for name in names if name}


async def test_d16_joining_and_leaving_a_group_is_known_at_once(
    view: LiveDirectory, admin: Admin, store: Store
) -> None:
    account = f"U{time.time_ns()}"
    dn = admin.person(account, FINANCE, info=f"T1/{account}", department="Finance")
    finance = admin.dn_of("Finance")
    await until(lambda: somebody(view, account))
    assert places(view, account, Kind.UNIT) == {"Finance", "Company", "ad"}
    assert places(view, account) >= {"Domain Users", "Users"}
    assert "Everybody" not in places(view, account)

    admin.put_in(finance, dn)
    await until(lambda: {"Finance", "Everybody"} <= places(view, account))

    admin.take_out(finance, dn)
    await until(lambda: not {"Finance", "Everybody"} & places(view, account))


async def test_d16_the_next_message_obeys_what_changed_in_the_domain(
    view: LiveDirectory, admin: Admin
) -> None:
    account = f"U{time.time_ns()}"
    dn = admin.person(account, SALES, info=f"T1/{account}")
    team = f"team-{account}"
    group = admin.group(team, kind=SECURITY_UNIVERSAL)
    await until(lambda: somebody(view, account) and view.named(TENANT, GROUP, team))
    policy = Engine(view, MembershipPolicy(), ttl=30)
    draft = Draft(FRONT.format(group=team), "")
    policy.use(build(TENANT, draft, FromDirectory(view, TENANT), ("why",)))
    who = Person(Platform.SLACK, account, account)
    asked = Asked(TENANT, who, Action.POST, HERE, THERE, "L1", "T1")

    before = await policy.decide(asked)
    admin.put_in(group, admin.dn_of("Sales"))
    admin.put_in(admin.dn_of("Sales"), dn)  # in a group of the group
    await until(lambda: team in places(view, account))
    inside = await policy.decide(asked)
    admin.take_out(group, admin.dn_of("Sales"))
    await until(lambda: team not in places(view, account))
    outside = await policy.decide(asked)

    assert [each.allowed for each in (before, inside, outside)] == [False, True, False]
    assert inside.rule == "team-talks"
    assert before.directory != inside.directory != outside.directory


async def test_d03_whoever_is_disabled_is_known_to_be_at_once(
    view: LiveDirectory, admin: Admin
) -> None:
    account = f"U{time.time_ns()}"
    dn = admin.person(account, FINANCE, info=f"T1/{account}")
    await until(lambda: somebody(view, account))

    admin.set(dn, userAccountControl=546)

    await until(
        lambda: (who := somebody(view, account)) and who.standing is Standing.DISABLED
    )


async def test_d08_a_new_hire_has_nothing_of_the_former_ones(
    view: LiveDirectory, admin: Admin
) -> None:
    account = f"U{time.time_ns()}"
    finance = admin.dn_of("Finance")
    dn = admin.person(account, FINANCE, info=f"T1/{account}", mail="same@atom.test")
    admin.put_in(finance, dn)
    await until(lambda: "Finance" in places(view, account))
    former = somebody(view, account)

    admin.delete(dn)
    admin.person(account, FINANCE, info=f"T1/{account}", mail="same@atom.test")

    await until(
        lambda: (who := somebody(view, account)) and former and who.id != former.id
    )
    assert "Finance" not in places(view, account)
