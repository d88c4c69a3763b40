"""Reading a channel again tells the same facts as hearing it, on both platforms."""

from collections.abc import AsyncIterator

import pytest

from bots.sandbox.slack import messages
from bots.sandbox.teams import seed as teams_seed
from bots.sandbox.teams.model import Content
from bots.slack.clients import Clients
from bots.slack.recent import SlackRecent
from bridge.errors import CannotTell, ServiceUnavailable
from bridge.messages import EventKind, Platform
from bridge.recent import Gap, Known
from tests.contract.sides import SIDES, SPOKEN, Side, now_us, opened_side
from tests.e2e.world import FALCON, PROJECT


@pytest.fixture(params=[*SIDES])
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    async with opened_side(request.param) as made:
        yield made


async def talk(side: Side) -> str:
    """Let people say five things, edit one and delete one; returns the root's id."""
    root = await side.act("post", text="a root")
    await side.act("reply", text="a reply", thread=root)
    edited = await side.act("post", text="before")
    await side.act("edit", message=edited, text="after")
    gone = await side.act("post", text="gone soon")
    await side.act("delete", message=gone)
    await side.act("reply", text="another reply", thread=root)
    await side.until_heard(7)
    return root


async def test_what_is_read_states_the_facts_that_were_heard(side: Side) -> None:
    since = now_us() - 1_000_000
    await talk(side)

    read = await side.read(since, side.heard.said())

    heard = side.heard.facts()
    told = {event.fact_key: event for event in read if event.kind in SPOKEN}
    gone = {f for f, e in heard.items() if f not in told}
    # Slack shows nothing of what was said and deleted; it is known to have stood.
    assert {heard[f].kind for f in gone} <= {EventKind.MESSAGE_CREATE}
    assert set(told) <= set(heard)
    assert {EventKind.MESSAGE_EDIT, EventKind.MESSAGE_DELETE} <= {
        event.kind for event in told.values()
    }


async def test_what_is_read_says_who_said_what_and_when(side: Side) -> None:
    since = now_us() - 1_000_000
    await talk(side)

    read = await side.read(since)

    heard = side.heard.facts()
    for event in read:
        if event.kind is not EventKind.MESSAGE_CREATE:
            continue
        live = heard[event.fact_key]
        assert (event.author.id, event.thread) == (live.author.id, live.thread)
        assert (event.sent_us, event.account) == (live.sent_us, live.account)
        assert event.channel == side.channel
        if not any(e.message == event.message and e.version_us for e in read):
            assert event.document == live.document


async def test_every_thread_comes_in_its_order(side: Side) -> None:
    since = now_us() - 1_000_000
    root = await talk(side)

    read = await side.read(since)

    thread = [e.message for e in read if root in {e.message, e.thread}]
    assert thread == sorted(thread)
    assert thread[0] == root
    assert len(thread) == 3
    kinds = [e.kind for e in read if e.version_us or e.kind in SPOKEN]
    assert kinds.index(EventKind.MESSAGE_CREATE) < kinds.index(EventKind.MESSAGE_EDIT)


async def test_a_reply_in_an_old_thread_is_found(side: Side) -> None:
    root = await side.act("post", text="long ago")
    await side.until_heard(1)
    known = side.heard.said()
    since = now_us()
    reply = await side.act("reply", text="late", thread=root)

    read = await side.read(since, known)

    assert reply in {event.message for event in read}


async def test_our_own_posts_are_left_out(side: Side) -> None:
    since = now_us() - 1_000_000
    if side.platform is Platform.SLACK:
        channel = side.world.slack.channels[FALCON.id]
        bot = side.world.slack.installations[FALCON.team].bot_id
        ours = {"subtype": "bot_message", "bot_id": bot, "text": "ours"}
        messages.post(side.world.slack, channel, ours)
    else:
        state = side.world.teams
        own = Content("<p>ours</p>", [], [], {"type": "message", "text": "ours"})
        state.post(state.channels[PROJECT.id], f"28:{teams_seed.BOT_APP_ID}", own)

    assert await side.read(since) == []


async def test_a_platform_that_asks_to_wait_is_waited_for(side: Side) -> None:
    since = now_us() - 1_000_000
    said = await side.act("post", text="hello")
    side.fault(side.listing, "429", retry_after=7, times=2)

    read = await side.read(since)

    assert [event.message for event in read] == [said]
    assert side.waits == [7.0, 7.0]


