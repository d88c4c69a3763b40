"""What a message names becomes a card, once, in every room as far as it may."""

from dataclasses import replace

import pytest

from bridge.errors import Ambiguous, Throttled
from bridge.messages import Person, PersonKind, Platform
from bridge.records.books import CardState
from bridge.records.cards import Level, Standing
from bridge.records.model import PUBLIC, System
from bridge.records.ports import Spent
from tests.records_world import (
    ALICE,
    BOB,
    CAROL,
    SLACK,
    STRANGER,
    TEAMS,
    TENANT,
    FakeSystem,
    World,
    asker,
    said,
    unavailable,
)


async def test_a_named_record_has_a_card_on_both_sides() -> None:
    world = World()
    world.system.add("CHG1")

    await world.mentions.noticed(said("look at CHG1 please"))

    [here], [there] = world.slack.shown, world.teams.shown
    assert here.key == there.key == "CHG1"
    assert list(world.slack.threads.values()) == ["m1"]
    assert list(world.teams.threads.values()) == ["copy of m1"]
    assert len(world.log.of("record.show")) == 2


async def test_d6_a_bridged_card_is_drawn_for_its_own_room() -> None:
    world = World()
    world.policy.denied.add((CAROL.id, "record.view", "finance"))
    world.system.add("CHG1")

    await world.mentions.noticed(said("CHG1"))

    assert "4711" in repr(world.slack.shown)
    assert "4711" not in repr(world.teams.posts)
    assert "4711" not in repr(world.log.entries)


async def test_d8_a_poster_who_does_not_see_it_is_told_alone() -> None:
    world = World()
    record = world.system.add("CHG1")
    world.system.unseen.add(("p-alice", record.ref.id))

    await world.mentions.noticed(said("see https://acme.example/CHG1"))

    assert not world.slack.posts
    assert not world.teams.posts
    [(person, card)] = world.slack.whispers
    assert person == ALICE
    assert "ServiceNow shows you no such record" in card.text  # type: ignore[union-attr]


async def test_d8_a_poster_the_policy_denies_shows_nothing() -> None:
    world = World()
    world.system.add("CHG1")
    world.policy.denied.add((ALICE.id, "record.view", PUBLIC))

    await world.mentions.noticed(said("CHG1"))

    assert not world.slack.posts
    [(_, card)] = world.slack.whispers
    assert "forbidden" in card.text  # type: ignore[union-attr]


async def test_d8_a_floor_that_is_lower_gets_a_button_only() -> None:
    world = World()
    world.policy.denied.add((CAROL.id, "record.view", PUBLIC))
    world.system.add("CHG1", "Secret plan")

    await world.mentions.noticed(said("CHG1"))

    [there] = world.teams.shown
    assert "Secret plan" not in repr(there)
    assert [button.act for button in there.buttons] == ["view"]


async def test_without_an_account_nothing_is_read_as_the_integration() -> None:
    world = World()
    world.system.add("CHG1")
    world.accesses.connected.clear()

    await world.mentions.noticed(said("CHG1"))

    assert not world.slack.posts
    assert not world.system.calls
    [(_, card)] = world.slack.whispers
    assert card.buttons[0].label == "Connect ServiceNow"


async def test_who_has_no_account_is_asked_to_connect_once_in_a_while() -> None:
    jira = FakeSystem(System.JIRA, kinds=("issue",))
    world = World(others=(jira,))
    for key in ("CHG1", "CHG2"):
        world.system.add(key)
    jira.add("WEB-1")
    world.accesses.connected.clear()

    await world.mentions.noticed(said("CHG1", message="m1"))
    await world.mentions.noticed(said("CHG2 and CHG1", message="m2"))
    once = len(world.slack.whispers)
    await world.mentions.noticed(said("WEB-1", message="m3"))
    other = len(world.slack.whispers)
    world.clock.pass_(601)
    await world.mentions.noticed(said("CHG1", message="m4"))

    # Another system is another account; each message is on record all the same.
    assert (once, other, len(world.slack.whispers)) == (1, 2, 3)
    assert len(world.log.of("record.denied")) == 4
    assert len(world.log.of("record.notice")) == 3


