"""What happens, in which order, to what Teams tells."""

import asyncio
import json
from typing import Any

import pytest

from bots.spooling import Spooling
from bridge.messages import EventKind
from storage.spool import SpoolFolder
from tests.integration.teams.door import Door
from tests.teams_server import Said
from tests.teams_world import (
    FALCON,
    TEAM,
    TENANT,
    recorded,
)


async def test_message_is_durable_before_the_200(door: Door) -> None:
    status, _ = await door.deliver(recorded("channel_message"))

    assert status == 200
    (event,) = door.intake.events.values()
    assert event.kind is EventKind.MESSAGE_CREATE
    assert json.loads(event.raw)["id"] == event.message


async def test_trap_unknown_fields_survive_in_the_raw_body(door: Door) -> None:
    body = json.dumps(
        recorded("channel_message", serviceUrl=door.teams.url, brandNew={"a": [1]})
    ).encode()

    await door.send(body)

    (event,) = door.intake.events.values()
    assert event.raw == body


async def test_without_the_store_there_is_no_200_and_nothing_happens(
    door: Door,
) -> None:
    door.intake.stopped = True

    status, _ = await door.deliver(recorded("command"))

    assert status == 503
    assert door.command.asked == []
    assert door.teams.paths("POST") == []

    door.intake.stopped = False
    assert (await door.deliver(recorded("command")))[0] == 200
    assert len(door.command.asked) == 1


async def test_command_is_captured_and_answered_in_its_thread(door: Door) -> None:
    status, _ = await door.deliver(recorded("command"))

    assert status == 200
    assert door.intake.kinds == ["admin.command"]
    (request,) = door.command.asked
    assert (request.tenant, request.channel, request.text) == (
        "acme",
        FALCON,
        "link ATOM docs",
    )
    (reply,) = [call for call in door.teams.calls if call.method == "POST"]
    conversation = f"{FALCON.id};messageid=1700000001000"
    assert reply.path == f"/v3/conversations/{conversation}/activities"
    (attachment,) = reply.json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "did link ATOM docs" in json.dumps(attachment["content"])


async def test_command_that_is_sent_again_is_done_once(door: Door) -> None:
    await door.deliver(recorded("command"))
    status, _ = await door.deliver(recorded("command"))

    assert status == 200
    assert len(door.command.asked) == 1
    assert len(door.teams.paths("POST")) == 1


async def test_answer_that_teams_did_not_take_is_sent_again_and_a_lost_one_not(
    door: Door,
) -> None:
    door.teams.answer(
        "POST activities", Said(429, headers={"Retry-After": "0"}), Said(502)
    )

    status, _ = await door.deliver(recorded("command"))

    assert status == 200
    assert len(door.teams.paths("POST")) == 2


async def test_trap_button_is_answered_in_the_response(door: Door) -> None:
    value = recorded("card_button")["value"]
    value["action"]["data"]["command"] = "link again"

    status, body = await door.deliver(recorded("card_button", value=value))

    assert (status, body["statusCode"]) == (200, 200)
    assert body["type"] == "application/vnd.microsoft.card.adaptive"
    assert "did link again" in json.dumps(body["value"])
    assert door.intake.kinds == ["card.action"]
    assert door.teams.paths("POST") == []


async def test_button_that_is_not_atoms_is_answered_with_an_error(door: Door) -> None:
    value = {"action": {"type": "Action.Execute", "verb": "other", "data": "x"}}

    status, body = await door.deliver(recorded("card_button", value=value))

    assert (status, body["statusCode"]) == (200, 400)
    assert door.command.asked == []


@pytest.mark.parametrize("value", [None, "text", [], {"action": "x"}, {"action": []}])
async def test_button_of_any_shape_is_answered(door: Door, value: Any) -> None:
    status, body = await door.deliver(recorded("card_button", value=value))

    assert (status, body["statusCode"]) == (200, 400)


