"""Clicks and forms: as the person, once, decided now, and on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from bridge.access import Action
from bridge.cards import Card
from bridge.errors import ServiceUnavailable
from bridge.messages import Person, PersonKind, Platform
from bridge.records.cards import RecordCard, Standing
from bridge.records.desk import Said
from bridge.records.model import (
    PUBLIC,
    Absence,
    Mention,
    Needs,
    Offer,
    Record,
    RecordRef,
)
from bridge.records.ports import (
    Access,
    NotConnected,
    NotYours,
    Rejected,
    Spent,
    Turns,
    Unsure,
)
from tests.records_world import (
    ALICE,
    ALICE_THERE,
    CAROL,
    ELSEWHERE,
    OFFERS,
    SLACK,
    STRANGER,
    TENANT,
    FakeChanges,
    FakeShown,
    FakeSystem,
    World,
    asker,
    said,
    unavailable,
)

APPROVE = Offer("approve", "Approve", Action.RECORD_APPROVE, needs=Needs.CONFIRMATION)


async def carded(
    changes: FakeChanges | None = None, turns: Turns | None = None
) -> tuple[World, Record]:
    world = World(changes=changes or FakeChanges(), turns=turns)
    offers = (APPROVE, *OFFERS[1:])
    record = world.system.add("CHG1", offers=offers)
    await world.mentions.noticed(said("CHG1"))
    world.system.calls.clear()
    world.clock.pass_(10)
    return world, record


def here(world: World) -> RecordCard:
    return world.slack.shown[0]


def there(world: World) -> RecordCard:
    return world.teams.shown[0]


async def click(
    world: World,
    act: str,
    person: Person = ALICE,
    card: RecordCard | None = None,
) -> FakeShown:
    shown = FakeShown()
    token = world.token(card or here(world), act)
    await world.desk.clicked(asker(person), token, shown)
    return shown


async def form(world: World, person: Person = ALICE, act: str = "edit") -> FakeShown:
    shown = await click(world, act, person)
    assert len(shown.forms) == 1, shown
    return shown


async def submit(
    world: World, token: str, person: Person = ALICE, **values: str
) -> FakeShown:
    shown = FakeShown()
    await world.desk.submitted(asker(person), token, values, shown)
    return shown


async def test_approval_is_written_as_the_person_and_seen_on_both_sides() -> None:
    world, record = await carded()

    shown = await click(world, "approve")
    await world.settle()

    assert shown.texts == ["Approved: CHG1."]
    [(account, deed)] = world.system.written
    assert account == "p-alice"
    assert deed.ref == record.ref
    for place in (world.slack, world.teams):
        assert place.shown[0].status is not None
        assert place.shown[0].status.text == "Scheduled"
        assert [t for _, t in place.notes] == ["Approved by A. Tuter via Slack"]


async def test_it_is_on_record_before_and_after() -> None:
    world, record = await carded()
    shown = await form(world)
    await submit(world, shown.forms[0][1], priority="1")

    [before] = world.log.of("record.intent")
    [after] = world.log.of("record.update")
    assert before.detail["correlation"] == after.detail["correlation"]
    assert after.detail["before"] == {"priority": "3"}
    assert after.detail["after"] == {"priority": "1"}
    assert after.detail["request"] == "req"
    assert after.actor == "slack:alice"
    assert after.detail["record"] == str(record.ref)


async def test_d10_a_double_click_approves_once() -> None:
    world, _ = await carded()
    token = world.token(here(world), "approve")

    first, second = FakeShown(), FakeShown()
    await world.desk.clicked(asker(ALICE), token, first)
    await world.desk.clicked(asker(ALICE), token, second)

    assert len(world.system.written) == 1
    assert second.texts == ["That is recorded already."]


async def test_d10_a_second_click_while_the_first_is_under_way() -> None:
    world, _ = await carded()
    token = world.token(here(world), "approve")
    second = FakeShown()

    async def between() -> None:
        await world.desk.clicked(asker(ALICE), token, second)

    world.system.between = between
    await world.desk.clicked(asker(ALICE), token, FakeShown())

    assert len(world.system.written) == 1
    assert second.texts == ["That is being recorded; it takes a moment."]


async def test_d10_a_click_on_the_card_as_it_was_says_it_is_recorded() -> None:
    world, _ = await carded()
    token = world.token(here(world), "approve")
    await world.desk.clicked(asker(ALICE), token, FakeShown())
    await world.settle()

    late = FakeShown()
    await world.desk.clicked(asker(ALICE), token, late)

    assert late.texts == ["That is recorded already."]
    assert len(world.system.written) == 1


async def test_d10_the_same_person_on_both_platforms_approves_once() -> None:
    world, _ = await carded()

    await click(world, "approve", ALICE, here(world))
    second = await click(world, "approve", ALICE_THERE, there(world))

    assert len(world.system.written) == 1
    assert second.texts == ["That is recorded already."]


async def test_d10_at_the_same_moment_on_both_platforms_it_is_said_once() -> None:
    world, _ = await carded()
    theirs, second = world.token(there(world), "approve"), FakeShown()

    async def between() -> None:
        await world.desk.clicked(asker(ALICE_THERE), theirs, second)

    world.system.between = between
    await click(world, "approve", ALICE, here(world))
    await world.settle()

    assert len(world.system.written) == 1
    assert len(world.log.of("record.approve")) == 1
    for place in (world.slack, world.teams):
        assert [t for _, t in place.notes] == ["Approved by A. Tuter via Teams"]


async def test_d10_two_people_approve_once_each() -> None:
    world, _ = await carded()
    hers, theirs = (
        world.token(here(world), "approve"),
        world.token(there(world), "approve"),
    )
    second = FakeShown()

    async def between() -> None:
        await world.desk.clicked(asker(CAROL), theirs, second)

    world.system.between = between
    await world.desk.clicked(asker(ALICE), hers, FakeShown())

    assert sorted(account for account, _ in world.system.written) == [
        "p-alice",
        "p-carol",
    ]
    assert second.texts == ["Approved: CHG1."]


async def test_d10_after_a_lost_answer_it_is_looked_up_and_not_done_again() -> None:
    world, _ = await carded()
    world.system.lost = 1

    shown = await click(world, "approve")

    assert len(world.system.written) == 1
    assert shown.texts == ["That is recorded already: CHG1."]


class Crash(BaseException):
    """The process dies."""


@dataclass
class DiesOnce(FakeChanges):
    """Dies before it notes that a deed was done."""

    alive: bool = True

    async def finish(self, tenant: str, key: str, request: str, made: str = "") -> None:
        if self.alive:
            self.alive = False
            raise Crash
        await super().finish(tenant, key, request, made)


async def test_d10_after_a_crash_the_retry_does_not_approve_again() -> None:
    world, _ = await carded(changes=DiesOnce())
    token = world.token(here(world), "approve")
    with pytest.raises(Crash):
        await world.desk.clicked(asker(ALICE), token, FakeShown())
    world.acts.used.clear()  # its claim ran out

    shown = FakeShown()
    await world.desk.clicked(asker(ALICE), token, shown)

    assert len(world.system.written) == 1
    assert shown.texts == ["That is recorded already: CHG1."]


async def test_d2_without_an_account_there_is_a_connect_card_and_no_write() -> None:
    world, _ = await carded()
    world.accesses.connected.clear()

    shown = await click(world, "approve")

    [card] = shown.cards
    assert isinstance(card, Card)
    assert card.title == "Connect your ServiceNow account"
    assert not world.system.written
    assert world.system.count("perform") == 0


async def test_d2_a_refused_token_asks_to_connect_again_and_can_be_clicked() -> None:
    world, _ = await carded()
    world.system.faults["perform"].append(NotConnected("expired"))

    first = await click(world, "approve")
    second = await click(world, "approve")

    assert isinstance(first.cards[0], Card)
    assert second.texts == ["Approved: CHG1."]
    assert [account for account, _ in world.system.written] == ["p-alice"]


async def test_d11_who_is_no_approver_is_told_who_is() -> None:
    world, _ = await carded()
    world.system.faults["perform"].append(
        NotYours("You are not an approver; it waits on CAB.")
    )

    shown = await click(world, "approve")
    await world.settle()

    assert shown.texts == ["You are not an approver; it waits on CAB."]
    assert not world.slack.edits
    assert not world.slack.notes
    [attempt] = world.log.of("record.failed")
    assert attempt.detail["why"] == "NotYours"


async def test_d17_a_button_from_another_channel_is_refused() -> None:
    world, _ = await carded()
    shown = FakeShown()

    token = world.token(here(world), "approve")
    await world.desk.clicked(asker(ALICE, ELSEWHERE), token, shown)

    assert shown.texts == ["That button belongs to another channel."]
    assert not world.system.calls
    assert world.log.of("record.denied")


async def test_d17_somebody_elses_form_is_refused() -> None:
    world, _ = await carded()
    shown = await form(world)

    other = await submit(
        world,
        shown.forms[0][1],
        Person(Platform.SLACK, "bob", "Bob"),
        priority="1",
    )

    assert other.texts == ["That button is somebody else's."]
    assert not world.system.written


async def test_d17_after_its_time_a_button_does_nothing() -> None:
    world, _ = await carded()
    token = world.token(here(world), "approve")
    world.clock.pass_(40 * 24 * 3600)

    shown = FakeShown()
    await world.desk.clicked(asker(ALICE), token, shown)

    assert "out of date" in shown.texts[0]
    assert not world.system.calls


async def test_d17_made_up_tokens_and_inputs_do_nothing() -> None:
    world, _ = await carded()
    made_up = FakeShown()
    await world.desk.clicked(asker(ALICE), "made-up", made_up)
    shown = await form(world)

    await submit(world, shown.forms[0][1], priority="1", sys_admin="true")

    assert "out of date" in made_up.texts[0]
    [(_, deed)] = world.system.written
    assert dict(deed.values) == {"priority": "1"}


@pytest.mark.parametrize("person", [STRANGER, replace(ALICE, kind=PersonKind.EXTERNAL)])
async def test_strangers_are_refused(person: Person) -> None:
    world, _ = await carded()

    shown = await click(world, "approve", person)

    assert "does not know you" in shown.texts[0]
    assert not world.system.calls


async def test_d18_who_lost_the_right_meanwhile_saves_nothing() -> None:
    world, _ = await carded()
    shown = await form(world)
    world.policy.denied.add((ALICE.id, "record.update", "finance"))

    saved = await submit(world, shown.forms[0][1], amount="5")

    assert "forbidden" in saved.texts[0]
    assert not world.system.written
    assert world.log.of("record.denied")


async def test_d18_a_form_has_no_field_that_its_reader_may_not_see() -> None:
    world, _ = await carded()
    world.policy.denied.add((ALICE.id, "record.view", "finance"))

    shown = await form(world)

    assert [each.id for each in shown.forms[0][0].inputs] == ["priority", "status"]
    assert "4711" not in repr(world.acts.kept)


async def test_d1_a_stale_form_shows_both_and_writes_nothing() -> None:
    world, record = await carded()
    shown = await form(world)
    world.system.change(record.ref, "Review")

    saved = await submit(
        world, shown.forms[0][1], priority="1", status="Authorize", amount="4711 EUR"
    )

    assert not world.system.written
    [(compared, _)] = saved.forms
    assert "Priority: yours 1 · now 3 · was 3" in compared.note
    assert "Status: was Authorize, is Review now" in compared.note
    assert [c.value for c in compared.inputs[0].choices] == ["mine", "theirs"]


async def test_d1_fields_that_nobody_else_touched_are_saved_alone() -> None:
    world, record = await carded()
    shown = await form(world)
    world.system.change(record.ref, priority="2")
    asked = await submit(world, shown.forms[0][1], priority="1", status="Review")
    [(compared, token)] = asked.forms
    assert [c.value for c in compared.inputs[0].choices] == [
        "mine",
        "overwrite",
        "theirs",
    ]

    await submit(world, token, resolution="mine")

    [(_, deed)] = world.system.written
    assert dict(deed.values) == {"status": "Review"}
    assert deed.base is not None
    assert deed.base.order == 2


@pytest.mark.parametrize(
    ("choice", "written"), [("overwrite", [{"priority": "1"}]), ("theirs", [])]
)
async def test_d1_who_changed_the_same_field_decides(
    choice: str, written: list[dict[str, str]]
) -> None:
    world, record = await carded()
    shown = await form(world)
    world.system.change(record.ref, priority="2")
    asked = await submit(world, shown.forms[0][1], priority="1")

    await submit(world, asked.forms[0][1], resolution=choice)

    assert [dict(deed.values) for _, deed in world.system.written] == written


async def test_d1_changed_again_while_deciding_it_is_asked_again() -> None:
    world, record = await carded()
    shown = await form(world)
    world.system.change(record.ref, priority="2")
    asked = await submit(world, shown.forms[0][1], priority="1")
    world.system.change(record.ref, priority="4")

    again = await submit(world, asked.forms[0][1], resolution="overwrite")

    assert not world.system.written
    assert "now 4 · was 2" in again.forms[0][0].note


async def test_d1_a_click_on_what_changed_meanwhile_writes_nothing() -> None:
    world, record = await carded()
    world.system.change(record.ref, "Review")

    shown = await click(world, "take")
    await world.settle()
    second = await click(world, "take")

    assert "out of date" in shown.texts[0]
    assert second.texts == ["Taken: CHG1."]


async def test_what_the_system_does_not_take_is_said_at_its_input() -> None:
    world, _ = await carded()
    shown = await form(world)
    world.system.faults["perform"].append(
        Rejected("Not taken", {"priority": "Only 1 to 5"})
    )
    token = shown.forms[0][1]

    wrong = await submit(world, token, priority="9")
    right = await submit(world, token, priority="1")

    assert wrong.wrongs == [("Not taken", {"priority": "Only 1 to 5"})]
    assert right.texts == ["Edited: CHG1."]


async def test_the_same_form_sent_twice_is_done_once() -> None:
    world, _ = await carded()
    shown = await form(world)

    await submit(world, shown.forms[0][1], priority="1")
    second = await submit(world, shown.forms[0][1], priority="1")

    assert len(world.system.written) == 1
    assert second.texts == ["That is recorded already."]


async def test_nothing_changed_is_nothing_saved() -> None:
    world, _ = await carded()
    shown = await form(world)

    saved = await submit(
        world, shown.forms[0][1], priority="3", status="Authorize", amount="4711 EUR"
    )

    assert saved.texts == ["Nothing was changed, so nothing was saved."]
    assert world.system.count("perform") == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Spent("no", 600.0), "in about 10 minutes"),
        (ServiceUnavailable("away"), "does not answer now. Nothing was done"),
    ],
)
async def test_trouble_is_told_in_a_line_and_can_be_tried_again(
    fault: Exception, words: str
) -> None:
    world, _ = await carded()
    world.system.faults["perform"].append(fault)  # type: ignore[arg-type]

    first = await click(world, "approve")
    second = await click(world, "approve")

    assert words in first.texts[0]
    assert second.texts == ["Approved: CHG1."]


async def test_what_nobody_knows_is_looked_up_by_the_next_click() -> None:
    world, _ = await carded()
    world.system.faults["perform"] += [Unsure("lost"), Unsure("lost again")]

    first = await click(world, "approve")
    second = await click(world, "approve")

    assert "not known whether it was recorded" in first.texts[0]
    assert second.texts == ["Approved: CHG1."]
    keys = {deed.key for _, deed in world.system.written}
    assert len(keys) == 1


async def test_my_view_is_what_the_person_sees_and_on_record() -> None:
    world, record = await carded()
    world.policy.denied.add(("bob", "record.view", "finance"))
    world.live.rights_changed(TENANT)
    await world.settle()
    assert "4711" not in repr(here(world))

    shown = await click(world, "view")

    [card] = shown.cards
    assert isinstance(card, RecordCard)
    assert card.viewer
    assert "4711" in repr(card)
    assert world.system.calls[-1][1] == "p-alice"
    [entry] = world.log.of("record.view")
    assert entry.detail["record"] == str(record.ref)


async def test_own_views_take_the_rooms_place_only_for_who_may_see() -> None:
    world, record = await carded()
    token = world.token(there(world), "view")

    own = await world.desk.view(asker(CAROL), token)
    world.accesses.connected.discard("p-carol")
    none = await world.desk.view(asker(CAROL), token)

    assert own is not None
    assert own.viewer
    assert own.card_id == there(world).card_id
    assert none is None
    assert own.ref == record.ref


async def test_d18_after_a_right_is_lost_the_own_view_is_gone() -> None:
    world, _ = await carded()
    token = world.token(there(world), "view")

    world.policy.denied.add((CAROL.id, "record.view", PUBLIC))

    assert await world.desk.view(asker(CAROL), token) is None


async def test_a_record_that_is_gone_says_no_more_in_my_view() -> None:
    world, record = await carded()
    world.system.gone.add(record.ref.id)

    shown = await click(world, "view")

    [card] = shown.cards
    assert isinstance(card, RecordCard)
    assert card.standing is Standing.GONE


async def test_a_new_record_begins_from_a_message_and_stands_in_its_thread() -> None:
    world = World()
    shown = FakeShown()
    message = Said(
        SLACK,
        "m7",
        "Mail is down\nfor everybody",
        ALICE,
        link="https://chat.example/m7",
    )
    await world.desk.start(asker(ALICE), "change_request", message, shown)
    [(asked, token)] = shown.forms
    assert asked.inputs[0].value == "Mail is down"

    done = await submit(world, token, title=asked.inputs[0].value)

    assert done.texts == ["Created: NEW0."]
    assert world.slack.shown[0].key == world.teams.shown[0].key == "NEW0"
    assert list(world.slack.threads.values()) == ["m7"]
    [entry] = world.log.of("record.create")
    assert entry.detail["after"] == {"title": "Mail is down"}


async def test_without_a_kind_the_person_is_asked_for_one() -> None:
    world = World()
    shown = FakeShown()
    await world.desk.start(asker(ALICE), "", None, shown)
    [(kinds, token)] = shown.forms
    assert [c.value for c in kinds.inputs[0].choices] == [
        "servicenow/change_request",
        "servicenow/incident",
    ]

    then = await submit(world, token, kind="servicenow/incident")

    assert then.forms[0][0].kind == "incident"


async def test_an_unknown_kind_is_said_with_those_that_there_are() -> None:
    world = World()
    shown = FakeShown()

    await world.desk.start(asker(ALICE), "spaceship", None, shown)

    assert "servicenow/change_request" in shown.texts[0]


async def test_who_may_not_create_gets_no_form() -> None:
    world = World()
    world.policy.denied.add((ALICE.id, "record.create", ""))
    shown = FakeShown()

    await world.desk.start(asker(ALICE), "incident", None, shown)

    assert not shown.forms
    assert "forbidden" in shown.texts[0]


async def test_a_lost_creation_is_not_made_twice() -> None:
    world = World()
    shown = FakeShown()
    await world.desk.start(asker(ALICE), "incident", None, shown)
    world.system.lost = 1

    done = await submit(world, shown.forms[0][1], title="Mail is down")

    assert len(world.system.written) == 1
    assert len(done.texts) == 1


async def test_d12_a_system_that_does_not_answer_shows_no_form_but_why() -> None:
    world, _ = await carded()
    world.system.faults["form"].append(unavailable())

    shown = await click(world, "edit")

    assert not shown.forms
    assert "does not answer now" in shown.texts[0]


async def test_d1_when_the_form_cannot_be_asked_for_the_record_itself_is_compared() -> (
    None
):
    world, record = await carded()
    shown = await form(world)
    world.system.change(record.ref, priority="2")
    world.system.faults["form"].append(unavailable())

    asked = await submit(world, shown.forms[0][1], priority="1")

    assert "yours 1 · now 2 · was 3" in asked.forms[0][0].note


COMMENT = Offer("comment", "Comment…", needs=Needs.FORM)
NOTE = Offer("note", "Note…", needs=Needs.FORM)
EDIT = Offer("edit", "Edit…", needs=Needs.FORM)
WAITS = "CHG1 waits for the network team"


async def begun(world: World, text: str = WAITS) -> tuple[dict[str, str], str]:
    """Begin from a message; returns the choices, value by label, and the token."""
    shown = FakeShown()
    message = Said(SLACK, "m8", text, ALICE, link="https://chat.example/m8")
    await world.desk.start(asker(ALICE), "", message, shown)
    [(kinds, token)] = shown.forms
    named = kinds.inputs[0].choices[: -len(world.system.kinds)]
    return {each.label: each.value for each in named}, token


async def test_a_message_that_names_a_record_may_become_a_comment_on_it() -> None:
    world = World()
    record = world.system.add("CHG1", offers=(COMMENT, EDIT))
    choices, token = await begun(world)
    assert list(choices) == ["Comment on CHG1", "Edit CHG1"]

    asked = await submit(world, token, kind=choices["Comment on CHG1"])
    [(comment, then)] = asked.forms
    assert comment.inputs[0].value == f"{WAITS}\n\nhttps://chat.example/m8"
    done = await submit(world, then, comment=comment.inputs[0].value)

    assert done.texts == ["Commented: CHG1."]
    [(account, deed)] = world.system.written
    assert account == "p-alice"
    assert deed.ref == record.ref
    assert deed.act == "comment"


@pytest.mark.parametrize("kind", ["change_request", ""], ids=["new", "chosen"])
async def test_a_record_of_a_message_says_where_it_stands_on_both_sides(
    kind: str,
) -> None:
    world = World()
    world.copied.links["m8"] = ["https://teams.example/copy"]
    shown = FakeShown()
    message = Said(SLACK, "m8", "Mail is down", ALICE, link="https://slack.example/m8")
    await world.desk.start(asker(ALICE), kind, message, shown)
    if not kind:
        token = shown.forms[0][1]
        shown = await submit(world, token, kind="servicenow/change_request")

    [(form, _)] = shown.forms
    values = {each.id: each.value for each in form.inputs}
    assert values["title"] == "Mail is down"
    assert values["comment"].splitlines() == [
        "Mail is down",
        "",
        "https://slack.example/m8",
        "https://teams.example/copy",
    ]


async def test_from_a_message_the_record_that_it_names_is_edited() -> None:
    """By the form that the card's own button opens, with nothing of the message in it."""
    world = World()
    record = world.system.add("CHG1", offers=(EDIT,))
    choices, token = await begun(world)

    asked = await submit(world, token, kind=choices["Edit CHG1"])
    [(edit, then)] = asked.forms
    assert {each.id: each.value for each in edit.inputs}["priority"] == "3"
    assert edit.rev == record.rev
    await submit(world, then, priority="1", status="Authorize", amount="4711 EUR")

    [(account, deed)] = world.system.written
    assert (account, deed.act, deed.values) == ("p-alice", "edit", {"priority": "1"})


