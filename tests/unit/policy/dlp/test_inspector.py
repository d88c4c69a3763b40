"""Messages are looked at whole, again by new rules, and together with those before."""

import io
import zipfile
from collections.abc import AsyncIterator

import pytest

from bridge.access import Label
from bridge.document import Document, Link, Paragraph, Style, Text
from bridge.leaving.findings import Inspection, Part
from bridge.leaving.ports import Said
from bridge.leaving.rules import Deed, Where
from bridge.messages import File
from policy.dlp.inspector import Inspector
from policy.dlp.rulebook import DEFAULT, prepared

CARD = "4242 4242 4242 4242"
RULES = """
labels: {content: [{detectors: [credit_card], label: confidential}]}
rules:
  - {name: cards, detectors: [credit_card], do: redact}
  - {name: high, below_label: true, label: confidential, do: warn}
"""


class Desk:
    """An inspector whose rules and clock a test sets."""

    def __init__(self, rules: str = RULES) -> None:
        self.rules, self.now = rules, 0
        self.inspector = Inspector(
            lambda _: prepared(self.rules), self.key, lambda: self.now
        )

    async def key(self, tenant: str) -> bytes:
        return tenant.encode()

    async def say(self, text: str, *, row: str = "r", message: str = "") -> Inspection:
        said = Said(document(text), row=row, message=message or text)
        return await self.inspector.look("acme", said)


def document(*texts: str) -> Document:
    leaves = [Text(t, (Style.BOLD,) * (n % 2)) for n, t in enumerate(texts)]
    return Document((Paragraph(tuple(leaves)),))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_text_names_and_names_of_files_are_looked_at(desk: Desk) -> None:
    file = File("F1", f"{CARD}.txt")

    found = await desk.inspector.look(
        "acme", Said(document("pay 4242 4242 ", "4242 4242"), (file,), f"Bob {CARD}")
    )

    assert [(f.part, f.about) for f in found.findings] == [
        (Part.TEXT, ""),
        (Part.FILE_NAME, "F1"),
        (Part.NAME, ""),
    ]
    assert found.label is Label.CONFIDENTIAL
    assert len({f.digest for f in found.findings}) == 1


async def test_companies_hashes_differ(desk: Desk) -> None:
    one = await desk.inspector.look("acme", Said(document(CARD)))
    two = await desk.inspector.look("other", Said(document(CARD)))

    assert one.findings[0].digest != two.findings[0].digest


@pytest.mark.parametrize(
    ("pieces", "hidden"),
    [
        (["4242 4242", "4242 4242 ok"], (0, 9)),
        (["4242 4242 4242", "4242"], (0, 4)),
        (["4242", "4242", "4242", "4242"], (0, 4)),
        (["key AKIA", "Q3EGRTLDA7LC4PN2"], (0, 16)),
        (["the first half is 4242 4242", "4242 4242, got it?"], (0, 9)),
    ],
)
async def test_what_comes_in_pieces_is_found_in_the_last(
    desk: Desk, pieces: list[str], hidden: tuple[int, int]
) -> None:
    desk.rules = DEFAULT
    told = [
        await desk.say(piece, message=f"m{number}")
        for number, piece in enumerate(pieces)
    ]

    found = told[-1]
    assert [(f.start, f.end) for f in found.findings] == [hidden]
    assert found.findings[0].about == " ".join(f"m{n}" for n in range(len(pieces) - 1))


async def test_an_address_behind_a_label_does_not_come_between(desk: Desk) -> None:
    link = Link("https://example.com/offers", "offer")
    first = Document((Paragraph((link, Text(" to 4242 4242"))),))
    await desk.inspector.look("acme", Said(first, row="r", message="m1"))

    found = await desk.say("4242 4242", message="m2")

    assert [finding.about for finding in found.findings] == ["m1"]


async def test_other_peoples_words_and_old_ones_are_not_put_together(
    desk: Desk,
) -> None:
    await desk.say("4242 4242", row="ada")
    assert (await desk.say("4242 4242", row="bob")).findings == ()

    desk.now += 600_000_000
    assert (await desk.say("4242 4242", row="ada", message="later")).findings == ()


