"""People connect their accounts in a browser, and what is done is done as them."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Self

import pytest
from aiohttp import ClientSession, CookieJar, web
from yarl import URL

from bots.records.accesses import RecordAccesses
from bots.records.connecting import Connecting, Leavers
from bots.web.connect import ConnectPages
from bridge.errors import NotFound, ServiceUnavailable
from bridge.records.connections import SignIn, Wanted
from bridge.records.model import System
from bridge.records.ports import NotConnected
from connectors.sandbox import oauth
from connectors.sandbox.http import answer
from connectors.sandbox.hubspot.app import HubSpot
from connectors.sandbox.jira.app import Jira
from connectors.sandbox.servicenow.app import ServiceNow
from connectors.sandbox.stand_in import StandIn
from connectors.sandbox.tokens import Grant
from connectors.sandbox.users import PEOPLE, Profile, User
from connectors.sign_in.asking import Asking
from connectors.sign_in.integrations import ClientCredentials, ConfiguredToken
from connectors.sign_in.people import BrowserSignIn
from connectors.sign_in.vendors import Client, Place
from storage.compliance.acts import Acts
from storage.records.accounts import StoredConnections
from storage.records.acts import StoredActs
from storage.records.log import StoredRecordLog
from storage.records.sealing import CompanySeal
from storage.records.sign_ins import StoredSignIns
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.contract.records_books.conftest import act
from tests.servers import free_port
from tests.stand_ins import Told, running

ALICE, BOB = "p-alice", "p-bob"


class Salesforce(StandIn):
    """As much of Salesforce as a sign-in takes: its tokens do not say when they end."""

    name, shown = "salesforce", "Salesforce"
    elsewhere = ""

    def seed(self) -> None:
        self.users = {
            name: User(f"005{name}", name, shown, Profile("x"), f"{name}@acme.example")
            for name, shown, _ in PEOPLE
        }

    def routes(self) -> list[web.RouteDef]:
        root = "/services/oauth2"
        grants = frozenset(
            {"authorization_code", "refresh_token", "client_credentials"}
        )
        paths = (f"{root}/authorize", f"{root}/token", f"{root}/revoke")
        login = oauth.Login(*paths, self._reply, grants, run_as="erin")
        return [web.get(f"{root}/userinfo", self._who), *oauth.routes(self, login)]

    def _reply(self, request: web.Request, grant: Grant) -> dict[str, Any]:
        return {
            "access_token": grant.access,
            "refresh_token": grant.refresh,
            "instance_url": self.elsewhere or self.base(request),
        }

    async def _who(self, request: web.Request) -> web.StreamResponse:
        user = self.user(request)
        if user is None:
            return answer({}, 403)
        told = {"user_id": user.id, "preferred_username": user.mail}
        return answer({**told, "email": user.mail})


MADE: dict[System, Callable[[], StandIn]] = {
    System.SALESFORCE: Salesforce,
    System.SERVICENOW: ServiceNow,
    System.JIRA: Jira,
    System.HUBSPOT: HubSpot,
}


@dataclass
class Now:
    """Time that a test moves on."""

    us: int = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.us


@dataclass
class World:
    """A system, ATOM's pages, and processes that use what is connected there."""

    system: System
    told: Told
    store: Store
    acts: Acts
    public: str
    sign_in: SignIn
    asking: Asking
    place: Place
    clock: Now
    owners: dict[str, str] = field(default_factory=dict)

    @property
    def stand_in(self) -> StandIn:
        return self.told.stand_in

    def process(self, name: str) -> RecordAccesses:
        store = self.store.another_process(name)
        key = (TENANT, self.system, "acme")
        return RecordAccesses(
            self.book(store),
            {key: self.sign_in},
            {key: ConfiguredToken(self.system, "acme", "integration-token")},
            name,
            self.clock,
        )

    def book(self, store: Store) -> StoredConnections:
        log = StoredRecordLog(self.acts)
        return StoredConnections(store.database.hot, store.ring, log, self.clock)

    @property
    def desk(self) -> Connecting:
        hot = self.store.database.hot
        log = StoredRecordLog(self.acts)

        async def whose(_tenant: str, address: str) -> str:
            return self.owners.get(address, "")

        return Connecting(
            self.book(self.store),
            StoredSignIns(hot, CompanySeal(self.store.ring), self.clock),
            StoredActs(hot, self.clock),
            log,
            {(TENANT, self.system, "acme"): self.sign_in},
            self.public,
            whose,
            pause=0,
        )

    async def link(self, person: str = ALICE) -> str:
        wanted = Wanted(TENANT, person, "slack:U1", "Alice <Wong>", self.system, "acme")
        return await self.desk.link(wanted)

    async def connected(self, user: str = "alice", person: str = ALICE) -> None:
        async with Browser(self) as browser:
            page = await browser.signed_in(await self.link(person), user)
            assert "Connected as" in await browser.agreed(page)

    async def types(self) -> list[str]:
        return [e.etype for e in await self.store.reader.entries(TENANT, -1, 99)]


