"""Erasing people: at once, for good, and only what nothing holds."""

import hmac
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from bridge.compliance import Duty
from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.directory.held import Kept, Life, Lost
from bridge.directory.model import Grace
from bridge.errors import BadInput, Conflict, NotFound, Refused
from bridge.keeping import Ended
from bridge.messages import Channel, File, Person, Platform
from bridge.reactions import Spot
from bridge.records.knowing import Chapter, Listed, Page, asked, clues
from bridge.records.model import RecordRef, System
from storage.compliance import verify_atom
from storage.compliance.blobs.keeper import FileKeeper
from storage.compliance.blobs.kept import Blobs
from storage.compliance.blobs.shelves import FolderShelf
from storage.compliance.blobs.work import FileWorkList
from storage.compliance.erasure.certificates import checked, committed
from storage.compliance.erasure.erasing import Eraser
from storage.compliance.erasure.late import Late
from storage.compliance.erasure.matters import MatterReader, Matters
from storage.compliance.keys.graveyard import Graveyard
from storage.compliance.keys.items import ItemKey, commitment
from storage.compliance.membership.intervals import Membership
from storage.compliance.proofs.notes import NoteRefused, SigningKey, VerifierKey
from storage.compliance.retention import barrier
from storage.directory.stored import Step, StoredDirectory
from storage.hot import Program, Statement
from storage.log_reader import LogEntry
from storage.people.accounts import StoredAccounts
from storage.people.departures import StoredDepartures
from storage.records.contacts import StoredContacts
from storage.rows import canonical_body
from storage.shelf import DiskShelf
from storage.tables import metadata
from tests.contract.conftest import TENANT, Store
from tests.contract.officers import ADA, CLARA, Office
from tests.contract.test_key_rotation import destroyed, rotation
from tests.contract.test_subject_keys import as_before, by, keys, refs, run, said
from tests.events import FALCON, message
from tests.unit.bridge.directory import told
from tests.unit.bridge.file_fakes import FakeSource

ALICE, BOB = "slack|UALICE", "slack|UBOB"
NOON = 1_800_000_000_000_000
KEY = SigningKey("atom-log/acme/1", bytes(32))


@dataclass
class FakeHolds:
    """Implements `bridge.compliance.Holds`: matters hold positions."""

    store: Store
    matters: dict[str, set[int]] = field(default_factory=dict)
    meanwhile: list[tuple[str, set[int]]] = field(default_factory=list)

    async def hold(self, matter: str, *seqs: int) -> None:
        self.matters.setdefault(matter, set()).update(seqs)
        await self._moved()

    async def release(self, matter: str) -> None:
        del self.matters[matter]
        await self._moved()

    async def active(self, _tenant: str) -> list[str]:
        return sorted(self.matters)

    async def held(
        self, _tenant: str, references: Collection[str]
    ) -> AsyncIterator[tuple[int, str]]:
        under = [
            seq for seq, ref in enumerate(await refs(self.store)) if ref in references
        ]
        for seq in under:
            for matter in sorted(self.matters):
                if seq in self.matters[matter]:
                    yield seq, matter
        if self.meanwhile:
            matter, seqs = self.meanwhile.pop()
            await self.hold(matter, *seqs)

    async def version(self, tenant: str) -> int:
        rows = await self.store.database.hot.fetch(barrier.read(tenant))
        return int(rows[0][0]) if rows else 0

    async def _moved(self) -> None:
        def program() -> Program[None]:
            yield barrier.raised(TENANT)

        await self.store.database.hot.run(program)


@dataclass
class FakeIndex:
    """Implements `bridge.compliance.Forgets`."""

    forgotten: set[int] = field(default_factory=set)

    async def forget(self, _tenant: str, seqs: Collection[int]) -> None:
        self.forgotten |= set(seqs)


class Signs:
    """Implements `Signer`."""

    async def sign(self, _tenant: str, text: str) -> str:
        return KEY.sign(text)