async def test_invoke_that_atom_does_not_know_is_not_implemented(door: Door) -> None:
    status, _ = await door.deliver(recorded("card_button", name="task/fetch"))

    assert status == 501
    assert door.intake.kinds == ["card.action"]


async def test_trap_click_that_was_done_before_is_answered_in_words(door: Door) -> None:
    """botbuilder cannot write an answer whose value is a text."""
    await door.deliver(recorded("card_button"))

    status, body = await door.deliver(recorded("card_button"))

    assert status == 200
    assert body == {
        "statusCode": 200,
        "type": "application/vnd.microsoft.activity.message",
        "value": "This was done already.",
    }


async def test_trap_click_that_both_layers_repeat_is_done_once(door: Door) -> None:
    door.command.go.clear()
    value = recorded("card_button")["value"]
    value["action"]["data"]["command"] = "link x"
    first = recorded("card_button", value=value)
    again = recorded("card_button", value=value, id="f:new")
    clicks = [
        asyncio.ensure_future(door.deliver(each)) for each in (first, first, again)
    ]
    async with asyncio.timeout(60):
        while not door.command.asked:  # another server's state
            await asyncio.sleep(0.01)

    door.command.go.set()
    answers = await asyncio.gather(*clicks)

    assert [status for status, _ in answers] == [200, 200, 200]
    assert answers[0] == answers[1] == answers[2]
    assert len(door.command.asked) == 1


async def test_installation_is_kept_and_its_channels_learned(door: Door) -> None:
    listed = [{"id": FALCON.id, "name": "Project Falcon"}, {"id": TEAM, "name": None}]
    door.teams.answer("GET conversations", Said(body={"conversations": listed}))

    status, _ = await door.deliver(recorded("installed"))

    assert status == 200
    assert door.intake.kinds == ["app.install"]
    assert [(p.account, p.team, p.name) for p in door.installed] == [
        (TENANT, TEAM, "Acme")
    ]
    assert door.places.kept[TEAM, FALCON.id].name == "Project Falcon"
    assert door.places.kept[TEAM, TEAM].name == "General"


async def test_installation_counts_even_if_the_channels_cannot_be_learned(
    door: Door,
) -> None:
    door.teams.answer("GET conversations", Said(500))

    assert (await door.deliver(recorded("installed")))[0] == 200
    assert len(door.installed) == 1


async def test_rename_is_remembered(door: Door) -> None:
    await door.deliver(recorded("channel_message"))
    await door.deliver(recorded("channel_renamed"))

    place = door.places.kept[TEAM, FALCON.id]
    assert place.name == "Project Falcon 2"
    assert place.service_url == door.teams.url


async def test_trap_members_joining_asks_teams_for_nothing(door: Door) -> None:
    status, _ = await door.deliver(recorded("member_added"))

    assert status == 200
    assert door.intake.kinds == ["member.join"]
    assert door.teams.paths("GET") == ["/openid", "/keys"]


async def test_account_of_no_company_leaves_nothing_behind(door: Door) -> None:
    door.intake.foreign = True
    before = dict(door.places.kept)

    assert (await door.deliver(recorded("command")))[0] == 200

    assert door.command.asked == []
    assert door.places.kept == before


async def test_with_a_spool_messages_wait_in_order_and_commands_do_not(
    door: Door, spooling: Spooling
) -> None:
    spooling.folder = SpoolFolder(spooling.folder.home, 100_000)
    door.intake.stopped = True
    assert (await door.deliver(recorded("channel_message")))[0] == 200
    assert (await door.deliver(recorded("command")))[0] == 503

    door.intake.stopped = False
    assert (await door.deliver(recorded("thread_reply")))[0] == 200
    assert (await door.deliver(recorded("command")))[0] == 200
    assert [e.via for e in door.intake.events.values()] == ["push"]
    job = asyncio.create_task(spooling.run())
    async with asyncio.timeout(10):
        while spooling.waits:
            await asyncio.sleep(0.01)
    job.cancel()

    assert [e.via for e in door.intake.events.values()] == ["push", "spool", "spool"]
