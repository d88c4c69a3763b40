"""A log that holds what exports have to tell of, and exports made of it."""

import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bridge.errors import NotFound
from bridge.messages import Channel, EventKind, File, Person, Platform
from bridge.ports import Commitment
from storage.compliance.export.making import Maker, Result
from storage.compliance.export.opening import Openings
from storage.compliance.export.parts import FORMATS
from storage.compliance.export.question import Question
from storage.compliance.export.spool import Spool
from storage.compliance.proofs.keeper import TreeKeeper
from storage.compliance.proofs.signing_keys import SigningKeys
from storage.hot import HotStore
from storage.journal import Journal
from storage.log_reader import LogReader
from storage.writes import Entry, Origin, Write
from tests.events import ALICE, FALCON, PROJECT, message, words

TENANT = "acme"
BOB = Person(Platform.SLACK, "U02BOB", "Bob Ödegård")
CAROL = Person(Platform.TEAMS, "29:carol", "Carol Díaz")
DIRECT = Channel(Platform.SLACK, "T01ACME", "D09DIRECT")
# More people than documents name, most of whom never said a word.
CROWDED = Channel(Platform.SLACK, "T01ACME", "C10CROWDED")
CROWD = tuple(f"U{n:02}SILENT" for n in range(60))
BLOB = "b10b"
PICTURE = b"\x89PNG not really\x00\xff" * 9
NASTY = (
    '=cmd|"/c calc"!A1\r\nþ\x14® <b>&amp;</b> \x0b]]> \u202e مرحبا 😀 ' + "x" * 70_000
)


@dataclass
class FakeBlobs:
    """Implements `Blobs` in memory."""

    held: dict[str, bytes] = field(default_factory=lambda: {BLOB: PICTURE})

    async def read(self, _tenant: str, name: str) -> AsyncIterator[bytes]:
        if name not in self.held:
            raise NotFound("not kept")
        for at in range(0, len(self.held[name]), 50):
            yield self.held[name][at : at + 50]


