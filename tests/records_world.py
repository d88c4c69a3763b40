"""Business systems, books, rooms and places in memory, to try what is done with records."""

import itertools
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from bridge.access import Asked, Decision
from bridge.cards import Card
from bridge.errors import (
    Ambiguous,
    AtomError,
    BadInput,
    NotAllowed,
    NotFound,
    Refused,
    ServiceUnavailable,
)
from bridge.messages import Channel, Person, Platform
from bridge.ports import Receipt
from bridge.records.acting import Acting
from bridge.records.admitting import Admitting
from bridge.records.amending import Amending
from bridge.records.books import (
    MOST_UNJUDGED,
    CardInstance,
    CardState,
    Carried,
    Held,
    IssuedAct,
    LeftAct,
    Outdated,
    Subscription,
    ThreadChoice,
    UsedUp,
    Way,
)
from bridge.records.cards import Level, RecordCard
from bridge.records.carrying import Carrying
from bridge.records.company_desk import Desk
from bridge.records.desk import Asker
from bridge.records.doing import Doing
from bridge.records.drawing import Drawing
from bridge.records.entries import RecordEntry
from bridge.records.errands import Ended
from bridge.records.floor import Floors
from bridge.records.forms import AMEND, DEED, MADE, TAKE_BACK, Deed, Form, Input
from bridge.records.knowing import Chapter, Clues, Figure, Listed, Page, clues
from bridge.records.left import Unfinished
from bridge.records.live import Live
from bridge.records.mentions import Mentions, Named
from bridge.records.model import (
    NEVER,
    PUBLIC,
    Absence,
    ChangeKind,
    Fact,
    Mention,
    Needs,
    Offer,
    Record,
    RecordChange,
    RecordRef,
    Remark,
    Revision,
    Status,
    System,
)
from bridge.records.own_acts import OwnActs
from bridge.records.places import Present
from bridge.records.ports import (
    Access,
    Done,
    EditConflict,
    Gone,
    NotConnected,
    PartFailed,
    Records,
    Rejected,
    Turns,
    Unsure,
)
from bridge.records.posting import Posting
from bridge.records.reading import RoomReading
from bridge.records.recalling import Recalling
from bridge.records.remarking import Remarking
from bridge.records.saga import Saga
from bridge.records.searching import Searching
from bridge.records.starting import Starting
from bridge.records.subscribing import Subscribing
from bridge.records.systems import Connected
from bridge.records.whose import Attested, Whose

T = TypeVar("T")

TENANT = "acme"
SLACK = Channel(Platform.SLACK, "T1", "C1")
TEAMS = Channel(Platform.TEAMS, "19:team@thread.tacv2", "19:room@thread.tacv2")
ELSEWHERE = Channel(Platform.SLACK, "T1", "C2")
ALICE = Person(Platform.SLACK, "alice", "A. Tuter")
ALICE_THERE = Person(Platform.TEAMS, "29:alice", "A. Tuter")
BOB = Person(Platform.SLACK, "bob", "Bob")
CAROL = Person(Platform.TEAMS, "29:carol", "Carol")
STRANGER = Person(Platform.SLACK, "stranger", "Who Knows")
INTEGRATION = ""
_KEYS = {
    "alice": "p-alice",
    "29:alice": "p-alice",
    "bob": "p-bob",
    "29:carol": "p-carol",
}
_TEXT = re.compile(r"[A-Z]{2,10}-?\d+")


def asker(person: Person, channel: Channel | None = None) -> Asker:
    here = channel or (SLACK if person.platform is Platform.SLACK else TEAMS)
    return Asker(TENANT, person, "T1" if here == SLACK else "tid", here)


def said(text: str, message: str = "m1", by: Person = ALICE, thread: str = "") -> Named:
    return Named(TENANT, SLACK, message, by, "T1", text, thread)


@dataclass
class Clock:
    """Microseconds that pass when they are told to."""

    us: int = 1_900_000_000_000_000

    def __call__(self) -> int:
        return self.us

    def pass_(self, seconds: float) -> None:
        self.us += int(seconds * 1_000_000)

    async def rest(self, seconds: float) -> None:
        self.pass_(seconds)


@dataclass(frozen=True)
class FakeAccess:
    account: str

    async def token(self) -> str:
        return f"token of {self.account}"

    async def renewed(self, refused: str) -> str:
        raise NotConnected("connect again")


@dataclass
class FakeAccesses:
    """Everybody in `connected` has an account. There is no way to the integration."""

    connected: set[str] = field(default_factory=lambda: {"p-alice", "p-bob", "p-carol"})

    def integration(self, tenant: str, system: System, instance: str) -> FakeAccess:
        return FakeAccess(INTEGRATION)

    async def of(
        self, tenant: str, person: str, system: System, instance: str
    ) -> FakeAccess:
        if person not in self.connected:
            raise NotConnected("not connected")
        return FakeAccess(person)


OFFERS = (
    Offer("approve", "Approve", needs=Needs.CONFIRMATION),
    Offer("take", "Take it"),
    Offer("edit", "Edit…", needs=Needs.FORM),
)


