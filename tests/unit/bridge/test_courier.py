"""A delivery is checked, noted, made and noted again."""

from dataclasses import replace

import pytest

from bridge.composing import note
from bridge.courier import Done, Later
from bridge.delivery import AttemptState, Copy, Operation
from bridge.document import Document, Mention, Paragraph
from bridge.errors import Ambiguous, NotSent, Refused, Throttled
from bridge.limits import UNLIMITED, Limits
from bridge.links import Link, LinkState
from bridge.messages import Person, Platform
from bridge.needless import needless
from bridge.ports import History
from bridge.standing import Standing
from bridge.tuning import Tuning
from tests.events import ALICE, PROJECT, words
from tests.unit.bridge.stage import LEASE, LINK, NOW, Stage, copied, delivery

_STANDING = copied(version_us=5)
_GONE = replace(_STANDING, deleted=True)


async def test_a_post_is_noted_before_and_after_the_call(stage: Stage) -> None:
    ending = await stage.deliver(delivery())

    assert isinstance(ending, Done)
    assert stage.ledger.intents == 1
    [outcome] = stage.ledger.written
    assert outcome.state is AttemptState.DELIVERED
    assert outcome.copy is not None
    assert outcome.copy.remote == "r1"


async def test_a_removed_link_drops_what_was_queued(stage: Stage) -> None:
    stage.links.links = []

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert stage.sender.posts == []


async def test_a_paused_link_keeps_what_was_queued(stage: Stage) -> None:
    stage.links.links = [replace(LINK, state=LinkState.PAUSED)]

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Later)
    assert stage.ledger.written == []


@pytest.mark.parametrize("links", [[], [replace(LINK, state=LinkState.PAUSED)]])
async def test_a_link_that_changes_while_names_are_asked_for_is_looked_at_again(
    stage: Stage, links: list[Link]
) -> None:
    stage.people.meanwhile = lambda: setattr(stage.links, "links", links)

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Later)
    assert stage.ledger.intents == 0
    assert stage.sender.posts == []


async def test_a_denial_at_the_last_moment_drops_the_message(stage: Stage) -> None:
    stage.policy.allowed = False

    await stage.deliver(delivery())

    assert stage.ledger.written[0].reason == "not allowed: a rule"
    assert stage.sender.posts == []


async def test_a_message_deleted_meanwhile_is_not_sent(stage: Stage) -> None:
    stage.knows(deleted=True)

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert stage.sender.posts == []


async def test_an_edit_older_than_what_stands_there_is_dropped(stage: Stage) -> None:
    stage.copies.copies = [copied(version_us=5)]

    await stage.deliver(delivery(Operation.EDIT))

    assert stage.sender.edits == []
    assert stage.ledger.written[0].reason == "a newer edit was sent already"


async def test_an_edit_moves_the_copys_version(stage: Stage) -> None:
    stage.copies.copies = [copied()]

    await stage.deliver(delivery(Operation.EDIT))

    assert stage.sender.edits == ["r0"]
    copy = stage.ledger.written[0].copy
    assert copy is not None
    assert copy.version_us == 5


async def test_a_delete_removes_the_copy(stage: Stage) -> None:
    stage.knows(deleted=True)
    stage.copies.copies = [copied()]

    await stage.deliver(delivery(Operation.DELETE))

    assert stage.sender.deletes == ["r0"]
    copy = stage.ledger.written[0].copy
    assert copy is not None
    assert copy.deleted


async def test_a_throttle_pauses_the_channel_and_counts_no_try(stage: Stage) -> None:
    stage.sender.failures = [Throttled("slow down", 30)]

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Later)
    assert ending.full == str(PROJECT)
    assert ending.delivery.not_before_us == NOW + 30_000_000
    assert ending.delivery.tries == 0


async def test_a_throttle_is_told_to_all_that_share_the_channel(stage: Stage) -> None:
    stage.sender.failures = [Throttled("slow down", 30)]
    await stage.deliver(delivery())

    ending = await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.THROTTLED]
    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us == NOW + 30_000_000
    assert stage.ledger.intents == 1


