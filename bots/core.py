"""ATOM without its platforms: the database, the log, the links, the policy."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from bots.commands.answering import Answering
from bots.directory_side import DirectorySide, directory_side
from bots.introducing import Introducer, Introducing
from bots.key_side import keyring
from bots.leaving_side import LeavingOnRecord, LeavingSide, leaving_side
from bots.policy_side import Means, PolicySide, policy_side
from bots.retaining import Retention, retention_on
from bots.scim_side import ScimSide, scim_side
from bots.searching import Search, search_on
from bots.settings import Settings
from bots.spooling import Spooling
from bridge.compliance import Forgets
from bridge.directory.view import LiveDirectory
from bridge.echo_alarm import EchoAlarm
from bridge.echoes import Echoes
from bridge.errors import BadInput, Conflict
from bridge.messages import Channel, Platform
from bridge.others import Others
from bridge.ports import AccessPolicy, Intake, LinkStatus
from bridge.records.desk import RecordDesk
from storage.audit import StoredAudit
from storage.bot_digests import StoredDigests
from storage.companies import Company, StoredCompanies
from storage.compliance.acts import Acts
from storage.compliance.blobs.kept import Blobs
from storage.compliance.blobs.shelves import FolderShelf, RowShelf
from storage.compliance.erasure.erasing import Eraser
from storage.compliance.erasure.files import FilesGo
from storage.compliance.erasure.late import Late
from storage.compliance.erasure.matters import Matters
from storage.compliance.gdpr.assessments import Register
from storage.compliance.gdpr.notices import StoredRecipients
from storage.compliance.gdpr.requests import StoredRequests
from storage.compliance.gdpr.restrictions import StoredRestrictions
from storage.compliance.keys import KeyFile, Keyring
from storage.compliance.keys.earlier import Earlier
from storage.compliance.keys.graveyard import Graveyard
from storage.compliance.keys.rotation import KeyRotation
from storage.compliance.proofs.high_water import HighWater
from storage.compliance.proofs.keeper import TreeKeeper
from storage.compliance.proofs.prover import Prover
from storage.compliance.proofs.publisher import Publisher
from storage.compliance.proofs.signers import Signers
from storage.compliance.proofs.signing_keys import SigningKeys
from storage.compliance.proofs.verification import Verification
from storage.compliance.retention.files import ForgottenFiles
from storage.compliance.retention.legal_holds import StoredLegalHolds
from storage.compliance.rights.approvals import StoredApprovals
from storage.compliance.rights.duties import StoredDuties
from storage.compliance.rights.reading import Reading
from storage.copied import CopiedInLog
from storage.copies import StoredCopies
from storage.database import Database, opened
from storage.database_url import database_url
from storage.dead_letters import StoredDeadLetters
from storage.directory.stored import StoredDirectory
from storage.dormancy import StoredHolds
from storage.echoes_cut import EchoesInLog
from storage.histories import StoredArchive, StoredWishes
from storage.journal import Journal
from storage.late_roots import StoredLateRoots
from storage.ledger import StoredLedger
from storage.links import StoredLinks
from storage.log_reader import LogReader
from storage.migrate import upgrade
from storage.notices import StoredNotices
from storage.origins import StoredOrigins
from storage.outbox import Outbox, StoredShards
from storage.people.accounts import StoredAccounts
from storage.people.departures import StoredDepartures
from storage.places import StoredPlaces
from storage.reactions import LoggedReactions
from storage.record import StoredRecord
from storage.search.entry_matching import EntryMatches
from storage.status import StoredHealth
from storage.watermarks import StoredWatermarks

log = structlog.get_logger()


def _echoing(_tenant: str, channel: Channel, what: str) -> None:
    """Say that a channel brings too many echoes; `status` and the metrics do as well."""
    log.warning("too many echoes", channel=str(channel), what=what)


def clock_us() -> int:
    """Return the time in microseconds UTC since 1970."""
    return time.time_ns() // 1000


def steady_us() -> int:
    """Return microseconds that never go back and say nothing about the date."""
    return time.monotonic_ns() // 1000


@dataclass(frozen=True, slots=True)
class Heard:
    """
    Where what a platform says goes: events, and commands that are captured.

    Without `records` there are no business systems, and whatever is asked of records
    is kept and goes no further. `spooling` keeps what cannot be taken in now.
    """

    intake: Intake
    answering: Answering
    profile_changed: Callable[[str, Mapping[str, Any]], Awaitable[None]]
    records: RecordDesk | None = None
    spooling: Spooling | None = None


@dataclass(frozen=True, slots=True)
class Core:
    """What every way of running ATOM shares."""

    settings: Settings
    owner: str
    database: Database
    keys: KeyFile
    ring: Keyring
    companies: StoredCompanies
    journal: Journal
    log: LogReader
    copies: StoredCopies
    links: StoredLinks
    holds: StoredHolds
    audit: StoredAudit
    acts: Acts
    duties: StoredDuties
    rotation: KeyRotation
    legal_holds: StoredLegalHolds
    eraser: Eraser
    forgets: list[Forgets]
    approvals: StoredApprovals
    blobs: Blobs
    signers: Signers
    publisher: Publisher
    prover: Prover
    verification: Verification
    reading: Reading
    retention: Retention
    restrictions: StoredRestrictions
    requests: StoredRequests
    recipients: StoredRecipients
    register: Register
    search: Search
    places: StoredPlaces
    origins: StoredOrigins
    health: StoredHealth
    letters: StoredDeadLetters
    sources: DirectorySide
    policy: AccessPolicy
    policies: PolicySide
    accounts: StoredAccounts
    introducer: Introducer
    departures: StoredDepartures
    queue: Outbox
    shards: StoredShards
    ledger: StoredLedger
    record: StoredRecord
    watermarks: StoredWatermarks
    reactions: LoggedReactions
    wishes: StoredWishes
    archive: StoredArchive
    notices: StoredNotices
    others: Others
    echoes: EchoAlarm
    late_roots: StoredLateRoots
    digests: StoredDigests
    scim: ScimSide
    leaving: LeavingSide
    directory: LiveDirectory | None = None

    def guarded(self, tenant: str) -> bool:
        """Whether a company's policy asks who people are, and who reads along."""
        return self.directory is not None and self.directory.configured(tenant)

    def watches_readers(self) -> bool:
        """Whether any company's does."""
        return self.directory is not None

    async def only_company(self) -> Company | None:
        """Return the company, if there is exactly one."""
        companies = await self.companies.all()
        return companies[0] if len(companies) == 1 else None

    async def company_ids(self) -> list[str]:
        """Return the companies' ids. Raises `StoreUnavailable`."""
        return [company.id for company in await self.companies.all()]

    async def require_company(self) -> None:
        """Raise `BadInput` as long as no company is set up, or a key is missing."""
        companies = await self.companies.all()
        if not companies:
            raise BadInput(
                "no company is set up yet: run "
                "'atom setup --company-id acme --admin-email admin@acme.example'"
            )
        for company in companies:
            await self.ring.check(company.id)

    async def all_statuses(self) -> list[LinkStatus]:
        """Return how every company's links are doing. Raises `StoreUnavailable`."""
        return [
            status
            for tenant in await self.queue.sizes()
            for status in await self.health.status(tenant)
        ]

    async def bind(self, platform: Platform, account: str, name: str) -> None:
        """Make a workspace or tenant the company's, if there is just one company."""
        company = await self.only_company()
        if company is None:
            if await self.companies.tenant_of(platform, account):
                return
            log.warning("account of no company", platform=platform, account=account)
            return
        try:
            await self.companies.bind(company.id, platform, account, name)
        except Conflict as error:
            log.warning("account not bound", reason=str(error))


