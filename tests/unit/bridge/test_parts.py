"""A long message stands in parts, each of which is brought there, once, in order."""

from dataclasses import replace

import pytest

from bridge.courier import Done, Later
from bridge.delivery import REPEATABLE, AttemptState, Copy, Operation, Post
from bridge.document import Document, Mention, Names, Paragraph, PersonName, Text
from bridge.errors import Ambiguous, CannotTell, NotSent, TooLong
from bridge.messages import Platform
from bridge.parts import in_parts
from bridge.plain import plain_text
from bridge.ports import History
from bridge.reactions import Reacted
from bridge.tuning import Tuning
from tests.events import ALICE, FALCON, PROJECT, words
from tests.unit.bridge.stage import FakeReactor, Stage, delivery

_LONG = " ".join(f"word{n:04}" for n in range(1000))


@pytest.fixture
def stage() -> Stage:
    """Teams takes little here, so that a text of 9,000 characters is four parts."""
    made = Stage(tuning=Tuning(tries=3, teams_part=2_500, slack_part=2_500))
    says(made, _LONG)
    return made


def says(stage: Stage, text: str, version_us: int = 5) -> None:
    history = History(7, b"leaf", ALICE, words(text), version_us, deleted=False)
    stage.ledger.history_of["m1"] = history
    stage.reaction_log.stories["m1"] = history


def stand(stage: Stage) -> None:
    """Let the outcomes that were written so far be what the database holds."""
    rows = {one.remote: one for one in stage.copies.copies}
    for outcome in stage.ledger.written:
        rows |= {o.remote: o for o in (outcome.copy, *outcome.more) if o}
    stage.copies.copies = [*rows.values()]


def standing(stage: Stage) -> list[Copy]:
    return [copy for copy in stage.copies.copies if not copy.deleted]


async def posted(stage: Stage, operation: Operation = Operation.POST) -> None:
    """Deliver to the end, as a worker does, and let it stand."""
    ending = await stage.deliver(delivery(operation))
    while isinstance(ending, Later):
        stage.now = max(stage.now, ending.delivery.not_before_us)
        stand(stage)
        ending = await stage.deliver(ending.delivery)
    stand(stage)


def without_mark(post: Post) -> str:
    return plain_text(Document(post.document.blocks[:-1]))


async def test_parts_follow_in_the_thread_of_the_first(stage: Stage) -> None:
    await posted(stage)

    first, *others = stage.sender.posts
    assert len(others) == 3
    assert plain_text(first.document).endswith("(1/4, the rest is in the thread)")
    assert [plain_text(p.document)[-5:] for p in others] == ["(2/4)", "(3/4)", "(4/4)"]
    assert first.thread == ""
    assert {post.thread for post in others} == {"r1"}
    assert "".join(map(without_mark, stage.sender.posts)) == _LONG
    assert len({post.marker for post in stage.sender.posts}) == 4
    assert all(stage.sender.weight(post) <= 2_500 for post in stage.sender.posts)


async def test_each_step_is_noted_before_and_after_and_one_entry_tells_all(
    stage: Stage,
) -> None:
    await posted(stage)

    assert stage.ledger.intents == 4
    step = AttemptState.STEP
    assert stage.ledger.states == [step, step, step, AttemptState.DELIVERED]
    last = stage.ledger.written[-1]
    assert last.copy is not None
    assert (last.copy.remote, last.copy.parts) == ("r1", 4)
    assert last.text == _LONG
    assert [(c.remote, c.part) for c in stage.copies.copies] == [
        ("r1", 1),
        ("r2", 2),
        ("r3", 3),
        ("r4", 4),
    ]


async def test_parts_of_a_reply_are_replies_of_the_same_thread(stage: Stage) -> None:
    root = Copy("acme", "L1", FALCON, "m0", PROJECT, "root", "", 1)
    stage.copies.copies = [root]

    await stage.deliver(delivery(thread="m0"))

    assert {post.thread for post in stage.sender.posts} == {"root"}
    assert plain_text(stage.sender.posts[0].document).endswith("the rest follows)")


