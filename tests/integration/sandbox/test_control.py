"""The sandbox's own switches: state, settings, faults, journal, changes."""

import json

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox import Sandbox


async def test_reset_goes_back_to_the_seed_and_keeps_settings(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.set({"slack.post_burst": 77})
    await slack.chat_postMessage(channel="C02FALCON", text="x")
    await sandbox.fault("slack.*", "500")

    await sandbox.call("POST", "/sandbox/reset")

    _status, settings = await sandbox.call("GET", "/sandbox/settings")
    _status, faults = await sandbox.call("GET", "/sandbox/faults")
    assert (await sandbox.slack_channel("C02FALCON"))["messages"] == []
    assert settings["slack.post_burst"] == 77
    assert faults == []
    assert await sandbox.journal() == []


async def test_an_unknown_setting_or_fault_is_refused_by_name(sandbox: Sandbox) -> None:
    no_setting = await sandbox.call("POST", "/sandbox/settings", {"slack.no": 1})
    wrong_kind = await sandbox.call(
        "POST", "/sandbox/settings", {"slack.post_burst": "x"}
    )
    no_fault = await sandbox.call(
        "POST", "/sandbox/faults", {"on": "slack.*", "fault": "explode"}
    )

    assert no_setting == (400, {"ok": False, "error": "unknown setting 'slack.no'"})
    assert wrong_kind[1]["error"] == "setting 'slack.post_burst' takes a int"
    assert "unknown fault 'explode'" in no_fault[1]["error"]


async def test_an_impossible_act_is_refused_with_a_reason(sandbox: Sandbox) -> None:
    unknown = await sandbox.call("POST", "/sandbox/slack/act", {"action": "fly"})
    outside = await sandbox.call(
        "POST",
        "/sandbox/slack/act",
        {"action": "post", "user": "U02BOB", "channel": "C04BOARD", "text": "x"},
    )
    foreign = await sandbox.call(
        "POST", "/sandbox/slack/act", {"action": "post", "channel": "C02FALCON"}
    )

    assert unknown[1]["error"] == "unknown_action"
    assert outside == (400, {"ok": False, "error": "not_in_channel"})
    assert foreign == (400, {"ok": False, "error": "missing_user"})


async def test_changes_are_streamed_as_they_happen(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    async with (
        ClientSession() as session,
        session.get(f"{sandbox.base}/sandbox/changes") as stream,
    ):
        assert await stream.content.readline() == b": open\n"
        await slack.chat_postMessage(channel="C02FALCON", text="x")
        await stream.content.readline()
        line = await stream.content.readline()

    change = json.loads(line.removeprefix(b"data: "))
    assert (change["side"], change["kind"]) == ("slack", "message")
    assert change["message"]["text"] == "x"


async def test_the_journal_is_read_from_where_one_left_off(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await slack.auth_test()
    [first] = await sandbox.journal()
    await slack.team_info()

    [second] = await sandbox.journal(after=first["n"])

    assert second["call"] == "team.info"
