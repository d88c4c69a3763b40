"""A small export in memory: one of everything that can become of a message."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import md5, sha256

from hypothesis import strategies as st

from storage.compliance.export.model import (
    Attached,
    Change,
    Conversation,
    Heading,
    Item,
    Origin,
    PlaceKind,
    Reaction,
    Revision,
    Stamp,
    Stay,
    Thread,
    Who,
    Written,
)
from storage.compliance.export.spooled import Opened

ALICE = Who("slack", "U01ALICE", "Alice Wong", "alice@acme.example")
BOB = Who("slack", "U02BOB", "Bøb, the 'Builder'")
ROBOT = Who("slack", "B01", "Robot", kind="bot")
AT = 1_900_000_000_000_000
MINUTE = 60_000_000
PICTURE = b"\x89PNG\x00\xff\r\n" * 40
PATH = "files/slack-C1-1900000003.000000/F1-cat.png"
HEADING = Heading("e0e0e0e0e0e0e0e0", "acme", 99, "ab" * 32, AT, "Europe/Berlin")

NASTY = (
    "\x00 nul, \x14 and þ and ® and \ufeff",
    "=HYPERLINK(1)",
    "'=1",
    "+1",
    "@SUM",
    "-2\t",
    "\ttab",
    "\rreturn",
    "]]><!--&amp;",
    "\ud83d lone \udc00",
    "\x0b\x0c\x1b[31m\x85\u2028",
    "a\r\nb\nc\rd",
    'quote " and , ; | \\',
    "\u202egnp.exe",
    "👩‍👩‍👧‍👦 مرحبا 你好",
    "",
    " ",
    "x" * 70_000,
    "=?utf-8?q?=41?=",
    "--=_boundary--",
    "\x1f\x7f\uffff\ufffe",
    "../../etc/passwd",
    "C:\\Windows\\nul.txt",
)
hostile = st.sampled_from(NASTY) | st.text(
    st.characters(codec=None, exclude_categories=()), max_size=40
)


def stamp(seq: int) -> Stamp:
    leaf = sha256(b"%d" % seq).hexdigest()
    return Stamp(seq, leaf, f"01890000-0000-7000-8000-{seq:012}", AT + seq)


def revision(
    seq: int, text: str = "", change: Change = Change.CREATE, by: Who = ALICE
) -> Revision:
    return Revision(
        change, stamp(seq), int(change is Change.EDIT), AT + seq * MINUTE, by, text
    )


def item(*revisions: Revision, msg: str = "1900000000.000000", **more: object) -> Item:
    return replace(Item("slack", "T1", "C1", msg, "", revisions), **more)  # type: ignore[arg-type]


def edited(*texts: str, msg: str = "1900000000.000000") -> Item:
    first, *rest = texts
    edits = [revision(n, t, Change.EDIT, BOB) for n, t in enumerate(rest, 2)]
    return item(revision(1, first), *edits, msg=msg)


def story() -> list[Item]:
    held = Attached(
        "F1",
        "cat.png",
        "image/png",
        len(PICTURE),
        "https://files.example/1",
        PATH,
        sha256(PICTURE).hexdigest(),
        md5(PICTURE, usedforsecurity=False).hexdigest(),
    )
    lost = Attached("F2", "dog.txt", "text/plain", 5, missing="too large to be kept")
    reactions = (
        Reaction(stamp(20), AT + 20 * MINUTE, BOB, "👍", added=True),
        Reaction(stamp(21), AT + 21 * MINUTE, BOB, ":party:", added=True),
        Reaction(stamp(22), AT + 22 * MINUTE, BOB, ":party:", added=False),
    )
    return [
        replace(edited("one", "two", "three"), reactions=reactions),
        item(
            revision(5, "regrettable", by=BOB),
            revision(6, change=Change.DELETE, by=BOB),
            msg="1900000001.000000",
            thread="1900000000.000000",
        ),
        item(
            revision(7, "back again"),
            revision(8, change=Change.DELETE),
            revision(9, "back again", Change.RESTORE),
            msg="1900000002.000000",
        ),
        item(
            replace(revision(10, "look"), files=(held, lost)),
            replace(revision(11, "look", Change.EDIT), files=(lost,)),
            msg="1900000003.000000",
        ),
        item(
            replace(revision(12), withheld="erased"),
            msg="1900000004.000000",
        ),
        item(
            revision(13, "copied", by=Who("teams", "29:carol", "Carol")),
            msg="1900000005.000000",
            link="L1",
            origin=Origin(3, "cd" * 32),
        ),
        item(revision(14, "beep", by=ROBOT), msg="1900000006.000000"),
    ]


@dataclass
class Stage:
    """
    Implements `Provable` in memory, with all items in one conversation.

    `more` were there too, and did nothing but come or go.
    """

    told: Sequence[Item] = field(default_factory=story)
    name: str = "general"
    kind: PlaceKind = PlaceKind.CHANNEL
    id: str = "C1"
    more: Sequence[Stay] = ()

    def conversations(self) -> Sequence[Conversation]:
        happened: list[Revision | Reaction] = []
        for each in self.told:
            happened += [*each.revisions, *each.reactions]
        present, times = [h.by for h in happened], [h.at_us for h in happened]
        present += [stay.who for stay in self.more]
        people = {(w.platform, w.id): w for w in present}
        stays = (Stay(ALICE, AT - MINUTE), Stay(BOB, 0, AT + 50 * MINUTE), *self.more)
        listed = tuple(people[key] for key in sorted(people))
        place = Conversation(
            "slack",
            "T1",
            self.id,
            self.name,
            self.kind,
            listed,
            stays,
            min(times),
            max(times),
        )
        return [place]

    def items(self, _conversation: Conversation) -> Iterator[Item]:
        yield from sorted(self.told, key=lambda i: (i.at_us, i.first.stamp.seq))

    def thread(self, of: Item) -> Thread:
        below = [i for i in self.told if i.thread == of.msg and of.msg]
        people = tuple(dict.fromkeys(i.author.id for i in below))
        return Thread(len(below), people, max((i.at_us for i in below), default=0))

    def content(self, path: str) -> Iterator[bytes]:
        assert path == PATH
        yield from (PICTURE[:100], PICTURE[100:])

    def opened(self, of: Item) -> list[Opened]:
        stamps = [r.stamp for r in of.revisions]
        return [Opened(s.seq, s.leaf, "00" * 32, b"{}") for s in stamps]


def contents(files: Iterator[Written]) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for file in files:
        assert file.path not in found
        found[file.path] = b"".join(file.chunks)
    return found


def parsed(data: bytes) -> object:
    return json.loads(data)
