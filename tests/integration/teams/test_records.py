"""Records in Teams: captured first, answered in time, and told when they are there."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bots.record_talks import Talks
from bots.teams.connector import Connector
from bots.teams.record_place import TeamsCardPlace
from bots.teams.records import TeamsRecords
from bridge.errors import Refused
from bridge.holds import Cause
from bridge.messages import EventKind, Person, Platform
from bridge.records.asking import wire
from bridge.records.books import CardInstance
from bridge.records.cards import CardButton
from bridge.records.desk import Found, Preview, SystemLine
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.places import Shown
from tests.fakes_records import FORM, REF, TOKEN, FakeDesk, record_card
from tests.integration.teams.door import Door
from tests.sandbox import eventually
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import APP, FALCON, FakePlaces, FakeTenants, recorded

CARD = "application/vnd.microsoft.card.adaptive"
LINK = "https://acme.example/browse/OPS-1"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def place(connector: Connector, places: FakePlaces) -> TeamsCardPlace:
    return TeamsCardPlace(connector, places, APP)


@pytest.fixture
async def records(desk: FakeDesk, place: TeamsCardPlace) -> AsyncIterator[TeamsRecords]:
    answers = TeamsRecords(desk, FakeTenants(), place, 20.0, 20.0, 20.0)
    yield answers
    await answers.aclose()


def invoke(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return recorded("card_button") | {"name": name, "value": value} | more


def executed(verb: str, trigger: str = "manual", **data: Any) -> dict[str, Any]:
    action = {"type": "Action.Execute", "verb": verb, "data": data}
    return invoke("adaptiveCard/action", {"action": action, "trigger": trigger})


async def ask_for_form(shown: Shown) -> None:
    await shown.form(FORM, TOKEN)


async def test_a_click_is_on_record_before_the_desk_hears_of_it(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    door.intake.stopped = True

    status, _ = await door.deliver(executed("rec.approve", t=TOKEN))

    assert status == 503
    assert desk.clicks == []


async def test_what_is_done_at_once_is_the_answer(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    async def done(shown: Shown) -> None:
        await shown.finished("Approved.")

    desk.on_click = done

    status, answer = await door.deliver(executed("rec.approve", t=TOKEN))

    assert (status, answer["value"]) == (200, "Approved.")
    [(asker, token)] = desk.clicks
    assert (asker.channel, token) == (FALCON, TOKEN)
    [event] = [e for e in door.intake.events.values() if e.kind is EventKind.ACTION]
    assert dict(event.detail)["record"] == "click"


async def test_a_form_stands_in_the_cards_place_and_comes_back(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    desk.on_click = ask_for_form
    _, answer = await door.deliver(executed("rec.edit", t=TOKEN))
    assert answer["type"] == CARD

    await door.deliver(
        executed("rec.submit", t=TOKEN, **{"in.line.reason": "late"}) | {"id": "f:2"}
    )

    [(_, token, values)] = desk.submissions
    assert (token, values) == (TOKEN, {"reason": "late"})


async def test_what_is_wrong_stands_in_the_form_with_what_was_entered(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    async def refuse(shown: Shown) -> None:
        await shown.wrong("", {"reason": "Say more."})

    desk.on_click, desk.on_submit = ask_for_form, refuse
    await door.deliver(executed("rec.edit", t=TOKEN))

    entered = {"in.line.reason": "short"}
    _, answer = await door.deliver(
        executed("rec.submit", t=TOKEN, **entered) | {"id": "f:2"}
    )

    assert "Say more." in json.dumps(answer["value"])
    assert '"short"' in json.dumps(answer["value"])


async def test_a_choice_that_cannot_be_sent_as_it_is_comes_back_as_it_was_meant(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    odd = "~with a sign that stands for others"
    menu = Input("reason", "Reason", InputKind.CHOICE, choices=(Choice(odd, "Odd"),))

    async def ask(shown: Shown) -> None:
        await shown.form(Form("edit", "Edit OPS-1", (menu,)), TOKEN)

    desk.on_click = ask
    await door.deliver(executed("rec.edit", t=TOKEN))
    entered = {"in.choice.reason": wire(odd, 1_000)}
    await door.deliver(executed("rec.submit", t=TOKEN, **entered) | {"id": "f:2"})

    assert wire(odd, 1_000) != odd
    [(_, _, values)] = desk.submissions
    assert values == {"reason": odd}


async def test_a_form_that_stood_open_over_a_restart_is_taken(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    desk.on_click = ask_for_form
    await door.deliver(executed("rec.edit", t=TOKEN))
    records.talks = Talks()  # what another process would know

    await door.deliver(
        executed("rec.submit", t=TOKEN, **{"in.line.reason": "late"}) | {"id": "f:2"}
    )

    [(_, token, values)] = desk.submissions
    assert (token, values) == (TOKEN, {"reason": "late"})


async def test_after_a_restart_whoever_waits_or_chooses_is_asked_to_begin_again(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    records.card_within = 0.01
    desk.go.clear()
    _, waiting = await door.deliver(executed("rec.approve", t=TOKEN))
    assert "begin again" in json.dumps(waiting["value"])
    records.talks = Talks()
    [action] = waiting["value"]["actions"]

    _, later = await door.deliver(
        executed(action["verb"], **action["data"]) | {"id": "f:2"}
    )
    _, redrawn = await door.deliver(
        executed("rec.redraw", t=TOKEN, **{"in.choice.impact": "2"}) | {"id": "f:3"}
    )
    odd = {"in.choice.reason": wire("~odd", 1_000)}
    _, submitted = await door.deliver(
        executed("rec.submit", t=TOKEN, **odd) | {"id": "f:4"}
    )
    desk.go.set()

    for answer in (later, redrawn, submitted):
        # A line leaves the card with what was entered where it is.
        assert answer["type"] == "application/vnd.microsoft.activity.message"
        assert "begin again" in answer["value"]
    assert desk.submissions == []


async def test_a_slow_system_is_answered_in_time_and_told_to_the_person_alone(
    door: Door, records: TeamsRecords, desk: FakeDesk, teams: ScriptedTeams
) -> None:
    async def done(shown: Shown) -> None:
        await shown.finished("Approved.")

    teams.answer("POST conversations", Said(201, {"id": "a:chat"}))
    records.card_within = 0.01
    desk.on_click = done
    desk.go.clear()

    _, answer = await door.deliver(executed("rec.approve", t=TOKEN))
    assert "Working" in json.dumps(answer["value"])
    [action] = answer["value"]["actions"]
    desk.go.set()
    records.card_within = 20.0
    again = executed(action["verb"], **action["data"]) | {"id": "f:2"}
    _, later = await door.deliver(again)

    assert later["value"] == "Approved."
    assert len(desk.clicks) == 1


async def test_nobody_else_is_shown_the_answer_that_somebody_waits_for(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    async def show(shown: Shown) -> None:
        await shown.card(record_card("secret"))

    records.card_within = 0.01
    desk.on_click = show
    desk.go.clear()
    _, answer = await door.deliver(executed("rec.view", t=TOKEN))
    [action] = answer["value"]["actions"]
    desk.go.set()

    other = {"id": "29:mallory", "name": "M", "aadObjectId": "x"}
    again = executed(action["verb"], **action["data"]) | {"id": "f:2", "from": other}
    _, later = await door.deliver(again)

    assert "secret" not in json.dumps(later)
    assert "begin again" in json.dumps(later)


async def test_trap_a_click_that_is_sent_again_is_done_once_and_answered_in_words(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    click = executed("rec.approve", t=TOKEN)
    await door.deliver(click)

    _, answer = await door.deliver(click)

    assert len(desk.clicks) == 1
    assert "done already" in answer["value"]


async def test_a_dialog_that_is_not_ready_can_be_asked_again(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    records.dialog_within = 0.01
    desk.on_click = ask_for_form
    desk.go.clear()
    data = {"verb": "rec.edit", "t": TOKEN}

    _, answer = await door.deliver(invoke("task/fetch", {"data": data}))
    card = answer["task"]["value"]["card"]["content"]
    assert "Still loading" in json.dumps(card)
    desk.go.set()
    records.dialog_within = 20.0
    [retry] = card["actions"]
    _, filled = await door.deliver(
        invoke("task/submit", {"data": retry["data"]}, id="f:2")
    )

    assert "Edit OPS-1" in json.dumps(filled["task"]["value"]["card"])
    assert len(desk.clicks) == 1


async def test_a_dialog_ends_with_a_line_or_by_itself(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    async def done(shown: Shown) -> None:
        await shown.finished("Saved.")

    submit = {"data": {"verb": "rec.submit", "t": TOKEN}}
    _, closed = await door.deliver(invoke("task/submit", submit))
    desk.on_submit = done
    _, told = await door.deliver(invoke("task/submit", submit, id="f:2"))

    assert closed == {}
    assert told["task"] == {"type": "message", "value": "Saved."}


async def test_choices_are_narrowed_when_the_form_is_drawn_anew(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    desk.on_click = ask_for_form
    await door.deliver(executed("rec.edit", t=TOKEN))

    redraw = executed("rec.redraw", t=TOKEN, **{"in.choice.impact": "2"})
    _, answer = await door.deliver(redraw | {"id": "f:2"})

    assert "Desktop" in json.dumps(answer["value"])
    assert "Network" not in json.dumps(answer["value"])


async def test_a_client_that_draws_a_card_anew_gets_the_persons_own_view(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    desk.viewed = record_card("mine alone", viewer=True)

    _, answer = await door.deliver(executed("rec.view", "automatic", t=TOKEN))

    assert "mine alone" in json.dumps(answer["value"])
    assert desk.clicks == []


async def test_whoever_may_see_no_more_gets_the_rooms_card(
    door: Door, records: TeamsRecords, place: TeamsCardPlace, teams: ScriptedTeams
) -> None:
    teams.answer("PUT activities", Said(200, {}))
    refresh = executed("rec.view", "automatic", t=TOKEN)
    instance = CardInstance(
        "crd_1", "acme", REF, FALCON, "c", message=refresh["replyToId"]
    )
    await place.change(instance, record_card("for the room"))

    _, answer = await door.deliver(refresh)

    assert "for the room" in json.dumps(answer["value"])


async def test_a_search_shows_what_there_is_and_who_still_searches(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    waiting = SystemLine("ServiceNow", "still searching", complete=False)
    desk.found = Found("globex", (record_card("Globex renewal", url=LINK),), (waiting,))
    value = {
        "commandId": "findRecord",
        "parameters": [{"name": "words", "value": "globex"}],
    }

    _, answer = await door.deliver(invoke("composeExtension/query", value))

    result, line = answer["composeExtension"]["attachments"]
    assert "Globex renewal" in result["preview"]["content"]["title"]
    assert "Globex renewal" not in json.dumps(result["content"])
    assert "still searching" in line["preview"]["content"]["title"]


async def test_what_is_chosen_is_shown_as_everybody_may_see_it(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    desk.previews = {LINK: Preview(LINK, record_card("for the room"))}

    _, answer = await door.deliver(invoke("composeExtension/selectItem", {"url": LINK}))

    [shown] = answer["composeExtension"]["attachments"]
    assert shown["contentType"] == CARD
    assert "for the room" in json.dumps(shown["content"])
    [(_, urls, composing, _, _)] = desk.asked
    assert (urls, composing) == ([LINK], True)


async def test_what_is_chosen_names_who_is_shown_it_anew(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    many = [Person(Platform.TEAMS, f"29:p{n}") for n in range(70)]
    readers = (Person(Platform.SLACK, "U01ALICE"), *many)
    view = CardButton("view", "My view", TOKEN)
    desk.previews = {
        LINK: Preview(LINK, record_card("it", buttons=(view,)), readers=readers)
    }

    _, answer = await door.deliver(invoke("composeExtension/queryLink", {"url": LINK}))

    [shown] = answer["composeExtension"]["attachments"]
    refresh = shown["content"]["refresh"]
    assert refresh["userIds"] == [one.id for one in many[:60]]
    assert refresh["action"]["data"] == {"t": TOKEN}


async def test_a_link_without_a_preview_says_why(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    desk.previews = {LINK: Preview(LINK, None, "You may not see this record.")}

    _, answer = await door.deliver(invoke("composeExtension/queryLink", {"url": LINK}))

    assert answer["composeExtension"]["type"] == "message"
    assert answer["composeExtension"]["text"] == "You may not see this record."


async def test_nobody_is_shown_a_link_whom_nobody_vouches_for(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    status, _ = await door.deliver(
        invoke("composeExtension/anonymousQueryLink", {"url": LINK})
    )

    assert status == 403
    assert desk.asked == []


async def test_a_record_is_begun_from_a_message(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    desk.on_start = ask_for_form
    payload = {
        "id": "1700000000001",
        "body": {"contentType": "html", "content": "<p>It is down</p>"},
    }
    value = {"commandId": "createRecord", "messagePayload": payload}

    _, answer = await door.deliver(invoke("composeExtension/fetchTask", value))

    assert "Edit OPS-1" in json.dumps(answer["task"]["value"]["card"])
    [(_, _, said)] = desk.starts
    assert said is not None
    assert (said.message, said.text) == ("1700000000001", "It is down")


@pytest.mark.parametrize(
    "name",
    [
        "adaptiveCard/action",
        "task/fetch",
        "task/submit",
        "composeExtension/query",
        "composeExtension/queryLink",
        "composeExtension/selectItem",
        "composeExtension/fetchTask",
        "composeExtension/submitAction",
    ],
)
@pytest.mark.parametrize(
    "value",
    [None, [], "x", {}, {"action": {"verb": "rec.approve"}}, {"data": {"t": 1}}],
)
async def test_what_no_client_sends_is_an_error_and_never_a_failure(
    door: Door, records: TeamsRecords, desk: FakeDesk, name: str, value: Any
) -> None:
    status, answer = await door.deliver(invoke(name, value))

    assert status in {200, 400}
    assert answer["statusCode"] == 400
    assert answer["value"]["code"] == "BadRequest"


async def test_an_old_clients_button_is_told_to_the_person_alone(
    door: Door, records: TeamsRecords, desk: FakeDesk, teams: ScriptedTeams
) -> None:
    async def done(shown: Shown) -> None:
        await shown.finished("Approved.")

    teams.answer("POST conversations", Said(201, {"id": "a:chat"}))
    desk.on_click = done
    pressed = recorded("channel_message") | {
        "text": "",
        "attachments": [],
        "value": {"verb": "rec.approve", "t": TOKEN},
    }

    status, answer = await door.deliver(pressed)

    assert (status, answer) == (200, None)
    await eventually(lambda: "Approved." in str(teams.calls))
    assert [token for _, token in desk.clicks] == [TOKEN]


async def test_a_card_that_is_gone_cannot_be_changed_any_more(
    teams: ScriptedTeams, place: TeamsCardPlace
) -> None:
    teams.answer("PUT activities", Said(404, {"error": {"code": "x"}}))
    instance = CardInstance("crd_1", "acme", REF, FALCON, "c", message="1700")

    with pytest.raises(Refused) as refused:
        await place.change(instance, record_card())

    assert refused.value.cause == Cause.DELETED


async def test_a_search_that_is_repeated_while_it_runs_is_made_once(
    door: Door, records: TeamsRecords, desk: FakeDesk
) -> None:
    desk.found = Found("globex", (record_card("Globex renewal", url=LINK),), ())
    desk.go.clear()
    value = {
        "commandId": "findRecord",
        "parameters": [{"name": "words", "value": "globex"}],
    }
    asking = [
        asyncio.create_task(
            door.deliver(invoke("composeExtension/query", value, id=f"f:{number}"))
        )
        for number in range(3)
    ]
    await eventually(lambda: len(door.intake.events) == 1)
    desk.go.set()

    answers = await asyncio.gather(*asking)

    assert desk.searches == ["globex"]
    assert all("Globex renewal" in json.dumps(answer) for _, answer in answers)