@dataclass
class World:
    """A company with holds, and somebody who may erase."""

    store: Store
    office: Office
    holds: FakeHolds
    index: FakeIndex = field(default_factory=FakeIndex)
    bytes: FakeIndex = field(default_factory=FakeIndex)
    dies_at: str = ""

    @property
    def eraser(self) -> Eraser:
        store, office = self.store, self.office
        return Eraser(
            store.ring,
            store.reader,
            Matters(store.ring, store.reader),
            office.acts,
            office.duties,
            office.approvals,
            self.holds,
            Signs(),
            Graveyard(store.keys.folder, store.ring, store.reader),
            store.journal.clock,
            forgets=(self.index,),
            removes=(self.bytes,),
            told=self._told,
        )

    @property
    def late(self) -> Late:
        return Late(self.store.ring, self.office.acts, self.holds)

    async def erase(self, person: str = ALICE) -> str:
        await self.office.agree(await self.eraser.ask(TENANT, ADA, person))
        return (await self.eraser.erase(TENANT, ADA, person)).id

    async def entries(self) -> list[LogEntry]:
        entries = await self.store.reader.entries(TENANT, -1, 1000)
        return [e for e in entries if e.etype == "message.create"]

    async def types(self) -> list[str]:
        return [e.etype for e in await self.store.reader.entries(TENANT, -1, 1000)]

    async def intact(self) -> None:
        stranger = self.store.another_process("auditor")
        assert (await stranger.reader.verify(TENANT)).fault == ""

    def _told(self, step: str) -> None:
        if step == self.dies_at:
            raise Killed(step)


class Killed(BaseException):
    """As abrupt as a test in this process can be."""


@pytest.fixture
async def world(store: Store) -> World:
    office = Office.of(store)
    await office.open()
    made = World(store, office, FakeHolds(store))
    for n in range(3):
        await said(store, by("UALICE", n))
        await said(store, by("UBOB", 10 + n))
    return made


def positions(entries: list[LogEntry], *, erased: bool) -> list[int]:
    return [entry.seq for entry in entries if entry.erased is erased]


async def test_what_somebody_said_is_gone_at_once_and_nobody_elses(
    world: World,
) -> None:
    before = [e.row["leaf"] for e in await world.entries()]

    await world.erase()

    entries = await world.entries()
    assert [e.erased for e in entries] == [True, False] * 3
    assert [e.row["leaf"] for e in entries] == before
    assert world.index.forgotten == world.bytes.forgotten
    assert world.index.forgotten == set(positions(entries, erased=True))
    types = await world.types()
    assert [t for t in types if t.startswith("erasure.")] == [
        "erasure.request",
        "erasure.shred",
    ]
    await world.intact()


async def test_addresses_of_who_is_erased_are_not_taken_in_from_other_systems(
    world: World,
) -> None:
    chapter = Chapter(TENANT, System.SALESFORCE, "crm", "contact")
    ref = RecordRef(chapter.system, chapter.instance, chapter.kind, "003a")
    mine = Page((Listed(ref, 1, clues([], ["alice@a.example"])),), (), "1", True)
    book = StoredContacts(world.store.database.hot, world.store.ring)
    await book.begin(await book.progress(chapter), 1)
    await book.take(await book.progress(chapter), mine, 2)

    await world.office.agree(await world.eraser.ask(TENANT, ADA, ALICE))
    await world.eraser.erase(TENANT, ADA, ALICE, ["Alice@A.example"])
    await book.take(await book.progress(chapter), replace(mine, position="2"), 3)

    assert await book.find(chapter, asked("alice@a.example"), 5) == []
    assert (await book.progress(chapter)).position == "2"
    await world.intact()


LATE_VIAS = ("push", "spool", "catchup", "backfill", "import")