async def test_a_platform_that_does_not_answer_is_unavailable(side: Side) -> None:
    side.fault(side.listing, "reset", times=9)

    with pytest.raises(ServiceUnavailable):
        await side.read(now_us())


async def test_a_channel_that_may_not_be_read_cannot_be_told_of(side: Side) -> None:
    if side.platform is Platform.SLACK:
        members = side.world.slack.channels[FALCON.id].members
        members.remove(side.world.slack.installations[FALCON.team].bot_user)
    else:
        side.world.settings.update({"teams.graph_roles": []})

    with pytest.raises(CannotTell):
        await side.read(now_us())


async def test_a_long_thread_is_read_to_its_end(side: Side) -> None:
    side.world.settings.update({"teams.graph_expanded_replies": 2})
    since = now_us() - 1_000_000
    root = await side.act("post", text="root")
    replies = [await side.act("reply", text=str(n), thread=root) for n in range(7)]

    read = await side.read(since)

    assert [event.message for event in read] == [root, *replies]


async def test_teams_is_read_without_delta_as_well() -> None:
    async with opened_side("teams") as side:
        side.world.settings.update({"teams.graph_delta_refused": True})
        since = now_us() - 1_000_000
        said = await side.act("post", text="hello")

        assert [event.message for event in await side.read(since)] == [said]


async def test_an_old_message_that_was_never_captured_is_found(side: Side) -> None:
    said = await side.act("post", text="long ago")
    since = now_us() + 600_000_000

    read = await side.read(since)

    assert [event.message for event in read] == [said]


async def test_a_message_of_which_only_an_edit_was_heard_is_told_of(side: Side) -> None:
    since = now_us() - 1_000_000
    said = await side.act("post", text="hello")
    changed = Known(version_us=since + 3_600_000_000, said=False)

    read = await side.read(since, {said: changed})

    assert (said, EventKind.MESSAGE_CREATE) in {(e.message, e.kind) for e in read}


async def test_a_restored_message_is_told_of_in_teams() -> None:
    async with opened_side("teams") as side:
        since = now_us() - 1_000_000
        said = await side.act("post", text="hello")
        await side.act("delete", message=said)
        await side.act("undelete", message=said)
        await side.until_heard(3)

        read = await side.read(since, {said: Known(deleted=True)})

        restored = [e for e in read if e.kind is EventKind.MESSAGE_RESTORE]
        assert [e.fact_key for e in restored] == [
            fact
            for fact, e in side.heard.facts().items()
            if e.kind is EventKind.MESSAGE_RESTORE
        ]


async def test_a_mass_of_missing_messages_is_not_taken_for_deletions() -> None:
    async with opened_side("slack") as side:
        since = now_us()
        known = {f"{since // 1_000_000}.{n:06}": Known() for n in range(101)}

        assert await side.read(since - 5_000_000, known) == []
        few = dict([*known.items()][:100])
        assert len(await side.read(since - 5_000_000, few)) == 100


async def test_a_buried_root_is_a_deleted_one() -> None:
    async with opened_side("slack") as side:
        since = now_us() - 1_000_000
        root = await side.act("post", text="root")
        await side.act("reply", text="reply", thread=root)
        await side.act("delete", message=root)

        read = await side.read(since)

        assert [(e.kind, e.message) for e in read if e.message == root] == [
            (EventKind.MESSAGE_DELETE, root)
        ]


async def test_what_shows_late_is_not_taken_for_deleted() -> None:
    async with opened_side("slack") as side:
        since = now_us() - 1_000_000
        late = await side.act("post", text="shows late")
        gone = await side.act("post", text="is gone")
        await side.act("delete", message=gone)
        channel = side.world.slack.channels[side.channel.id]
        hidden = channel.messages.pop(late)

        async def wait(seconds: float) -> None:
            channel.messages[late] = hidden

        recent = SlackRecent(_clients(side), wait, now_us, settled=60.0)
        known = {late: Known(), gone: Known()}
        gap = Gap(side.channel, since, since - 1_000_000, known)
        read = [event async for event in recent.within(gap)]

        deleted = [e.message for e in read if e.kind is EventKind.MESSAGE_DELETE]
        assert deleted == [gone]


def _clients(side: Side) -> Clients:
    assert isinstance(side.recent, SlackRecent)
    return side.recent.clients
