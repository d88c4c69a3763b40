"""A company with holds and rules, and a clock that only a test moves."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.access import Decision
from bridge.compliance import Officer
from bridge.delivery import Copy, Operation
from bridge.errors import StoreUnavailable
from bridge.legal_holds import HoldScope, LegalHold
from bridge.links import Link, LinkState
from bridge.messages import Channel, EventKind, Person, Platform
from bridge.ports import Commitment
from bridge.relay import planned
from bridge.retention import DAY_US, Rule
from storage.compliance.acts import Act, Acts
from storage.compliance.blobs.kept import Blobs
from storage.compliance.blobs.shelves import RowShelf
from storage.compliance.keys import KeyFile, Keyring
from storage.compliance.keys.shredding import destroyed
from storage.compliance.retention import item_rows
from storage.compliance.retention.custodians import KeyedCustodians
from storage.compliance.retention.disposition import Disposed, Disposer
from storage.compliance.retention.files import ForgottenFiles
from storage.compliance.retention.holding import Holding
from storage.compliance.retention.judging import Judge
from storage.compliance.retention.legal_holds import StoredLegalHolds
from storage.compliance.retention.rules import StoredRules
from storage.compliance.retention.trusted_time import TrustedTime
from storage.database import opened
from storage.database_url import database_url as parsed
from storage.hot import HotStore, Statement
from storage.journal import Journal
from storage.log_reader import LogReader
from storage.migrate import make_partitions, upgrade
from storage.search.entry_matching import EntryMatches
from storage.writes import Entry, Origin, Write
from tests.contract.conftest import PATIENCE
from tests.events import FALCON, PROJECT, message
from tests.fakes_compliance import FakeTrust

TENANT = "acme"
OFFICER = Officer("cli:office/admin")
BEGIN_US = 1_900_000_000_000_000
YES = Decision(allowed=True, rule="default", policy="p1", directory="none")
_A_MOMENT = 100
ALICE, BOB = "U01ALICE", "U02BOB"


@dataclass
class FakeIndex:
    """Implements `Forgets`: what went."""

    forgotten: list[int] = field(default_factory=list)
    broken: bool = False

    async def forget(self, _tenant: str, seqs: Collection[int]) -> None:
        if self.broken:
            raise StoreUnavailable("the index does not answer")
        self.forgotten += seqs


@dataclass
class Retained:
    """Everything that keeps and disposes, on one database."""

    hot: HotStore
    keys: KeyFile
    engine: AsyncEngine | None = None
    now_us: int = BEGIN_US
    index: FakeIndex = field(default_factory=FakeIndex)
    trust: FakeTrust = field(default_factory=FakeTrust)
    ticks: int = 0
    until_us: int = 0

    def __post_init__(self) -> None:
        ring = Keyring(self.hot, self.keys)
        self.journal = Journal(self.hot, ring, self.clock, patience=PATIENCE)
        self.reader = LogReader(self.hot, ring)
        self.acts = Acts(self.journal, self.clock)
        self.time = TrustedTime(self.hot, self.clock)
        custodians = KeyedCustodians(ring)
        self.blobs = Blobs(self.hot, ring, RowShelf(self.hot, self.clock), self.clock)
        self.holding = Holding(self.reader, custodians, EntryMatches())
        self.holds = StoredLegalHolds(
            self.holding, self.acts, self.trust, self.time, self.clock
        )
        self.rules = StoredRules(self.hot, self.acts, self.trust, self.clock)
        self.disposer = Disposer(
            Judge(self.holding),
            self.journal,
            self.time,
            self.clock,
            forgets=[self.index, ForgottenFiles(self.blobs)],
        )

    async def partitions(self) -> None:
        """Let rows of this time find a place on PostgreSQL."""
        engine, now = (
            self.engine,
            datetime.fromtimestamp(self.now_us / 1e6, UTC),
        )
        if engine and engine.dialect.name == "postgresql":
            async with engine.begin() as connection:
                await connection.run_sync(make_partitions, now)

    def clock(self) -> int:
        return self.now_us

    async def said(
        self,
        ts: str,
        text: str = "hello",
        *,
        who: str = ALICE,
        where: Channel = FALCON,
        kind: EventKind = EventKind.MESSAGE_CREATE,
        thread: str = "",
        version_us: int = 0,
        via: str = "push",
        said_us: int | None = None,
        queued: bool = False,
    ) -> int:
        """Let something be captured; the platform's time is the clock's."""
        self.now_us += _A_MOMENT  # so that it is captured now, and not a little later
        event = message(
            ts=ts,
            text=text,
            kind=kind,
            platform=where.platform,
            channel=where,
            author=Person(where.platform, who, who),
            thread=thread,
            version_us=version_us,
            event_id=f"Ev{where.id}{ts}{kind}{version_us}{via}",
            sent_us=self.now_us if said_us is None else said_us,
            via=via,
        )
        link = Link("L1", TENANT, (FALCON, PROJECT), LinkState.ACTIVE)
        wanted = planned(TENANT, event, Operation.POST, where, [link]) if queued else ()
        commitment = Commitment(TENANT, event, (YES,), tuple(wanted))
        return (await self.journal.append(commitment)).seq

    async def copied(
        self,
        seq: int,
        ts: str,
        source: Channel = FALCON,
        target: Channel = PROJECT,
        *,
        proven: bool = True,
    ) -> int:
        """Let a message have its copy, with the entry that says so, or of what."""
        [entry] = await self.reader.at(TENANT, [seq])
        remote = f"copy-{ts}"
        receipt = await self.journal.write(
            Write(
                TENANT,
                entry=Entry(
                    etype="bridge.delivered",
                    platform=target.platform,
                    subject=f"{source.platform}|{entry.body['author']['id']}",
                    src_us=self.now_us,
                    body={"text": entry.body["text"], "author": entry.body["author"]},
                    team=target.team,
                    conv=target.id,
                    msg=remote,
                    via="self",
                    origin=Origin(seq, bytes(entry.row["leaf"])) if proven else None,
                ),
                copies=(
                    Copy(
                        TENANT, "L1", source, ts, target, remote, "", 0, deleted=False
                    ),
                ),
            )
        )
        return receipt.seq

    async def rule(self, name: str = "R1", **more: object) -> Rule:
        given = {"delete_us": 30 * DAY_US} | more
        return await self.rules.set(TENANT, OFFICER, Rule(name, name, **given))  # type: ignore[arg-type]

    async def hold(self, name: str = "matter", **scope: object) -> LegalHold:
        wanted = HoldScope(
            frozenset(scope.pop("people", ())),  # type: ignore[call-overload]
            frozenset(str(c) for c in scope.pop("channels", ())),  # type: ignore[attr-defined]
            **scope,  # type: ignore[arg-type]
        )
        return await self.holds.create(TENANT, OFFICER, name, wanted)

    async def asked_to_erase(self, *seqs: int) -> None:
        entries = [(e.seq, e.row["cap_us"]) for e in await self.reader.at(TENANT, seqs)]
        refs = {e.row["key_ref"] for e in await self.reader.at(TENANT, seqs)}
        held = [each async for each in self.holds.held(TENANT, refs)]
        await self.acts.note(
            Act(TENANT, "erasure.defer", "atom", "erasure waits"),
            item_rows.asked_to_erase(TENANT, entries, held, self.now_us),
        )

    async def shared(self, *messages: str) -> None:
        """Let messages hold one file."""
        statements = [
            Statement(
                "INSERT INTO blob (tenant, name, place, size, chunks, key_ref, at_us) "
                "VALUES (:tenant, 'f1', 'p1', 1, 1, 'k', 0)",
                {"tenant": TENANT},
            ),
            *(
                Statement(
                    "INSERT INTO blob_holder (tenant, name, platform, conv, msg) "
                    "VALUES (:tenant, 'f1', 'slack', :conv, :msg)",
                    {"tenant": TENANT, "conv": FALCON.id, "msg": msg},
                )
                for msg in messages
            ),
        ]
        await self.acts.note(Act(TENANT, "file.share", "atom", "f"), tuple(statements))

    async def files(self) -> list[str]:
        rows = await self.hot.fetch(
            Statement("SELECT name FROM blob WHERE tenant = :t", {"t": TENANT})
        )
        return [name for (name,) in rows]

    async def destroy_key_of(self, seq: int) -> None:
        [entry] = await self.reader.at(TENANT, [seq])
        ref = entry.row["key_ref"]
        await self.acts.note(
            Act(TENANT, "key.destroy", "atom", "a key went", {"keys": [ref]}),
            (destroyed(TENANT, [ref], self.now_us),),
            rekeys=True,
        )

    async def readdressed(self, address: Channel, channel: Channel) -> None:
        """Let a channel be found under another address from now on."""
        statement = Statement(
            "INSERT INTO channel_address (tenant, address, channel, at_us) "
            "VALUES (:tenant, :address, :channel, :now)",
            {
                "tenant": TENANT,
                "address": str(address),
                "channel": str(channel),
                "now": self.now_us,
            },
        )
        await self.acts.note(Act(TENANT, "conv.change", "atom", "moved"), (statement,))

    async def later(self, days: float) -> None:
        """Let time pass, and a platform vouch for it."""
        self.now_us += int(days * DAY_US)
        self.ticks += 1
        await self.partitions()
        await self.said(f"tick-{self.ticks}", "tick", where=TICKING)

    async def at(self, moment_us: int) -> None:
        """Let it be a certain time, and a platform vouch for it."""
        self.now_us = moment_us - _A_MOMENT
        await self.later(0)

    async def dispose(self, *, dry: bool = False) -> Disposed:
        return await self.disposer.run(TENANT, dry=dry)

    async def readable(self, *seqs: int) -> list[bool]:
        """Return of which entries the body is still there."""
        rows = dict(
            await self.hot.fetch(
                Statement(
                    "SELECT seq, length(ct) FROM log WHERE tenant = :tenant",
                    {"tenant": TENANT},
                )
            )
        )
        return [rows.get(seq, 0) > 0 for seq in seqs]

    async def state(self, seq: int) -> str:
        return str((await self.disposer.explain(TENANT, seq)).verdict.state)

    async def acts_of(self, etype: str) -> list[dict[str, Any]]:
        entries = await self.reader.entries(TENANT, -1, 5000)
        return [dict(e.body["detail"]) for e in entries if e.etype == etype]


@asynccontextmanager
async def company(url: str, folder: Path) -> AsyncIterator[Retained]:
    """Open a company of which nothing is on record yet."""
    keys = KeyFile.under(folder)
    keys.create(TENANT)
    async with opened(parsed(url)) as database:
        await upgrade(database.engine)
        built = Retained(database.hot, keys, database.engine)
        await built.partitions()
        yield built


# Where nobody under test talks: only its platform's clock counts.
TICKING = Channel(Platform.SLACK, "T01ACME", "C99TICKS")
