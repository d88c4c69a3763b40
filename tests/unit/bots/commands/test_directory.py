"""The directory in chat: what admins see, and a word on exactly what waits."""

from dataclasses import dataclass, field

from bots.commands.base import Commands, Request
from bots.commands.directory import DirectoryCommand
from bridge.cards import Card, Tone
from bridge.compliance import Officer
from bridge.directory.control import DirectoryHealth, Held, SourceHealth
from bridge.errors import NotFound
from bridge.messages import Channel, Person, Platform

HELD = Held(
    digest="ab" * 16,
    source="ad",
    reason="190 of 200 people would be suspended",
    count=190,
    lines=tuple(f"- person P{n} is suspended: vanished" for n in range(20)),
    since_us=1,
    state="waiting",
)
HERE = Channel(Platform.SLACK, "T1", "C1")


@dataclass
class FakeDesk:
    """A directory with one source, and one set of changes that waits."""

    waiting: list[Held] = field(default_factory=lambda: [HELD])
    problem: str = ""
    decided: list[tuple[str, str, bool]] = field(default_factory=list)

    async def health(self, tenant: str) -> DirectoryHealth:
        source = SourceHealth("ad", "active-directory", 200, 9, 600, 1, 1, self.problem)
        notes = ("2 groups are in each other: A, B",)
        return DirectoryHealth("7", 90, 200, (source,), tuple(self.waiting), notes)

    async def decide(
        self, tenant: str, officer: Officer, digest: str, *, agree: bool
    ) -> Held:
        if digest != HELD.digest:
            raise NotFound("No changes with this hash wait.")
        self.decided.append((officer.name, digest, agree))
        return HELD


async def _type(desk: FakeDesk, text: str) -> Card:
    request = Request("acme", HERE, Person(Platform.SLACK, "U1"), text)
    return await Commands((DirectoryCommand(desk),)).answer(request)


async def test_what_waits_is_shown_with_counts_names_and_its_hash() -> None:
    card = await _type(FakeDesk(), "directory")

    assert card.tone is Tone.WARNING
    assert card.text == "200 people, version 7, 1 minute old."
    source, held, note = card.sections
    assert source.text == "It is followed."
    assert held.title == "190 changes of ad wait"
    assert held.text.splitlines()[0] == "- person P0 is suspended: vanished"
    assert held.text.splitlines()[-1] == "and 185 more"
    assert ("Hash", HELD.digest) in [(f.label, f.value) for f in held.fields]
    assert note.text == "2 groups are in each other: A, B"
    assert [b.command for b in card.buttons] == [
        f"directory approve {HELD.digest}",
        f"directory refuse {HELD.digest}",
    ]


async def test_a_source_in_trouble_says_so() -> None:
    card = await _type(FakeDesk([], "its certificate is not trusted"), "directory")

    assert card.tone is Tone.WARNING
    assert card.sections[0].text == "its certificate is not trusted"
    assert card.buttons == ()


async def test_a_word_is_bound_to_the_hash_and_to_who_says_it() -> None:
    desk = FakeDesk()

    done = await _type(desk, f"directory approve {HELD.digest}")
    refused = await _type(desk, f"directory refuse {HELD.digest}")
    other = await _type(desk, "directory approve abab")

    assert (done.title, refused.title) == ("Done", "Refused")
    assert other.title == "That did not work"
    assert desk.decided == [
        ("slack:T1/U1", HELD.digest, True),
        ("slack:T1/U1", HELD.digest, False),
    ]


async def test_what_is_not_understood_is_answered_with_what_is() -> None:
    card = await _type(FakeDesk(), "directory approve")

    assert "directory [approve HASH|refuse HASH]" in card.text