@pytest.mark.parametrize(
    ("offers", "labels"),
    [
        ((NOTE, COMMENT, EDIT), ["Add a note to CHG1", "Edit CHG1"]),
        ((NOTE,), ["Add a note to CHG1"]),
        ((), []),
    ],
    ids=["both", "note", "nothing"],
)
async def test_a_message_offers_what_the_record_does(
    offers: tuple[Offer, ...], labels: list[str]
) -> None:
    world = World()
    world.system.add("CHG1", offers=offers)

    choices, _ = await begun(world, "CHG1, yes CHG1")

    assert list(choices) == labels


@dataclass
class Unnumbered(FakeSystem):
    """Its records have no numbers: links to them hold their ids."""

    def recognise(self, text: str) -> Sequence[Mention]:
        return [
            replace(each, key="", ref=self.records[f"id-{each.key}"].ref)
            for each in super().recognise(text)
        ]

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        seen = await super().read(access, refs, urgent=urgent)
        return {
            ref: replace(each, key="") if isinstance(each, Record) else each
            for ref, each in seen.items()
        }


async def test_a_record_without_a_number_is_called_by_its_title() -> None:
    world = World(Unnumbered())
    record = world.system.add("CHG1", "Globex renewal", offers=(NOTE, EDIT))
    choices, token = await begun(world)
    assert list(choices) == ["Add a note to Globex renewal", "Edit Globex renewal"]

    asked = await submit(world, token, kind=choices["Add a note to Globex renewal"])
    [(note, _)] = asked.forms
    assert (note.act, note.ref) == ("note", record.ref)

    world.system.records[record.ref.id] = replace(record, title_cls="finance")
    world.policy.denied.add(("alice", Action.RECORD_VIEW, "finance"))
    hidden, _ = await begun(world)
    assert list(hidden) == ["Add a note to Normal change", "Edit Normal change"]


