"""Work Objects in Slack: beside the cards where Slack takes them, and a pane for each."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from bots.slack.clients import Clients, SlackRefused
from bots.slack.flexpane import Flexpane
from bots.slack.intake import SlackIntake
from bots.slack.people import SlackPeople
from bots.slack.previews import Previews
from bots.slack.record_place import SlackCardPlace
from bots.slack.records import SlackRecords
from bots.slack.work_objects import WorkObjects
from bridge.cards import Button, Card
from bridge.messages import Channel, EventKind, Platform
from bridge.records.books import CardInstance
from bridge.records.cards import CardField, RecordCard, Standing
from bridge.records.desk import Opened, Preview
from bridge.records.places import Shown
from tests.fakes_records import REF, TOKEN, FakeDesk, record_card
from tests.integration.slack.conftest import Companies, Slack, Store, eventually
from tests.integration.slack.test_records import ask_for_form, titles

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
LINK = "https://acme.example/record?id=1&view=2"
OWN = record_card("For Alice", viewer=True, fields=(CardField("pay", "Pay", "4711"),))
REFUSED = {"slack.work_objects": "refused"}


class Time:
    """Seconds that pass when they are told to."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def desk() -> FakeDesk:
    desk = FakeDesk()
    desk.opens = Opened(Standing.LIVE, card=OWN)
    return desk


@pytest.fixture
def place(clients: Clients) -> SlackCardPlace:
    return SlackCardPlace(clients, WorkObjects(on=True))


@pytest.fixture
async def pane(
    intake: SlackIntake, clients: Clients, desk: FakeDesk, slack: Slack, atom: str
) -> AsyncIterator[Flexpane]:
    slack.world.settings.update(
        {
            "slack.link_domains": ["acme.example"],
            "slack.trigger_seconds": 60.0,
            "slack.entity_trigger_seconds": 60.0,
            "slack.answer_timeout": 30.0,
        }
    )
    # However slow the machine is, a quick desk is waited for.
    pane = Flexpane(desk, Companies(), clients, patience=20.0)
    intake.flexpane = pane
    intake.records = SlackRecords(desk, Companies(), clients, patience=20.0)
    intake.previews = Previews(desk, Companies(), clients, WorkObjects(on=True))
    yield pane
    await pane.aclose()
    await intake.records.aclose()
    await intake.previews.aclose()


async def standing(place: SlackCardPlace, card: RecordCard | None = None) -> str:
    instance = CardInstance("crd_1", "acme", REF, FALCON, "cause")
    return (await place.post(instance, card or record_card())).message


def metadata(slack: Slack, ts: str) -> dict[str, Any]:
    return slack.world.slack.channels["C02FALCON"].messages[ts].metadata or {}


def shown(slack: Slack) -> dict[str, Any]:
    [found] = slack.world.slack.flexpanes.values()
    return found


def calls(slack: Slack) -> list[dict[str, Any]]:
    return slack.calls("entity.presentDetails")


def delivered(slack: Slack) -> list[dict[str, Any]]:
    """Return the deliveries of events that say who opened an object."""
    return [e for e in slack.calls("deliver") if "trigger_id" in json.dumps(e)]


async def opened(slack: Slack, place: SlackCardPlace) -> dict[str, Any]:
    """Let Alice open the object of a card; returns her pane once it shows something."""
    ts = await standing(place)
    await slack.act(action="open_entity", ts=ts)
    await eventually(lambda: shown(slack)["status"] not in {"", "asked"})
    return shown(slack)


# Beside the cards


async def test_a_card_has_an_object_only_where_an_admin_wants_that(
    slack: Slack, clients: Clients, place: SlackCardPlace, atom: str
) -> None:
    without = await standing(SlackCardPlace(clients))
    with_one = await standing(place)

    assert "entities" not in metadata(slack, without)
    [made] = metadata(slack, with_one)["entities"]
    assert made["entity_payload"]["attributes"]["title"]["text"] == "It is down"
    assert metadata(slack, with_one)["event_payload"]["card_id"] == "crd_1"
    blocks = [m["blocks"] for m in slack.messages() if m.get("blocks")]
    assert blocks[0] == blocks[1]


