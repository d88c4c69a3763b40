"""Files follow their messages, once, and go with them."""

from dataclasses import replace

import pytest

from bridge.courier import Done, Later
from bridge.delivery import AttemptState, Delivery, Operation
from bridge.errors import (
    Ambiguous,
    CannotTell,
    NotGiven,
    NotSent,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from bridge.files import Fate, FileWord, StaysBehind
from bridge.links import Link
from bridge.messages import File
from bridge.options import LinkOptions
from bridge.ports import History, Outcome
from tests.events import ALICE, FALCON, PROJECT, words
from tests.unit.bridge.file_fakes import FakeScanner
from tests.unit.bridge.stage import TENANT, Stage, copied, delivery

REPORT = File("F1", "report.pdf", "application/pdf", 6, "https://x/F1", "https://p/F1")
BYTES = [b"abc", b"def"]


def story(
    *files: File, former: tuple[File, ...] = (), deleted: bool = False
) -> History:
    return History(
        7,
        b"leaf",
        ALICE,
        words("hello"),
        5,
        deleted,
        files=files,
        former_files=former,
    )


@pytest.fixture
def stage() -> Stage:
    """A message with one file, whose copy stands."""
    made = Stage()
    made.ledger.history_of["m1"] = story(REPORT)
    made.copies.copies = [copied()]
    made.source.content["F1"] = BYTES
    return made


def of(key: str = "F1", **changes: object) -> Delivery:
    return replace(delivery(Operation.FILE), file=key, **changes)  # type: ignore[arg-type]  # any field


async def bring(stage: Stage, wanted: Delivery) -> Done | Later:
    """Deliver, and let the log know of what came of it."""
    before = len(stage.ledger.written)
    ending = await stage.deliver(wanted)
    for outcome in stage.ledger.written[before:]:
        if outcome.file:
            seq = 100 + len(stage.file_log.words)
            stage.file_log.words.append(replace(outcome.file, seq=seq))
    return ending


def last(stage: Stage) -> Outcome:
    return stage.ledger.written[-1]


def word(stage: Stage) -> FileWord:
    found = last(stage).file
    assert found
    return found


def choose(stage: Stage, *said: str) -> None:
    options = LinkOptions().said(said)
    stage.links.links = [Link(TENANT, "L1", (FALCON, PROJECT), options=options)]


async def test_a_message_with_files_queues_a_delivery_for_each(stage: Stage) -> None:
    stage.copies.copies = []

    await stage.deliver(delivery())

    [then] = last(stage).then
    assert (then.operation, then.file, then.target) == (Operation.FILE, "F1", PROJECT)
    [line] = stage.sender.posts[0].files
    assert (line.label, line.said) == ("report.pdf (6 bytes)", "on its way")


async def test_a_file_is_brought_below_the_copy_and_the_line_follows(
    stage: Stage,
) -> None:
    await bring(stage, of())

    [(parcel, content)] = stage.file_target.standing.values()
    assert (content, parcel.name, parcel.thread) == (b"abcdef", "report.pdf", "r0")
    told = word(stage)
    assert (told.fate, told.size, told.remote) == (Fate.COPIED, 6, "f1")
    assert len(told.sha256) == 64
    [then] = last(stage).then
    assert then.file == ""

    await bring(stage, of(""))

    assert [line.said for line in stage.sender.edited[-1].files] == ["in this thread"]


async def test_lines_that_show_everything_already_are_left_alone(stage: Stage) -> None:
    await bring(stage, of())
    await bring(stage, of(""))

    await bring(stage, of(""))

    assert stage.ledger.states[-1] is AttemptState.DROPPED
    assert len(stage.sender.edits) == 1


async def test_the_same_file_is_brought_once(stage: Stage) -> None:
    await bring(stage, of())

    await bring(stage, of())

    assert last(stage).state is AttemptState.DROPPED
    assert stage.file_target.puts == 1


@pytest.mark.parametrize(
    ("said", "fate"),
    [("files=link", Fate.LINKED), ("files=block", Fate.BLOCKED)],
)
async def test_what_the_links_owners_do_not_want_is_not_even_fetched(
    stage: Stage, said: str, fate: Fate
) -> None:
    choose(stage, said)

    await bring(stage, of())

    assert word(stage).fate is fate
    assert last(stage).then == ()  # the copy said so from the start
    assert (stage.source.given, stage.file_target.puts) == (0, 0)


async def test_a_person_who_may_not_share_files_is_denied_as_the_log_says(
    stage: Stage,
) -> None:
    stage.policy.allowed = False

    await bring(stage, of())

    assert (word(stage).fate, word(stage).detail) == (
        Fate.BLOCKED,
        "not allowed: a rule",
    )
    assert stage.file_target.puts == 0


async def test_a_file_that_is_said_to_be_too_large_is_not_fetched(stage: Stage) -> None:
    large = replace(REPORT, size=2_000_000_000)
    stage.ledger.history_of["m1"] = story(large)

    await bring(stage, of())

    assert word(stage).fate is Fate.TOO_LARGE
    assert stage.source.given == 0


async def test_a_file_that_is_larger_than_it_was_said_to_be_is_cut_off_there(
    stage: Stage,
) -> None:
    choose(stage, "file_mb=1")
    stage.source.content["F1"] = [b"x" * 100_000] * 1_000

    await bring(stage, of())

    assert word(stage).fate is Fate.TOO_LARGE
    assert stage.source.given == 1_100_000
    assert stage.shelf.rooms[0].size == 1_000_000
    assert stage.file_target.puts == 0


async def test_an_empty_file_stays(stage: Stage) -> None:
    stage.source.content["F1"] = []

    await bring(stage, of())

    assert word(stage).fate is Fate.EMPTY


async def test_a_virus_is_refused_before_a_byte_leaves(stage: Stage) -> None:
    stage.scanner = FakeScanner()
    stage.source.content["F1"] = [b"a vi", b"rus"]

    await bring(stage, of())

    assert (word(stage).fate, word(stage).detail) == (Fate.INFECTED, "Virus.Test")
    assert len(word(stage).sha256) == 64
    assert stage.file_target.puts == 0


async def test_while_the_scanner_is_away_a_file_waits_as_long_as_it_takes(
    stage: Stage,
) -> None:
    away = [ServiceUnavailable("away") for _ in range(20)]
    stage.scanner = FakeScanner(failures=[*away])
    wanted = of()

    for _ in away:
        ending = await bring(stage, wanted)
        assert isinstance(ending, Later)
        wanted, stage.now = ending.delivery, ending.delivery.not_before_us
    await bring(stage, wanted)

    assert word(stage).fate is Fate.COPIED
    assert stage.file_target.puts == 1


async def test_a_login_page_is_tried_again_and_given_up_in_the_end(
    stage: Stage,
) -> None:
    stage.source.failures = [NotGiven("a page") for _ in range(3)]
    wanted, ending = of(), None

    for _ in range(3):
        ending = await bring(stage, wanted)
        wanted = ending.delivery if isinstance(ending, Later) else wanted

    assert isinstance(ending, Done)
    assert last(stage).state is AttemptState.DEAD
    assert word(stage).fate is Fate.FAILED
    [then] = last(stage).then
    assert then.file == ""

    await bring(stage, of(again=None, attempts=0))

    assert word(stage).fate is Fate.COPIED  # as after `retry`


async def test_a_lost_answer_is_looked_up_and_never_repeated_blindly(
    stage: Stage,
) -> None:
    stage.file_target.lost = [Ambiguous("lost")]

    ending = await bring(stage, of())

    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us >= stage.now + stage.tuning.reconcile_after_us

    await bring(stage, ending.delivery)

    assert stage.file_target.puts == 1
    assert (word(stage).fate, word(stage).remote) == (Fate.COPIED, "f1")


async def test_a_lost_call_without_effect_is_made_again(stage: Stage) -> None:
    stage.file_target.failures = [Ambiguous("lost")]

    ending = await bring(stage, of())
    assert isinstance(ending, Later)
    await bring(stage, ending.delivery)

    assert len(stage.file_target.standing) == 1
    assert (stage.file_target.puts, stage.file_target.finds) == (2, 1)


async def test_what_cannot_be_looked_up_is_parked_and_the_line_says_so(
    stage: Stage,
) -> None:
    stage.file_target.lost = [Ambiguous("lost")]
    ending = await bring(stage, of())
    assert isinstance(ending, Later)
    stage.file_target.blindness = CannotTell("no right to look")

    await bring(stage, ending.delivery)

    assert last(stage).state is AttemptState.PARKED
    assert word(stage).fate is Fate.FAILED
    assert stage.file_target.puts == 1


async def test_after_a_takeover_nobody_calls_before_the_former_owner_is_done(
    stage: Stage,
) -> None:
    taken = of(attempts=1, unknown_since_us=stage.now)

    ending = await bring(stage, taken)

    waits = stage.tuning.reconcile_after_us + stage.tuning.longest_call_us
    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us == stage.now + waits
    assert (stage.file_target.puts, stage.file_target.finds) == (0, 0)

    stage.now += waits
    await bring(stage, ending.delivery)

    assert (stage.file_target.puts, stage.file_target.finds) == (1, 1)


@pytest.mark.parametrize("apart_us", [-600_000_000, 600_000_000])
async def test_after_a_takeover_the_former_owners_clock_may_have_been_wrong(
    stage: Stage, apart_us: int
) -> None:
    taken = of(attempts=1, unknown_since_us=stage.now + apart_us)

    ending = await bring(stage, taken)

    waits = stage.tuning.reconcile_after_us + stage.tuning.longest_call_us
    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us == stage.now + waits
    stage.now += waits
    await bring(stage, ending.delivery)
    assert stage.file_target.finds == 1


async def test_deleting_the_message_queues_and_makes_the_removal(stage: Stage) -> None:
    await bring(stage, of())
    stage.ledger.history_of["m1"] = story(former=(REPORT,), deleted=True)

    await stage.deliver(delivery(Operation.DELETE))
    [then] = last(stage).then
    stage.copies.copies = [replace(copied(), deleted=True)]
    await bring(stage, replace(then, seq=8, n=0))

    assert stage.file_target.standing == {}
    assert word(stage).fate is Fate.REMOVED


async def test_a_file_that_an_edit_took_away_goes_and_a_new_one_comes(
    stage: Stage,
) -> None:
    await bring(stage, of())
    other = replace(REPORT, id="F2", name="other.txt")
    stage.source.content["F2"] = [b"new"]
    stage.ledger.history_of["m1"] = story(other, former=(REPORT,))

    await stage.deliver(delivery(Operation.EDIT))
    queued = last(stage).then
    for n, then in enumerate(queued):
        await bring(stage, replace(then, seq=8, n=n))

    assert {then.file for then in queued} == {"F1", "F2"}
    assert [parcel.name for parcel, _ in stage.file_target.standing.values()] == [
        "other.txt"
    ]


async def test_an_edit_of_the_words_alone_queues_nothing(stage: Stage) -> None:
    stage.ledger.history_of["m1"] = story(REPORT, former=(REPORT,))

    await stage.deliver(delivery(Operation.EDIT))

    assert last(stage).state is AttemptState.DELIVERED
    assert last(stage).then == ()


async def test_what_was_begun_and_lost_is_taken_away_with_its_message(
    stage: Stage,
) -> None:
    stage.file_target.lost = [Ambiguous("lost")]
    ending = await bring(stage, of())
    assert isinstance(ending, Later)
    stage.ledger.history_of["m1"] = story(former=(REPORT,), deleted=True)

    await bring(stage, ending.delivery)

    assert stage.file_target.standing == {}


async def test_a_restored_message_gets_its_files_below_its_new_copy(
    stage: Stage,
) -> None:
    await bring(stage, of())
    stage.copies.copies = [replace(copied(), deleted=True), copied(remote="r9")]

    await bring(stage, of())  # what stands below the old one goes first
    [then] = last(stage).then
    await bring(stage, replace(then, seq=9, n=0))

    [(parcel, _)] = stage.file_target.standing.values()
    assert parcel.thread == "r9"


async def test_a_throttled_file_holds_nobody_up(stage: Stage) -> None:
    stage.file_target.failures = [Throttled("wait", 30.0)]

    ending = await bring(stage, of())

    assert isinstance(ending, Later)
    assert ending.full == ""
    assert stage.ledger.states == [AttemptState.RETRY]


async def test_a_source_that_is_away_is_waited_for(stage: Stage) -> None:
    stage.source.failures = [NotSent("away") for _ in range(9)]
    wanted = of()

    for _ in range(9):
        ending = await bring(stage, wanted)
        assert isinstance(ending, Later)
        wanted, stage.now = ending.delivery, ending.delivery.not_before_us
    await bring(stage, wanted)

    assert word(stage).fate is Fate.COPIED


async def test_a_file_that_may_not_be_kept_there_stays_a_link(stage: Stage) -> None:
    stage.file_target.failures = [StaysBehind(Fate.UNKEPT, "403")]

    await bring(stage, of())
    await bring(stage, of(""))

    assert (word(stage).upto, last(stage).state) == (100, AttemptState.DELIVERED)
    [line] = stage.sender.edited[-1].files
    assert line.said == "ATOM may not keep files here: open it in Slack"
    assert line.address == "https://p/F1"


async def test_lines_that_cannot_be_changed_are_let_be(stage: Stage) -> None:
    await bring(stage, of())
    stage.sender.failures = [Refused("edit_window_closed")]

    await bring(stage, of(""))

    assert last(stage).state is AttemptState.DROPPED


async def test_without_a_copy_there_is_nothing_to_do(stage: Stage) -> None:
    stage.copies.copies = []

    await bring(stage, of())

    assert last(stage).state is AttemptState.DROPPED
    assert stage.source.given == 0


async def test_each_file_has_a_lane_and_a_gate_apart_from_the_text(
    stage: Stage,
) -> None:
    text, one, two = delivery(), of("F1"), of("F2")

    assert len({text.lane, one.lane, two.lane}) == 3
    assert of("").lane == text.lane
    gates = {d.file: stage.limits.names(d) for d in (text, one, two)}
    assert gates["F1"] == gates["F2"] != gates[""]
