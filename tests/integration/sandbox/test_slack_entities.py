"""Work Objects in the sandbox's Slack: what it takes, keeps, opens and refuses."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.metadata import EntityMetadata, EventAndEntityMetadata
from slack_sdk.web.async_client import AsyncWebClient

from tests.integration.sandbox.test_slack_modals import payloads
from tests.sandbox import Listener, Sandbox, eventually

FALCON: dict[str, Any] = {"channel": "C02FALCON", "user": "U01ALICE"}
LINK = "https://acme.example/browse/OPS-1"
EVENT: dict[str, Any] = {"event_type": "card", "event_payload": {"id": "1"}}


def entity(**more: Any) -> dict[str, Any]:
    made = {
        "entity_type": "slack#/entities/item",
        "url": LINK,
        "external_ref": {"id": "1", "type": "issue"},
        "entity_payload": {
            "attributes": {"title": {"text": "It is down"}},
            "custom_fields": [
                {"key": "a", "label": "A", "type": "string", "value": "1"}
            ],
            "actions": {"primary_actions": [{"text": "Fix", "action_id": "fix"}]},
        },
    }
    return made | more


def payload(**more: Any) -> dict[str, Any]:
    return entity(entity_payload=entity()["entity_payload"] | more)


async def posted(slack: AsyncWebClient, *entities: dict[str, Any]) -> str:
    metadata = EVENT | {"entities": list(entities)}
    answer = await slack.chat_postMessage(
        channel="C02FALCON", text="card", metadata=metadata
    )
    return str(answer["ts"])


async def panes(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await sandbox.state())["slack"]["workspaces"][0][
        "flexpanes"
    ]
    return found


async def opened(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> dict[str, Any]:
    """Open an object's pane; returns the event that tells of it."""
    ts = await posted(slack, entity())
    await sandbox.act(action="open_entity", **FALCON, ts=ts)
    await eventually(lambda: listener.events("entity_details_requested"))
    event = listener.events("entity_details_requested")[-1]
    assert isinstance(event, dict)
    return event