async def test_words_between_end_what_began(desk: Desk) -> None:
    await desk.say("4242 4242")
    await desk.say("anyway")

    assert (await desk.say("4242 4242 ", message="again")).findings == ()


async def test_the_same_event_twice_is_not_put_together_with_itself(
    desk: Desk,
) -> None:
    await desk.say("4242 4242", message="m1")

    assert (await desk.say("4242 4242", message="m1")).findings == ()


async def test_new_rules_look_again_and_keep_what_was_in_pieces(desk: Desk) -> None:
    await desk.say("4242 4242", message="m1")
    known = await desk.say("4242 4242", message="m2")
    said = Said(document("4242 4242"))

    assert await desk.inspector.look_again("acme", said, known) is known
    desk.rules = RULES + "without: [email]\n"
    again = await desk.inspector.look_again("acme", said, known)

    assert again.rules != known.rules
    assert again.findings == known.findings
    assert again.label is Label.CONFIDENTIAL


async def test_targets_are_classified_by_the_rules_or_by_the_policy(
    desk: Desk,
) -> None:
    found = Inspection("r", label=Label.CONFIDENTIAL)
    there = Where("L1", "teams:t/c")

    assert desk.inspector.judge("acme", found, there).deed is Deed.WARN
    desk.inspector.classified = lambda _tenant, _target: Label.RESTRICTED
    assert desk.inspector.judge("acme", found, there).deed is Deed.ALLOW
    desk.rules = RULES + "channels: {'teams:t/c': internal}\n"
    assert desk.inspector.judge("acme", found, there).deed is Deed.WARN


def test_names_are_shown_without_what_is_in_them(desk: Desk) -> None:
    assert desk.inspector.shown_name("acme", "Bob") == "Bob"
    assert desk.inspector.shown_name("acme", f"Bob {CARD}") == "Bob [hidden]"


async def test_labels_are_told_whether_it_was_looked_at_or_not(desk: Desk) -> None:
    said = document(f"#restricted {CARD}")

    assert desk.inspector.label("acme", said, ()) is Label.RESTRICTED
    await desk.inspector.look("acme", Said(said))
    assert desk.inspector.label("acme", said, ()) is Label.RESTRICTED
    assert desk.inspector.label("acme", document(CARD), ()) is Label.CONFIDENTIAL


async def _bytes(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_the_text_of_files_is_looked_into(desk: Desk) -> None:
    file = File("F1", "a.csv")

    found = await desk.inspector.look_into(
        "acme", file, _bytes(b"name\n4242 4242", b" 4242 4242\n")
    )

    assert [(f.part, f.about) for f in found.findings] == [(Part.FILE, "F1")]


async def test_a_document_that_cannot_be_read_is_said_to_be(desk: Desk) -> None:
    found = await desk.inspector.look_into(
        "acme", File("F1", "a.pdf"), _bytes(b"%PDF-1.7 nonsense")
    )

    assert found.partial
    assert not found.empty


@pytest.mark.parametrize("name", ["a.png", "a.zip", "a.xlsx"])
async def test_what_nobody_reads_here_is_said_to_be_unread(
    desk: Desk, name: str
) -> None:
    found = await desk.inspector.look_into(
        "acme", File("F1", name), _bytes(b"\x89PNG\r\n\0\0")
    )

    assert found.partial
    assert not found.findings


async def test_an_empty_file_is_nothing(desk: Desk) -> None:
    found = await desk.inspector.look_into("acme", File("F1", "a.txt"), _bytes(b""))

    assert found.empty


async def test_a_document_with_a_picture_passes_unless_rules_say_otherwise(
    desk: Desk,
) -> None:
    picture = zipped("word/document.xml", "word/media/image1.png")
    file = File("F1", "a.docx")

    passes = await desk.inspector.look_into("acme", file, _bytes(picture))
    desk.rules = "pictures: unreadable"
    counts = await desk.inspector.look_into("acme", file, _bytes(picture))

    assert not passes.partial
    assert counts.partial


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "<w><p>hello</p></w>")
    return made.getvalue()
