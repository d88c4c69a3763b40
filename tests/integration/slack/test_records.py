"""Records in Slack: captured first, acknowledged in time, and shown when they are there."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from bots.record_talks import Talks
from bots.slack.clients import Clients
from bots.slack.intake import SlackIntake
from bots.slack.previews import Previews
from bots.slack.record_asked import FROM_MESSAGE, NEW
from bots.slack.record_place import SlackCardPlace
from bots.slack.records import SlackRecords
from bridge.cards import Card
from bridge.messages import Channel, EventKind, Person, Platform
from bridge.records.books import CardInstance
from bridge.records.desk import Preview
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.places import Shown
from tests.fakes_records import FORM, REF, TOKEN, FakeDesk, record_card
from tests.integration.slack.conftest import Companies, Slack, Store, eventually
from tests.integration.slack.test_intake import signed

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
LINK = "https://acme.example/record?id=1&view=2"
SHORTCUTS = [
    {"name": "Create record", "type": "message", "callback_id": FROM_MESSAGE},
    {"name": "New record", "type": "global", "callback_id": NEW},
]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
async def records(
    intake: SlackIntake, clients: Clients, desk: FakeDesk, slack: Slack, atom: str
) -> AsyncIterator[SlackRecords]:
    slack.world.settings.update(
        {
            "slack.shortcuts": SHORTCUTS,
            "slack.link_domains": ["acme.example"],
            "slack.trigger_seconds": 60.0,
            "slack.answer_timeout": 30.0,
        }
    )
    # However slow the machine is, a quick desk is waited for.
    answers = SlackRecords(desk, Companies(), clients, patience=20.0, ack_within=20.0)
    intake.records = answers
    intake.previews = Previews(desk, Companies(), clients)
    yield answers
    await answers.aclose()
    await intake.previews.aclose()


async def standing(clients: Clients) -> str:
    """Post a card; returns where it stands."""
    instance = CardInstance("crd_1", "acme", REF, FALCON, "cause")
    return (await SlackCardPlace(clients).post(instance, record_card())).message


def views(slack: Slack) -> list[dict[str, Any]]:
    return list(slack.world.slack.views.values())


def titles(slack: Slack) -> list[str]:
    return [view["title"]["text"] for view in views(slack)]


def said(view: dict[str, Any]) -> str:
    return str(view["blocks"])


async def ask_for_form(shown: Shown) -> None:
    await shown.form(FORM, TOKEN)


async def opened(slack: Slack, records: SlackRecords, desk: FakeDesk) -> dict[str, Any]:
    """Open the form from a card's button."""
    desk.on_click = ask_for_form
    ts = await standing(records.clients)
    await slack.act(action="click", ts=ts, value=f"{TOKEN}e")
    (view,) = await eventually(lambda: views(slack))
    assert isinstance(view, dict)
    return view


async def test_a_click_is_on_record_before_the_desk_hears_of_it(
    slack: Slack, records: SlackRecords, desk: FakeDesk, store: Store
) -> None:
    ts = await standing(records.clients)
    store.down = True

    answer = await slack.act(action="click", ts=ts, value=TOKEN)

    assert answer["status"] == 503
    assert desk.clicks == []


async def test_a_click_says_who_where_and_the_token_but_the_log_holds_no_token(
    slack: Slack, records: SlackRecords, desk: FakeDesk, store: Store
) -> None:
    ts = await standing(records.clients)

    await slack.act(action="click", ts=ts, value=TOKEN)

    [(asker, token)] = await eventually(lambda: desk.clicks)
    assert (token, asker.tenant, asker.person.id) == (TOKEN, "acme", "U01ALICE")
    assert (asker.channel, asker.account) == (FALCON, "T01ACME")
    [event] = store.of(EventKind.ACTION)
    assert dict(event.detail) == {"record": "click", "act": "approve"}