@dataclass
class FakeSystem:
    """
    A business system. `unseen` are records that an account does not see.

    `faults` are raised by the next calls of a method, one each. `lost` is how many
    writes take effect though their answers are lost. `between` runs before a write.
    """

    system: System = System.SERVICENOW
    instance: str = "acme"
    kinds: tuple[str, ...] = ("change_request", "incident")
    offers: tuple[Offer, ...] = OFFERS
    records: dict[str, Record] = field(default_factory=dict)
    unseen: set[tuple[str, str]] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    faults: dict[str, list[AtomError]] = field(
        default_factory=lambda: defaultdict(list)
    )
    calls: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    written: list[tuple[str, Deed]] = field(default_factory=list)
    known: dict[str, Done] = field(default_factory=dict)
    lost: int = 0
    made: int = 0
    keeps: bool = False  # what was added once, for good
    told_of: list[Remark] = field(default_factory=list)
    rigid: bool = False  # there is no way to change what was said
    inputs: tuple[Input, ...] = (
        Input("priority", "Priority"),
        Input("status", "Status"),
        Input("amount", "Amount", cls="finance"),
    )
    between: Callable[[], Awaitable[None]] | None = None
    waits: Callable[[], Awaitable[None]] | None = None

    def add(
        self, key: str = "CHG1", title: str = "Increase memory", **more: object
    ) -> Record:
        ref = RecordRef(self.system, self.instance, self.kinds[0], f"id-{key}")
        record = Record(
            ref=ref,
            what="Normal change",
            title=title,
            status=Status("Authorize"),
            rev=Revision(1, "1"),
            as_of_us=1,
            key=key,
            url=f"https://acme.example/{key}",
            facts=(
                Fact("priority", "Priority", "3", raw="3"),
                Fact("status", "Status", "Authorize", raw="Authorize"),
                Fact("amount", "Amount", "4711 EUR", "finance", raw="4711 EUR"),
            ),
            offers=self.offers,
        )
        record = replace(record, **more)  # type: ignore[arg-type]
        self.records[ref.id] = record
        return record

    def change(self, ref: RecordRef, status: str = "", **values: str) -> RecordChange:
        """Somebody changes a record in the system; returns what it tells of that."""
        old = self.records[ref.id]
        if status:
            values["status"] = status
        facts = tuple(
            replace(f, text=values[f.id], raw=values[f.id]) if f.id in values else f
            for f in old.facts
        )
        rev = Revision(old.rev.order + 1, str(old.rev.order + 1))
        now = replace(
            old, facts=facts, rev=rev, status=Status(status or old.status.text)
        )
        self.records[ref.id] = now
        return self.told(ref, rev, fields=tuple(values))

    def told(
        self,
        ref: RecordRef | None,
        rev: Revision | None = None,
        *,
        kind: str = "changed",
        ours: bool = False,
        fields: tuple[str, ...] = (),
    ) -> RecordChange:
        self.made += 1
        return RecordChange(
            self.system,
            self.instance,
            ChangeKind(kind),
            f"e{self.made}",
            ref,
            rev or NEVER,
            ours=ours,
            fields=fields,
        )

    def recognise(self, text: str) -> Sequence[Mention]:
        found = []
        keys = {record.key: record for record in self.records.values()}
        for hit in re.finditer(r"https://acme\.example/(\S+)|([A-Z]{2,10}-?\d+)", text):
            key = hit[1] or hit[2]
            mine = keys.get(key)
            if mine is None and not key.startswith(_PREFIX[self.system]):
                continue
            kind = self.kinds[0]
            url = hit[0] if hit[1] else ""
            found.append(
                Mention(
                    self.system,
                    self.instance,
                    kind,
                    key,
                    hit.start(),
                    hit.end(),
                    url=url,
                )
            )
        return found

    async def resolve(
        self, access: Access, mentions: Sequence[Mention]
    ) -> Mapping[str, RecordRef]:
        await self._called("resolve", access, [m.key for m in mentions])
        keys = {record.key: record.ref for record in self.records.values()}
        return {m.key: keys[m.key] for m in mentions if m.key in keys}

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        await self._called("read", access, [ref.id for ref in refs])
        return {ref: self._seen(access, ref) for ref in refs}

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        await self._called("find", access, [words])
        return [
            record
            for record in self.records.values()
            if words.lower() in f"{record.key} {record.title}".lower()
            and isinstance(self._seen(access, record.ref), Record)
        ][:limit]

    async def form(
        self,
        access: Access,
        act: str,
        ref: RecordRef | None = None,
        kind: str = "",
    ) -> Form:
        await self._called("form", access, [act])
        if ref is None:
            inputs = (
                Input("title", "Title", required=True),
                Input("comment", "Comment"),
            )
            return Form(act, "New", inputs, kind=kind)
        record = self._seen(access, ref)
        if isinstance(record, Absence):
            raise Gone("no such record")
        if act in {"comment", "note"}:
            said = (Input("comment", act.title(), required=True),)
            return Form(act, act.title(), said, ref=ref, kind=ref.kind)
        shown = tuple(
            replace(each, value=fact.raw)
            for each in self.inputs
            if (fact := record.fact(each.id))
        )
        return Form(act, "Edit", shown, ref=ref, kind=ref.kind, rev=record.rev)

    async def perform(self, access: Access, deed: Deed) -> Done:
        if self.between:
            between, self.between = self.between, None
            await between()
        await self._called("perform", access, [deed.act])
        if self.keeps and deed.act == TAKE_BACK:
            raise BadInput("that cannot be asked for here")
        if deed.key in self.known:
            return replace(self.known[deed.key], again=True)
        if self.keeps and deed.act == AMEND:
            raise NotAllowed("It was edited there.")
        if deed.act == TAKE_BACK:
            done = self._take_back(deed)
        else:
            done = self._create(deed) if deed.ref is None else self._write(deed)
        done = replace(done, made=done.record.ref.id)
        self.written.append((access.account, deed))
        self.known[deed.key] = done
        if self.lost:
            self.lost -= 1
            raise Unsure("no answer")
        return done

    def amends(self, act: str, kind: str) -> bool:
        return act == "comment" and not self.rigid

    async def remarks(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        await self._called("remarks", access, [ref.id])
        return [each for each in self.told_of if each.said_us >= since_us]

    def takes_back(self, act: str, kind: str) -> bool:
        return act in {"comment", "create"}

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        return [], since

    def heard(
        self, headers: Mapping[str, str], url: str, body: bytes, now: float
    ) -> Sequence[RecordChange]:
        return []

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    def count(self, call: str) -> int:
        return sum(name == call for name, _, _ in self.calls)

    def _create(self, deed: Deed) -> Done:
        record = self.add(f"NEW{len(self.records)}", deed.values.get("title", ""))
        return Done(record, "req", {}, dict(deed.values))

    def _take_back(self, deed: Deed) -> Done:
        assert deed.values[DEED] in self.known
        if deed.ref is not None:
            return self._write(replace(deed, values={}))
        assert deed.values[MADE] == self.known[deed.values[DEED]].made
        return Done(self.records.pop(deed.values[MADE]), "req")

    def _write(self, deed: Deed) -> Done:
        assert deed.ref is not None
        old = self.records[deed.ref.id]
        if deed.base is not None and deed.base != old.rev:
            raise EditConflict("changed meanwhile", old)
        values = dict(deed.values)
        status = values.pop("status", "")
        if deed.act == "approve":
            status = "Scheduled"
        self.change(deed.ref, status, **values)
        before = {f.id: f.raw for f in old.facts if f.id in deed.values}
        return Done(self.records[deed.ref.id], "req", before, dict(deed.values))

    def _seen(self, access: Access, ref: RecordRef) -> Record | Absence:
        record = self.records.get(ref.id)
        hidden = (access.account, ref.id) in self.unseen
        if record is None or hidden or ref.id in self.gone:
            return Absence.GONE
        return record

    async def _called(self, name: str, access: Access, about: Collection[str]) -> None:
        self.calls.append((name, access.account, tuple(about)))
        if self.waits:
            await self.waits()
        if self.faults[name]:
            raise self.faults[name].pop(0)


@dataclass
class FakeAtOnce(FakeSystem):
    """A system that does deeds all at once, but for those whose act is in `refused`."""

    refused: set[str] = field(default_factory=set)
    together: list[list[str]] = field(default_factory=list)

    def at_once(self, deeds: Sequence[Deed]) -> int:
        return len(deeds)

    async def perform_all(
        self, access: Access, deeds: Sequence[Deed]
    ) -> Sequence[Done]:
        self.together.append([deed.act for deed in deeds])
        await self._called("perform", access, [deed.act for deed in deeds])
        for n, deed in enumerate(deeds):
            if deed.act in self.refused:
                raise PartFailed(n, Rejected("Not on Sundays"))
        lost, self.lost = self.lost, 0
        done = [await self.perform(access, deed) for deed in deeds]
        if lost:
            raise Unsure("no answer")
        return done


@dataclass
class FakeCrm(FakeSystem):
    """
    A system that lists accounts and contacts: contacts are of the account `globex`.

    Its search finds what is in any field, but not yet what is `unindexed`. Of what is
    `absent` it says why.
    """

    system: System = System.SALESFORCE
    instance: str = "crm"
    kinds: tuple[str, ...] = ("account", "contact")
    lists: tuple[str, ...] = ("account", "contact")
    unindexed: set[str] = field(default_factory=set)
    absent: dict[str, Absence] = field(default_factory=dict)

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        found = await super().read(access, refs, urgent=urgent)
        return {ref: self.absent.get(ref.id, one) for ref, one in found.items()}

    def account(self, id_: str, name: str, website: str = "") -> Record:
        facts = (Fact("website", "Website", website),)
        return self._put("account", id_, name, facts)

    def contact(
        self, id_: str, name: str, email: str, account: Record | None = None
    ) -> Record:
        facts = (
            Fact("account", "Account", account.title if account else ""),
            Fact("email", "Email", email, "personal"),
        )
        return self._put("contact", id_, name, facts)

    def listed_of(self, record: Record, account: Record | None = None) -> Listed:
        """Return a record as the book takes it in."""
        told = {fact.id: [fact.text] for fact in record.facts}
        found = clues([record.title], told.get("email", ()), told.get("website", ()))
        return Listed(record.ref, 1, found, account.ref if account else None)

    async def listed(self, access: Access, kind: str, position: str) -> Sequence[Page]:
        raise AssertionError("nobody reads it here")

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        await self._called("find", access, [words])
        return [
            record
            for record in self.records.values()
            if words.lower() in f"{record.title} {record.facts}".lower()
            and record.ref.id not in self.unindexed
            and isinstance(self._seen(access, record.ref), Record)
        ][:limit]

    def _put(self, kind: str, id_: str, name: str, facts: tuple[Fact, ...]) -> Record:
        made = self.records.pop(self.add(id_, name).ref.id)
        ref = RecordRef(self.system, self.instance, kind, id_)
        self.records[id_] = replace(made, ref=ref, key="", facts=facts)
        return self.records[id_]


_PREFIX = {
    System.SERVICENOW: ("CHG", "INC"),
    System.JIRA: ("WEB",),
    System.SALESFORCE: ("OPP",),
    System.HUBSPOT: ("DEAL",),
    System.HR: ("HR",),
}


@dataclass
class FakePolicy:
    """Denies what is in `denied`: person, action and field class; empty is any."""

    denied: set[tuple[str, str, str]] = field(default_factory=set)
    asked: list[Asked] = field(default_factory=list)

    async def decide(self, asked: Asked) -> Decision:
        self.asked.append(asked)
        cls = asked.field or PUBLIC
        allowed = not any(
            who in {"", asked.person.id}
            and what in {"", str(asked.action)}
            and which in {"", cls}
            for who, what, which in self.denied
        )
        rule = "allowed" if allowed else "forbidden"
        return Decision(allowed, rule, "p", "d", asked.action, "" if allowed else "no")


@dataclass
class FakeCards:
    kept: dict[str, CardInstance] = field(default_factory=dict)

    async def plan(self, cards: Sequence[CardInstance]) -> Sequence[CardInstance]:
        made = []
        for card in cards:
            same = (
                k
                for k in self.kept.values()
                if (k.ref, k.channel, k.cause) == (card.ref, card.channel, card.cause)
            )
            known = next(same, None)
            made.append(self.kept.setdefault((known or card).card_id, known or card))
        return made

    async def get(self, tenant: str, card_id: str) -> CardInstance | None:
        return self.kept.get(card_id)

    async def of_record(self, tenant: str, ref: RecordRef) -> Sequence[CardInstance]:
        return [c for c in self._standing() if c.ref == ref]

    async def in_channel(self, tenant: str, channel: Channel) -> Sequence[CardInstance]:
        return [c for c in self._standing() if c.channel == channel]

    async def unfinished(self, tenant: str, before_us: int) -> Sequence[CardInstance]:
        waiting = {CardState.PLANNED, CardState.POSTING}
        return [c for c in self.kept.values() if c.state in waiting]

    async def records(self, tenant: str) -> Sequence[RecordRef]:
        return sorted({c.ref for c in self._standing()})

    async def posting(self, tenant: str, card_id: str) -> bool:
        if self.kept[card_id].state is not CardState.PLANNED:
            return False
        self._set(card_id, state=CardState.POSTING)
        return True

    async def posted(
        self, tenant: str, card_id: str, message: str, unfurl: Mapping[str, str]
    ) -> None:
        self._set(card_id, state=CardState.POSTED, message=message, unfurl=unfurl)

    async def unposted(self, tenant: str, card_id: str) -> None:
        self._set(card_id, state=CardState.PLANNED)

    async def shown(self, card: CardInstance) -> bool:
        known = self.kept[card.card_id]
        if (known.rev, known.shown_us) > (card.rev, card.shown_us):
            return False
        self._set(
            card.card_id,
            rev=card.rev,
            digest=card.digest,
            standing=card.standing,
            shown_us=card.shown_us,
        )
        return True

    async def retire(self, tenant: str, card_ids: Sequence[str]) -> None:
        for card_id in card_ids:
            self._set(card_id, state=CardState.RETIRED)

    def _set(self, card_id: str, **changes: object) -> None:
        self.kept[card_id] = replace(self.kept[card_id], **changes)  # type: ignore[arg-type]

    def _standing(self) -> list[CardInstance]:
        return [c for c in self.kept.values() if c.state is not CardState.RETIRED]


@dataclass
class FakeActs:
    kept: dict[str, IssuedAct] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    used: dict[tuple[str, str], str] = field(default_factory=dict)
    claims: dict[tuple[str, str], LeftAct] = field(default_factory=dict)

    async def issue(self, acts: Sequence[IssuedAct]) -> None:
        cards = {act.card_id for act in acts if act.card_id}
        self.ended |= {t for t, act in self.kept.items() if act.card_id in cards}
        self.kept |= {act.token: act for act in acts}

    async def look(self, tenant: str, token: str, now_us: int) -> IssuedAct:
        act = self.kept.get(token)
        if act is None or act.tenant != tenant:
            raise NotFound("not known")
        if token in self.ended or act.until_us <= now_us:
            raise Outdated("out of date", act)
        return act

    async def claim(
        self,
        tenant: str,
        token: str,
        person: str,
        now_us: int,
        *,
        address: str = "",
        deed: str = "",
    ) -> IssuedAct:
        act = await self.look(tenant, token, now_us)
        if (token, person) in self.used:
            raise UsedUp("used", self.used[token, person])
        self.used[token, person] = ""
        left = LeftAct(token, replace(act, token=""), person, address, deed, now_us)
        self.claims[token, person] = left
        return act

    async def left(self, tenant: str, now_us: int) -> Sequence[LeftAct]:
        return [
            left
            for key, left in self.claims.items()
            if self.used.get(key) == "" and left.at_us < now_us - 120_000_000
        ]

    async def left_told(self, left: LeftAct) -> None:
        del self.claims[left.id, left.person]

    async def concluded(
        self, tenant: str, token: str, person: str, outcome: str
    ) -> None:
        self.used[token, person] = outcome

    async def released(self, tenant: str, token: str, person: str) -> None:
        self.used.pop((token, person), None)

    async def revoke(self, tenant: str, person: str) -> int:
        mine = [t for t, act in self.kept.items() if act.person == person]
        return sum(self.kept.pop(t) is not None for t in mine)

    async def sweep(self, before_us: int) -> int:
        return 0


@dataclass
class FakeChanges:
    begun: dict[str, str | None] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)

    async def position(self, tenant: str, system: System, instance: str) -> str:
        return ""

    async def reached(
        self, tenant: str, system: System, instance: str, position: str
    ) -> None:
        """Positions are not asked for here."""

    async def first(self, tenant: str, event: str, now_us: int) -> bool:
        new = event not in self.events
        self.events.add(event)
        return new

    async def done(self, tenant: str, key: str) -> str | None:
        return self.begun.get(key)

    async def begin(self, tenant: str, key: str, now_us: int) -> int:
        if key in self.begun:
            return self.times[key]
        self.begun[key], self.times[key] = None, now_us
        return 0

    async def finish(self, tenant: str, key: str, request: str, made: str = "") -> None:
        self.begun[key] = request
        self.things[key] = made

    async def made(self, tenant: str, key: str) -> str:
        return self.things.get(key, "")

    async def undone(self, tenant: str, key: str) -> None:
        if self.begun.get(key) is None:
            self.begun.pop(key, None)

    async def sweep(self, before_us: int) -> int:
        return 0