@pytest.mark.parametrize("via", LATE_VIAS)
async def test_what_was_said_before_an_erasure_and_comes_after_it_is_left_out(
    world: World, via: str
) -> None:
    world.store.journal.left_out = world.late.left_out
    now_us = world.store.journal.clock()
    await world.erase()

    late = [by("UALICE", 90), by("UALICE", 90), by("UBOB", 91), by("UALICE", 92)]
    for event, sent_us in zip(late, (0, 0, 0, now_us + 10**12), strict=True):
        await said(world.store, replace(event, via=via, sent_us=now_us + sent_us))

    found = [e.row["msg"] for e in await world.entries()][6:]
    assert found == [late[2].message, late[3].message]
    entries = await world.store.reader.entries(TENANT, -1, 1000)
    [told] = [e for e in entries if e.etype == "erasure.late"]
    assert told.body["detail"]["kept"] is False
    assert "UALICE" not in str(told.body)
    await world.intact()


async def test_while_a_hold_is_on_what_comes_late_is_kept_and_told_of(
    world: World,
) -> None:
    world.store.journal.left_out = world.late.left_out
    now_us = world.store.journal.clock()
    await world.holds.hold("M-1", 4)
    await world.erase()

    late = replace(by("UALICE", 90), via="spool", sent_us=now_us)
    assert (await said(world.store, late)).seq > 0

    entries = await world.store.reader.entries(TENANT, -1, 1000)
    [told] = [e for e in entries if e.etype == "erasure.late"]
    assert told.body["detail"]["kept"] is True
    assert [e.erased for e in await world.entries()][-1] is False
    await world.erase()  # asked for again
    assert [e.erased for e in await world.entries()][-1] is True


async def test_a_file_that_is_fetched_while_its_sender_is_erased_is_not_kept(
    world: World, tmp_path: Path
) -> None:
    store, hot = world.store, world.store.database.hot
    store.journal.left_out = world.late.left_out
    clock = store.journal.clock

    class Slow(FakeSource):
        async def read(self, spot: Spot, file: File) -> AsyncGenerator[bytes, None]:
            if file.id == "F1":
                await world.erase()
            async for chunk in super().read(spot, file):
                yield chunk

    shelf = FolderShelf(tmp_path / "blobs")
    keeper = FileKeeper(
        {Platform.SLACK: Slow({"F1": [b"hers"], "F2": [b"his"]})},
        DiskShelf(tmp_path / "crossing"),
        Blobs(hot, store.ring, shelf, clock),
        store.journal,
        store.reader,
        FileWorkList(hot, clock),
        clock,
        most=1_000,
    )
    for who, file in (
        ("UALICE", File("F1", "hers.txt")),
        ("UBOB", File("F2", "b.txt")),
    ):
        await said(store, replace(by(who, 80), files=(file,), sent_us=clock()))

    while await keeper.next():
        pass

    entries = await store.reader.entries(TENANT, -1, 1000)
    kept = [e.body["file"]["name"] for e in entries if e.etype == "file.share"]
    assert kept == ["b.txt"]
    held = [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()]
    assert len(held) == 1
    assert "erasure.late" in [e.etype for e in entries]


async def test_what_is_sent_again_and_was_erased_is_no_late_one(world: World) -> None:
    world.store.journal.left_out = world.late.left_out
    await said(world.store, by("UALICE", 90))
    await world.erase()

    assert (await said(world.store, by("UALICE", 90))).duplicate

    assert "erasure.late" not in await world.types()


async def test_erasing_takes_the_duty_and_a_second_person(world: World) -> None:
    with pytest.raises(Refused):
        await world.eraser.erase(TENANT, CLARA, ALICE)
    with pytest.raises(Refused):
        await world.eraser.erase(TENANT, ADA, ALICE)
    await world.office.agree(await world.eraser.ask(TENANT, ADA, BOB))
    with pytest.raises(Refused):
        await world.eraser.erase(TENANT, ADA, ALICE)

    assert positions(await world.entries(), erased=True) == []


async def test_whoever_nothing_is_known_of_cannot_be_erased(world: World) -> None:
    with pytest.raises(NotFound):
        await world.eraser.ask(TENANT, ADA, "slack|UNOBODY")
    for nonsense in ("UALICE", "slack|", "|UALICE", "", "atom|cli:ada"):
        with pytest.raises(BadInput):
            await world.eraser.ask(TENANT, ADA, nonsense)


