"""Put together whose right is used towards business systems, and how often."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import ClientSession
from yarl import URL

from bots.commands.base import Command, Request
from bots.commands.connect import Connect, Disconnect, accounts_section, link_card
from bots.core import Core, clock_us, steady_us
from bots.records.accesses import Key, RecordAccesses
from bots.records.connecting import Connecting, Leavers
from bots.settings import Settings
from bots.settings_records import RecordSettings
from bots.web.connect import ConnectPages
from bridge.cards import Card, Section
from bridge.directory.accounts import Confidence
from bridge.directory.model import Kind, Standing
from bridge.errors import AtomError, BadInput
from bridge.messages import Platform
from bridge.ports import Limiter
from bridge.records.budgets import USUAL, Rates
from bridge.records.connections import Integration, SignIn, Wanted
from bridge.records.desk import Asker
from bridge.records.knowing import Figure
from bridge.records.model import System
from bridge.records.places import CardPlace
from connectors.sign_in.asking import Asking
from connectors.sign_in.integrations import (
    ClientCredentials,
    ConfiguredToken,
    JwtBearer,
)
from connectors.sign_in.people import BrowserSignIn
from connectors.sign_in.vendors import VENDORS, Client, Place
from storage.limiter import LocalLimiter, RedisLimiter
from storage.records.accounts import StoredConnections
from storage.records.acts import StoredActs
from storage.records.budget import RecordBudget, rates_of
from storage.records.cards import StoredCards
from storage.records.carried import StoredCarried
from storage.records.changes import StoredChanges
from storage.records.contacts import StoredContacts
from storage.records.levels import StoredLevels
from storage.records.log import StoredRecordLog
from storage.records.orphans import StoredOrphans
from storage.records.remarks import StoredRemarks
from storage.records.sealing import CompanySeal
from storage.records.sign_ins import StoredSignIns
from storage.records.subscriptions import StoredSubscriptions
from storage.records.turns import RecordTurns
from storage.redis_client import Client as Redis
from storage.redis_client import redis_at

log = structlog.get_logger()

Job = Callable[[], Coroutine[Any, Any, None]]

_GIVE_UP = 0.25  # seconds for Redis
_SWEEP = 3_600.0
_DAY_US = 86_400_000_000
_EVENTS_US = 7 * _DAY_US  # systems repeat themselves for days
_DEEDS_US = 400 * _DAY_US
_AT_WORK = {Standing.ACTIVE, Standing.LOCKED}


@dataclass(frozen=True, slots=True)
class RecordBooks:
    """All that is kept about records."""

    cards: StoredCards
    acts: StoredActs
    subscriptions: StoredSubscriptions
    levels: StoredLevels
    changes: StoredChanges
    connections: StoredConnections
    sign_ins: StoredSignIns
    log: StoredRecordLog
    contacts: StoredContacts
    carried: StoredCarried
    orphans: StoredOrphans
    remarks: StoredRemarks

    @classmethod
    def of(cls, core: Core) -> "RecordBooks":
        hot, acts = core.database.hot, core.acts
        sealer, record = CompanySeal(core.ring), StoredRecordLog(acts)
        return cls(
            StoredCards(hot, clock_us),
            StoredActs(hot, clock_us),
            StoredSubscriptions(hot, acts, sealer, clock_us),
            StoredLevels(hot, acts, clock_us),
            StoredChanges(hot, clock_us),
            StoredConnections(hot, core.ring, record, clock_us),
            StoredSignIns(hot, sealer, clock_us),
            record,
            StoredContacts(hot, core.ring),
            StoredCarried(hot, clock_us),
            StoredOrphans(hot, clock_us),
            StoredRemarks(hot, clock_us),
        )


@dataclass(frozen=True, slots=True)
class ConnectingSide:
    """
    Whose right is used, and how many calls there are.

    `systems` are the configured ones by company, system and name; `places` show cards
    to one person alone, where a platform's side has put them in. `processes` tells how
    many processes share the limits.
    """

    books: RecordBooks
    systems: Mapping[Key, RecordSettings]
    accesses: RecordAccesses
    connecting: Connecting
    turns: RecordTurns
    limiter: Limiter
    redis: Redis | None
    core: Core
    places: dict[Platform, CardPlace] = field(default_factory=dict)
    processes: list[Callable[[], int]] = field(default_factory=lambda: [lambda: 1])
    _budgets: dict[str, RecordBudget] = field(default_factory=dict)

    def budget(self, tenant: str) -> RecordBudget:
        """Return what a company's calls are counted in: one for all its systems."""
        if tenant not in self._budgets:
            chosen = {
                f"{system}:{instance}": rates_in(settings)
                for (whose, system, instance), settings in self.systems.items()
                if whose == tenant
            }
            self._budgets[tenant] = RecordBudget(
                tenant,
                self.limiter,
                rates_of(chosen, USUAL),
                steady_us,
                self.redis,
            )
        return self._budgets[tenant]

    def settings_of(self, system: System, instance: str) -> RecordSettings | None:
        """Return how an instance is set up: names are one company's alone."""
        for (_, kind, name), one in self.systems.items():
            if (kind, name) == (system, instance):
                return one
        return None

    @property
    def commands(self) -> tuple[Command, ...]:
        if not self.systems:
            return ()
        desk = self.connecting
        return (
            Connect(desk, self._asks, self.whisper),
            Disconnect(desk, self._asks),
        )

    @property
    def pages(self) -> ConnectPages:
        return ConnectPages(
            self.connecting, secure=self.connecting.public.startswith("https:")
        )

    @property
    def jobs(self) -> Sequence[Job]:
        if not self.systems:
            return ()
        leavers = Leavers(self.connecting, self._at_work, self.core.company_ids)
        return (leavers.run, self._sweep)

    async def figures(self) -> Sequence[Figure]:
        """Return what the companies' books of contacts have."""
        if not self.systems:
            return ()
        return [
            figure
            for tenant in await self.core.company_ids()
            for figure in await self.books.contacts.figures(tenant)
        ]

    async def let_go(self) -> None:
        """Without any system, drop what is known of their accounts and contacts."""
        for tenant in await self.core.company_ids():
            await self.books.contacts.keep_only(tenant, ())

    async def accounts(self, request: Request) -> Sequence[Section]:
        """Return what `me` says of who asks."""
        person, _ = await self._asks(request)
        if not (self.systems and person):
            return ()
        standing = await self.connecting.standing(request.tenant, person)
        return (accounts_section(standing),)

    async def who(self, asker: Asker) -> str | None:
        """Return somebody's key: ATOM's id of them, or without a directory their
        account; None for people whom the directory does not know."""
        person, account = asker.person, asker.account
        if not self.core.sources.view.configured(asker.tenant):
            return f"{person.platform}:{account}/{person.id}"
        subject = self.core.sources.view.subject(asker.tenant, person, account)
        if subject is None or subject.confidence <= Confidence.NONE:
            return None
        return subject.id

    async def offer(self, asker: Asker, system: System, instance: str) -> Card:
        """Return the card by which somebody connects an account, for them alone."""
        person = await self.who(asker)
        name = asker.person.name or asker.person.id
        wanted = Wanted(asker.tenant, person or "", asker.name, name, system, instance)
        return link_card(system, await self.connecting.link(wanted))

    async def _asks(self, request: Request) -> tuple[str, str]:
        account = request.account or request.channel.team
        asker = Asker(request.tenant, request.person, account, request.channel)
        person = await self.who(asker)
        found = self.core.sources.view.find(request.tenant, person or "")
        return person or "", found.name if found else request.person.name

    async def whisper(self, request: Request, card: Card) -> bool:
        """Show a card to who asks alone; False where that cannot be."""
        place = self.places.get(request.channel.platform)
        if place is None:
            return False
        try:
            await place.whisper(request.tenant, request.channel, request.person, card)
        except AtomError as error:
            log.warning("link not whispered", reason=str(error))
            return False
        return True

    def _at_work(self, tenant: str, person: str) -> bool | None:
        """Say whether somebody still works here; None where that cannot be told."""
        view = self.core.sources.view
        if not view.configured(tenant) or view.version(tenant) in {"", "0"}:
            return None
        if ":" in person:
            return None  # from before there was a directory
        subject = view.find(tenant, person)
        return subject is not None and subject.standing in _AT_WORK

    async def _sweep(self) -> None:
        """Forget what nobody asks for any more."""
        while True:
            now = clock_us()
            try:
                await self.books.sign_ins.sweep()
                await self.books.acts.sweep(now - _DAY_US)
                await self.books.subscriptions.sweep(now - _EVENTS_US)
                await self.books.changes.sweep(now - _DEEDS_US)
                await self.books.carried.sweep(now - _DEEDS_US)
                await self.books.remarks.sweep(now - _DEEDS_US)
                await self.books.changes.forget_heard(now - _EVENTS_US)
            except AtomError as error:
                log.warning("not swept", reason=str(error))
            await asyncio.sleep(_SWEEP)