async def test_without_room_in_the_limits_nothing_is_called_or_intended(
    stage: Stage,
) -> None:
    stage.limits = Limits(teams_tenant="1/1", margin_us=0)
    await stage.deliver(delivery())

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Later)
    assert ending.full == "teams:acme"
    assert ending.delivery.not_before_us == NOW + 1_000_000
    assert ending.delivery.tries == 0
    assert len(stage.sender.posts) == stage.ledger.intents == 1


async def test_what_turns_out_needless_takes_nothing_from_the_limits(
    stage: Stage,
) -> None:
    stage.limits = Limits(teams_channel="1/1")
    stage.knows("gone", deleted=True)
    await stage.deliver(delivery(message="gone"))

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DROPPED, AttemptState.DELIVERED]


async def test_what_was_not_sent_waits_for_as_long_as_the_platform_is_away(
    stage: Stage,
) -> None:
    stage.limits = Limits(teams_channel=UNLIMITED, teams_tenant=UNLIMITED)
    stage.sender.failures = [NotSent("unreachable")] * 20
    ending: Done | Later = Later(delivery())

    for _ in range(20):
        assert isinstance(ending, Later)
        ending = await stage.deliver(ending.delivery)
        assert stage.ledger.states[-1] is AttemptState.RETRY

    assert isinstance(ending, Later)
    await stage.deliver(ending.delivery)
    assert stage.ledger.states[-1] is AttemptState.DELIVERED


async def test_an_edit_whose_answers_are_lost_is_tried_again_until_it_is_dead(
    stage: Stage,
) -> None:
    stage.copies.copies = [copied()]
    stage.sender.failures = [Ambiguous("no answer")] * 3
    ending: Done | Later = Later(delivery(Operation.EDIT))

    for _ in range(3):
        assert isinstance(ending, Later)
        ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    assert stage.ledger.states == [
        AttemptState.RETRY,
        AttemptState.RETRY,
        AttemptState.DEAD,
    ]


async def test_a_refusal_is_dead_at_once(stage: Stage) -> None:
    stage.sender.failures = [Refused("is_archived")]

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Done)
    assert stage.ledger.states == [AttemptState.DEAD]


async def test_an_outcome_is_written_however_long_the_database_is_away(
    stage: Stage,
) -> None:
    stage.ledger.broken = 5

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DELIVERED]
    assert len(stage.sender.posts) == 1


async def test_the_author_is_shown_as_the_platform_knows_them(stage: Stage) -> None:
    nameless = Person(Platform.SLACK, "U7")
    stage.ledger.history_of["m1"] = replace(
        stage.ledger.history_of["m1"], author=nameless
    )
    stage.people.known = {"U7": Person(Platform.SLACK, "U7", "Grace Hill", "face")}

    await stage.deliver(delivery())

    assert stage.sender.posts[0].author.name == "Grace Hill"
    assert stage.sender.posts[0].author.avatar == "face"


async def test_a_platform_that_is_switched_off_keeps_what_is_queued_for_it(
    stage: Stage,
) -> None:
    courier = replace(stage.courier, senders={})

    ending = await courier.deliver(delivery(), LEASE)

    assert isinstance(ending, Later)
    assert stage.ledger.written == []


async def test_a_channels_other_links_do_not_decide_on_a_delivery(
    stage: Stage,
) -> None:
    stage.links.links = [replace(LINK, id="L0", state=LinkState.PAUSED), LINK]

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Done)
    assert stage.ledger.states == [AttemptState.DELIVERED]


async def test_a_database_that_is_away_before_the_call_delays_the_call(
    stage: Stage,
) -> None:
    stage.ledger.away = True

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us == NOW + Tuning().first_pause_us
    assert ending.delivery.tries == 0
    assert stage.sender.posts == []


async def test_an_edit_whose_answer_was_lost_is_simply_made_again(
    stage: Stage,
) -> None:
    stage.copies.copies = [copied()]
    stage.sender.failures = [Ambiguous("no answer")]
    ending = await stage.deliver(delivery(Operation.EDIT))
    assert isinstance(ending, Later)

    ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    assert stage.sender.edits == ["r0"]
    assert stage.sender.asked == []