async def test_whoever_speaks_again_is_heard_and_can_be_erased_again(
    world: World,
) -> None:
    await world.erase()
    await said(world.store, by("UALICE", 50))

    assert positions(await world.entries(), erased=False)[-1:] == [
        (await world.entries())[-1].seq
    ]
    await world.erase()

    entries = await world.entries()
    assert [e.erased for e in entries] == [True, False] * 3 + [True]
    assert entries[0].row["actor_tok"] != entries[-1].row["actor_tok"]
    await world.intact()


async def test_what_is_held_is_readable_for_the_matter_alone(world: World) -> None:
    held, free, other = positions(await world.entries(), erased=False)[::2]
    await world.holds.hold("M1", held)
    await world.holds.hold("M2", held, other)

    id_ = await world.erase()

    assert [e.erased for e in await world.entries()] == [True, False] * 3
    assert world.index.forgotten == {held, free, other}
    assert world.bytes.forgotten == {free}
    matters = Matters(world.store.ring, world.store.reader)
    opened = await matters.opened(TENANT, "M2", -1, 9)
    assert [(e.seq, e.body["text"]) for e in opened] == [
        (held, "hello"),
        (other, "hello"),
    ]
    assert [e.seq for e in await matters.opened(TENANT, "M1", -1, 9)] == [held]
    assert "erasure.defer" in await world.types()
    said_ = (await world.eraser.certificate(TENANT, id_)).said
    assert (said_["held_then"], said_["kept_now"]) == (3, {"M1": 1, "M2": 2})
    await world.intact()


async def test_the_matters_reader_needs_the_duty_to_read_and_is_on_record(
    world: World,
) -> None:
    held = positions(await world.entries(), erased=False)[0]
    await world.holds.hold("M1", held)
    await world.erase()
    matters = Matters(world.store.ring, world.store.reader)
    reader = MatterReader(matters, world.office.duties, world.office.acts)
    with pytest.raises(Refused):
        await reader.entries(TENANT, ADA, "M1", -1, 9)
    await world.office.duties.assign(TENANT, CLARA, ADA, Duty.READ)

    assert len(await reader.entries(TENANT, ADA, "M1", -1, 9)) == 1

    last = (await world.store.reader.entries(TENANT, -1, 1000))[-1]
    assert (last.etype, last.body["detail"]) == (
        "item.view",
        {"matter": "M1", "seqs": [held]},
    )


async def test_when_the_last_hold_is_over_nothing_opens_any_more(world: World) -> None:
    held, _, other = positions(await world.entries(), erased=False)[::2]
    await world.holds.hold("M1", held)
    await world.holds.hold("M2", held, other)
    id_ = await world.erase()
    assert await world.eraser.end_matters(TENANT) == []

    await world.holds.release("M2")
    assert await world.eraser.end_matters(TENANT) == ["M2"]

    matters = Matters(world.store.ring, world.store.reader)
    assert await matters.opened(TENANT, "M2", -1, 9) == []
    assert len(await matters.opened(TENANT, "M1", -1, 9)) == 1
    assert held not in world.bytes.forgotten
    assert other in world.bytes.forgotten
    await world.holds.release("M1")
    assert await world.eraser.end_matters(TENANT) == ["M1"]
    assert held in world.bytes.forgotten
    assert (await world.eraser.certificate(TENANT, id_)).said["kept_now"] == {}
    await world.intact()


async def test_a_hold_that_comes_in_between_is_seen(world: World) -> None:
    seq = positions(await world.entries(), erased=False)[0]
    world.holds.meanwhile.append(("M1", {seq}))

    await world.erase()

    matters = Matters(world.store.ring, world.store.reader)
    assert [e.seq for e in await matters.opened(TENANT, "M1", -1, 9)] == [seq]