@dataclass
class FakeCarried:
    clock: Callable[[], int] = lambda: 0
    kept: dict[tuple[Channel, str], Carried] = field(default_factory=dict)
    deeds: dict[str, tuple[Channel, RecordRef, int]] = field(default_factory=dict)

    async def keep(self, carried: Carried) -> None:
        self.kept.setdefault((carried.channel, carried.message), carried)

    async def became(
        self, tenant: str, channel: Channel, message: str, seq: int, *, gone: bool
    ) -> bool:
        known = self.kept.get((channel, message))
        if known is None or known.seq >= seq or known.gone:
            return False
        now = replace(known, seq=seq, gone=gone, at_us=self.clock())
        self.kept[channel, message] = now
        return True

    async def due(self, tenant: str, before_us: int) -> Sequence[Carried]:
        kept = self.kept.values()
        return [c for c in kept if c.done < c.seq and c.at_us <= before_us]

    async def follows(self, carried: Carried, latest: str) -> None:
        known = self.kept[carried.channel, carried.message]
        now = replace(known, done=carried.seq, latest=latest)
        self.kept[carried.channel, carried.message] = now

    async def wrote(
        self, tenant: str, channel: Channel, ref: RecordRef, deed: str
    ) -> None:
        self.deeds.setdefault(deed, (channel, ref, self.clock()))

    async def written(
        self, tenant: str, ref: RecordRef, since_us: int
    ) -> Sequence[tuple[Channel, str, int]]:
        return [
            (channel, deed, at_us)
            for deed, (channel, of, at_us) in self.deeds.items()
            if of == ref and at_us >= since_us
        ]

    async def later(self, carried: Carried, at_us: int) -> None:
        known = self.kept[carried.channel, carried.message]
        self.kept[carried.channel, carried.message] = replace(known, at_us=at_us)

    async def sweep(self, before_us: int) -> int:
        return 0


