"""Files in the sandbox's Slack, by Slack's client."""

from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.seed import BOT_TOKEN
from tests.sandbox import Listener, Sandbox, eventually, settled

FALCON: dict[str, Any] = {"channel": "C02FALCON"}
PIXEL = "iVBORw0KGgo="


async def fetched(url: str, token: str) -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_the_client_uploads_and_the_channel_sees_it(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    answer = await slack.files_upload_v2(
        **FALCON, content=b"bytes", filename="a.txt", initial_comment="look"
    )

    await eventually(lambda: len(listener.events()) == 2)
    message, shared = listener.events()
    file = answer["file"]
    assert (message["subtype"], message["text"]) == ("file_share", "look")
    assert message["files"][0]["id"] == shared["file_id"] == file["id"]
    info = (await slack.files_info(file=file["id"]))["file"]
    assert info["shares"]["public"]["C02FALCON"][0]["ts"] == message["ts"]
    assert info["mimetype"] == "text/plain"


def test_the_blocking_client_uploads_too(sandbox: Sandbox) -> None:
    client = WebClient(BOT_TOKEN, base_url=sandbox.slack_api)

    answer = client.files_upload_v2(**FALCON, content="text", filename="a.txt")

    assert answer["ok"]


async def test_a_share_can_come_late(sandbox: Sandbox, slack: AsyncWebClient) -> None:
    await sandbox.set({"slack.file_share_delay": 0.3})

    answer = await slack.files_upload_v2(**FALCON, content=b"x", filename="a.txt")
    before = (await slack.files_info(file=answer["file"]["id"]))["file"]["shares"]

    async def shared() -> bool:
        info = await slack.files_info(file=answer["file"]["id"])
        return bool(info["file"]["shares"])

    await settled(shared)
    assert before == {}


async def test_the_announced_length_counts(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    announced = await slack.files_getUploadURLExternal(filename="a.txt", length=3)

    async with ClientSession() as session:
        wrong = await session.post(announced["upload_url"], data=b"four")
        again = await session.post(announced["upload_url"], data=b"abc")

    assert (wrong.status, again.status) == (400, 404)
    with pytest.raises(SlackApiError, match="file_not_found"):
        await slack.files_completeUploadExternal(files=[{"id": announced["file_id"]}])


async def test_a_persons_file_is_told_and_downloaded_with_the_token(
    sandbox: Sandbox, listener: Listener
) -> None:
    said = await sandbox.act(
        action="upload",
        user="U01ALICE",
        **FALCON,
        name="a.png",
        text="see",
        content_base64=PIXEL,
    )

    await eventually(lambda: len(listener.events()) == 2)
    message = listener.events("message")[0]
    url = message["files"][0]["url_private_download"]
    assert (message["subtype"], message["ts"]) == ("file_share", said["ts"])
    assert await fetched(url, BOT_TOKEN) == (200, "image/png", b"\x89PNG\r\n\x1a\n")
    status, kind, body = await fetched(url, "")
    assert (status, kind) == (200, "text/html")
    assert b"Sign in" in body


async def test_bytes_may_be_late_and_downloads_may_fail(sandbox: Sandbox) -> None:
    await sandbox.set({"slack.file_ready_delay": 60.0})
    said = await sandbox.act(
        action="upload", user="U01ALICE", **FALCON, name="a.txt", content="hi"
    )
    url = f"{sandbox.base}/slack/files/files-pri/T01ACME-{said['file']}/a.txt"

    early = await fetched(url, BOT_TOKEN)
    await sandbox.set({"slack.file_ready_delay": 0.0})
    await sandbox.fault("slack.download", "503")
    failed = await fetched(url, BOT_TOKEN)
    good = await fetched(url, BOT_TOKEN)

    assert early[1] == "text/html"
    assert failed[0] == 503
    assert good[2] == b"hi"


async def test_a_file_where_the_bot_is_not_is_hidden(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    said = await sandbox.act(
        action="upload", user="U01ALICE", channel="C04BOARD", name="a", content="x"
    )

    with pytest.raises(SlackApiError, match="file_not_found"):
        await slack.files_info(file=said["file"])


async def test_a_deleted_file_leaves_a_tombstone(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    said = await sandbox.act(
        action="upload", user="U01ALICE", **FALCON, name="a", content="x"
    )
    await sandbox.act(action="delete_file", file=said["file"])

    await eventually(lambda: listener.events("file_deleted"))
    history = await slack.conversations_history(**FALCON)
    assert history["messages"][0]["files"] == [
        {"id": said["file"], "mode": "tombstone"}
    ]
    with pytest.raises(SlackApiError, match="file_deleted"):
        await slack.files_info(file=said["file"])


async def test_one_message_may_share_several_files_and_tell_another_size(
    sandbox: Sandbox, listener: Listener
) -> None:
    one = {"name": "a.txt", "content": "ab", "repeat": 3}
    two = {"name": "b.iso", "content": "x", "size": 2_000_000_000}
    who = {"workspace": "T01ACME", "user": "U01ALICE", **FALCON}

    done = await sandbox.act(action="upload", **who, files=[one, two])

    await eventually(lambda: listener.events("message"))
    [message] = listener.events("message")
    assert [file["id"] for file in message["files"]] == done["files"]
    assert [file["size"] for file in message["files"]] == [6, 2_000_000_000]
    url = message["files"][0]["url_private"]
    assert await fetched(url, BOT_TOKEN) == (200, "text/plain", b"ababab")


async def test_a_page_can_be_ordered_in_the_place_of_a_file(
    sandbox: Sandbox, listener: Listener
) -> None:
    who = {"workspace": "T01ACME", "user": "U01ALICE", **FALCON}
    await sandbox.act(action="upload", **who, name="a.txt", content="ab")
    await eventually(lambda: listener.events("message"))
    url = listener.events("message")[0]["files"][0]["url_private"]
    await sandbox.fault("slack.download", "page")

    status, kind, content = await fetched(url, BOT_TOKEN)

    assert (status, kind) == (200, "text/html")
    assert b"<html>" in content
    assert (await fetched(url, BOT_TOKEN))[2] == b"ab"