async def test_a_matters_keys_are_rotated_like_all_others(world: World) -> None:
    seq = positions(await world.entries(), erased=False)[0]
    await world.holds.hold("M1", seq)
    await world.erase()

    await rotation(world.store).rotate(TENANT, ADA)
    await destroyed(world.store)

    stranger = world.store.another_process("two")
    matters = Matters(stranger.ring, stranger.reader)
    assert [e.seq for e in await matters.opened(TENANT, "M1", -1, 9)] == [seq]
    await world.intact()


@pytest.mark.parametrize("step", ["requested", "kept", "shredded", "forgotten"])
async def test_an_erasure_that_dies_at_any_step_is_finished(
    world: World, step: str
) -> None:
    seq = positions(await world.entries(), erased=False)[0]
    await world.holds.hold("M1", seq)
    world.dies_at = step
    with pytest.raises(Killed):
        await world.erase()
    world.dies_at = ""
    await said(world.store, by("UALICE", 60))

    assert await world.eraser.resume(TENANT) == 1

    assert [e.erased for e in await world.entries()] == [True, False] * 3 + [False]
    assert world.index.forgotten >= set(positions(await world.entries(), erased=True))
    matters = Matters(world.store.ring, world.store.reader)
    assert [e.seq for e in await matters.opened(TENANT, "M1", -1, 9)] == [seq]
    assert await world.eraser.resume(TENANT) == 0
    await world.intact()


async def test_a_certificate_is_checked_offline_and_names_nobody(world: World) -> None:
    erased_keys = [ref for ref, row in (await keys(world.store)).items()]
    id_ = await world.erase()

    certificate = await world.eraser.certificate(TENANT, id_)

    said_ = checked(certificate.note, [KEY.verifier])
    assert said_ == certificate.said
    assert said_["entries"] == 3
    assert set(said_["keys"]) < set(erased_keys)
    assert len(said_["keys"]) == 2
    assert "UALICE" not in certificate.note
    salt = await world.eraser.salt(TENANT, id_)
    assert said_["person"] == committed(salt, ALICE)
    outsider = verify_atom.Trust([verify_atom.Key.parse(str(KEY.verifier))])
    told = verify_atom.check_certificate(outsider, certificate.note)
    assert told == said_
    verify_atom.check_person(told, salt, ALICE)
    forged = certificate.note.replace('"entries":3', '"entries":4')
    with pytest.raises(NoteRefused):
        checked(forged, [KEY.verifier])
    stranger = SigningKey("atom-log/acme/1", b"1" * 32).verifier
    assert isinstance(stranger, VerifierKey)
    with pytest.raises(NoteRefused):
        checked(certificate.note, [stranger])


async def test_a_dictionary_finds_nothing_after_an_erasure_and_did_before(
    world: World,
) -> None:
    """The attacker has the whole database, and with `secret` the key as well."""
    entry = (await world.entries())[0]
    words = ["ok", "yes", "hello", "no", "thanks"]

    def guessed(secret: bytes | None) -> list[str]:
        found = []
        for word in words:
            body = canonical_body({**entry.body, "text": word})
            nonces = {bytes(32), sha256(body).digest(), bytes(entry.row["leaf"])}
            if secret:
                item = ItemKey.of(secret, entry.row["eid"]).secret
                nonces.add(hmac.digest(item, b"commit-nonce", "sha256"))
            rows_ = {bytes(v) for v in entry.row.values() if isinstance(v, bytes)}
            if any(
                commitment(n, body) == entry.row["cmt"] for n in nonces | rows_
            ) or entry.row["cmt"] in {sha256(body).digest(), sha256(word.encode())}:
                found.append(word)
        return found

    ref = entry.row["key_ref"]
    secret = (await world.store.ring.secrets(TENANT, [ref]))[ref]
    assert guessed(secret) == ["hello"]

    await world.erase()

    assert (await world.store.ring.secrets(TENANT, [ref]))[ref] is None
    assert guessed(None) == []