async def connecting_side(
    stack: AsyncExitStack, core: Core, session: ClientSession
) -> ConnectingSide:
    """Build it from the settings. Raises `BadInput` for a system of no company."""
    settings = core.settings
    books = RecordBooks.of(core)
    systems = configured(settings, await core.company_ids())
    public = (settings.public_url or "").rstrip("/")
    integrations: dict[Key, Integration] = {}
    sign_ins: dict[Key, SignIn] = {}
    for (tenant, system, instance), one in systems.items():
        key = (tenant, system, instance)
        asking = Asking(session, system.shown, clock_us)
        integrations[key] = integration_of(instance, one, asking)
        if one.has_sign_in and one.client_secret:
            sign_ins[key] = BrowserSignIn(
                system,
                instance,
                asking,
                place_of(one),
                Client(one.client_id, one.client_secret.get_secret_value()),
                f"{public}/connect/callback",
                one.scopes,
            )
    processes: list[Callable[[], int]] = [lambda: 1]
    redis: Redis | None = None
    limiter: Limiter = LocalLimiter(steady_us)
    if systems and settings.redis_url:
        url = settings.redis_url.get_secret_value()
        care_us = int(settings.tuning.limit_care * 1_000_000)
        shared = RedisLimiter.at(url, steady_us, lambda: _newest(processes), care_us)
        redis = redis_at(url, socket_timeout=_GIVE_UP, socket_connect_timeout=_GIVE_UP)
        stack.push_async_callback(shared.aclose)
        stack.push_async_callback(redis.aclose)
        limiter = shared
    accesses = RecordAccesses(
        books.connections,
        sign_ins,
        integrations,
        core.owner,
        clock_us,
        frozenset(key for key, one in systems.items() if one.kind is System.HR),
    )
    connecting = Connecting(
        books.connections,
        books.sign_ins,
        books.acts,
        books.log,
        sign_ins,
        public,
        _whose(core),
    )
    return ConnectingSide(
        books,
        systems,
        accesses,
        connecting,
        RecordTurns(redis),
        limiter,
        redis,
        core,
        processes=processes,
    )