@dataclass
class Browser:
    """A browser of somebody's own, with its cookies."""

    world: World
    session: ClientSession = field(init=False)

    async def __aenter__(self) -> Self:
        self.session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def get(self, url: str | URL) -> tuple[int, str, URL]:
        where = URL(str(url), encoded=True)
        async with self.session.get(where, allow_redirects=False) as given:
            there = URL(given.headers.get("Location", ""), encoded=True)
            assert "atom_connect" not in await given.text()
            return given.status, await given.text(), there

    async def sent(self, link: str) -> URL:
        """Open a link from chat; returns where the system's sign-in is."""
        status, _, there = await self.get(link)
        assert status == 302
        return there

    async def chosen(self, there: URL, user: str) -> URL:
        """Sign in at the system; returns where it sends the browser back to."""
        form = {"user": user} if user else {"deny": "1"}
        async with self.session.post(there, data=form, allow_redirects=False) as given:
            return URL(given.headers["Location"], encoded=True)

    async def signed_in(self, link: str, user: str) -> str:
        back = await self.chosen(await self.sent(link), user)
        status, page, _ = await self.get(back)
        assert status == 200, page
        return page

    async def agreed(self, page: str) -> str:
        [secret] = re.findall(r'name="secret" value="([^"]+)"', page)
        url = f"{self.world.public}/connect/agree"
        async with self.session.post(url, data={"secret": unescape(secret)}) as given:
            return await given.text()


@asynccontextmanager
async def world_of(system: System, store: Store, acts: Acts) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(running(MADE[system]()))
        session = await stack.enter_async_context(ClientSession())
        port = free_port()
        public, clock = f"http://127.0.0.1:{port}", Now()
        asking = Asking(session, system.shown, clock)
        base = URL(told.url)
        site = URL("https://acme.atlassian.net") if system is System.JIRA else base
        if system is System.JIRA:
            resources = await _site_of(told)
            site = URL(resources)
        place = Place(site, base, base)
        sign_in = BrowserSignIn(
            system,
            "acme",
            asking,
            place,
            Client("atom", "atom-secret"),
            f"{public}/connect/callback",
        )
        world = World(system, told, store, acts, public, sign_in, asking, place, clock)
        app = web.Application()
        ConnectPages(world.desk, secure=False).add_routes(app)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield world


async def _site_of(told: Told) -> str:
    token = told.stand_in.tokens.issue("alice").access
    async with (
        ClientSession() as session,
        session.get(
            f"{told.url}/oauth/token/accessible-resources",
            headers={"Authorization": f"Bearer {token}"},
        ) as given,
    ):
        return str((await given.json())[0]["url"])


@pytest.fixture(params=list(MADE))
async def world(
    request: pytest.FixtureRequest, store: Store, acts: Acts
) -> AsyncIterator[World]:
    async with world_of(request.param, store, acts) as made:
        yield made


@pytest.fixture
async def jira(store: Store, acts: Acts) -> AsyncIterator[World]:
    async with world_of(System.JIRA, store, acts) as made:
        yield made


async def test_somebody_connects_and_disconnects_their_account(world: World) -> None:
    process = world.process("one")
    with pytest.raises(NotConnected):
        await process.of(TENANT, ALICE, world.system, "acme")

    async with Browser(world) as browser:
        page = await browser.signed_in(await world.link(), "alice")
        assert "Alice &lt;Wong&gt;" in page
        assert "alice" in page.lower()
        with pytest.raises(NotConnected):
            await process.of(TENANT, ALICE, world.system, "acme")
        assert "go back to the chat" in await browser.agreed(page)

    access = await process.of(TENANT, ALICE, world.system, "acme")
    token = await access.token()
    assert access.account == ALICE
    assert world.stand_in.tokens.user_of(token) == "alice"
    with pytest.raises(NotConnected):
        await process.of(TENANT, BOB, world.system, "acme")
    [known] = (await world.desk.standing(TENANT, ALICE)).connected
    assert known.name
    assert known.remote

    await world.desk.disconnect(TENANT, ALICE, "slack:U1", world.system, "acme")

    assert world.stand_in.tokens.user_of(token) is None
    for call in (access.token(), access.renewed(token)):
        with pytest.raises(NotConnected):
            await call
    with pytest.raises(NotFound):
        await world.desk.disconnect(TENANT, ALICE, "slack:U1", world.system, "acme")
    assert await world.types() == ["record.connect", "record.disconnect"]


