"""Bolt's Socket Mode handler on the sandbox's sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.seed import APP_TOKEN, BOT_TOKEN
from tests.sandbox import Sandbox, eventually, settled

FALCON: dict[str, Any] = {"channel": "C02FALCON", "user": "U01ALICE"}


@asynccontextmanager
async def connected(sandbox: Sandbox, app: AsyncApp) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(
        app, APP_TOKEN, web_client=AsyncWebClient(base_url=sandbox.slack_api)
    )
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


def bolt(sandbox: Sandbox) -> AsyncApp:
    client = AsyncWebClient(BOT_TOKEN, base_url=sandbox.slack_api)
    return AsyncApp(token=BOT_TOKEN, client=client, process_before_response=True)


async def test_events_and_commands_come_over_the_socket(sandbox: Sandbox) -> None:
    heard: list[str] = []
    app = bolt(sandbox)

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    @app.command("/atom")
    async def command(ack: Any, body: dict[str, Any]) -> None:
        await ack(f"you said {body['text']}")

    async with connected(sandbox, app):
        await sandbox.act(action="post", **FALCON, text="hello")
        answer = await sandbox.act(action="command", **FALCON, args="help")
        await eventually(lambda: heard)

    workspace = (await sandbox.state())["slack"]["workspaces"][0]
    assert heard == ["hello"]
    assert answer["answer"]["text"] == "you said help"
    assert workspace["ephemerals"][0]["text"] == "you said help"


async def test_what_is_not_acknowledged_comes_again(sandbox: Sandbox) -> None:
    await sandbox.set(
        {"slack.answer_timeout": 0.2, "slack.retry_delays": [0.0, 0.0, 0.0]}
    )
    tries: list[dict[str, Any]] = []
    app = bolt(sandbox)

    @app.event("message")
    async def fail_once(request: Any) -> None:
        tries.append(dict(request.headers))
        if len(tries) == 1:
            raise RuntimeError

    async with connected(sandbox, app):
        await sandbox.act(action="post", **FALCON, text="hello")
        await eventually(lambda: len(tries) == 2)

    assert tries[1]["x-slack-retry-num"] == ["1"]


async def test_a_client_that_is_told_to_go_comes_back(sandbox: Sandbox) -> None:
    heard: list[str] = []
    app = bolt(sandbox)

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    async with connected(sandbox, app):
        await sandbox.act(action="disconnect", reason="refresh_requested")

        async def back() -> bool:
            await sandbox.act(action="post", **FALCON, text="again")
            return bool(heard)

        await settled(back)

    assert set(heard) == {"again"}
    assert len(await sandbox.journal("apps.connections.open")) >= 2


async def test_without_a_socket_http_is_used_unless_forbidden(
    sandbox: Sandbox,
) -> None:
    await sandbox.set({"slack.delivery": "socket", "slack.retry_delays": []})

    await sandbox.act(action="post", **FALCON, text="hello")

    async def tried() -> bool:
        return bool(await sandbox.journal("deliver"))

    await settled(tried)
    assert (await sandbox.journal("deliver"))[0]["answer"] == "connection_failed"


async def test_a_socket_is_warned_before_its_time_is_up(sandbox: Sandbox) -> None:
    await sandbox.set(
        {"slack.socket_seconds": 0.2, "slack.socket_warning_seconds": 0.1}
    )
    client = AsyncWebClient(APP_TOKEN, base_url=sandbox.slack_api)
    url = str((await client.apps_connections_open(app_token=APP_TOKEN))["url"])

    async with ClientSession() as session, session.ws_connect(url) as socket:
        said = [(await socket.receive_json(timeout=10)) for _ in range(3)]
        ended = await socket.receive(timeout=10)

    assert said[0]["type"] == "hello"
    assert said[0]["connection_info"] == {"app_id": "A01ATOM"}
    assert [one.get("reason") for one in said[1:]] == ["warning", "refresh_requested"]
    assert ended.type is WSMsgType.CLOSE


async def test_a_socket_ticket_is_good_once(sandbox: Sandbox) -> None:
    client = AsyncWebClient(APP_TOKEN, base_url=sandbox.slack_api)
    url = str((await client.apps_connections_open(app_token=APP_TOKEN))["url"])

    async with ClientSession() as session:
        async with session.ws_connect(url):
            pass
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(url)