class _Story:
    """What happens, one thing after the other."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.us = journal, 1_900_000_000_000_000

    async def event(self, **more: Any) -> int:
        self.us += 61_000_000
        given: dict[str, Any] = {"sent_us": self.us, "event_id": f"Ev{self.us}"} | more
        receipt = await self.journal.append(
            Commitment(TENANT, message(**given), (), ())
        )
        return receipt.seq

    async def entry(self, **more: Any) -> int:
        self.us += 1_000_000
        given: dict[str, Any] = {
            "platform": "slack",
            "subject": "slack|U01ALICE",
            "src_us": self.us,
            "via": "self",
        }
        receipt = await self.journal.write(Write(TENANT, entry=Entry(**given | more)))
        return receipt.seq


async def tell(journal: Journal) -> None:
    """Write the whole story."""
    story = _Story(journal)
    await story.event(kind=EventKind.MEMBER_JOIN, message="", document=words(""))
    named = (("name", "general / talk"),)
    await story.event(
        kind=EventKind.CHANNEL_CHANGE, message="", document=words(""), detail=named
    )
    first = await story.event(ts="1900000001.000100", text="first draft")
    edits = {"kind": EventKind.MESSAGE_EDIT, "ts": "1900000001.000100"}
    await story.event(**edits, version_us=1, document=words("second draft"))
    await story.event(**edits, version_us=2, document=words("third draft"))
    reacts = {"ts": "1900000001.000100", "author": BOB, "document": words("")}
    added, removed = EventKind.REACTION_ADD, EventKind.REACTION_REMOVE
    await story.event(kind=added, detail=(("added", "👍"),), **reacts)
    await story.event(kind=added, detail=(("added", ":party:"),), **reacts)
    await story.event(kind=removed, detail=(("removed", ":party:"),), **reacts)
    await _copied(story, first)
    await _deleted_and_shared(story)
    await _elsewhere(story)
    await _crowded(story)


async def _copied(story: _Story, first: int) -> None:
    reader = LogReader(story.journal.store, story.journal.keys)
    leaf = await reader.leaf(TENANT, first)
    assert leaf is not None
    await story.entry(
        etype="bridge.delivered",
        platform="teams",
        body={"text": "first draft", "author": {"id": ALICE.id, "name": ALICE.name}},
        team=PROJECT.team,
        conv=PROJECT.id,
        msg="1900000002000",
        link="L1",
        origin=Origin(first, leaf),
    )


async def _deleted_and_shared(story: _Story) -> None:
    gone = {"ts": "1900000003.000200", "author": BOB}
    await story.event(**gone, text="regrettable", thread="1900000001.000100")
    await story.event(**gone, kind=EventKind.MESSAGE_DELETE, document=words(""))
    back = {"ts": "1900000004.000200", "author": BOB}
    await story.event(**back, text="here and there")
    await story.event(**back, kind=EventKind.MESSAGE_DELETE, version_us=1)
    await story.event(**back, kind=EventKind.MESSAGE_RESTORE, version_us=2)
    shared = File(
        "F1", "../../etc/pass=wd ü.png", "image/png", len(PICTURE), "https://s"
    )
    lost = File("F2", "lost.txt", "text/plain", 5, "https://s/2")
    never = File("F3", "never.txt", "text/plain", 5, "https://s/3")
    files = {"ts": "1900000005.000200", "files": (shared, lost, never)}
    await story.event(**files, text="look")
    for file, blob in ((shared, BLOB), (lost, "gone")):
        told = {"id": file.id, "blob": blob, "sha256": "", "size": file.size}
        await story.entry(
            etype="file.share",
            body={"text": file.name, "reason": "", "file": told},
            team=FALCON.team,
            conv=FALCON.id,
            msg="1900000005.000200",
            outcome="kept",
        )
    fewer = {**files, "files": (lost,), "kind": EventKind.MESSAGE_EDIT}
    await story.event(**fewer, version_us=3, text="look")


async def _elsewhere(story: _Story) -> None:
    await story.event(ts="1900000006.000200", text=NASTY, author=BOB)
    await story.event(ts="1900000007.000200", text="psst", channel=DIRECT)
    teams = {
        "platform": Platform.TEAMS,
        "account": "tenant",
        "channel": PROJECT,
        "author": CAROL,
    }
    await story.event(**teams, ts="1900000008000", text="-1+2 from Teams")
    thread = {"ts": "1900000009000", "thread": "1900000008000"}
    await story.event(**teams, **thread, text="a reply")
    await story.event(
        kind=EventKind.MEMBER_LEAVE, message="", document=words(""), author=BOB
    )


async def _crowded(story: _Story) -> None:
    moved = {"channel": CROWDED, "message": "", "document": words("")}
    came, went = (("joined", " ".join(CROWD)),), (("left", CROWD[0]),)
    await story.event(**moved, kind=EventKind.MEMBER_JOIN, detail=came)
    await story.event(**moved, kind=EventKind.MEMBER_LEAVE, detail=went)
    await story.event(ts="1900000010.000000", text="to you all", channel=CROWDED)


def asked(size: int, **more: Any) -> Question:
    given: dict[str, Any] = {"formats": tuple(sorted(FORMATS)), "zone": "Europe/Berlin"}
    return Question(TENANT, size, **given | more)


async def maker(store: HotStore, reader: LogReader, home: Path) -> Maker:
    keys = SigningKeys.under(home)
    keeper = TreeKeeper(store)
    await keeper.keep(TENANT)
    return Maker(
        reader=reader,
        opener=Openings(reader, TENANT),
        blobs=FakeBlobs(),
        notary=_Notary(keys),
        origin=keys.current(TENANT).name,
        root=lambda size: keeper.tree.root(TENANT, size),
        verifier=b"# stands in for the verifier\n",
    )


@dataclass
class _Notary:
    keys: SigningKeys

    async def sign(self, tenant: str, text: str) -> str:
        return self.keys.sign(tenant, text)


def everything(_item: object) -> bool:
    return True


def unwatched(_what: str, _done: int, _of: int) -> None:
    return None


async def exported(made: Maker, question: Question, folder: Path) -> Result:
    spool = Spool(folder / "work")
    try:
        return await made.make(
            spool, question, everything, folder / "out.zip", unwatched
        )
    finally:
        spool.close()


def contents(path: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(path: Path) -> Any:
    return orjson.loads(contents(path)["manifest.json"])