async def test_an_edit_down_updates_the_first_part_and_removes_the_rest(
    stage: Stage,
) -> None:
    await posted(stage)
    says(stage, "short", version_us=6)

    await posted(stage, Operation.EDIT)

    assert stage.sender.edits == ["r1"]
    assert plain_text(stage.sender.edited[0].document) == "short"
    assert stage.sender.deletes == ["r4", "r3", "r2"]
    assert [(c.remote, c.parts) for c in standing(stage)] == [("r1", 1)]


async def test_an_edit_up_adds_parts_in_order(stage: Stage) -> None:
    says(stage, "short")
    await posted(stage)
    says(stage, _LONG, version_us=6)

    await posted(stage, Operation.EDIT)

    assert stage.sender.edits == ["r1"]
    assert {post.thread for post in stage.sender.posts[1:]} == {"r1"}
    shown = [stage.sender.edited[0], *stage.sender.posts[1:]]
    assert "".join(map(without_mark, shown)) == _LONG
    assert [c.parts for c in standing(stage) if c.part == 1] == [4]


async def test_a_delete_removes_all_parts_the_first_one_last(stage: Stage) -> None:
    await posted(stage)
    known = stage.ledger.history_of["m1"]
    stage.ledger.history_of["m1"] = replace(known, deleted=True)

    await posted(stage, Operation.DELETE)

    assert stage.sender.deletes == ["r4", "r3", "r2", "r1"]
    assert standing(stage) == []


async def test_an_answer_lost_in_the_middle_is_looked_up_for_that_part_alone(
    stage: Stage,
) -> None:
    stage.sender.losing = 3
    ending = await stage.deliver(delivery())
    assert isinstance(ending, Later)
    assert ending.delivery.part == 3
    stand(stage)
    stage.sender.found = "r3"
    stage.now = ending.delivery.not_before_us

    ending = await stage.deliver(ending.delivery)
    [sought] = stage.sender.sought
    assert sought.marker == f"{delivery().marker}/3"
    assert sought.thread == "r1"
    assert without_mark(sought) == without_mark(stage.sender.posts[2])
    assert isinstance(ending, Later)
    stand(stage)
    ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    stand(stage)
    assert [c.part for c in standing(stage)] == [1, 2, 3, 4]
    assert len(stage.sender.posts) == 4


async def test_a_part_that_never_arrived_is_posted_once_more(stage: Stage) -> None:
    stage.sender.losing = 2
    ending = await stage.deliver(delivery())
    assert isinstance(ending, Later)
    stand(stage)
    stage.now = ending.delivery.not_before_us

    await posted_from(stage, ending)

    assert [post.marker[-2:] for post in stage.sender.posts] == [
        ".0",
        "/2",
        "/2",
        "/3",
        "/4",
    ]


async def posted_from(stage: Stage, ending: Done | Later) -> None:
    while isinstance(ending, Later):
        stage.now = max(stage.now, ending.delivery.not_before_us)
        stand(stage)
        ending = await stage.deliver(ending.delivery)


async def test_a_part_that_cannot_be_found_out_is_parked(stage: Stage) -> None:
    stage.sender.losing = 2
    ending = await stage.deliver(delivery())
    assert isinstance(ending, Later)
    stand(stage)
    stage.sender.blindness = CannotTell("no right")
    stage.now = ending.delivery.not_before_us

    ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    assert stage.ledger.states[-1] is AttemptState.PARKED
    assert len(stage.sender.posts) == 2


async def test_an_edit_posts_no_part_that_may_stand_there_already(
    stage: Stage,
) -> None:
    await posted(stage)
    stage.copies.copies = standing(stage)[:2]
    says(stage, f"{_LONG} and more", version_us=9)
    parked = replace(stage.ledger.history_of["m1"], in_doubt=True)
    stage.ledger.history_of["m1"] = parked
    calls = len(stage.sender.posts)

    ending = await stage.deliver(delivery(Operation.EDIT))

    assert isinstance(ending, Done)
    assert stage.ledger.states[-1] is AttemptState.DROPPED
    assert len(stage.sender.posts) == calls