@asynccontextmanager
async def core(settings: Settings, owner: str) -> AsyncIterator[Core]:
    """Open the database, bring it to this version's schema, and build on it."""
    async with (
        opened(database_url(settings.database)) as database,
        AsyncExitStack() as stack,
    ):
        await upgrade(database.engine)
        hot, keys = database.hot, KeyFile.under(settings.home)
        ring = await stack.enter_async_context(keyring(settings, hot))
        patience = settings.tuning.capture_patience
        journal = Journal(hot, ring, clock_us, patience=patience, owner=owner)
        reader = LogReader(hot, ring)
        copies = StoredCopies(hot)
        cut, limit = EchoesInLog(reader), settings.tuning.echoes
        echoes = EchoAlarm(cut, limit, clock_us, _echoing)
        links = StoredLinks(hot, journal, ring, clock_us)
        companies = StoredCompanies(database.engine, clock_us)
        places = StoredPlaces(hot, clock_us)
        queue = Outbox(hot)
        acts = Acts(journal, clock_us)
        ledger = StoredLedger(journal, reader, copies, owner, clock_us)
        letters = StoredDeadLetters(hot, journal, queue, clock_us)
        leaving = leaving_side(
            store=hot,
            ring=ring,
            journal=journal,
            acts=acts,
            links=links,
            letters=letters,
            ledger=ledger,
        )
        duties = StoredDuties(hot, acts, clock_us)
        approvals = StoredApprovals(
            hot, acts, duties, clock_us, int(settings.tuning.approval * 1_000_000)
        )
        earlier = Earlier(ring, reader, clock_us)
        restrictions = StoredRestrictions(hot, acts, duties, clock_us)
        blobs = _blobs(settings, database, ring)
        signers = Signers(hot, SigningKeys.under(settings.home), clock_us)
        high_water = HighWater.under(settings.home)
        publisher = Publisher(hot, TreeKeeper(hot), signers, high_water, clock_us)
        home = settings.home
        search = await stack.enter_async_context(
            search_on(database, home, reader, companies, duties, acts, clock_us)
        )
        forgets: list[Forgets] = [search.index]
        side = await directory_side(
            settings.directory,
            StoredDirectory(hot, journal, clock_us),
            [company.id for company in await companies.all()],
            owner,
            accounts := StoredAccounts(hot, acts, ring, clock_us),
        )
        policies = await policy_side(
            Means(hot, acts, links, reader, clock_us),
            side.view,
            [company.id for company in await companies.all()],
            settings.directory.stale_after,
        )
        policies.explainer.losses = side.losses
        leaving.inspector.classified = policies.classification
        policies.desk.leaving = LeavingOnRecord(leaving.stored, leaving.rules.of)
        introducer = Introducer(accounts, side.view, places)
        policy: AccessPolicy = policies.engine
        if side.sync:
            await accounts.refresh(side.tenant)
            policy = Introducing(policy, introducer)
        retention = retention_on(
            database=database,
            ring=ring,
            journal=journal,
            reader=reader,
            acts=acts,
            duties=duties,
            matcher=EntryMatches(),
            forgets=[search.index, ForgottenFiles(blobs)],
            clock=clock_us,
            grace_us=int(settings.tuning.hold_grace * 1_000_000),
        )
        journal.left_out = Late(ring, acts, retention.holds).left_out
        yield Core(
            settings=settings,
            owner=owner,
            database=database,
            keys=keys,
            ring=ring,
            companies=companies,
            journal=journal,
            log=reader,
            copies=copies,
            links=links,
            holds=StoredHolds(links, journal, clock_us),
            audit=StoredAudit(journal, clock_us),
            acts=acts,
            duties=duties,
            search=search,
            rotation=KeyRotation(ring, earlier, acts, duties, approvals, clock_us),
            approvals=approvals,
            reading=Reading(duties, acts, clock_us, restrictions),
            retention=retention,
            restrictions=restrictions,
            requests=StoredRequests(hot, acts, clock_us),
            recipients=StoredRecipients(
                hot, journal, reader, duties, clock_us, retention.holds
            ),
            register=Register(hot, acts, duties, clock_us),
            blobs=blobs,
            legal_holds=retention.holds,
            forgets=forgets,
            eraser=Eraser(
                ring,
                reader,
                Matters(ring, reader),
                acts,
                duties,
                approvals,
                retention.holds,
                signers,
                Graveyard(settings.home / "keys", ring, reader),
                clock_us,
                forgets=forgets,
                removes=(FilesGo(blobs),),
            ),
            signers=signers,
            publisher=publisher,
            prover=Prover(publisher, reader),
            verification=Verification(publisher, reader),
            places=places,
            origins=StoredOrigins(companies, places),
            health=StoredHealth(hot, links, clock_us, echoes=echoes),
            letters=letters,
            sources=side,
            directory=side.view if side.sync else None,
            policies=policies,
            policy=policy,
            accounts=accounts,
            introducer=introducer,
            departures=StoredDepartures(hot, acts, clock_us),
            queue=queue,
            shards=StoredShards(hot, owner, int(settings.tuning.lease * 1_000_000)),
            ledger=ledger,
            leaving=leaving,
            record=StoredRecord(hot, reader),
            watermarks=StoredWatermarks(hot),
            reactions=LoggedReactions(reader),
            wishes=StoredWishes(hot, journal, clock_us),
            archive=StoredArchive(hot, reader),
            notices=StoredNotices(journal, clock_us),
            digests=StoredDigests(queue),
            scim=scim_side(settings.scim, hot, acts, clock_us, side),
            late_roots=StoredLateRoots(journal, reader, clock_us),
            echoes=echoes,
            others=Others(links, copies, Echoes(CopiedInLog(reader), clock_us)),
        )


def _blobs(settings: Settings, database: Database, keys: Keyring) -> Blobs:
    """Keep files beside SQLite, or in PostgreSQL, which all processes reach."""
    shelf = (
        FolderShelf(settings.home / "blobs")
        if database.embedded
        else RowShelf(database.hot, clock_us)
    )
    return Blobs(database.hot, keys, shelf, clock_us)