async def test_what_cannot_be_looked_at_is_left_out() -> None:
    world = World()
    world.system.add("CHG1", offers=(COMMENT,))
    world.system.unseen.add(("p-alice", "id-CHG1"))
    unseen, _ = await begun(world)
    world.system.unseen.clear()
    world.errands.late.add("about|")

    slow, _ = await begun(world)

    assert (unseen, slow) == ({}, {})


@pytest.mark.parametrize("act", ["approve", "comment", "status"])
async def test_nothing_else_is_begun_by_what_is_sent_in_its_place(act: str) -> None:
    world = World()
    world.system.add("CHG1", offers=(EDIT, NOTE, Offer("approve", "Approve")))
    choices, token = await begun(world)

    value = choices["Edit CHG1"].replace("edit", act)
    asked = await submit(world, token, kind=value)

    assert not asked.forms
    assert "cannot do that" in asked.texts[0]


async def test_a_comment_needs_the_right_to_see_the_record() -> None:
    world = World()
    world.system.add("CHG1", offers=(COMMENT,))
    choices, token = await begun(world)
    world.policy.denied.add((ALICE.id, "record.view", PUBLIC))

    asked = await submit(world, token, kind=choices["Comment on CHG1"])

    assert not asked.forms
    assert "forbidden" in asked.texts[0]