@dataclass
class FakeRemarks:
    states: dict[str, CardState] = field(default_factory=dict)

    async def plan(self, tenant: str, mark: str, channel: Channel) -> CardState:
        return self.states.setdefault(mark, CardState.PLANNED)

    async def posting(self, tenant: str, mark: str) -> bool:
        planned = self.states[mark] is CardState.PLANNED
        self.states[mark] = CardState.POSTING if planned else self.states[mark]
        return planned

    async def posted(self, tenant: str, mark: str, message: str) -> None:
        self.states[mark] = CardState.POSTED

    async def unposted(self, tenant: str, mark: str) -> None:
        self.states[mark] = CardState.PLANNED

    async def sweep(self, before_us: int) -> int:
        return 0


@dataclass
class FakeSubscriptions:
    kept: dict[str, Subscription] = field(default_factory=dict)
    held: dict[str, dict[str, Held]] = field(default_factory=lambda: defaultdict(dict))
    seen: set[tuple[str, str]] = field(default_factory=set)

    async def add(self, subscription: Subscription) -> None:
        self.kept[subscription.id] = subscription

    async def remove(self, tenant: str, id_: str) -> bool:
        return self.kept.pop(id_, None) is not None

    async def of(self, tenant: str) -> Sequence[Subscription]:
        return list(self.kept.values())

    async def hold_back(self, subscription: Subscription, held: Held) -> bool:
        own = self.held[subscription.id]
        unjudged = sum(1 for each in own.values() if each.change)
        if held.change and unjudged >= MOST_UNJUDGED:
            return False
        if (subscription.id, held.event) in self.seen:
            return False
        self.seen.add((subscription.id, held.event))
        own[held.event] = held
        return True

    async def due(self, subscription: Subscription, before_us: int) -> Sequence[Held]:
        held = self.held[subscription.id].values()
        return [each for each in held if each.at_us < before_us]

    async def told(self, subscription: Subscription, events: Sequence[str]) -> None:
        for event in events:
            del self.held[subscription.id][event]