async def test_a_posted_object_stands_with_its_message_and_goes_with_an_update(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    metadata = EventAndEntityMetadata(**EVENT, entities=[EntityMetadata(**entity())])
    answer = await slack.chat_postMessage(
        channel="C02FALCON", text="card", metadata=metadata
    )

    [message] = (await sandbox.slack_channel("C02FALCON"))["messages"][-1:]
    assert message["metadata"] == EVENT | {"entities": [entity()]}
    await slack.chat_update(
        channel="C02FALCON", ts=answer["ts"], text="card", metadata=EVENT
    )
    [message] = (await sandbox.slack_channel("C02FALCON"))["messages"][-1:]
    assert message["metadata"] == EVENT


async def test_an_object_stands_under_its_link_with_or_without_a_card(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    said = await sandbox.act(action="post", **FALCON, text=f"see {LINK}", typed=True)
    place = {"channel": "C02FALCON", "ts": said["ts"]}
    linked = entity(app_unfurl_url=LINK)

    await slack.chat_unfurl(**place, metadata={"entities": [linked]})
    await slack.chat_unfurl(
        **place, unfurls={LINK: {"text": "card"}}, metadata={"entities": [linked]}
    )

    messages = (await sandbox.slack_channel("C02FALCON"))["messages"]
    [message] = [one for one in messages if one["ts"] == said["ts"]]
    [attachment] = message["attachments"]
    assert (attachment["text"], attachment["entity"]) == ("card", linked)


WRONG: list[dict[str, Any]] = [
    entity(url=""),
    entity(external_ref={}),
    entity(entity_type="slack#/entities/cat"),
    payload(attributes={}),
    payload(custom_fields=[{"key": "a", "label": "A", "type": "string"}]),
    payload(custom_fields=[{"key": "a", "label": "", "type": "string", "value": "x"}]),
    payload(custom_fields=[{"key": "a", "label": "A", "type": "text", "value": "x"}]),
    payload(custom_fields=[*entity()["entity_payload"]["custom_fields"] * 2]),
    payload(actions={"primary_actions": [{"text": "A", "action_id": "a"}] * 3}),
    payload(actions={"overflow_actions": [{"text": "A", "action_id": "a"}] * 6}),
    payload(actions={"primary_actions": [{"text": "A" * 76, "action_id": "a"}]}),
    payload(attributes={"title": {"text": "x" * 9_000}}),
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
async def test_what_is_no_object_is_refused(
    slack: AsyncWebClient, wrong: dict[str, Any]
) -> None:
    with pytest.raises(SlackApiError, match="metadata"):
        await posted(slack, wrong)


async def test_an_object_under_a_link_has_to_name_it(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    said = await sandbox.act(action="post", **FALCON, text=f"see {LINK}", typed=True)
    place = {"channel": "C02FALCON", "ts": said["ts"]}

    with pytest.raises(SlackApiError, match="error_processing_metadata"):
        await slack.chat_unfurl(**place, metadata={"entities": [entity()]})
    other = entity(app_unfurl_url=f"{LINK}9")
    with pytest.raises(SlackApiError, match="cannot_unfurl_url"):
        await slack.chat_unfurl(**place, metadata={"entities": [other]})


async def test_a_workspace_may_refuse_objects_or_leave_them_out(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.set({"slack.work_objects": "refused"})
    with pytest.raises(SlackApiError, match="invalid_metadata_schema"):
        await posted(slack, entity())
    await sandbox.set({"slack.work_objects": "dropped"})

    answer = await slack.chat_postMessage(
        channel="C02FALCON", text="card", metadata=EVENT | {"entities": [entity()]}
    )

    assert answer["warning"] == "invalid_metadata_format"
    [message] = (await sandbox.slack_channel("C02FALCON"))["messages"][-1:]
    assert message["metadata"] == EVENT


async def test_who_opens_an_object_is_shown_what_the_app_presents(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    event = await opened(sandbox, slack, listener)
    assert event["external_ref"] == {"id": "1", "type": "issue"}
    assert (event["entity_url"], event["user"]) == (LINK, "U01ALICE")
    assert (event["channel"], event["link"]["domain"]) == ("C02FALCON", "acme.example")

    own = payload(attributes={"title": {"text": "For you"}})
    await slack.entity_presentDetails(trigger_id=event["trigger_id"], metadata=own)

    [pane] = await panes(sandbox)
    assert (pane["user"], pane["status"]) == ("U01ALICE", "shown")
    assert pane["shown"] == own


async def test_a_trigger_is_used_once(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    event = await opened(sandbox, slack, listener)
    trigger = event["trigger_id"]
    await slack.entity_presentDetails(trigger_id=trigger, metadata=entity())

    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await slack.entity_presentDetails(trigger_id=trigger, metadata=entity())
    await sandbox.act(action="refresh_entity", user="U01ALICE")
    await eventually(lambda: len(listener.events("entity_details_requested")) == 2)
    fresh = listener.events("entity_details_requested")[-1]["trigger_id"]
    await slack.entity_presentDetails(trigger_id=fresh, metadata=entity())


async def test_a_trigger_runs_out(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.entity_trigger_seconds": -1.0})
    event = await opened(sandbox, slack, listener)

    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await slack.entity_presentDetails(
            trigger_id=event["trigger_id"], metadata=entity()
        )


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"metadata": entity(external_ref={"id": "2"})}, "does_not_match_trigger"),
        ({"metadata": entity(url="")}, "invalid_arguments"),
        ({"user_auth_required": True}, "user_auth_url_missing"),
        ({"error": {"status": "sorry"}}, "invalid_arguments"),
        ({"error": {"status": "custom"}}, "invalid_arguments"),
        (
            {"metadata": payload(attributes={"title": {"text": "x" * 9_000}})},
            "invalid_metadata",
        ),
    ],
)
async def test_what_cannot_be_presented_is_refused(
    sandbox: Sandbox,
    slack: AsyncWebClient,
    listener: Listener,
    what: dict[str, Any],
    code: str,
) -> None:
    event = await opened(sandbox, slack, listener)

    with pytest.raises(SlackApiError, match=code):
        await slack.entity_presentDetails(trigger_id=event["trigger_id"], **what)


async def test_a_prompt_and_an_error_take_the_place_of_what_was_shown(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.entity_trigger_uses": 3})
    trigger = (await opened(sandbox, slack, listener))["trigger_id"]
    await slack.entity_presentDetails(trigger_id=trigger, metadata=entity())
    await slack.entity_presentDetails(
        trigger_id=trigger,
        user_auth_required=True,
        user_auth_url="https://atom.example/connect",
    )
    [asked] = await panes(sandbox)
    error = {"status": "custom", "custom_title": "No", "custom_message": "Not you."}
    await slack.entity_presentDetails(trigger_id=trigger, error=error)
    [refused] = await panes(sandbox)

    assert (asked["status"], asked["shown"]) == ("auth", None)
    assert asked["auth_url"] == "https://atom.example/connect"
    assert (refused["status"], refused["error"]) == ("error", error)
    assert refused["auth_url"] == ""


async def test_what_is_newer_than_the_rooms_preview_has_it_asked_for_again(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.link_domains": ["acme.example"]})
    said = await sandbox.act(action="post", **FALCON, text=f"see {LINK}", typed=True)
    await eventually(lambda: listener.events("link_shared"))
    await slack.chat_unfurl(
        channel="C02FALCON",
        ts=said["ts"],
        metadata={"entities": [entity(app_unfurl_url=LINK)]},
    )
    await sandbox.act(action="open_entity", **FALCON, ts=said["ts"])
    await eventually(lambda: listener.events("entity_details_requested"))
    [event] = listener.events("entity_details_requested")

    newer = {"title": {"text": "x"}, "metadata_last_modified": 1_700_000_000}
    await slack.entity_presentDetails(
        trigger_id=event["trigger_id"], metadata=payload(attributes=newer)
    )

    await eventually(lambda: len(listener.events("link_shared")) == 2)


@pytest.mark.parametrize("where", ["pane", "message"])
async def test_a_click_on_an_action_says_where_it_stands(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener, where: str
) -> None:
    event = await opened(sandbox, slack, listener)
    trigger = event["trigger_id"]
    await slack.entity_presentDetails(trigger_id=trigger, metadata=entity())

    at = {"ts": event["message_ts"]} if where == "message" else {}
    await sandbox.act(action="click_entity", **FALCON, **at, action_id="fix")

    [said] = payloads(listener, "block_actions")
    kinds = {"pane": "entity_detail", "message": "message_attachment"}
    assert said["container"]["type"] == kinds[where]
    assert said["container"]["external_ref"] == {"id": "1", "type": "issue"}
    assert said["channel"]["id"] == "C02FALCON"
    assert said["actions"][0]["action_id"] == "fix"
    assert said["trigger_id"]