async def test_a_refused_token_is_renewed_once_for_all_tasks_and_processes(
    world: World,
) -> None:
    await world.connected()
    processes = [world.process(name) for name in ("one", "two")]
    accesses = [
        await process.of(TENANT, ALICE, world.system, "acme") for process in processes
    ]
    refused = await accesses[0].token()
    world.stand_in.tokens.expire(refused)
    before = world.stand_in.tokens.renewals

    new = await asyncio.gather(
        *(each.renewed(refused) for _ in range(10) for each in accesses)
    )

    assert world.stand_in.tokens.renewals == before + 1
    assert len(set(new)) == 1
    assert world.stand_in.tokens.user_of(new[0]) == "alice"
    assert await accesses[1].token() == new[0]


async def test_tokens_that_say_when_they_end_are_renewed_before(world: World) -> None:
    await world.connected()
    access = await world.process("one").of(TENANT, ALICE, world.system, "acme")
    first = await access.token()

    world.clock.us += 10 * 3_600_000_000

    later = await access.token()
    says_so = world.system is not System.SALESFORCE
    assert (later != first) is says_so


async def test_what_is_refused_for_good_has_to_be_connected_again(
    world: World,
) -> None:
    await world.connected()
    access = await world.process("one").of(TENANT, ALICE, world.system, "acme")
    token = await access.token()
    world.stand_in.tokens.revoke(token)
    held = await world.book(world.store).get(TENANT, ALICE, world.system, "acme")
    assert held is not None
    world.stand_in.tokens.revoke(held.tokens.refresh)

    for _ in range(2):
        with pytest.raises(NotConnected):
            await access.renewed(token)

    [known] = (await world.desk.standing(TENANT, ALICE)).connected
    # ServiceNow says the same of a wrong secret of ATOM's: that breaks nobody's account.
    assert known.broken is (world.system is not System.SERVICENOW)
    await world.connected()
    assert world.stand_in.tokens.user_of(await access.token()) == "alice"


async def test_a_system_that_is_down_breaks_nothing(jira: World) -> None:
    await jira.connected()
    access = await jira.process("one").of(TENANT, ALICE, jira.system, "acme")
    token = await access.token()
    jira.told.fault("status", "POST /oauth/token", arg=503)

    with pytest.raises(ServiceUnavailable):
        await access.renewed(token)

    new = await access.renewed(token)
    assert jira.stand_in.tokens.user_of(new) == "alice"


async def test_an_answer_that_is_lost_with_the_only_token_ends_in_a_question(
    jira: World,
) -> None:
    await jira.connected()
    access = await jira.process("one").of(TENANT, ALICE, jira.system, "acme")
    token = await access.token()
    jira.told.fault("drop_after_effect", "POST /oauth/token")

    with pytest.raises(ServiceUnavailable):
        await access.renewed(token)
    with pytest.raises(NotConnected):
        await access.renewed(token)


async def test_who_waited_and_gave_up_does_not_lose_the_new_token(
    jira: World,
) -> None:
    await jira.connected()
    process = jira.process("one")
    access = await process.of(TENANT, ALICE, jira.system, "acme")
    token = await access.token()
    jira.told.fault("delay", "POST /oauth/token", arg=0.3)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await access.renewed(token)

    assert await access.renewed(token) != token
    assert jira.stand_in.tokens.renewals == 1


async def test_who_says_no_connects_nothing(jira: World) -> None:
    async with Browser(jira) as browser:
        there = await browser.sent(await jira.link())
        status, page, _ = await browser.get(await browser.chosen(there, ""))

    assert status == 403
    assert "did not let ATOM" in page
    assert (await jira.desk.standing(TENANT, ALICE)).connected == []


async def test_another_browser_cannot_finish_what_one_began(jira: World) -> None:
    link = await jira.link()
    async with Browser(jira) as one, Browser(jira) as two:
        back = await one.chosen(await one.sent(link), "alice")
        assert (await two.get(back))[0] == 410
        await two.sent(link)
        assert (await two.get(back))[0] == 410
        status, page, _ = await one.get(back)
        assert status == 200
        assert (await one.get(back))[0] == 410
        assert "is over" in await two.agreed(page)
        assert "Connected as" in await one.agreed(page)
        assert "is over" in await one.agreed(page)
        assert (await one.get(link))[0] == 410