@dataclass
class FakeLevels:
    usual: Level = Level.DATA
    chosen: dict[tuple[Channel, System | None], Level] = field(default_factory=dict)
    ways: dict[Channel, ThreadChoice] = field(default_factory=dict)
    clock: Callable[[], int] = lambda: 0

    async def level(self, tenant: str, channel: Channel, system: System) -> Level:
        of_all = self.chosen.get((channel, None), self.usual)
        return self.chosen.get((channel, system), of_all)

    async def choose(
        self,
        tenant: str,
        channel: Channel,
        system: System | None,
        level: Level,
        by: str,
    ) -> None:
        self.chosen[channel, system] = level

    async def threads(self, tenant: str) -> Mapping[Channel, ThreadChoice]:
        ways = self.ways.items()
        return {room: one for room, one in ways if one.way is not Way.NONE}

    async def let_threads(
        self, tenant: str, channel: Channel, by: str, way: Way
    ) -> None:
        self.ways[channel] = ThreadChoice(way, self.clock())


@dataclass
class FakeRooms:
    people: dict[Channel, tuple[Person, ...]] = field(
        default_factory=lambda: {
            SLACK: (ALICE, BOB),
            TEAMS: (CAROL,),
            ELSEWHERE: (BOB,),
        }
    )
    links: dict[Channel, tuple[Channel, ...]] = field(
        default_factory=lambda: {SLACK: (TEAMS,), TEAMS: (SLACK,)}
    )

    async def present(self, tenant: str, channel: Channel) -> Present:
        people = self.people.get(channel, ())
        return Present(people, version=",".join(each.id for each in people))

    async def linked(self, tenant: str, channel: Channel) -> Sequence[Channel]:
        return self.links.get(channel, ())


