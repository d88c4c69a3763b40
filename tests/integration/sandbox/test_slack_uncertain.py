"""Behaviour that nobody is sure of is a setting, and each way works."""

from collections.abc import Awaitable
from typing import Any

import pytest
from aiohttp import ClientSession, web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox import Delivered, Listener, Sandbox, eventually

FALCON: dict[str, Any] = {"channel": "C02FALCON"}
ALICE: dict[str, Any] = {**FALCON, "user": "U01ALICE"}
MARK = {"event_type": "atom_bridge", "event_payload": {"op": "1"}}


async def test_a_growing_thread_can_change_its_root(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set(
        {"slack.reply_counter_changes": True, "slack.message_replied_events": True}
    )
    root = await sandbox.act(action="post", **ALICE, text="root")

    await sandbox.act(action="reply", **ALICE, text="r", thread_ts=root["ts"])

    await eventually(lambda: len(listener.got) == 4)
    _root, _reply, replied, changed = listener.events()
    assert replied["subtype"] == "message_replied"
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["reply_count"] == 1
    assert "edited" not in changed["message"]


async def test_a_link_can_get_a_preview_and_be_announced(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set(
        {"slack.link_unfurls": True, "slack.link_domains": ["acme.example"]}
    )

    await sandbox.act(
        action="post", **ALICE, text="https://docs.acme.example/x", typed=True
    )

    await eventually(lambda: len(listener.got) == 3)
    _said, shared, changed = listener.events()
    assert shared["links"] == [
        {"domain": "acme.example", "url": "https://docs.acme.example/x"}
    ]
    assert "edited" not in changed["message"]
    assert changed["message"]["attachments"][0]["from_url"].endswith("/x")


async def test_metadata_can_ride_on_events_and_have_its_own(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await slack.chat_postMessage(**FALCON, text="quiet", metadata=MARK)
    await sandbox.set(
        {"slack.events_carry_metadata": True, "slack.metadata_events": True}
    )

    await slack.chat_postMessage(**FALCON, text="loud", metadata=MARK)

    await eventually(lambda: len(listener.got) == 3)
    quiet, loud, posted = listener.events()
    assert "metadata" not in quiet
    assert loud["metadata"] == posted["metadata"] == MARK
    assert posted["type"] == "message_metadata_posted"


async def test_a_bots_update_may_leave_no_mark(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    ts = (await slack.chat_postMessage(**FALCON, text="a"))["ts"]
    await sandbox.set({"slack.bot_update_marks_edited": False})

    answer = await slack.chat_update(**FALCON, ts=ts, text="b")

    assert "edited" not in answer["message"]


async def test_edit_times_may_be_as_fine_as_messages(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"slack.edited_ts_whole_seconds": False})
    said = await sandbox.act(action="post", **ALICE, text="a")

    edits = [
        (await sandbox.act(action="edit", **ALICE, ts=said["ts"], text=text))["edited"]
        for text in ("b", "c")
    ]

    assert said["ts"] < edits[0] < edits[1]


async def test_an_edit_window_can_close(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    ts = (await slack.chat_postMessage(**FALCON, text="a"))["ts"]
    await sandbox.set({"slack.edit_window_seconds": -1.0})

    with pytest.raises(SlackApiError, match="edit_window_closed"):
        await slack.chat_update(**FALCON, ts=ts, text="b")


async def test_a_text_may_come_without_blocks(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.set({"slack.text_gets_blocks": False})

    answer = await slack.chat_postMessage(**FALCON, text="a")

    assert "blocks" not in answer["message"]


async def test_a_bots_file_may_come_without_its_bot_id(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.file_share_has_bot_id": False})

    await slack.files_upload_v2(**FALCON, content=b"x", filename="a.txt")

    await eventually(lambda: listener.events("message"))
    event = listener.events("message")[0]
    assert event["user"] == "UATOM"
    assert "bot_id" not in event


async def test_an_empty_tombstone_may_stay(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.set({"slack.tombstone_vanishes": False})
    root = await sandbox.act(action="post", **ALICE, text="root")
    reply = await sandbox.act(action="reply", **ALICE, text="r", thread_ts=root["ts"])

    await sandbox.act(action="delete", **ALICE, ts=root["ts"])
    await sandbox.act(action="delete", **ALICE, ts=reply["ts"])

    history = await slack.conversations_history(**FALCON)
    assert [one["subtype"] for one in history["messages"]] == ["tombstone"]


async def test_a_grown_thread_may_not_say_what_it_is(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set(
        {
            "slack.message_replied_events": True,
            "slack.message_replied_has_subtype": False,
        }
    )
    root = await sandbox.act(action="post", **ALICE, text="root")

    await sandbox.act(action="reply", **ALICE, text="r", thread_ts=root["ts"])

    await eventually(lambda: len(listener.got) == 3)
    replied = listener.events()[2]
    assert "subtype" not in replied
    assert replied["message"]["ts"] == root["ts"]


async def test_a_bot_under_a_name_of_its_own_may_be_told_without_it(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.bot_message_has_username": False})

    await slack.chat_postMessage(**FALCON, text="a", username="Carol (Teams)")

    await eventually(lambda: listener.events("message"))
    event = listener.events("message")[0]
    assert event["subtype"] == "bot_message"
    assert "username" not in event


@pytest.mark.parametrize("taken", [True, False])
async def test_a_file_may_be_shared_under_another_name_or_not(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener, *, taken: bool
) -> None:
    await sandbox.set({"slack.file_share_has_username": taken})
    room = await slack.files_getUploadURLExternal(filename="a.txt", length=1)
    async with ClientSession() as session:
        await session.post(str(room["upload_url"]), data=b"x")

    await slack.api_call(
        "files.completeUploadExternal",
        json={"files": [{"id": room["file_id"]}], "channel_id": "C02FALCON"}
        | {"username": "Carol (Teams)"},
    )

    await eventually(lambda: listener.events("message"))
    assert ("username" in listener.events("message")[0]) is taken


async def test_files_in_events_may_lack_their_addresses(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.event_files_have_urls": False})

    sent = await slack.files_upload_v2(**FALCON, content=b"x", filename="a.txt")

    await eventually(lambda: listener.events("message"))
    (file,) = listener.events("message")[0]["files"]
    assert not [name for name in file if name.startswith("url_")]
    asked = await slack.files_info(file=str(sent["file"]["id"]))
    assert asked["file"]["url_private"]


@pytest.mark.parametrize("error", ["", "internal_error"])
async def test_a_files_comment_may_take_markdown_or_not(
    sandbox: Sandbox, slack: AsyncWebClient, error: str
) -> None:
    await sandbox.set({"slack.file_comments_take_markdown": not error})
    room = await slack.files_getUploadURLExternal(filename="a.txt", length=1)
    async with ClientSession() as session:
        await session.post(str(room["upload_url"]), data=b"x")

    answer = await _code(
        slack.api_call(
            "files.completeUploadExternal",
            json={"files": [{"id": room["file_id"]}], "channel_id": "C02FALCON"}
            | {"blocks": [{"type": "markdown", "text": "**x**"}]},
        )
    )

    assert answer == error


@pytest.mark.parametrize("visible", [True, False])
async def test_people_of_another_company_may_be_looked_up_or_not(
    sandbox: Sandbox, slack: AsyncWebClient, *, visible: bool
) -> None:
    await sandbox.act(
        action="connect", **FALCON, **{"with": "T02GLOBEX"}, members=["U11GRACE"]
    )
    await sandbox.set({"slack.strangers_are_visible": visible})

    answer = await _code(slack.users_info(user="U11GRACE"))

    assert answer == ("" if visible else "user_not_visible")


async def test_events_may_come_again_long_after(
    sandbox: Sandbox, listener: Listener
) -> None:
    async def unavailable(_delivered: Delivered) -> web.Response:
        return web.Response(status=503)

    listener.answer = unavailable
    await sandbox.set({"slack.retry_delays": [0.0], "slack.delayed_events": [0.0, 0.0]})

    await sandbox.act(action="post", **ALICE, text="x")

    await eventually(lambda: len(listener.got) == 4)
    assert len({one.json()["event_id"] for one in listener.got}) == 1


async def _code(call: Awaitable[object]) -> str:
    """Return the error that a call is refused with, nothing if it is not."""
    try:
        await call
    except SlackApiError as error:
        return str(error.response["error"])
    return ""