async def test_a_backup_brings_nobody_back(world: World, tmp_path: Path) -> None:
    kept = {r[0]: r for r in (await keys(world.store)).values()}
    id_ = await world.erase()
    [erasure] = [e for e in await world.eraser.all(TENANT) if e.id == id_]
    for ref in erasure.keys:
        await run(
            world.store,
            "UPDATE subject_key SET wrapped = :wrapped, version = 1, person = :person, "
            "destroyed_us = 0 WHERE ref = :ref",
            ref=ref,
            person=kept[ref][1],
            wrapped=bytes(kept[ref][3]),
        )
    assert positions(await world.entries(), erased=True) == []

    assert await world.eraser.replay(TENANT) == sorted(erasure.keys)

    assert [e.erased for e in await world.entries()] == [True, False] * 3
    assert await world.eraser.replay(TENANT) == []
    await world.intact()


async def test_a_database_from_before_an_erasure_is_erased_again(
    world: World, tmp_path: Path
) -> None:
    """The log of a restored database does not know of the erasure, but a file does."""
    ref = (await world.entries())[0].row["key_ref"]
    Graveyard(world.store.keys.folder, world.store.ring, world.store.reader).bury(
        TENANT, [ref]
    )
    shutil.copytree(world.store.keys.folder, tmp_path / "copied")

    assert await world.eraser.replay(TENANT) == [ref]

    assert [e.erased for e in await world.entries()] == [True, False] * 3
    await world.intact()


async def test_what_the_key_file_still_opens_is_not_called_erased(
    store: Store,
) -> None:
    await as_before(store, [by("UALICE")])
    office = Office.of(store)
    await office.open()
    world = World(store, office, FakeHolds(store))
    await said(store, by("UALICE", 7))
    with pytest.raises(Conflict, match="destroy-old"):
        await world.eraser.ask(TENANT, ADA, ALICE)
    await rotation(store).rotate(TENANT, ADA)
    await destroyed(store)

    await world.erase()

    assert [e.erased for e in await world.entries()] == [True, True]
    await world.intact()


async def test_no_column_of_a_kept_entry_can_be_swapped(world: World) -> None:
    first, second, _ = positions(await world.entries(), erased=False)[::2]
    await world.holds.hold("M1", first, second)
    await world.erase()
    await run(
        world.store,
        "UPDATE item_key_wrap SET wrapped = (SELECT wrapped FROM item_key_wrap "
        "WHERE seq = :second) WHERE seq = :first",
        first=first,
        second=second,
    )

    matters = Matters(world.store.ring, world.store.reader)
    with pytest.raises(Exception, match="was changed"):
        await matters.opened(TENANT, "M1", -1, 9)


async def test_the_key_table_has_nothing_of_the_erased(world: World) -> None:
    company = await world.store.ring.company(TENANT)

    await world.erase()

    rows = await world.store.database.hot.fetch(
        Statement("SELECT person, wrapped FROM subject_key WHERE destroyed_us > 0")
    )
    assert len(rows) == 2
    assert all(wrapped is None for _, wrapped in rows)
    assert company.person(ALICE) not in {person for person, _ in rows}


async def test_no_table_names_somebody_erased(world: World) -> None:
    people = await _in_falcon(world, "UCAROL", "UDAN")
    assert await tables_naming(world.store, "UCAROL") == {"membership"}

    await world.erase("slack|UCAROL")

    [approval] = await world.office.approvals.all(TENANT)
    [erasure] = await world.eraser.all(TENANT)
    assert approval.act == f"erase somebody: {erasure.id}"
    assert approval.digest == erasure.id
    assert await tables_naming(world.store, "UCAROL") == set()
    assert await tables_naming(world.store, "UDAN") == {"membership"}
    assert await people.visible_to(TENANT, FALCON, NOON) == ["UDAN"]