async def test_a_lost_answer_to_an_edit_is_not_looked_up_but_repeated(
    stage: Stage,
) -> None:
    await posted(stage)
    says(stage, _LONG.upper(), version_us=6)
    stage.sender.failures = [Ambiguous("no answer")]
    ending = await stage.deliver(delivery(Operation.EDIT))
    assert isinstance(ending, Later)
    assert ending.delivery.part == REPEATABLE

    await posted_from(stage, ending)

    assert stage.sender.edits == ["r1", "r2", "r3", "r4"]
    assert stage.sender.sought == []


@pytest.mark.parametrize("trouble", [NotSent("away"), TooLong("too long")])
async def test_what_failed_goes_on_where_it_was(
    stage: Stage, trouble: NotSent | TooLong
) -> None:
    says(stage, "short")
    await posted(stage)
    says(stage, _LONG, version_us=6)
    stage.sender.failures = [trouble]

    await posted(stage, Operation.EDIT)

    shown = {**stage.sender.shown}
    assert "".join(without_mark(post) for post in shown.values()) == _LONG


async def test_what_is_too_long_is_halved_and_that_is_remembered(
    stage: Stage,
) -> None:
    says(stage, _LONG[:2_000])
    stage.sender.most = 800

    await posted(stage)

    [first, *_] = standing(stage)
    assert 200 < first.budget <= 500
    assert first.parts == len(stage.sender.shown) > 3
    assert stage.ledger.states.count(AttemptState.RETRY) == 2
    says(stage, _LONG[:1_500], version_us=6)
    await posted(stage, Operation.EDIT)
    assert stage.ledger.states.count(AttemptState.RETRY) == 2


async def test_what_is_too_long_even_in_small_parts_is_given_up(stage: Stage) -> None:
    stage.sender.most = 10

    ending = await stage.deliver(delivery())
    for _ in range(10):
        if isinstance(ending, Later):
            ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    assert stage.ledger.states[-1] is AttemptState.DEAD


async def test_a_delivery_that_goes_on_after_a_restart_adds_what_is_missing(
    stage: Stage,
) -> None:
    await posted(stage)
    stage.copies.copies = standing(stage)[:2]

    await posted(stage)

    assert [post.marker[-2:] for post in stage.sender.posts[4:]] == ["/3", "/4"]


async def test_reactions_to_any_part_count_and_stand_below_the_first(
    stage: Stage,
) -> None:
    await posted(stage)
    stage.reaction_log.said = {
        "r3": [Reacted("👍", "bob", 1, 8, added=True)],
        "r1": [Reacted("👍", "carol", 2, 9, added=True)],
        "m1": [Reacted("🎉", "dan", 3, 10, added=True)],
    }
    from_slack = replace(delivery(Operation.REACT), seq=10)

    await stage.deliver(from_slack)

    assert stage.sender.edits == ["r1"]
    [post] = stage.sender.edited
    assert [(r.emoji, r.count) for r in post.reactions] == [("🎉", 1)]
    assert without_mark(post) == without_mark(stage.sender.posts[0])
    stage.reactors[Platform.SLACK] = FakeReactor()
    heard = await stage.courier.reactions.plan(
        replace(from_slack, seq=9, source=PROJECT, target=FALCON, message="r3")
    )
    assert not isinstance(heard, str | None)
    assert {spot.message for spot in heard.heard} == {"r1", "r2", "r3", "r4"}
    assert [r.count for r in heard.standing] == [2]


def test_names_do_not_move_the_cuts() -> None:
    people = tuple(Mention(f"U{n}") for n in range(200))
    document = Document((Paragraph((Text("x " * 600), *people)),))
    plain = Post("m", FALCON, PROJECT, "", ALICE, document)
    known = {f"U{n}": PersonName("Ann" * n) for n in range(200)}

    def weigh(post: Post) -> int:
        return len(plain_text(post.document, post.names))

    assert in_parts(plain, weigh, 1_000) == in_parts(
        replace(plain, names=Names(known)), weigh, 1_000
    )


def test_short_messages_are_not_even_weighed() -> None:
    def weigh(_post: Post) -> int:
        raise AssertionError

    post = Post("m", FALCON, PROJECT, "", ALICE, words("hello " * 30))

    assert in_parts(post, weigh, 3_900) == (post.document,)