async def test_pages_load_nothing_and_are_kept_nowhere(jira: World) -> None:
    link = await jira.link()
    async with Browser(jira) as browser:
        async with browser.session.get(link, allow_redirects=False) as started:
            cookie = started.headers["Set-Cookie"]
        async with browser.session.get(link + "x", allow_redirects=False) as over:
            headers = over.headers

    assert {"HttpOnly", "SameSite=Lax", "Path=/connect"} <= set(cookie.split("; "))
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_a_link_for_one_system_opens_no_other(jira: World) -> None:
    link = await jira.link()
    async with Browser(jira) as browser:
        for other in ("jira/other", "hubspot/acme", "x/y"):
            assert (await browser.get(link.replace("jira/acme", other)))[0] == 410
        assert (await browser.get(f"{jira.public}/connect/callback"))[0] == 410
        assert (await browser.get(f"{jira.public}/connect/jira/acme"))[0] == 410


async def test_somebody_elses_account_is_refused_and_revoked(jira: World) -> None:
    jira.owners[jira.stand_in.users["bob"].mail] = BOB
    async with Browser(jira) as browser:
        back = await browser.chosen(await browser.sent(await jira.link()), "bob")
        status, page, _ = await browser.get(back)

    assert status == 403
    assert "somebody else&#39;s account" in page
    assert await jira.types() == ["record.denied"]
    kept = jira.stand_in.tokens._refreshing.values()
    assert not any(each.user == "bob" for each in kept)


async def test_another_site_of_the_vendor_is_refused(store: Store, acts: Acts) -> None:
    async with world_of(System.SALESFORCE, store, acts) as world:
        assert isinstance(world.stand_in, Salesforce)
        world.stand_in.elsewhere = "https://evil.example"
        async with Browser(world) as browser:
            there = await browser.sent(await world.link())
            back = await browser.chosen(there, "alice")
            status, page, _ = await browser.get(back)

    assert status == 403
    assert "another Salesforce" in page


async def test_who_leaves_loses_accounts_and_buttons(jira: World) -> None:
    await jira.connected()
    await jira.connected("bob", BOB)
    book = StoredActs(jira.store.database.hot, ticking_clock())
    await book.issue([mine := act("", ALICE, until_us=1 << 60)])
    access = await jira.process("one").of(TENANT, ALICE, jira.system, "acme")
    token = await access.token()
    standing: dict[str, bool | None] = {ALICE: None, BOB: True}

    async def companies() -> list[str]:
        return [TENANT]

    leavers = Leavers(jira.desk, lambda _t, person: standing[person], companies)
    assert await leavers.look() == []
    standing[ALICE] = False
    assert await leavers.look() == [ALICE]
    assert await leavers.look() == []

    assert jira.stand_in.tokens.user_of(token) is None
    with pytest.raises(NotConnected):
        await access.token()
    with pytest.raises(NotFound):
        await book.look(TENANT, mine.token, 5)
    await jira.process("one").of(TENANT, BOB, jira.system, "acme")


async def test_the_integration_is_itself_and_nobodys_way_out(
    store: Store, acts: Acts
) -> None:
    async with world_of(System.SALESFORCE, store, acts) as world:
        process = world.process("one")
        key = (TENANT, world.system, "acme")
        process.integrations = {
            key: ClientCredentials(
                world.system,
                "acme",
                world.asking,
                world.place,
                Client("atom", "atom-secret"),
            )
        }
        own = process.integration(*key)

        token = await own.token()
        assert own.account == ""
        assert world.stand_in.tokens.user_of(token) == "erin"
        assert await own.token() == token
        new = await asyncio.gather(*(own.renewed(token) for _ in range(5)))
        assert len(set(new)) == 1
        assert new[0] != token
        with pytest.raises(NotConnected):
            await process.of(TENANT, ALICE, world.system, "acme")
        with pytest.raises(NotConnected):
            await process.of(TENANT, "", world.system, "acme")
        with pytest.raises(NotFound):
            process.integration("globex", world.system, "acme")


async def test_a_configured_token_that_is_refused_is_for_an_admin(
    jira: World,
) -> None:
    own = jira.process("one").integration(TENANT, jira.system, "acme")

    with pytest.raises(NotConnected, match="admin"):
        await own.renewed(await own.token())