async def test_a_link_that_its_platform_tells_of_as_well_is_explained_once() -> None:
    world = World()
    record = world.system.add("CHG1")
    world.system.unseen.add(("p-alice", record.ref.id))
    link = "https://acme.example/CHG1"

    [preview] = await world.desk.preview(
        asker(ALICE), [link], composing=False, cause=f"{SLACK}/m1"
    )
    await world.mentions.noticed(said(link, message="m1"))

    assert (preview.card, preview.reason) == (None, "")
    assert len(world.slack.whispers) == 1


async def test_a_record_that_is_not_theirs_is_told_of_each_time() -> None:
    world = World()
    for key in ("CHG1", "CHG2"):
        ref = world.system.add(key).ref
        world.system.unseen.add(("p-alice", ref.id))

    for message, key in (("m1", "CHG1"), ("m2", "CHG2")):
        link = f"https://acme.example/{key}"
        await world.mentions.noticed(said(link, message=message))

    assert len(world.slack.whispers) == 2


async def test_a_number_that_is_no_record_is_not_worth_a_word() -> None:
    world = World()

    await world.mentions.noticed(said("CHG404 and UTF8 and INC9"))

    assert not world.slack.posts
    assert not world.slack.whispers


async def test_secured_records_are_a_button_in_an_open_channel() -> None:
    world = World()
    world.system.add("CHG1", "Board matters", secured=True)

    await world.mentions.noticed(said("CHG1"))

    for card in (*world.slack.shown, *world.teams.shown):
        assert "Board matters" not in repr(card)
        assert not card.fields


async def test_what_only_people_see_is_a_button_for_rooms() -> None:
    world = World()
    record = world.system.add("CHG1", "Not for programs")
    world.system.unseen.add(("", record.ref.id))

    await world.mentions.noticed(said("CHG1"))

    [card] = world.slack.shown
    assert card.standing is Standing.LIVE
    assert "Not for programs" not in repr(world.slack.posts)


async def test_each_level_shows_no_more_than_it_says() -> None:
    told = {}
    for level in Level:
        world = World()
        world.system.add("CHG1", "Increase memory")
        world.levels.chosen[SLACK, None] = level
        world.levels.chosen[TEAMS, None] = Level.NOTHING
        await world.mentions.noticed(said("CHG1"))
        told[level] = repr(world.slack.shown)

    assert told[Level.NOTHING] == "[]"
    assert "Normal change" not in told[Level.BUTTON]
    assert "Normal change" in told[Level.KIND]
    assert "Increase memory" not in told[Level.KIND]
    assert "Increase memory" in told[Level.NAME]
    assert "Authorize" not in told[Level.NAME]
    assert "Authorize" in told[Level.DATA]


async def test_the_same_message_again_posts_nothing_more() -> None:
    world = World()
    world.system.add("CHG1")

    for _ in range(3):
        await world.mentions.noticed(said("CHG1 and CHG1"))

    assert len(world.slack.posts) == 1
    assert len(world.teams.posts) == 1


async def test_an_edit_that_adds_a_record_adds_its_card() -> None:
    world = World()
    world.system.add("CHG1")
    world.system.add("CHG2")
    await world.mentions.noticed(said("CHG1"))

    await world.mentions.noticed(said("CHG1, and CHG2 too"))

    assert sorted(card.key for card in world.slack.shown) == ["CHG1", "CHG2"]


async def test_a_message_has_so_many_cards_and_no_more() -> None:
    world = World()
    for n in range(9):
        world.system.add(f"CHG{n}")

    await world.mentions.noticed(said(" ".join(f"CHG{n}" for n in range(9))))

    assert [card.key for card in world.slack.shown] == [f"CHG{n}" for n in range(5)]


async def test_named_again_in_its_thread_it_has_no_second_card() -> None:
    world = World()
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1", "m1"))

    await world.mentions.noticed(said("CHG1 again", "m2", thread="m1"))

    assert len(world.slack.posts) == 1
    assert world.live.agenda.parts()  # but the first one is looked at


async def test_named_again_much_later_it_has_another_card() -> None:
    world = World()
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1", "m1"))
    world.clock.pass_(2 * 3600)

    await world.mentions.noticed(said("CHG1 again", "m2", thread="m1"))

    assert len(world.slack.posts) == 2


async def test_bots_show_nothing() -> None:
    world = World()
    world.system.add("CHG1")
    robot = Person(Platform.SLACK, "robot", kind=PersonKind.BOT)

    await world.mentions.noticed(said("CHG1", by=robot))

    assert not world.slack.posts