def _newest(processes: Sequence[Callable[[], int]]) -> int:
    return processes[-1]()


def configured(
    settings: Settings, companies: Sequence[str]
) -> dict[Key, RecordSettings]:
    """Return the systems by whose they are; none as long as there is no company."""
    found: dict[Key, RecordSettings] = {}
    for name, one in settings.records.items():
        company = one.company or (companies[0] if len(companies) == 1 else "")
        if not companies:
            continue
        if company not in companies:
            said = f"there is no company {company}" if company else "name its company"
            raise BadInput(f"[records.{name}]: {said}, one of {', '.join(companies)}")
        found[company, one.kind, name] = one
    return found


def place_of(settings: RecordSettings) -> Place:
    """Return where a system is, as configured or as its vendor has it."""
    vendor = VENDORS.get(settings.kind)
    site = URL(settings.url.rstrip("/"))
    login = settings.login_url or (vendor.login if vendor else "") or settings.url
    api = settings.api_url or (vendor.api if vendor else "") or settings.url
    return Place(site, URL(login.rstrip("/")), URL(api.rstrip("/")))


def integration_of(name: str, settings: RecordSettings, asking: Asking) -> Integration:
    """Return how ATOM itself gets into a system."""
    place, system = place_of(settings), settings.kind
    match settings.auth:
        case "token":
            token = settings.token.get_secret_value() if settings.token else ""
            return ConfiguredToken(system, name, token)
        case "jwt":
            key = settings.private_key
            return JwtBearer(
                system,
                name,
                asking,
                place,
                settings.client_id,
                settings.username,
                key.get_secret_value() if key else "",
                settings.audience.rstrip("/"),
            )
        case "client-credentials":
            secret = settings.client_secret
            client = Client(
                settings.client_id, secret.get_secret_value() if secret else ""
            )
            return ClientCredentials(system, name, asking, place, client)


def rates_in(settings: RecordSettings) -> Rates:
    """Return a system's rates: what was configured, else what is usual."""
    usual = USUAL[settings.kind]
    daily = settings.calls_daily
    return Rates(
        settings.calls or usual.all_calls,
        settings.calls_each or usual.each,
        usual.daily if daily is None else daily,
    )


def _whose(core: Core) -> Callable[[str, str], Awaitable[str]]:
    async def whose(tenant: str, address: str) -> str:
        view = core.sources.view
        if not view.configured(tenant):
            return ""
        found = view.named(tenant, Kind.PERSON, address)
        return found[0] if len(found) == 1 else ""

    return whose