async def test_pauses_between_tries_grow_to_a_limit(stage: Stage) -> None:
    stage.tuning = Tuning(first_pause_us=10, longest_pause_us=30)
    stage.sender.failures = [NotSent("unreachable")] * 4
    waiting, pauses = delivery(), []

    for _ in range(4):
        ending = await stage.deliver(waiting)
        assert isinstance(ending, Later)
        waiting = ending.delivery
        pauses.append(waiting.not_before_us - NOW)

    assert pauses == [10, 20, 30, 30]


async def test_a_restored_message_is_posted_anew(stage: Stage) -> None:
    stage.copies.copies = [_GONE]

    await stage.deliver(delivery())

    copy = stage.ledger.written[0].copy
    assert copy is not None
    assert (copy.remote, copy.deleted) == ("r1", False)


async def test_a_sender_is_told_who_is_mentioned(stage: Stage) -> None:
    bob = Person(Platform.SLACK, "U02BOB", "Bob Stone")
    stage.people.known = {bob.id: bob}
    stage.ledger.history_of["m1"] = replace(
        stage.ledger.history_of["m1"],
        document=Document((Paragraph((Mention(bob.id),)),)),
    )

    await stage.deliver(delivery())

    assert stage.sender.posts[0].people == {bob.id: bob}


async def test_people_of_a_platform_that_is_switched_off_stay_as_they_are(
    stage: Stage,
) -> None:
    courier = replace(stage.courier, people={})

    await courier.deliver(delivery(), LEASE)

    [post] = stage.sender.posts
    assert post.author == ALICE
    assert post.people == {}


@pytest.mark.parametrize(
    ("operation", "deleted", "copy", "reason"),
    [
        (Operation.POST, False, None, ""),
        (Operation.POST, False, _GONE, ""),
        (Operation.POST, False, _STANDING, "it stands there already"),
        (Operation.POST, True, None, "deleted before it was sent"),
        (Operation.EDIT, False, copied(version_us=4), ""),
        (Operation.EDIT, False, _STANDING, "a newer edit was sent already"),
        (Operation.EDIT, False, None, "there is no copy to edit"),
        (Operation.EDIT, False, _GONE, "there is no copy to edit"),
        (Operation.EDIT, True, _STANDING, "deleted meanwhile"),
        (Operation.DELETE, True, _STANDING, ""),
        (Operation.DELETE, True, None, "there is no copy to delete"),
        (Operation.DELETE, True, _GONE, "there is no copy to delete"),
        (Operation.DELETE, False, _STANDING, "restored meanwhile"),
    ],
)
def test_only_what_still_changes_the_platform_is_needed(
    operation: Operation, copy: Copy | None, reason: str, *, deleted: bool
) -> None:
    history = History(7, b"leaf", ALICE, words("hello"), 5, deleted)

    assert needless(delivery(operation), history, Standing(copy)) == reason


@pytest.mark.parametrize(
    ("standing", "same_since", "reason"),
    [
        (4, 4, "it says the same already"),
        (4, 3, "it says the same already"),
        (0, 0, "it says the same already"),
        (4, 5, ""),
        (3, 4, ""),
        (4, None, ""),
    ],
)
def test_an_edit_that_changes_nothing_that_is_said_is_needless(
    standing: int, same_since: int | None, reason: str
) -> None:
    history = History(7, b"leaf", ALICE, words("hello"), 5, deleted=False)
    told = replace(history, same_since_us=same_since)

    edit, copy = delivery(Operation.EDIT), copied(version_us=standing)
    assert needless(edit, told, Standing(copy)) == reason


async def test_a_poisoned_message_is_given_up_after_some_tries(stage: Stage) -> None:
    stage.spoil()
    waiting = delivery()

    for _ in range(stage.tuning.tries - 1):
        ending = await stage.deliver(waiting)
        assert isinstance(ending, Later)
        waiting = ending.delivery

    assert isinstance(await stage.deliver(waiting), Done)
    assert stage.ledger.states == [*[AttemptState.RETRY] * 2, AttemptState.DEAD]
    assert stage.ledger.written[-1].reason == "it does not open"
    assert stage.sender.posts == []