async def test_a_post_whose_answer_was_lost_is_looked_up_and_not_doubled() -> None:
    world = World()
    world.system.add("CHG1")
    world.slack.faults["post"].append(Ambiguous("no answer"))
    await world.mentions.noticed(said("CHG1"))

    await world.posting.resume(TENANT, world.clock())
    await world.posting.resume(TENANT, world.clock())

    assert len(world.slack.posts) == 1
    assert {card.state for card in world.cards.kept.values()} == {CardState.POSTED}


async def test_a_crash_before_the_post_is_made_good() -> None:
    world = World()
    record = world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    [card_id, *_] = world.slack.posts
    card = world.cards.kept[card_id]
    world.slack.posts.clear()
    world.cards.kept[card_id] = replace(card, state=CardState.POSTING, message="")

    await world.posting.resume(TENANT, world.clock())

    [shown] = world.slack.shown
    assert shown.ref == record.ref


async def test_a_throttled_post_is_made_later() -> None:
    world = World()
    world.system.add("CHG1")
    world.slack.faults["post"].append(Throttled("wait", 1.0))
    await world.mentions.noticed(said("CHG1"))
    assert not world.slack.posts

    await world.posting.resume(TENANT, world.clock())

    assert len(world.slack.posts) == 1


async def test_a_message_that_did_not_cross_has_no_card_there() -> None:
    world = World()
    world.system.add("CHG1")
    world.threads.away.add("m1")
    await world.mentions.noticed(said("CHG1"))
    assert len(world.slack.posts) == 1
    assert not world.teams.posts

    world.threads.away.clear()
    await world.posting.resume(TENANT, world.clock())

    assert len(world.teams.posts) == 1


async def test_what_never_crosses_is_given_up() -> None:
    world = World()
    world.system.add("CHG1")
    world.threads.away.add("m1")
    await world.mentions.noticed(said("CHG1"))
    world.clock.pass_(3600)

    await world.posting.resume(TENANT, world.clock())

    assert not world.teams.posts
    assert CardState.RETIRED in {card.state for card in world.cards.kept.values()}


async def test_a_system_that_is_away_is_said_to_be() -> None:
    world = World()
    world.system.add("CHG1")
    world.system.faults["resolve"].append(unavailable())

    await world.mentions.noticed(said("CHG1"))

    [(_, card)] = world.slack.whispers
    assert "ServiceNow does not answer now" in card.text  # type: ignore[union-attr]


async def test_a_preview_that_stands_is_the_messages_only_card() -> None:
    world = World()
    world.system.add("CHG1")
    named = said("https://acme.example/CHG1")

    [preview] = await world.desk.preview(
        named.asker,
        ["https://acme.example/CHG1"],
        composing=False,
        cause=named.cause,
        unfurl={"ts": "m1"},
    )
    await world.mentions.noticed(named)

    assert preview.card is not None
    assert preview.card.key == "CHG1"
    assert not world.slack.posts
    assert len(world.teams.posts) == 1


async def test_a_preview_tells_the_author_why_there_is_none() -> None:
    world = World()
    record = world.system.add("CHG1")
    world.system.unseen.add(("p-alice", record.ref.id))

    previews = await world.desk.preview(
        said("").asker,
        ["https://acme.example/CHG1", "https://elsewhere.example/x"],
        composing=True,
    )

    assert [p.card for p in previews] == [None, None]
    assert "no such record" in previews[0].reason
    assert not previews[1].reason


async def test_what_goes_into_somebodys_message_for_good_holds_what_is_public() -> None:
    world = World()
    world.system.add("CHG1", "Secret plan", title_cls="finance")
    world.system.add("CHG2", "Increase memory")
    links = [f"https://acme.example/{key}" for key in ("CHG1", "CHG2")]

    hidden, named = await world.desk.preview(asker(CAROL), links, composing=True)
    assert not world.cards.kept

    await world.mentions.noticed(said("CHG1"))

    # Everybody who is there now may see it; who comes later may not.
    assert "Secret plan" in repr(world.teams.shown)
    assert "Secret plan" not in repr(hidden)
    assert named.card is not None
    assert named.card.title == "Increase memory"
    assert (named.card.status, named.card.fields, named.card.rev) == (None, (), "")
    assert [each.act for each in named.card.buttons] == ["view"]
    assert named.readers == (CAROL,)