async def test_a_card_with_an_object_is_found_by_its_id(
    slack: Slack, place: SlackCardPlace, atom: str
) -> None:
    made = 1_700_000_000_000_000
    instance = CardInstance("crd_1", "acme", REF, FALCON, "cause", made_us=made)
    posted = await place.post(instance, record_card())

    assert await place.look_for(instance) == posted.message


async def test_a_change_reaches_the_object_too(
    slack: Slack, place: SlackCardPlace, atom: str
) -> None:
    ts = await standing(place)
    instance = CardInstance("crd_1", "acme", REF, FALCON, "cause", message=ts)

    await place.change(instance, record_card("It is up"))
    assert "It is up" in str(metadata(slack, ts)["entities"])

    gone = RecordCard("crd_1", REF, "Jira", "", "Jira record", Standing.GONE, 1)
    await place.change(instance, gone)
    assert "entities" not in metadata(slack, ts)


async def test_a_link_gets_an_object_that_changes_with_it(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    desk.previews = {LINK: Preview(LINK, record_card())}
    await slack.act(action="post", text=f"see {LINK}", typed=True)
    await eventually(lambda: under_link(slack))
    first = under_link(slack)[0]["entity"]
    instance = CardInstance(
        "crd_1",
        "acme",
        REF,
        FALCON,
        "cause",
        unfurl={**desk.asked[0][4], "url": LINK},
    )

    await place.change(instance, record_card("It is up"))
    [changed] = under_link(slack)
    gone = RecordCard("crd_1", REF, "Jira", "", "Jira record", Standing.GONE, 1)
    await place.change(instance, gone)
    [over] = under_link(slack)

    assert first["url"] == "https://acme.example/browse/OPS-1"
    assert first["external_ref"] == {"id": str(REF), "type": "issue"}
    assert "It is up" in str(changed["entity"])
    assert "It is" not in str(over["entity"])
    assert over["entity"]["external_ref"] == {"id": LINK}
    assert changed["blocks"]


def under_link(slack: Slack) -> list[dict[str, Any]]:
    return [a for m in slack.messages() for a in m.get("attachments") or []]


async def test_where_slack_refuses_objects_the_card_stands_as_ever(
    slack: Slack, clients: Clients, atom: str
) -> None:
    time = Time()
    place = SlackCardPlace(clients, WorkObjects(on=True, clock=time))
    slack.world.settings.update(REFUSED)

    with capture_logs() as told:
        ts = await standing(place)
        again = await standing(place)

    assert "entities" not in metadata(slack, ts)
    assert metadata(slack, again)["event_payload"]["card_id"] == "crd_1"
    assert len(slack.messages()) == 2
    # The second card is not tried with what the first was refused for.
    assert len(slack.calls("chat.postMessage")) == 3
    assert [e["event"] for e in told] == ["work objects refused"]

    slack.world.settings.update({"slack.work_objects": "taken"})
    time.now += 601
    assert "entities" in metadata(slack, await standing(place))


async def test_where_slack_refuses_objects_links_are_previewed_as_ever(
    slack: Slack, pane: Flexpane, desk: FakeDesk
) -> None:
    slack.world.settings.update(REFUSED)
    desk.previews = {LINK: Preview(LINK, record_card())}

    await slack.act(action="post", text=f"see {LINK}", typed=True)

    await eventually(lambda: under_link(slack))
    [made] = under_link(slack)
    assert made["blocks"]
    assert "entity" not in made


async def test_an_object_that_stands_goes_where_slack_takes_no_other(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    """What a room may not see any more must not stay in what cannot be changed."""
    ts = await standing(place, record_card("Secret"))
    desk.previews = {LINK: Preview(LINK, record_card("Secret"))}
    await slack.act(action="post", text=f"see {LINK}", typed=True)
    await eventually(lambda: under_link(slack))
    posted = CardInstance("crd_1", "acme", REF, FALCON, "cause", message=ts)
    where = {**desk.asked[0][4], "url": LINK}
    linked = CardInstance("crd_2", "acme", REF, FALCON, "cause", unfurl=where)
    assert "Secret" in str(metadata(slack, ts))
    assert "Secret" in str(under_link(slack))

    slack.world.settings.update(REFUSED)
    for instance in (posted, linked):
        await place.change(instance, record_card("Public"))

    assert "Secret" not in str(metadata(slack, ts))
    assert "Secret" not in str(under_link(slack))
    assert "Public" in str(under_link(slack))


async def test_a_link_that_is_being_written_has_an_object_too(
    slack: Slack, pane: Flexpane, desk: FakeDesk
) -> None:
    desk.previews = {LINK: Preview(LINK, record_card())}

    await slack.act(action="compose", text=f"see {LINK}")

    drafts = slack.world.slack.drafts
    [draft] = await eventually(lambda: [d for d in drafts.values() if d["attachments"]])
    assert draft["attachments"][0]["entity"]["external_ref"]["id"] == str(REF)


async def test_objects_that_slack_leaves_out_are_told_of(
    slack: Slack, place: SlackCardPlace, atom: str
) -> None:
    slack.world.settings.update({"slack.work_objects": "dropped"})

    with capture_logs() as told:
        await standing(place)

    assert [(e["event"], e["reason"]) for e in told] == [
        ("work objects dropped", "invalid_metadata_format")
    ]
    assert len(slack.messages()) == 1


async def test_what_is_refused_for_another_reason_is_refused(
    slack: Slack, place: SlackCardPlace, atom: str
) -> None:
    slack.fault("slack.chat.postMessage", "error", error="is_archived", times=1)

    with pytest.raises(SlackRefused, match="is_archived"):
        await standing(place)

    assert len(slack.calls("chat.postMessage")) == 1
    assert slack.messages() == []


# The pane


async def test_who_opens_an_object_sees_what_is_theirs_alone(
    slack: Slack,
    pane: Flexpane,
    place: SlackCardPlace,
    desk: FakeDesk,
    store: Store,
) -> None:
    found = await opened(slack, place)

    assert found["status"] == "shown"
    assert "4711" in str(found["shown"])
    assert "4711" not in str(found["entity"])
    assert "4711" not in json.dumps(slack.messages())
    [(asker, address, url)] = desk.openings
    assert (asker.tenant, asker.person.id) == ("acme", "U01ALICE")
    assert asker.channel == FALCON
    assert (address, url) == (str(REF), "https://acme.example/browse/OPS-1")
    [event] = [
        e
        for e in store.of(EventKind.OTHER)
        if dict(e.detail)["type"] == "entity_details_requested"
    ]
    assert event.channel == FALCON


async def test_nothing_is_opened_before_it_is_on_record(
    slack: Slack,
    pane: Flexpane,
    place: SlackCardPlace,
    desk: FakeDesk,
    store: Store,
) -> None:
    ts = await standing(place)
    store.down = True
    await slack.act(action="open_entity", ts=ts)
    await eventually(lambda: any(e["status"] == 503 for e in slack.calls("deliver")))

    assert desk.openings == []
    assert calls(slack) == []


async def test_the_same_event_is_answered_once(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    match = {"type": "entity_details_requested"}
    slack.fault("slack.deliver", "duplicate", match=match)

    await opened(slack, place)
    await eventually(lambda: len(delivered(slack)) == 2)

    assert len(desk.openings) == len(calls(slack)) == 1


async def test_who_opens_it_is_known_by_name_as_elsewhere(
    slack: Slack,
    pane: Flexpane,
    place: SlackCardPlace,
    desk: FakeDesk,
    clients: Clients,
) -> None:
    pane.people = SlackPeople(clients)

    await opened(slack, place)

    [(asker, _, _)] = desk.openings
    assert asker.person.name == "Alice Wong"


@pytest.mark.parametrize("fault", ["503", "429", "reset"])
async def test_what_slack_did_not_hear_is_found_by_a_refresh(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk, fault: str
) -> None:
    slack.fault("slack.entity.presentDetails", fault)
    ts = await standing(place)

    with capture_logs() as told:
        await slack.act(action="open_entity", ts=ts)
        await eventually(lambda: told)
    await slack.act(action="refresh_entity")
    await eventually(lambda: shown(slack)["status"] == "shown")

    assert [(e["event"], e["log_level"]) for e in told] == [
        ("record not presented", "warning")
    ]
    assert len(desk.openings) == 1


async def test_who_has_connected_nothing_is_asked_to_connect(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    url = "https://atom.example/connect/jira/acme?state=secret"
    connect = Card("Connect", buttons=(Button("Sign in", url=url),))
    desk.opens = Opened(Standing.UNAVAILABLE, "Not connected.", connect=connect)

    found = await opened(slack, place)

    assert (found["status"], found["auth_url"]) == ("auth", url)
    assert "state=secret" not in json.dumps(slack.messages())


@pytest.mark.parametrize(
    "reason",
    [
        (Standing.GONE, "No such record"),
        (Standing.FORBIDDEN, "Not for you"),
        (Standing.STALE, "Out of date"),
        (Standing.UNAVAILABLE, "Not to be reached"),
    ],
    ids=["gone", "forbidden", "stale", "unavailable"],
)
async def test_every_reason_for_nothing_is_shown_as_an_error_of_its_own(
    slack: Slack,
    pane: Flexpane,
    place: SlackCardPlace,
    desk: FakeDesk,
    reason: tuple[Standing, str],
) -> None:
    standing_, title = reason
    desk.opens = Opened(standing_, "Because of that.")

    found = await opened(slack, place)

    assert found["status"] == "error"
    assert found["error"]["custom_title"] == title
    assert found["error"]["custom_message"] == "Because of that."
    assert found["shown"] is None


async def test_a_slow_system_is_waited_for_and_found_by_a_refresh(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    """The trigger is used to say so; what came too late for it is not read again."""
    pane.patience = 0.01
    desk.go.clear()
    waiting = await opened(slack, place)
    assert "takes a while" in waiting["error"]["custom_title"]
    await eventually(lambda: [e["status"] for e in delivered(slack)] == [200])

    with capture_logs() as told:
        desk.go.set()
        await eventually(lambda: len(calls(slack)) == 2)
        await eventually(lambda: told)
    pane.patience = 20.0
    await slack.act(action="refresh_entity")
    await eventually(lambda: shown(slack)["status"] == "shown")

    assert [(e["event"], e["log_level"]) for e in told] == [
        ("record not presented", "info")
    ]
    assert "4711" in str(shown(slack)["shown"])
    assert len(desk.openings) == 1

    await slack.act(action="refresh_entity")  # shown once, it is read anew
    await eventually(lambda: len(desk.openings) == 2)


async def test_a_trigger_that_may_be_used_twice_is_used_twice(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    slack.world.settings.update({"slack.entity_trigger_uses": 2})
    pane.patience = 0.01
    desk.go.clear()
    await opened(slack, place)

    desk.go.set()

    await eventually(lambda: shown(slack)["status"] == "shown")
    assert len(desk.openings) == 1


async def test_somebody_else_does_not_find_what_came_too_late(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    pane.patience = 0.01
    desk.go.clear()
    await opened(slack, place)
    desk.go.set()
    await eventually(lambda: len(calls(slack)) == 2)
    desk.opens = Opened(Standing.FORBIDDEN, "Not you.")
    pane.patience = 20.0

    [ts] = [m["ts"] for m in slack.messages()]
    await slack.act(action="open_entity", ts=ts, user="U02BOB")

    panes = slack.world.slack.flexpanes
    await eventually(lambda: panes["U02BOB"]["status"] == "error")
    assert "4711" not in str(panes["U02BOB"])
    assert [a.person.id for a, _, _ in desk.openings] == ["U01ALICE", "U02BOB"]


async def test_what_nobody_comes_back_for_is_let_go_of(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    pane.patience, pane.kept = 0.01, 0.0
    desk.go.clear()
    await opened(slack, place)
    desk.go.set()
    await eventually(lambda: len(calls(slack)) == 2)
    await eventually(lambda: not pane._under_way)

    pane.patience = 20.0
    await slack.act(action="refresh_entity")

    await eventually(lambda: shown(slack)["status"] == "shown")
    assert len(desk.openings) == 2


async def test_a_trigger_that_ran_out_ends_quietly_with_a_line(
    slack: Slack, pane: Flexpane, place: SlackCardPlace
) -> None:
    slack.world.settings.update({"slack.entity_trigger_seconds": -1.0})
    ts = await standing(place)

    with capture_logs() as told:
        await slack.act(action="open_entity", ts=ts)
        await eventually(lambda: told)

    assert [(e["event"], e["reason"], e["log_level"]) for e in told] == [
        ("record not presented", "invalid_trigger_id", "info")
    ]
    assert shown(slack)["status"] == "asked"
    assert slack.whispers == []


async def test_what_slack_does_not_take_is_told_in_its_place(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    slack.world.settings.update({"slack.entity_trigger_uses": 2})
    ts = await standing(place)
    slack.world.settings.update({"slack.metadata_limit": 100})

    await slack.act(action="open_entity", ts=ts)

    await eventually(lambda: shown(slack)["status"] == "error")
    assert "My view" in shown(slack)["error"]["custom_message"]


async def test_a_desk_that_breaks_is_told_and_no_text_of_it(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    async def broken(*_: object) -> Opened:
        raise ValueError("secret")

    desk.opened = broken  # type: ignore[method-assign, assignment]

    found = await opened(slack, place)

    assert "Something went wrong" in found["error"]["custom_message"]
    assert "secret" not in str(found)


async def test_a_company_that_is_not_known_is_told_so(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    class Nobodys:
        async def tenant_of(self, platform: Platform, account: str) -> str | None:
            return None

    pane.tenants = Nobodys()

    found = await opened(slack, place)

    assert "not set up" in found["error"]["custom_title"]
    assert desk.openings == []


async def test_its_buttons_are_the_cards_own_and_work_where_they_stand(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    async def done(shown: Shown) -> None:
        await shown.finished("Approved.")

    desk.on_click = done
    await opened(slack, place)

    await slack.act(action="click_entity", value=TOKEN)
    [ts] = [m["ts"] for m in slack.messages()]
    await slack.act(action="click_entity", ts=ts, value=TOKEN)

    await eventually(lambda: len(slack.whispers) == 2)
    assert [token for _, token in desk.clicks] == [TOKEN, TOKEN]
    assert {asker.channel for asker, _ in desk.clicks} == {FALCON}
    assert {w["to"] for w in slack.whispers} == {"U01ALICE"}


async def test_a_button_of_the_pane_opens_a_form_as_elsewhere(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    desk.on_click = ask_for_form
    await opened(slack, place)

    await slack.act(action="click_entity", value=f"{TOKEN}e")

    await eventually(lambda: titles(slack) == ["Edit OPS-1"])


async def test_who_waits_while_atom_ends_does_no_harm(
    slack: Slack, pane: Flexpane, place: SlackCardPlace, desk: FakeDesk
) -> None:
    desk.go.clear()
    ts = await standing(place)
    await slack.act(action="open_entity", ts=ts)
    await eventually(lambda: desk.openings)

    await pane.aclose()

    assert calls(slack) == []
    assert not [t for t in asyncio.all_tasks() if "_opened" in str(t.get_coro())]