async def test_what_is_done_at_once_is_told_to_the_person_alone(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    async def done(shown: Shown) -> None:
        await shown.finished("Approved <OPS-1>.")

    desk.on_click = done
    ts = await standing(records.clients)

    await slack.act(action="click", ts=ts, value=TOKEN)

    (whisper,) = await eventually(lambda: slack.whispers)
    assert (whisper["to"], whisper["text"]) == ("U01ALICE", "Approved &lt;OPS-1&gt;.")
    assert views(slack) == []


async def test_trap_bolts_answer_would_be_said_twice_after_a_reset(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    """Like Slack's client, Bolt's `respond` repeats what a connection broke on."""

    async def done(shown: Shown) -> None:
        await shown.finished("Approved.")

    desk.on_click = done
    ts = await standing(records.clients)
    slack.fault("slack.hook", "reset_after")

    with capture_logs() as lines:
        await slack.act(action="click", ts=ts, value=TOKEN)
        await eventually(lambda: lines)

    assert [whisper["text"] for whisper in slack.whispers] == ["Approved."]
    assert [line["event"] for line in lines] == ["record answer not shown"]


async def test_a_slow_system_is_waited_for_in_a_modal_that_is_filled_later(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    records.patience = 0.01
    desk.go.clear()
    desk.on_click = ask_for_form
    ts = await standing(records.clients)

    answer = await slack.act(action="click", ts=ts, value=f"{TOKEN}e")
    (view,) = await eventually(lambda: views(slack))
    assert answer["status"] == 200
    assert "Working" in said(view)

    desk.go.set()
    await eventually(lambda: titles(slack) == ["Edit OPS-1"])

    assert len(slack.calls("views.open")) == 1
    [filling] = slack.calls("views.update")
    assert filling["request"]["hash"]  # a wrong one is refused


async def test_a_modal_that_was_closed_meanwhile_is_left_alone(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    records.patience = 0.01
    desk.go.clear()
    desk.on_click = ask_for_form
    ts = await standing(records.clients)
    await slack.act(action="click", ts=ts, value=f"{TOKEN}e")
    (view,) = await eventually(lambda: views(slack))

    await slack.act(action="close_view", view=view["id"])
    desk.go.set()
    await eventually(lambda: slack.calls("views.update"))

    assert views(slack) == []
    assert slack.whispers == []


async def test_a_trigger_that_ran_out_can_be_used_again_with_a_button(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    slack.world.settings.update({"slack.trigger_seconds": -1.0})
    desk.on_click = ask_for_form
    ts = await standing(records.clients)
    await slack.act(action="click", ts=ts, value=f"{TOKEN}e")
    (whisper,) = await eventually(lambda: slack.whispers)

    slack.world.settings.update({"slack.trigger_seconds": 60.0})
    await slack.act(action="click", ts=whisper["ts"], value=f"{TOKEN}e")

    (view,) = await eventually(lambda: views(slack))
    assert view["title"]["text"] == "Edit OPS-1"
    assert [token for _, token in desk.clicks] == [f"{TOKEN}e"] * 2


async def test_a_form_comes_back_with_what_was_entered_and_where_it_was_opened(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    view = await opened(slack, records, desk)

    await slack.act(action="submit", view=view["id"])

    [(asker, token, values)] = desk.submissions
    assert (asker.channel, token) == (FALCON, TOKEN)
    assert values["reason"] == "because"
    assert views(slack) == []


async def test_errors_stand_at_their_inputs_and_the_form_stays_open(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    async def refuse(shown: Shown) -> None:
        await shown.wrong("", {"reason": "Say more."})

    desk.on_submit = refuse
    view = await opened(slack, records, desk)

    answer = await slack.act(action="submit", view=view["id"])

    assert answer["answer"]["response_action"] == "errors"
    assert views(slack)[0]["errors"] == {"i.reason": "Say more."}


async def test_an_error_of_no_input_shows_the_form_with_it(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    async def refuse(shown: Shown) -> None:
        await shown.wrong("The change is frozen.", {})

    desk.on_submit = refuse
    view = await opened(slack, records, desk)

    await slack.act(action="submit", view=view["id"])

    assert "The change is frozen." in said(views(slack)[0])
    assert views(slack)[0]["callback_id"] == view["callback_id"]


async def test_a_submission_that_takes_long_is_acknowledged_and_told_later(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    async def done(shown: Shown) -> None:
        await shown.finished("Saved.")

    view = await opened(slack, records, desk)
    records.ack_within = 0.01
    desk.on_submit = done
    desk.go.clear()

    answer = await slack.act(action="submit", view=view["id"])
    assert answer["answer"]["response_action"] == "update"
    assert "Working" in said(views(slack)[0])
    desk.go.set()

    await eventually(lambda: "Saved." in said(views(slack)[0]))
    assert len(desk.submissions) == 1


async def test_a_form_that_stood_open_over_a_restart_is_taken(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    view = await opened(slack, records, desk)
    records.talks = Talks()  # what another process would know

    await slack.act(action="submit", view=view["id"])

    [(_, token, values)] = desk.submissions
    assert (token, values["reason"]) == (TOKEN, "because")


async def test_what_is_wrong_after_a_restart_leaves_what_was_entered(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    async def refuse(shown: Shown) -> None:
        await shown.wrong("The change is frozen.", {"impact": "Too high."})

    view = await opened(slack, records, desk)
    desk.on_submit = refuse
    records.talks = Talks()

    answer = await slack.act(action="submit", view=view["id"])

    assert answer["answer"]["response_action"] == "errors"
    [still] = views(slack)
    assert still["errors"] == {
        "i.reason": "The change is frozen.",
        "i.impact": "Too high.",
    }


async def test_after_a_restart_nothing_is_written_that_only_the_form_could_tell(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    odd = Choice("~" + "with a sign that stands for others", "Odd")
    menu = Input("reason", "Reason", InputKind.CHOICE, odd.value, choices=(odd,))

    async def ask(shown: Shown) -> None:
        await shown.form(Form("edit", "Edit OPS-1", (menu,)), TOKEN)

    desk.on_click = ask
    ts = await standing(records.clients)
    await slack.act(action="click", ts=ts, value=f"{TOKEN}e")
    (view,) = await eventually(lambda: views(slack))
    records.talks = Talks()

    await slack.act(action="submit", view=view["id"])

    assert desk.submissions == []
    assert "begin again" in str(views(slack)[0]["errors"])


async def test_whoever_waits_while_atom_ends_knows_what_to_do(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    records.patience = 0.01
    desk.go.clear()
    ts = await standing(records.clients)

    await slack.act(action="click", ts=ts, value=f"{TOKEN}e")

    (view,) = await eventually(lambda: views(slack))
    assert "please begin again: what was done is not done twice" in said(view)
    desk.go.set()


async def test_errors_that_come_late_show_the_form_with_what_was_entered(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    async def refuse(shown: Shown) -> None:
        await shown.wrong("", {"reason": "Say more."})

    view = await opened(slack, records, desk)
    entered = {"value": "short"}
    block = next(b for b in view["blocks"] if b["block_id"] == "i.reason")
    name = block["element"]["action_id"]
    await slack.act(
        action="enter",
        view=view["id"],
        block_id="i.reason",
        action_id=name,
        entered=entered,
    )
    records.ack_within = 0.01
    desk.on_submit = refuse
    desk.go.clear()
    await slack.act(action="submit", view=view["id"])
    desk.go.set()

    await eventually(lambda: "Say more." in said(views(slack)[0]))
    assert "short" in said(views(slack)[0])


async def test_a_choice_narrows_the_choices_that_depend_on_it(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    view = await opened(slack, records, desk)
    block = next(b for b in view["blocks"] if b["block_id"] == "i.impact")
    element = block["element"]

    await slack.act(
        action="enter",
        view=view["id"],
        block_id=block["block_id"],
        action_id=element["action_id"],
        entered={"selected_option": element["options"][1]},
    )

    await eventually(lambda: slack.calls("views.update"))
    shown = str(views(slack)[0]["blocks"])
    assert "Desktop" in shown
    assert "Network" not in shown


async def test_a_record_is_begun_from_a_message(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    desk.on_start = ask_for_form
    posted = await slack.act(action="post", text="It is <down> & out")

    await slack.act(
        action="message_shortcut", ts=posted["ts"], callback_id=FROM_MESSAGE
    )

    await eventually(lambda: views(slack))
    [(asker, kind, message)] = desk.starts
    assert (asker.channel, kind) == (FALCON, "")
    assert message is not None
    assert (message.message, message.text) == (posted["ts"], "It is <down> & out")
    assert message.author.id == "U01ALICE"
    assert posted["ts"].replace(".", "") in message.link


async def test_a_record_is_begun_from_nothing(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    desk.on_start = ask_for_form

    await slack.act(action="shortcut", callback_id=NEW)

    await eventually(lambda: titles(slack) == ["Edit OPS-1"])
    [(asker, _, message)] = desk.starts
    assert (asker.channel, message) == (None, None)


async def test_a_link_is_previewed_once_however_often_it_is_told(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    desk.previews = {LINK: Preview(LINK, record_card())}
    slack.fault("slack.deliver", "duplicate", where={"type": "link_shared"})
    slack.fault("slack.deliver", "503_after", where={"type": "link_shared"})

    posted = await slack.act(action="post", text=f"see {LINK}", typed=True)

    (message,) = await eventually(
        lambda: [m for m in slack.messages() if m.get("attachments")]
    )
    assert len(message["attachments"]) == 1
    [(asker, urls, composing, cause, unfurl)] = desk.asked
    assert (asker.channel, urls, composing) == (FALCON, [LINK], False)
    assert cause == f"{FALCON}/{posted['ts']}"
    assert (unfurl["channel"], unfurl["ts"]) == ("C02FALCON", posted["ts"])


async def test_a_preview_is_changed_where_it_stands(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    desk.previews = {LINK: Preview(LINK, record_card())}
    await slack.act(action="post", text=f"see {LINK}", typed=True)
    await eventually(lambda: [m for m in slack.messages() if m.get("attachments")])
    unfurl = {**desk.asked[0][4], "url": LINK}
    instance = CardInstance("crd_1", "acme", REF, FALCON, "cause", unfurl=unfurl)

    await SlackCardPlace(records.clients).change(instance, record_card("It is up"))

    [message] = [m for m in slack.messages() if m.get("attachments")]
    assert "It is up" in str(message["attachments"])
    assert "It is down" not in str(message["attachments"])


async def test_a_link_is_previewed_while_it_is_written(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    desk.previews = {LINK: Preview(LINK, record_card())}

    await slack.act(action="compose", text=f"see {LINK}")

    drafts = slack.world.slack.drafts
    await eventually(lambda: [d for d in drafts.values() if d["attachments"]])
    [(asker, _, composing, cause, unfurl)] = desk.asked
    assert (asker.channel, composing, cause, unfurl) == (None, True, "", {})


async def test_without_business_systems_nothing_follows(
    slack: Slack, atom: str, clients: Clients, store: Store
) -> None:
    ts = await standing(clients)

    answer = await slack.act(action="click", ts=ts, value=TOKEN)

    assert answer["status"] == 200
    [event] = store.of(EventKind.ACTION)
    assert dict(event.detail)["record"] == "click"


async def test_a_card_that_may_have_been_posted_is_found_by_its_id(
    slack: Slack, clients: Clients, atom: str
) -> None:
    place = SlackCardPlace(clients)
    instance = CardInstance(
        "crd_1", "acme", REF, FALCON, "cause", made_us=1_700_000_000_000_000
    )
    other = CardInstance("crd_2", "acme", REF, FALCON, "cause")
    posted = await place.post(instance, record_card())

    assert await place.look_for(instance) == posted.message
    assert await place.look_for(other) is None


async def test_a_card_in_a_thread_is_found_there_and_noted_there(
    slack: Slack, clients: Clients, atom: str
) -> None:
    place = SlackCardPlace(clients)
    root = await slack.act(action="post", text="root")
    instance = CardInstance(
        "crd_1",
        "acme",
        REF,
        FALCON,
        "cause",
        thread=root["ts"],
        made_us=1_700_000_000_000_000,
    )
    posted = await place.post(instance, record_card())

    await place.note(posted, "Approved by A. Tuter & co")

    assert await place.look_for(instance) == posted.message
    replies = [m for m in slack.messages() if m.get("thread_ts") == root["ts"]]
    assert replies[0]["ts"] == posted.message
    assert replies[1]["text"] == "Approved by A. Tuter &amp; co"


async def test_a_remark_is_said_in_the_thread_of_its_card_and_found_by_its_mark(
    slack: Slack, clients: Clients, atom: str
) -> None:
    """Below a card that began its thread; nothing in it is markup."""
    place = SlackCardPlace(clients)
    posted = await place.post(
        CardInstance("crd_1", "acme", REF, FALCON, "cause"), record_card()
    )
    since_us = 1_700_000_000_000_000

    said = await place.say(posted, "rmk_1", Card("Carol", "<!channel> & *hello*"))

    [reply] = [m for m in slack.messages() if m.get("thread_ts") and m["ts"] == said]
    assert reply["thread_ts"] == posted.message
    assert "&lt;!channel&gt;" in reply["text"]
    assert "mrkdwn" not in str(reply["blocks"])
    assert await place.look_for_said(posted, "rmk_1", since_us) == said
    assert await place.look_for_said(posted, "rmk_2", since_us) is None
    assert await place.look_for(posted) == posted.message


async def test_one_person_alone_is_shown_a_card(
    slack: Slack, clients: Clients, atom: str
) -> None:
    alice = Person(Platform.SLACK, "U01ALICE")

    await SlackCardPlace(clients).whisper("acme", FALCON, alice, Card("Psst", "it is"))

    (whisper,) = slack.whispers
    assert (whisper["to"], whisper["text"]) == ("U01ALICE", "Psst\nit is")


ODD: list[Any] = [
    {"type": "block_actions", "actions": "x"},
    {"type": "block_actions", "actions": [{"action_id": "rec.approve", "value": 7}]},
    {"type": "block_actions", "actions": [{"action_id": "in.line.x"}], "view": "x"},
    {"type": "view_submission", "view": {"id": "V1", "callback_id": "rec.form"}},
    {
        "type": "view_submission",
        "view": {
            "id": "V1",
            "callback_id": "rec.form",
            "private_metadata": "[",
            "state": {"values": {"i.x": "y"}},
        },
    },
    {"type": "view_closed", "view": {"id": 1, "callback_id": "rec.form"}},
    {"type": "message_action", "callback_id": FROM_MESSAGE, "message": []},
    {"type": "shortcut", "callback_id": NEW, "user": None},
]


@pytest.mark.parametrize("body", ODD)
async def test_what_no_client_sends_fails_nothing(
    slack: Slack, records: SlackRecords, atom: str, body: Any
) -> None:
    whole = {"team": {"id": "T01ACME"}, "user": {"id": "U01ALICE"}, "trigger_id": "t"}
    form = urlencode({"payload": json.dumps(whole | body)}).encode()
    headers = signed(form) | {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{atom}/slack/events"

    async with slack.session.post(url, data=form, headers=headers) as answer:
        assert answer.status in {200, 400, 404}


async def test_links_that_are_no_links_fail_nothing(
    slack: Slack, records: SlackRecords, desk: FakeDesk
) -> None:
    for links in ("x", [1], [{"url": 7}], [{"url": ""}]):
        event = {"type": "link_shared", "user": "U01ALICE", "links": links}
        event |= {"channel": "C02FALCON", "message_ts": "1.2", "event_ts": "1.2"}
        await slack.act(action="event", event=event)
    await eventually(lambda: len(slack.calls("deliver")) == 4)

    assert desk.asked == []
    assert [call["status"] for call in slack.calls("deliver")] == [200] * 4