@dataclass
class FakeThreads:
    """Where messages stand on the other side; `away` are those that do not, yet."""

    away: set[str] = field(default_factory=set)

    async def root(self, tenant: str, cause: str, room: Channel) -> str | None:
        message = cause.rpartition("/")[2]
        return None if message in self.away else f"copy of {message}"


@dataclass
class FakePlace:
    """
    What a platform shows. `faults` are raised by the next calls of a method; `slow` runs
    while a post is on its way.
    """

    platform: Platform
    posts: dict[str, list[RecordCard]] = field(default_factory=dict)
    threads: dict[str, str] = field(default_factory=dict)
    whispers: list[tuple[Person, RecordCard | Card]] = field(default_factory=list)
    own: list[tuple[str, Person, RecordCard | Card]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    said: dict[str, tuple[CardInstance, Card]] = field(default_factory=dict)
    spoken: list[str] = field(default_factory=list)
    faults: dict[str, list[AtomError]] = field(
        default_factory=lambda: defaultdict(list)
    )
    slow: Callable[[], Awaitable[None]] | None = None

    async def post(self, instance: CardInstance, card: RecordCard) -> CardInstance:
        fault = self.faults["post"].pop(0) if self.faults["post"] else None
        if fault and not isinstance(fault, Ambiguous):
            raise fault
        self.posts[instance.card_id] = [card]
        self.threads[instance.card_id] = instance.thread
        if self.slow:
            await self.slow()
        if fault:
            raise fault
        return replace(instance, message=f"message of {instance.card_id}")

    async def change(self, instance: CardInstance, card: RecordCard) -> None:
        if self.faults["change"]:
            raise self.faults["change"].pop(0)
        self.posts.setdefault(instance.card_id, []).append(card)

    async def look_for(self, instance: CardInstance) -> str | None:
        stands = instance.card_id in self.posts
        return f"message of {instance.card_id}" if stands else None

    async def whisper(
        self, tenant: str, channel: Channel, person: Person, card: RecordCard | Card
    ) -> None:
        self.whispers.append((person, card))

    async def alone(
        self, account: str, person: Person, card: RecordCard | Card
    ) -> None:
        if self.faults["alone"]:
            raise self.faults["alone"].pop(0)
        self.own.append((account, person, card))

    async def say(self, instance: CardInstance, mark: str, card: Card) -> str:
        fault = self.faults["say"].pop(0) if self.faults["say"] else None
        if fault and not isinstance(fault, Ambiguous):
            raise fault
        self.said[mark] = (instance, card)
        self.spoken.append(mark)
        if fault:
            raise fault
        return f"message of {mark}"

    async def look_for_said(
        self, instance: CardInstance, mark: str, since_us: int
    ) -> str | None:
        if self.faults["look"]:
            raise self.faults["look"].pop(0)
        return f"message of {mark}" if mark in self.said else None

    async def note(self, instance: CardInstance, text: str) -> None:
        self.notes.append((instance.card_id, text))

    @property
    def shown(self) -> list[RecordCard]:
        """Every card as it stands now."""
        return [versions[-1] for versions in self.posts.values()]

    @property
    def edits(self) -> int:
        return sum(len(versions) - 1 for versions in self.posts.values())


@dataclass
class FakeShown:
    """A conversation with one person."""

    cards: list[RecordCard | Card] = field(default_factory=list)
    forms: list[tuple[Form, str]] = field(default_factory=list)
    wrongs: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    async def card(self, card: RecordCard | Card) -> None:
        self.cards.append(card)

    async def form(self, form: Form, token: str) -> None:
        self.forms.append((form, token))

    async def wrong(self, reason: str, fields: dict[str, str]) -> None:
        self.wrongs.append((reason, fields))

    async def finished(self, text: str) -> None:
        self.texts.append(text)


@dataclass
class FakeLog:
    entries: list[RecordEntry] = field(default_factory=list)
    clock: Callable[[], int] = lambda: 0
    times: list[int] = field(default_factory=list)

    async def note(self, entry: RecordEntry) -> Receipt:
        now = self.clock()
        since = now - entry.again_us if entry.again_us else 0
        same = [
            n
            for n, e in enumerate(self.entries)
            if entry.key and e.key == entry.key and self.times[n] > since
        ]
        if same:
            return Receipt(same[0], duplicate=True)
        self.entries.append(entry)
        self.times.append(now)
        return Receipt(len(self.entries) - 1)

    def of(self, etype: str) -> list[RecordEntry]:
        return [each for each in self.entries if each.etype == etype]


@dataclass
class FakeContacts:
    """The book of accounts and contacts, in plain: it is only a test's."""

    kept: dict[RecordRef, Listed] = field(default_factory=dict)
    counted: list[Figure] = field(default_factory=list)
    faults: list[AtomError] = field(default_factory=list)

    def add(self, *listed: Listed) -> None:
        self.kept |= {one.ref: one for one in listed}

    async def find(
        self, chapter: Chapter, clues: Clues, most: int
    ) -> Sequence[RecordRef]:
        if self.faults:
            raise self.faults.pop(0)
        return [
            ref
            for ref, one in self.kept.items()
            if (chapter.system, chapter.instance, chapter.kind)
            == (ref.system, ref.instance, ref.kind)
            and clues
            and clues <= one.clues
        ][:most]

    async def accounts(
        self, tenant: str, contacts: Collection[RecordRef]
    ) -> Mapping[RecordRef, RecordRef]:
        found = {ref: self.kept[ref].account for ref in contacts if ref in self.kept}
        return {ref: account for ref, account in found.items() if account}

    async def figures(self, tenant: str) -> Sequence[Figure]:
        return self.counted


@dataclass
class FakeTeller:
    told: list[tuple[str, Card]] = field(default_factory=list)
    faults: list[AtomError] = field(default_factory=list)

    async def tell(self, subscription: Subscription, card: Card) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.told.append((subscription.id, card))


@dataclass
class OneByOne:
    """Errands that end at once, or never: those whose key has a word of `late` in it."""

    late: set[str] = field(default_factory=set)
    kept: dict[str, Ended[Any]] = field(default_factory=dict)

    async def all(
        self,
        works: Mapping[str, Callable[[], Awaitable[T]]],
        within: float,
        *,
        some: bool = False,
    ) -> Mapping[str, Ended[T]]:
        for key, work in works.items():
            if key in self.kept or any(word in key for word in self.late):
                continue
            try:
                self.kept[key] = Ended(await work())
            except AtomError as error:
                self.kept[key] = Ended(error=error)
        return {key: self.kept[key] for key in works if key in self.kept}

    def forget(self, key: str) -> None:
        self.kept.pop(key, None)


@dataclass
class FakePlaces:
    """The addresses of messages' copies, and what copies say, by message."""

    links: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    async def others(
        self, tenant: str, channel: Channel, message: str
    ) -> Sequence[str]:
        return self.links.get(message, [])

    async def words(self, tenant: str, channel: Channel, message: str) -> str:
        return self.said.get(message, "")


@dataclass
class World:
    """Everything about records of one company, in memory."""

    system: FakeSystem = field(default_factory=FakeSystem)
    others: tuple[Records, ...] = ()
    policy: FakePolicy = field(default_factory=FakePolicy)
    accesses: FakeAccesses = field(default_factory=FakeAccesses)
    cards: FakeCards = field(default_factory=FakeCards)
    acts: FakeActs = field(default_factory=FakeActs)
    changes: FakeChanges = field(default_factory=FakeChanges)
    levels: FakeLevels = field(default_factory=FakeLevels)
    rooms: FakeRooms = field(default_factory=FakeRooms)
    threads: FakeThreads = field(default_factory=FakeThreads)
    log: FakeLog = field(default_factory=FakeLog)
    clock: Clock = field(default_factory=Clock)
    errands: OneByOne = field(default_factory=OneByOne)
    copied: FakePlaces = field(default_factory=FakePlaces)
    subscriptions: FakeSubscriptions = field(default_factory=FakeSubscriptions)
    teller: FakeTeller = field(default_factory=FakeTeller)
    slack: FakePlace = field(default_factory=lambda: FakePlace(Platform.SLACK))
    teams: FakePlace = field(default_factory=lambda: FakePlace(Platform.TEAMS))
    keys: dict[str, str] = field(default_factory=lambda: dict(_KEYS))
    turns: Turns | None = None
    contacts: FakeContacts = field(default_factory=FakeContacts)
    attested: dict[str, frozenset[str]] = field(default_factory=dict)
    carried: FakeCarried = field(default_factory=FakeCarried)
    words: dict[int, str] = field(default_factory=dict)
    remarks: FakeRemarks = field(default_factory=FakeRemarks)

    def __post_init__(self) -> None:
        numbers = itertools.count()
        self.log.clock = self.carried.clock = self.levels.clock = self.clock
        known = Connected({TENANT: (self.system, *self.others)})
        places = {Platform.SLACK: self.slack, Platform.TEAMS: self.teams}

        def tokens() -> str:
            return f"token-{next(numbers):026d}"

        async def who(asked: Asker) -> str | None:
            return self.keys.get(asked.person.id)

        version = itertools.count()
        floors = Floors(self.policy, lambda _: str(next(version)), lambda: 0.0)
        self.drawing = Drawing(
            floors,
            self.rooms,
            self.acts,
            self.clock,
            tokens,
            lambda _: frozenset({"acme.example"}),
        )
        self.reading = RoomReading(known, self.accesses)
        self.live = Live(
            self.cards,
            self.reading,
            self.drawing,
            places,
            self.threads,
            self.log,
            self.clock,
        )
        self.posting = Posting(
            self.cards,
            places,
            self.drawing,
            self.threads,
            self.reading,
            self.log,
            self.clock,
            self.live.knows,
        )
        self.mentions = Mentions(
            known,
            self.accesses,
            who,
            floors,
            self.levels,
            self.rooms,
            self.cards,
            self.posting,
            places,
            self.log,
            self.clock,
            tokens,
            self.live.stir,
            self.clock.rest,
            again_us=600_000_000,
        )
        self.admitting = admitting = Admitting(
            known, self.accesses, who, self.policy, self.log
        )
        self.subscribing = Subscribing(
            admitting,
            self.subscriptions,
            self.reading,
            floors,
            self.rooms,
            self.teller,
            self.log,
            self.clock,
            tokens,
        )
        own = OwnActs(
            admitting,
            self.drawing,
            self.posting,
            self.cards,
            self.rooms,
            self.log,
            self.clock,
            tokens,
            self.live.stir,
            self.subscribing.follow,
        )
        doing = Doing(
            admitting, self.changes, self.log, self.clock, self.live.stir, self.turns
        )
        acting = Acting(
            admitting,
            doing,
            self.drawing,
            self.acts,
            self.cards,
            own,
            self.clock,
            self.live.stir,
        )
        self.starting = starting = Starting(
            admitting,
            self.drawing,
            acting,
            self.mentions.looked_at,
            self.errands,
            self.copied,
        )
        recalling = Recalling(self.contacts, self.accesses, floors)
        self.searching = Searching(
            admitting,
            self.drawing,
            self.errands,
            self.reading,
            self.log,
            self.clock,
            recalling,
        )

        async def attests(_asker: Asker, user: str) -> Attested:
            return Attested(user.title(), self.attested.get(user, frozenset()))

        self.whose = Whose(
            admitting,
            recalling,
            self.searching,
            self.drawing,
            self.errands,
            attests,
            self.log,
        )
        self.saga = Saga(admitting, doing, self.drawing, self.acts, self.clock)
        self.unfinished = Unfinished(
            admitting, self.acts, self.saga, own, places, self.log, self.clock
        )
        self.carrying = Carrying(
            admitting,
            doing,
            self.drawing,
            self.cards,
            self.threads,
            self.levels,
            places,
            self.log,
            self.carried,
        )

        async def words(tenant: str, seq: int) -> str:
            return self.words.get(seq, "")

        self.amending = Amending(
            admitting, doing, self.carrying, self.carried, words, self.clock
        )
        self.remarking = Remarking(
            known,
            self.accesses,
            self.reading,
            self.cards,
            self.threads,
            self.levels,
            floors,
            self.rooms,
            places,
            self.log,
            self.changes,
            self.carried,
            self.remarks,
            self.clock,
        )
        self.desk = Desk(
            acting,
            starting,
            self.searching,
            self.mentions,
            self.saga,
            self.drawing,
            self.cards,
            self.levels,
            self.log,
        )

    async def settle(self) -> None:
        """Let everything that is due now be shown."""
        for part in await self.live.gather():
            await self.live.turn(part)

    def token(self, card: RecordCard, act: str) -> str:
        return next(each.token for each in card.buttons if each.act == act)


def unavailable() -> ServiceUnavailable:
    return ServiceUnavailable("away")


def refused() -> Refused:
    return Refused("the message is too old")