@pytest.mark.parametrize("gone", [True, False])
async def test_the_directory_forgets_who_is_gone_and_not_who_is_there(
    world: World, *, gone: bool
) -> None:
    store = world.store
    carol = Person(Platform.SLACK, "UCAROL", "Carol")
    await said(store, message(ts="19.000050", author=carol))
    account = Account(Platform.SLACK, "T01ACME", "UCAROL")
    accounts = StoredAccounts(
        store.database.hot, world.office.acts, store.ring, lambda: NOON
    )
    await accounts.keep(
        TENANT,
        AccountLink(account, "p-7", Confidence.PROVISIONED, How.PROVISIONED),
        "why",
    )
    channel = Channel(Platform.SLACK, "T01ACME", "C1")
    departures = StoredDepartures(store.database.hot, world.office.acts, lambda: NOON)
    await departures.note(TENANT, channel, "UCAROL", Ended.SYNC, "why")
    life = Life.BURIED if gone else Life.LIVE
    directory = StoredDirectory(store.database.hot, store.journal, lambda: NOON)
    kept = Kept(
        "ad", told.person("guid-7", mail="carol@acme.example"), life, why="left"
    )
    other = Kept("ad", told.person("guid-8", mail="dan@acme.example"), Life.BURIED)
    people = {("ad", "guid-7"): "p-7", ("ad", "guid-8"): "p-8"}
    was = [(person, Lost("research", NOON, "ad")) for person in people.values()]
    ended = [(person, Grace("group:g-1", NOON, 0)) for person in people.values()]
    step = Step(0, (kept, other), people=people, pasts=was, graces=ended)
    await directory.apply(TENANT, step)

    await world.erase("slack|UCAROL")

    assert bool(await directory.losses(TENANT, "p-7", ())) is not gone
    assert await directory.losses(TENANT, "p-8", ())
    delta = await directory.since(TENANT, 0)
    bodies = {each.entry.id: each.entry.attributes.get("mail") for each in delta.kept}
    assert bodies["guid-8"] == "dan@acme.example"
    assert bodies["guid-7"] == (None if gone else "carol@acme.example")
    graces = {person for person, _ in delta.graces}
    assert graces == ({"p-8"} if gone else {"p-7", "p-8"})
    named = await tables_naming(store, "UCAROL")
    assert named == (set() if gone else {"account_link", "departure"})


async def test_somebody_who_never_spoke_is_erased_as_well(world: World) -> None:
    people = await _in_falcon(world, "UCAROL")
    await people.found(TENANT, FALCON, ["UCAROL", "USILENT"])

    id_ = await world.erase("slack|USILENT")

    assert await people.visible_to(TENANT, FALCON, NOON) == ["UCAROL"]
    assert (await world.eraser.certificate(TENANT, id_)).said["keys"] == []
    assert positions(await world.entries(), erased=True) == []
    with pytest.raises(NotFound):
        await world.eraser.ask(TENANT, ADA, "slack|USILENT")


async def test_a_backup_brings_nobody_back_into_a_conversation(world: World) -> None:
    people = await _in_falcon(world, "UCAROL", "UDAN")
    ref = (await world.entries())[-2].row["key_ref"]  # UCAROL's
    Graveyard(world.store.keys.folder, world.store.ring, world.store.reader).bury(
        TENANT, [ref]
    )

    assert await world.eraser.replay(TENANT) == [ref]

    assert await people.visible_to(TENANT, FALCON, NOON) == ["UDAN"]
    assert await tables_naming(world.store, "UCAROL") == set()


async def _in_falcon(world: World, *people: str) -> Membership:
    for n, person in enumerate(people):
        author = Person(Platform.SLACK, person, person)
        await said(world.store, message(ts=f"19.{n:06}", author=author))
    members = Membership(world.store.database.hot, world.office.acts, lambda: NOON)
    await members.found(TENANT, FALCON, people)
    return members


async def tables_naming(store: Store, name: str) -> set[str]:
    """Return which tables have a name in any row."""
    found = set()
    for table in metadata.sorted_tables:
        everything = Statement(f"SELECT * FROM {table}", {})  # noqa: S608 - our names
        rows = await store.database.hot.fetch(everything)
        if any(name.encode() in _bytes(value) for row in rows for value in row):
            found.add(table.name)
    return found


def _bytes(value: object) -> bytes:
    return (
        bytes(value) if isinstance(value, bytes | memoryview) else f"{value}".encode()
    )
