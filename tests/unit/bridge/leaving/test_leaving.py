"""For each place it is decided anew what of a message may be seen there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bridge.access import Label
from bridge.delivery import Delivery, Operation
from bridge.document import Document, Paragraph, Text
from bridge.errors import Refused
from bridge.files import Fate, StaysBehind
from bridge.leaving.files import FilesLeaving
from bridge.leaving.findings import NOTHING, Confidence, Finding, Inspection, Part
from bridge.leaving.leaving import Leaving
from bridge.leaving.ports import Said
from bridge.leaving.rules import Deed, Verdict, Where
from bridge.messages import Event, EventKind, File, Person, Platform
from bridge.ports import History
from tests.events import FALCON, PROJECT, message
from tests.fakes import FakeLinkBook

CARD = "4242 4242 4242 4242"
FOUND = Inspection(
    "h",
    (
        Finding("card", 4, 23, Confidence.HIGH, "aa"),
        Finding("card", 0, 4, Confidence.HIGH, "bb", Part.FILE_NAME, about="F1"),
    ),
    Label.CONFIDENTIAL,
)
ADA = Person(Platform.SLACK, "U1", "Ada")


@dataclass
class FakeInspects:
    """Finds what it is told to find, and judges as it is told to."""

    found: Inspection = FOUND
    deed: Deed = Deed.ALLOW
    looked: list[Said] = field(default_factory=list)

    async def look(self, tenant: str, said: Said) -> Inspection:
        self.looked.append(said)
        return self.found

    async def look_again(
        self, tenant: str, said: Said, known: Inspection | None
    ) -> Inspection:
        return known or self.found

    async def look_into(
        self, tenant: str, file: File, chunks: AsyncIterator[bytes]
    ) -> Inspection:
        return self.found

    def judge(self, tenant: str, inspection: Inspection, where: Where) -> Verdict:
        hide = inspection.findings if self.deed is not Deed.ALLOW else ()
        return Verdict(self.deed, ("r",), hide, "because")

    def shown_name(self, tenant: str, name: str) -> str:
        return name.replace("secret", "[hidden]")

    def rules(self, tenant: str) -> str:
        return "h"


@dataclass
class FakeReleases:
    """Versions that somebody let go; what was noted about files."""

    versions: set[int] = field(default_factory=set)
    noted: list[Deed] = field(default_factory=list)

    async def released(self, delivery: Delivery, version_us: int) -> bool:
        return version_us in self.versions

    async def note(
        self, delivery: Delivery, person: str, inspection: Inspection, verdict: Verdict
    ) -> None:
        self.noted.append(verdict.deed)


def delivery(operation: Operation = Operation.POST, said: str = "m1") -> Delivery:
    return Delivery("acme", 1, 0, "L1", operation, FALCON, PROJECT, said, "", 5, 0)


def story(text: str = f"pay {CARD}", **more: Any) -> History:
    document = Document((Paragraph((Text(text),)),))
    told = History(1, b"", ADA, document, 5, deleted=False)
    return replace(told, files=(File("F1", "4242.csv"),), **more)


def leaving(
    deed: Deed, releases: FakeReleases | None = None, found: Inspection = FOUND
) -> Leaving:
    return Leaving(FakeInspects(found, deed), FakeLinkBook(), releases)


def words(told: History) -> str:
    return repr(told.document)


async def test_what_is_redacted_is_hidden_in_words_and_names_of_files() -> None:
    told = await leaving(Deed.REDACT).shown(delivery(), story())

    assert CARD not in words(told)
    assert "pay [hidden]" in words(told)
    assert [file.name for file in told.files] == ["[hidden].csv"]
    assert told.label is Label.CONFIDENTIAL
    assert not told.verdict.withholds


@pytest.mark.parametrize("deed", [Deed.BLOCK, Deed.QUARANTINE])
async def test_of_what_is_withheld_nothing_is_left(deed: Deed) -> None:
    earlier = (story("before").document,)

    told = await leaving(deed).shown(delivery(), story(earlier=earlier))

    assert "pay" not in words(told)
    assert (told.files, told.earlier) == ((), ())
    assert [file.id for file in told.former_files] == ["F1"]
    assert bool(told.verdict.held) is (deed is Deed.QUARANTINE)


async def test_what_was_let_go_is_shown_in_that_version_only() -> None:
    one = leaving(Deed.QUARANTINE, FakeReleases({5}))
    other = leaving(Deed.QUARANTINE, FakeReleases({4}))

    assert CARD in words(await one.shown(delivery(), story()))
    assert CARD not in words(await other.shown(delivery(), story()))


async def test_what_is_blocked_in_a_digest_of_many_is_hidden_there() -> None:
    told = await leaving(Deed.BLOCK).shown(delivery(said="history.1"), story())

    assert "pay [hidden]" in words(told)


@pytest.mark.parametrize("operation", [Operation.DELETE, Operation.REACT])
async def test_what_says_nothing_is_let_through(operation: Operation) -> None:
    told = story()

    assert await leaving(Deed.BLOCK).shown(delivery(operation), told) is told


async def test_what_was_said_before_is_hidden_as_well() -> None:
    earlier = (story(f"was {CARD}").document,)

    told = await leaving(Deed.REDACT).shown(delivery(), story(earlier=earlier))

    assert CARD not in repr(told.earlier)
    assert len(told.earlier) == 1


async def test_names_are_shown_as_they_may_be() -> None:
    author = replace(ADA, name="Ada secret")

    told = await leaving(Deed.ALLOW, found=NOTHING).shown(
        delivery(), story(author=author)
    )

    assert told.author.name == "Ada [hidden]"


def heard(kind: EventKind = EventKind.MESSAGE_CREATE) -> Event:
    return message(text=f"pay {CARD}", kind=kind)


async def test_blocked_posts_are_not_made_and_it_is_decided_so() -> None:
    plan = await leaving(Deed.BLOCK).plan(heard(), FOUND, [delivery()])

    assert plan.deliveries == ()
    [decision] = plan.decisions
    assert (decision.allowed, decision.rule, decision.reason) == (
        False,
        "dlp r",
        "because",
    )
    assert [taken.deed for taken in plan.taken] == [Deed.BLOCK]


async def test_blocked_edits_go_on_to_take_the_old_words_away() -> None:
    edit = delivery(Operation.EDIT)

    plan = await leaving(Deed.BLOCK).plan(heard(), FOUND, [edit])

    assert plan.deliveries == (edit,)
    assert len(plan.decisions) == 1


@pytest.mark.parametrize("deed", [Deed.WARN, Deed.REDACT, Deed.QUARANTINE])
async def test_all_else_goes_on_and_is_told(deed: Deed) -> None:
    plan = await leaving(deed).plan(heard(), FOUND, [delivery()])

    assert (len(plan.deliveries), plan.decisions) == (1, ())
    assert [taken.deed for taken in plan.taken] == [deed]


async def test_where_nothing_was_found_nothing_is_judged() -> None:
    plan = await leaving(Deed.BLOCK).plan(heard(), NOTHING, [delivery()])

    assert plan.deliveries == (delivery(),)


async def test_only_what_says_something_is_looked_at() -> None:
    inspects = FakeInspects()
    one = Leaving(inspects, FakeLinkBook())

    assert await one.look("acme", heard(EventKind.MESSAGE_DELETE)) is NOTHING
    assert await one.look("acme", heard()) is FOUND
    await one.look("acme", heard(EventKind.MESSAGE_EDIT))

    assert [bool(said.row) for said in inspects.looked] == [True, False]


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


@pytest.mark.parametrize("deed", [Deed.REDACT, Deed.BLOCK])
async def test_a_file_crosses_whole_or_not_at_all(deed: Deed) -> None:
    log = FakeReleases()
    files = FilesLeaving(leaving(deed), log)

    with pytest.raises(StaysBehind) as stays:
        await files.pass_by(delivery(), ADA, File("F1", "a.csv"), _nothing())

    assert stays.value.fate is Fate.WITHHELD
    assert log.noted == [deed]


async def test_a_held_file_waits_until_it_is_let_go() -> None:
    log, file = FakeReleases(), File("F1", "a.csv")
    held = FilesLeaving(leaving(Deed.QUARANTINE, FakeReleases()), log)
    free = FilesLeaving(leaving(Deed.QUARANTINE, FakeReleases({0})), log)

    with pytest.raises(Refused, match="held for review: dlp r"):
        await held.pass_by(delivery(), ADA, file, _nothing())
    await free.pass_by(delivery(), ADA, file, _nothing())


async def test_a_file_in_which_nothing_is_found_passes_unnoted() -> None:
    log = FakeReleases()
    files = FilesLeaving(leaving(Deed.BLOCK, found=NOTHING), log)

    await files.pass_by(delivery(), ADA, File("F1", "a.csv"), _nothing())

    assert log.noted == []