async def test_a_poisoned_message_that_may_stand_there_is_parked(stage: Stage) -> None:
    stage.spoil()

    ending = await stage.deliver(replace(delivery(), unknown_since_us=NOW))

    assert isinstance(ending, Done)
    assert stage.ledger.states == [AttemptState.PARKED]
    assert "a copy may stand there" in stage.ledger.written[0].reason


async def test_a_poisoned_message_of_a_removed_link_is_dropped(stage: Stage) -> None:
    stage.spoil()
    stage.links.links = []

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DROPPED]


@pytest.mark.parametrize(
    ("operation", "unknown_us", "state"),
    [
        (Operation.POST, 0, AttemptState.DEAD),
        (Operation.POST, NOW, AttemptState.PARKED),
        (Operation.EDIT, NOW, AttemptState.DEAD),
    ],
)
async def test_giving_up_says_whether_a_copy_may_stand_there(
    stage: Stage, operation: Operation, unknown_us: int, state: AttemptState
) -> None:
    worn = replace(delivery(operation), unknown_since_us=unknown_us)

    ending = await stage.courier.give_up(worn, LEASE, "ATOM broke on it")

    assert isinstance(ending, Done)
    assert stage.ledger.states == [state]


async def test_nothing_is_given_up_while_the_database_is_away(stage: Stage) -> None:
    stage.ledger.unreadable = True

    ending = await stage.courier.give_up(delivery(), LEASE, "ATOM broke on it")

    assert isinstance(ending, Later)
    assert stage.ledger.written == []


async def test_what_is_in_doubt_is_not_sent_by_a_replay(stage: Stage) -> None:
    stage.ledger.history_of["m1"] = replace(
        stage.ledger.history_of["m1"], in_doubt=True
    )

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert "retry that one" in stage.ledger.written[0].reason


async def test_a_lost_answer_is_not_looked_up_where_a_copy_is_known(
    stage: Stage,
) -> None:
    stage.copies.copies = [_STANDING]

    await stage.deliver(replace(delivery(), unknown_since_us=NOW, not_before_us=1))

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert stage.sender.asked == []


@pytest.mark.parametrize(
    ("late_us", "orphan", "told"),
    [
        (0, False, ""),
        (0, True, "in reply to a message that is not here"),
        (1_700_000_000_000_000, False, "said 2023-11-14 22:13 UTC"),
        (
            1_700_000_000_000_000,
            True,
            "in reply to a message that is not here; said 2023-11-14 22:13 UTC",
        ),
    ],
)
def test_a_copy_says_what_readers_should_know_beside_it(
    late_us: int, told: str, *, orphan: bool
) -> None:
    history = History(7, b"leaf", ALICE, words("hello"), 5, False, late_us=late_us)

    assert note(history, orphan=orphan) == told


@pytest.mark.parametrize("operation", [o for o in Operation if o != Operation.DELETE])
async def test_what_was_erased_is_brought_nowhere_any_more(
    stage: Stage, operation: Operation
) -> None:
    stage.erase()

    ending = await stage.deliver(delivery(operation))

    assert isinstance(ending, Done)
    [outcome] = stage.ledger.written
    assert (outcome.state, outcome.reason) == (
        AttemptState.DROPPED,
        "what it says was erased",
    )
    assert stage.sender.posts == []


async def test_the_copy_of_what_was_erased_is_deleted_all_the_same(
    stage: Stage,
) -> None:
    stage.copies.copies = [copied(version_us=5)]
    stage.erase(deleted=True)

    await stage.deliver(delivery(Operation.DELETE))

    assert stage.ledger.states == [AttemptState.DELIVERED]


async def test_an_erased_message_whose_answer_was_lost_is_for_a_person_to_decide(
    stage: Stage,
) -> None:
    stage.erase()

    await stage.deliver(replace(delivery(), unknown_since_us=NOW))

    assert stage.ledger.states == [AttemptState.PARKED]