@pytest.mark.parametrize("level", [Level.BUTTON, Level.KIND, Level.NAME])
async def test_a_lower_level_holds_there_as_well(level: Level) -> None:
    world = World()
    world.system.add("CHG1")
    world.levels.chosen[TEAMS, System.SERVICENOW] = level

    [preview] = await world.desk.preview(
        asker(CAROL), ["https://acme.example/CHG1"], composing=True
    )

    assert preview.card is not None
    assert bool(preview.card.key) is (level is Level.NAME)
    assert bool(preview.card.what) is (level is not Level.BUTTON)


async def test_a_link_that_is_in_no_channel_yet_says_no_more_than_the_link() -> None:
    world = World()
    world.system.add("CHG1", "Secret plan")
    writing = replace(asker(ALICE), channel=None)

    [preview] = await world.desk.preview(
        writing, ["https://acme.example/CHG1"], composing=True
    )

    card = preview.card
    assert card is not None
    assert (card.title, card.standing) == ("ServiceNow record", Standing.LIVE)
    assert (card.key, card.what, card.url, card.buttons) == ("", "", "", ())
    assert not world.cards.kept
    assert not world.acts.kept
    [looked] = world.log.of("record.view")
    assert looked.detail["decision"]["allowed"]
    assert "Secret plan" not in repr((preview, looked))


async def test_a_link_in_no_channel_shows_nothing_to_who_may_not_see_it() -> None:
    world = World()
    unseen = world.system.add("CHG1")
    world.system.add("CHG2")
    world.system.unseen.add(("p-alice", unseen.ref.id))
    world.policy.denied.add((BOB.id, "record.view", PUBLIC))
    world.accesses.connected.discard("p-carol")

    for person, key, why in (
        (ALICE, "CHG1", "no such record"),
        (BOB, "CHG2", "forbidden"),
        (CAROL, "CHG2", "not connected"),
        (STRANGER, "CHG2", "does not know you"),
    ):
        writing = replace(asker(person), channel=None)
        [preview] = await world.desk.preview(
            writing, [f"https://acme.example/{key}"], composing=True
        )
        assert preview.card is None
        assert why in preview.reason
    assert not world.log.of("record.view")


async def test_systems_do_not_take_each_others_words() -> None:
    world = World(others=(FakeSystem(instance="other"),))
    world.system.add("CHG1")

    await world.mentions.noticed(said("CHG1"))

    assert len(world.slack.posts) == 1


async def test_a_system_that_takes_no_more_for_a_moment_is_waited_for() -> None:
    world = World()
    world.system.add("CHG1")
    world.system.faults["resolve"] += [Spent("slower", 3.0), Spent("slower", 1.0)]
    world.system.faults["read"].append(Spent("slower", 8.0))

    await world.mentions.noticed(said("CHG1"))

    assert len(world.slack.posts) == len(world.teams.posts) == 1
    assert not world.slack.whispers


async def test_the_room_is_shown_what_may_be_read_a_moment_later() -> None:
    world = World()
    world.system.add("CHG1")

    async def spent_once() -> None:
        name, account, _ = world.system.calls[-1]
        if (name, account) == ("read", "") and world.system.count("read") == 2:
            world.system.faults["read"].append(Spent("slower", 5.0))

    world.system.waits = spent_once

    await world.mentions.noticed(said("CHG1"))

    assert world.system.count("read") == 3
    [card] = world.slack.shown
    assert card.key == "CHG1"
    assert card.standing is Standing.LIVE


async def test_who_names_records_on_a_day_with_no_calls_left_is_told_at_once() -> None:
    world = World()
    world.system.add("CHG1")
    world.system.faults["resolve"].append(Spent("used up for today", 900.0))
    before = world.clock()

    await world.mentions.noticed(said("CHG1"))

    assert world.clock() == before
    [(_, card)] = world.slack.whispers
    assert "may not be asked more often" in card.text  # type: ignore[union-attr]


async def test_a_message_is_not_waited_for_without_end() -> None:
    world = World()
    world.system.add("CHG1")
    world.system.add("CHG2")
    world.system.faults["resolve"] += [Spent("slower", 3.0)] * 200
    before = world.clock()

    await world.mentions.noticed(said("CHG1 and CHG2"))

    assert world.clock() - before < 50_000_000
    assert len(world.slack.whispers) == 1
