"""What people and owners do in the sandbox's Teams, and what is shown of it."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from bots.sandbox.teams.defaults import DEFAULTS
from tests.sandbox import Listener, Sandbox
from tests.sandbox_teams import FALCON, TEAM, Bot, arrived, said, teams_messages


async def test_the_seed_has_two_tenants_with_teams_people_and_the_bot(
    sandbox: Sandbox,
) -> None:
    teams = (await sandbox.state())["teams"]

    acme, globex = teams["tenants"]
    assert teams["bot"]["id"] == f"28:{teams['app_id']}"
    assert [one["name"] for one in acme["users"]] == [
        "Carol Díaz",
        "Dave O'Neil",
        "Erin Park",
        "Frank Moss",
    ]
    assert [one["name"] for one in acme["teams"]] == ["Acme", "Labs"]
    assert [one["installed"] for one in acme["teams"]] == [True, False]
    assert [one["id"] for one in acme["teams"][0]["channels"]] == [
        TEAM,
        FALCON,
        "19:random@thread.tacv2",
        "19:board@thread.tacv2",
    ]
    assert globex["teams"][0]["id"] == "19:globex@thread.tacv2"


@pytest.mark.parametrize(
    ("typed", "html", "text"),
    [
        ({"text": "a <b> & c"}, "<p>a &lt;b&gt; &amp; c</p>", "a <b> & c\n"),
        ({"text": "a\nb\n\nc"}, "<p>a<br>b</p><p>c</p>", "a\nb\nc\n"),
        ({"html": "x <b>y</b>"}, "<p>x <b>y</b></p>", "x y\n"),
        ({"html": "<ul><li>a</li><li>b</li></ul>"}, None, "a\nb\n"),
        ({"html": "<pre>a\n  b</pre>"}, None, "a\n  b\n"),
        ({"html": '<p><emoji alt="🙂"></emoji>!</p>'}, None, "🙂!\n"),
        ({"html": "<p>one</p>\n<p>two</p>"}, None, "one\ntwo\n"),
    ],
)
async def test_what_is_typed_is_html_with_a_plain_text_beside(
    sandbox: Sandbox, typed: dict[str, str], html: str | None, text: str
) -> None:
    await said(sandbox, **typed)

    message = (await teams_messages(sandbox))[0]
    assert message["html"] == (html or typed["html"])
    assert message["text"] == text


async def test_strange_text_goes_through_whole(
    sandbox: Sandbox, listener: Listener
) -> None:
    strange = "\x00 \ud83d alone \u202e \U0001f600"

    await said(sandbox, text=strange)

    told = (await arrived(listener))[0]
    assert told["attachments"][0]["content"] == f"<p>{strange}</p>"


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"text": ""}, "BadArgument"),
        ({"text": "x", "user": "29:nobody"}, "ConversationNotFound"),
        ({"text": "x", "user": "29:heidi"}, "ForbiddenOperation"),
        (
            {"text": "x", "channel": "19:board@thread.tacv2", "user": "29:erin"},
            "Forbidden",
        ),
        ({"action": "reply", "text": "x"}, "BadArgument"),
        ({"action": "edit", "message": "1", "text": "x"}, "ActivityNotFound"),
        ({"action": "dance"}, "unknown action"),
        ({"action": "upload", "content_base64": "?"}, "BadArgument"),
        (
            {"action": "create_channel", "team": TEAM, "kind": "odd"},
            "'odd' is not a valid Kind",
        ),
    ],
)
async def test_what_people_cannot_do_is_refused(
    sandbox: Sandbox, wish: dict[str, Any], error: str
) -> None:
    asked = {"action": "post", "user": "29:carol", "channel": FALCON, **wish}

    status, answer = await sandbox.call("POST", "/sandbox/teams/act", asked)

    assert (status, answer["ok"]) == (400, False)
    assert answer["error"].startswith(error)


async def test_people_change_only_their_own(sandbox: Sandbox) -> None:
    carols = (await said(sandbox, text="mine"))["id"]
    wish = {"action": "edit", "channel": FALCON, "message": carols, "text": "x"}

    status, _ = await sandbox.call(
        "POST", "/sandbox/teams/act", {**wish, "user": "29:dave"}
    )

    assert status == 400
    assert (await teams_messages(sandbox))[0]["text"] == "mine\n"


async def test_a_deleted_message_stays_in_the_state_and_comes_back(
    sandbox: Sandbox,
) -> None:
    one = (await said(sandbox, text="x"))["id"]
    await said(sandbox, action="delete", message=one)
    gone = (await teams_messages(sandbox))[0]
    await said(sandbox, action="undelete", message=one)
    back = (await teams_messages(sandbox))[0]

    assert (gone["deleted"], gone["text"]) == (True, "x\n")
    assert (back["deleted"], back["text"]) == (False, "x\n")


async def test_an_archived_team_takes_no_messages(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.act_in_teams(action="archive_team", team=TEAM)

    answer = await bot.say("x")

    assert answer.body["error"]["code"] == "ForbiddenOperationException"


async def test_a_reset_brings_the_seed_back_but_no_id_twice(sandbox: Sandbox) -> None:
    before = (await said(sandbox, text="x"))["id"]
    await sandbox.call("POST", "/sandbox/reset")
    after = (await said(sandbox, text="y"))["id"]

    assert [one["id"] for one in await teams_messages(sandbox)] == [after]
    assert int(after) > int(before)


async def test_changes_are_told_as_they_happen(sandbox: Sandbox) -> None:
    patience = ClientTimeout(total=15)
    async with (
        ClientSession(timeout=patience) as session,
        session.get(f"{sandbox.base}/sandbox/changes") as stream,
    ):
        await stream.content.readline()
        one = await said(sandbox, text="x")
        line = b""
        while not line.startswith(b"data: "):
            line = await stream.content.readline()

    assert json.loads(line.removeprefix(b"data: ")) == {
        "side": "teams",
        "kind": "message",
        "tenant": "7e4a4700-0000-4000-8000-000000000001",
        "team": TEAM,
        "channel": FALCON,
        "id": one["id"],
        "root": one["id"],
    }


async def test_any_activity_can_be_sent_raw(
    sandbox: Sandbox, listener: Listener
) -> None:
    await said(sandbox, action="raw", activity={"type": "odd", "text": "x"})

    told = (await arrived(listener))[0]
    assert (told["type"], told["text"]) == ("odd", "x")
    assert told["channelData"]["tenant"]["id"].startswith("7e4a4700")


async def test_a_cards_submit_is_a_message_with_a_value(
    sandbox: Sandbox, listener: Listener, bot: Bot
) -> None:
    card = await bot.send(FALCON, text="card")

    await said(sandbox, action="submit", message=card, data={"x": 1})

    told = (await arrived(listener))[0]
    assert (told["type"], told["value"], told["replyToId"]) == (
        "message",
        {"x": 1},
        card,
    )
    assert "text" not in told


@pytest.mark.parametrize("name", sorted(DEFAULTS))
async def test_every_uncertain_behaviour_is_a_setting_with_a_default(
    sandbox: Sandbox, name: str
) -> None:
    _, settings = await sandbox.call("GET", "/sandbox/settings")

    assert settings[name] == DEFAULTS[name]


@pytest.mark.parametrize(
    ("setting", "told"),
    [("all", True), ("none", False), ("mentioned", False)],
)
async def test_which_edits_are_told_is_a_setting(
    sandbox: Sandbox, setting: str, *, told: bool
) -> None:
    await sandbox.set({"teams.edit_events": setting})
    one = (await said(sandbox, text="x"))["id"]

    done = await said(sandbox, action="edit", message=one, text="y")

    assert done["told"] is told


async def test_escaped_text_and_missing_reply_ids_are_settings(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"teams.text_escaped": True, "teams.reply_to_id": False})
    root = (await said(sandbox, text="a < b"))["id"]
    await said(sandbox, action="reply", thread=root, text="x")

    first, second = await arrived(listener, 2)
    assert first["text"] == "a &lt; b\n"
    assert "replyToId" not in second


async def test_what_the_connector_accepts_is_set(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.set(
        {
            "teams.unknown_root": "new_root",
            "teams.private_channel_posts": True,
            "teams.split_text_and_card": False,
            "teams.bot_reactions": False,
            "teams.delete_twice": "accept",
            "teams.update_needs_thread": True,
        }
    )
    root = (await bot.say("x", f"{FALCON};messageid=1")).body["id"]
    reply = (await bot.say("re", f"{FALCON};messageid={root}")).body["id"]
    address = f"conversations/{FALCON}/activities"

    private = await bot.say("x", "19:board@thread.tacv2")
    reaction = await bot.connect("PUT", f"{address}/{root}/reactions/like")
    by_channel = await bot.connect("DELETE", f"{address}/{reply}")
    twice = [
        (await bot.connect("DELETE", f"{address}/{root}")).status for _ in range(2)
    ]

    assert private.status == 201
    assert reaction.status == 405
    assert by_channel.status == 404
    assert twice == [200, 200]


async def test_a_bot_that_an_admin_disabled_reaches_nothing(
    sandbox: Sandbox, bot: Bot
) -> None:
    await sandbox.set({"teams.bot_disabled": True})

    answer = await bot.say("x")

    assert answer.body["error"]["code"] == "BotDisabledByAdmin"


@pytest.mark.parametrize("honoured", [True, False])
async def test_speaking_for_somebody_is_honoured_only_if_so_set(
    sandbox: Sandbox, bot: Bot, *, honoured: bool
) -> None:
    await sandbox.set({"teams.on_behalf_of": honoured})
    alice = {"itemId": 0, "mentionType": "person", "displayName": "Alice"}

    await bot.connect(
        "POST",
        f"conversations/{FALCON}/activities",
        {"type": "message", "text": "x", "channelData": {"onBehalfOf": [alice]}},
    )

    shown = (await teams_messages(sandbox))[0]["on_behalf_of"]
    assert shown == ([alice] if honoured else [])


async def test_an_activity_may_lack_everything(
    sandbox: Sandbox, listener: Listener
) -> None:
    bare: dict[str, Any] = {
        "channelData": None,
        "conversation": {},
        "from": None,
        "id": 7,
    }

    done = await said(sandbox, action="raw", activity=bare)

    assert done["status"] == 200
    assert (await arrived(listener))[0]["conversation"] == {}


async def test_a_guest_may_have_a_members_address_and_another_name_to_sign_in(
    sandbox: Sandbox, bot: Bot
) -> None:
    await sandbox.act_in_teams(
        action="enroll",
        team=TEAM,
        member="29:guest",
        name="Gus Guest",
        email="carol@acme.example",
        signs_in_as="gus_else.example#EXT#@acme.example",
        role="guest",
    )

    found = await bot.connect("GET", f"conversations/{TEAM}/pagedmembers")
    *_, guest = found.body["members"]

    assert guest["email"] == "carol@acme.example"
    assert guest["userPrincipalName"] == "gus_else.example#EXT#@acme.example"
    assert (guest["name"], guest["userRole"]) == ("Gus Guest", "guest")


async def test_a_tag_is_mentioned_as_one(sandbox: Sandbox, listener: Listener) -> None:
    tag = {"id": "dGFn", "name": "On call", "type": "tag"}
    await said(sandbox, text="hi @On call", mentions=[tag])

    [activity] = await arrived(listener)

    [entity, *_] = activity["entities"]
    assert entity["mentioned"] == tag


async def test_whoever_writes_in_a_channel_sees_who_is_there(sandbox: Sandbox) -> None:
    path = "/sandbox/teams/members?channel="

    status, known = await sandbox.call("GET", f"{path}19:board@thread.tacv2")
    refused, _ = await sandbox.call("GET", f"{path}19:none@thread.tacv2")

    assert (status, refused) == (200, 404)
    assert known["members"] == [
        {"id": "29:carol", "name": "Carol Díaz", "avatar": "", "bot": False},
        {"id": "29:dave", "name": "Dave O'Neil", "avatar": "", "bot": False},
    ]
