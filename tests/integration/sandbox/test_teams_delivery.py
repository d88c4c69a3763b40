"""What the sandbox's Teams tells the bot: activities, signed, and again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web

from bots.sandbox.teams.seed import BOT_APP_ID
from tests.sandbox import Delivered, Listener, Sandbox, eventually
from tests.sandbox_teams import (
    FALCON,
    GROUP,
    TEAM,
    Bot,
    arrived,
    asked,
    requests,
    said,
    teams_messages,
)

ISSUER = "https://api.botframework.com"


@pytest.fixture
async def impatient(sandbox: Sandbox) -> AsyncIterator[Sandbox]:
    """A sandbox that sends again soon."""
    await sandbox.set({"teams.answer_timeout": 0.2, "teams.second_layer_delay": 0.1})
    yield sandbox
    await sandbox.call("POST", "/sandbox/reset")


async def never(_: Delivered) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


async def checked(sandbox: Sandbox, token: str) -> dict[str, Any]:
    """Verify a token as the metadata says; return its claims."""
    metadata = await asked(
        "GET", f"{sandbox.base}/teams/openid/.well-known/openidconfiguration", ""
    )
    keys = (await asked("GET", metadata.body["jwks_uri"], "")).body["keys"]
    named = jwt.get_unverified_header(token)["kid"]
    key = next(one for one in keys if one["kid"] == named)
    assert key["endorsements"] == ["msteams"]
    claims: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(key).key,
        algorithms=metadata.body["id_token_signing_alg_values_supported"],
        audience=BOT_APP_ID,
        issuer=metadata.body["issuer"],
    )
    return claims


async def test_a_delivery_is_signed_with_a_published_key_for_its_service_url(
    sandbox: Sandbox, listener: Listener
) -> None:
    await said(sandbox, text="hi")

    request = (await requests(listener))[0]
    token = request.headers["Authorization"].removeprefix("Bearer ")
    claims = await checked(sandbox, token)
    assert request.path == "/api/messages"
    assert claims["serviceurl"] == request.json()["serviceUrl"]
    assert request.headers["x-ms-tenant-id"] == "7e4a4700-0000-4000-8000-000000000001"


async def test_a_root_message_looks_as_documented(
    sandbox: Sandbox, listener: Listener
) -> None:
    done = await said(
        sandbox,
        text="hi @Dave O'Neil",
        mentions=[{"id": "29:dave", "name": "Dave O'Neil"}],
    )

    activity = (await arrived(listener))[0]
    span = (
        '<span itemscope itemtype="http://schema.skype.com/Mention" itemid="0">'
        "Dave O'Neil</span>"
    )
    assert activity["type"] == "message"
    assert activity["id"] == done["id"]
    assert activity["text"] == "hi <at>Dave O'Neil</at>\n"
    assert activity["attachments"] == [
        {"contentType": "text/html", "content": f"<p>hi {span}</p>"}
    ]
    assert activity["entities"][0] == {
        "type": "mention",
        "text": "<at>Dave O'Neil</at>",
        "mentioned": {"id": "29:dave", "name": "Dave O'Neil"},
    }
    assert activity["from"] == {
        "id": "29:carol",
        "name": "Carol Díaz",
        "aadObjectId": "c0000000-0000-4000-8000-000000000001",
    }
    assert activity["conversation"] == {
        "isGroup": True,
        "conversationType": "channel",
        "tenantId": "7e4a4700-0000-4000-8000-000000000001",
        "id": f"{FALCON};messageid={done['id']}",
    }
    assert activity["channelData"] == {
        "teamsChannelId": FALCON,
        "teamsTeamId": TEAM,
        "channel": {"id": FALCON},
        "team": {"id": TEAM, "aadGroupId": GROUP},
        "tenant": {"id": "7e4a4700-0000-4000-8000-000000000001"},
    }
    assert "replyToId" not in activity


async def test_a_reply_names_its_root(sandbox: Sandbox, listener: Listener) -> None:
    root = (await said(sandbox, text="root"))["id"]
    reply = (await said(sandbox, action="reply", thread=root, text="re"))["id"]

    told = (await arrived(listener, 2))[1]
    assert (told["id"], told["replyToId"]) == (reply, root)
    assert told["conversation"]["id"] == f"{FALCON};messageid={root}"


async def test_mentioning_the_bot_puts_it_first(
    sandbox: Sandbox, listener: Listener
) -> None:
    await said(sandbox, text="help", mention_bot=True)

    told = (await arrived(listener))[0]
    assert told["text"] == "<at>ATOM</at> help\n"
    assert told["entities"][0]["mentioned"] == {
        "id": f"28:{BOT_APP_ID}",
        "name": "ATOM",
    }


async def test_an_edit_a_deletion_and_its_undoing_are_told_by_event_type(
    sandbox: Sandbox, listener: Listener
) -> None:
    one = (await said(sandbox, text="old"))["id"]
    for action in ("edit", "delete", "undelete"):
        await said(sandbox, action=action, message=one, text="new")

    told = (await arrived(listener, 4))[1:]
    kinds = [(one["type"], one["channelData"]["eventType"]) for one in told]
    assert kinds == [
        ("messageUpdate", "editMessage"),
        ("messageDelete", "softDeleteMessage"),
        ("messageUpdate", "undeleteMessage"),
    ]
    assert {activity["id"] for activity in told} == {one}
    assert [activity.get("text") for activity in told] == ["new\n", None, "new\n"]
    assert len({activity["timestamp"] for activity in told}) == 3


async def test_a_reaction_to_the_bots_message_is_told_without_a_name(
    sandbox: Sandbox, listener: Listener, bot: Bot
) -> None:
    sent = await bot.send(FALCON, text="x")
    for action in ("react", "unreact"):
        await said(sandbox, action=action, message=sent, reaction="heart")

    added, removed = await arrived(listener, 2)
    assert added["reactionsAdded"] == [{"type": "heart"}]
    assert removed["reactionsRemoved"] == [{"type": "heart"}]
    assert (added["type"], added["replyToId"]) == ("messageReaction", sent)
    assert "name" not in added["from"]


@pytest.mark.parametrize("told", [False, True])
async def test_a_reaction_to_a_persons_message_is_told_only_if_so_set(
    sandbox: Sandbox, listener: Listener, *, told: bool
) -> None:
    await sandbox.set({"teams.reactions_on_user_messages": told})
    theirs = (await said(sandbox, text="x"))["id"]

    done = await said(sandbox, action="react", message=theirs)

    assert done["told"] is told


async def test_the_bots_own_posts_are_not_told(
    sandbox: Sandbox, listener: Listener, bot: Bot
) -> None:
    sent = await bot.send(FALCON, text="mine")
    await bot.connect(
        "PUT",
        f"conversations/{FALCON}/activities/{sent}",
        {"type": "message", "text": "still mine"},
    )
    await said(sandbox, text="theirs")

    assert [one["text"] for one in await arrived(listener)] == ["theirs\n"]


async def test_without_consent_only_mentions_reach_the_bot(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"teams.rsc": False})

    unheard = await said(sandbox, text="chat")
    heard = await said(sandbox, text="help", mention_bot=True)

    assert (unheard["told"], heard["told"]) == (False, True)
    assert [one["id"] for one in await arrived(listener)] == [heard["id"]]


async def test_private_channels_and_other_teams_are_not_heard(
    sandbox: Sandbox, listener: Listener
) -> None:
    private = await said(sandbox, channel="19:board@thread.tacv2", text="secret")
    elsewhere = await said(sandbox, channel="19:labs@thread.tacv2", text="labs")

    assert (private["told"], elsewhere["told"]) == (False, False)


async def test_a_chat_with_the_bot_is_always_heard(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"teams.rsc": False})
    chat = (await sandbox.act_in_teams(action="chat", user="29:erin"))["channel"]

    await said(sandbox, user="29:erin", channel=chat, text="hello")

    told = (await arrived(listener))[0]
    assert told["conversation"]["id"] == chat
    assert told["conversation"]["conversationType"] == "personal"


async def test_installing_is_told_with_the_chosen_channel(
    sandbox: Sandbox, listener: Listener
) -> None:
    labs = "19:labs@thread.tacv2"
    await sandbox.act_in_teams(action="install", team=labs, user="29:dave")
    await said(sandbox, channel=labs, text="now heard")
    await sandbox.act_in_teams(action="uninstall", team=labs, user="29:dave")

    told = await arrived(listener, 5)
    kinds = [(one["type"], one.get("action")) for one in told]
    assert kinds[0] == ("installationUpdate", "add")
    assert told[0]["channelData"]["settings"] == {"selectedChannel": {"id": labs}}
    assert told[1]["membersAdded"] == [{"id": f"28:{BOT_APP_ID}"}]
    assert kinds[-1] == ("installationUpdate", "remove")


async def test_after_removal_sends_are_refused(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.act_in_teams(action="uninstall", team=TEAM, user="29:carol")

    answer = await bot.say("x")

    assert answer.status == 403
    assert answer.body["error"]["code"] == "BotNotInConversationRoster"


async def test_changes_of_channels_are_told_for_the_team(
    sandbox: Sandbox, listener: Listener
) -> None:
    made = await sandbox.act_in_teams(
        action="create_channel", team=TEAM, user="29:carol", name="Owls"
    )
    channel = made["channel"]
    await sandbox.act_in_teams(action="rename_channel", channel=channel, name="Hawks")
    await sandbox.act_in_teams(action="delete_channel", channel=channel)

    told = await arrived(listener, 3)
    assert [one["channelData"]["eventType"] for one in told] == [
        "channelCreated",
        "channelRenamed",
        "channelDeleted",
    ]
    assert {one["conversation"]["id"] for one in told} == {TEAM}
    assert told[1]["channelData"]["channel"] == {"id": channel, "name": "Hawks"}


async def test_a_click_is_answered_in_band_and_the_card_changes_for_that_person(
    sandbox: Sandbox, listener: Listener, bot: Bot
) -> None:
    async def card(_: Delivered) -> web.Response:
        return web.json_response(
            {
                "statusCode": 200,
                "type": "application/vnd.microsoft.card.adaptive",
                "value": {"type": "AdaptiveCard", "body": []},
            }
        )

    listener.answer = card
    sent = await bot.send(FALCON, text="card")

    done = await said(
        sandbox, action="invoke", message=sent, verb="atom", data={"command": "links"}
    )

    told = listener.got[0].json()
    assert (told["type"], told["name"]) == ("invoke", "adaptiveCard/action")
    assert told["value"]["action"] == {
        "type": "Action.Execute",
        "verb": "atom",
        "data": {"command": "links"},
    }
    assert (done["status"], done["body"]["statusCode"]) == (200, 200)
    views = (await teams_messages(sandbox))[0]["views"]
    assert views == {"29:carol": {"type": "AdaptiveCard", "body": []}}


async def test_without_an_answer_the_same_activity_comes_again(
    impatient: Sandbox, listener: Listener
) -> None:
    listener.answer = never

    await said(impatient, text="hi")

    first, second = await arrived(listener, 2)
    assert first == second


async def test_an_answer_of_any_status_ends_it_unless_so_set(
    impatient: Sandbox, listener: Listener
) -> None:
    async def failing(_: Delivered) -> web.Response:
        return web.Response(status=503)

    listener.answer = failing
    await said(impatient, text="one")
    await arrived(listener)
    await impatient.set({"teams.resend_statuses": [503]})
    await said(impatient, text="two")

    texts = [one["text"] for one in await arrived(listener, 3)]
    assert texts == ["one\n", "two\n", "two\n"]


async def test_an_invoke_comes_again_with_a_new_id_from_the_second_layer(
    impatient: Sandbox, listener: Listener, bot: Bot
) -> None:
    listener.answer = never
    sent = await bot.send(FALCON, text="card")

    done = await said(impatient, action="invoke", message=sent, verb="atom")

    told = await arrived(listener, 4)
    ids = [one["id"] for one in told]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert told[0]["timestamp"] != told[2]["timestamp"]
    assert told[0]["value"] == told[2]["value"]
    assert done["status"] == 0


async def test_nothing_of_before_is_sent_again_after_a_reset(
    sandbox: Sandbox, listener: Listener
) -> None:
    # Sent again at once when it is refused, and however slow the machine not before.
    patient = {"teams.answer_timeout": 60.0, "teams.resend_pause": 0.001}
    await sandbox.set(patient | {"teams.resend_statuses": [503], "teams.resends": 3})
    refusing = asyncio.Event()

    async def refused(_: Delivered) -> web.Response:
        await refusing.wait()
        return web.Response(status=503)

    listener.answer = refused
    await said(sandbox, text="before")
    await arrived(listener)

    await sandbox.call("POST", "/sandbox/reset")
    listener.answer = None
    refusing.set()
    await said(sandbox, text="after")
    await said(sandbox, text="last")

    await eventually(lambda: listener.got[-1].json()["text"] == "last\n")
    told = [one.json()["text"] for one in listener.got]
    assert told == ["before\n", "after\n", "last\n"]


async def test_nothing_of_before_is_sent_again_while_it_waited_for_its_turn(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"teams.answer_timeout": 0.3, "teams.resends": 3})
    listener.answer = never
    await said(sandbox, text="before")
    await arrived(listener)
    await said(sandbox, text="behind it")

    await sandbox.call("POST", "/sandbox/reset")
    told = len(listener.got)
    listener.answer = None
    await asyncio.sleep(1.0)  # three times as long as each copy waits
    await said(sandbox, text="after")

    await eventually(lambda: listener.got[-1].json()["text"] == "after\n")
    assert len(listener.got) == told + 1


async def test_activities_of_one_channel_come_in_order(
    sandbox: Sandbox, listener: Listener
) -> None:
    for number in range(20):
        await said(sandbox, text=str(number))

    told = await arrived(listener, 20)
    assert [one["text"].strip() for one in told] == [str(n) for n in range(20)]


async def test_faults_drop_double_reorder_and_hide_deliveries(
    impatient: Sandbox, listener: Listener
) -> None:
    await impatient.set({"teams.answer_timeout": 5.0})
    for fault, skip in (("drop", 0), ("duplicate", 0), ("reorder", 0)):
        await impatient.fault("teams.deliver", fault, skip=skip, seconds=10)

    for text in ("dropped", "doubled", "overtaken", "overtaking"):
        await said(impatient, text=text)

    told = [one["text"].strip() for one in await arrived(listener, 4)]
    assert sorted(told[:2]) == ["doubled", "doubled"]
    assert told[2:] == ["overtaking", "overtaken"]
    journal = await impatient.journal("deliver")
    assert [one["fault"] for one in journal if one["status"] == 0] == ["drop"]


async def test_an_answer_that_was_lost_brings_the_activity_again(
    impatient: Sandbox, listener: Listener
) -> None:
    await impatient.fault("teams.deliver", "reset_after", match={"channel": FALCON})

    await said(impatient, text="hi")

    first, second = await arrived(listener, 2)
    assert first == second


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"aud": "someone-else"}, jwt.InvalidAudienceError),
        ({"iss": "https://evil.example"}, jwt.InvalidIssuerError),
        ({"exp_in": -1000}, jwt.ExpiredSignatureError),
        ({"nbf_in": 1000}, jwt.ImmatureSignatureError),
        ({"key": "wrong"}, jwt.InvalidSignatureError),
        ({"alg": "none"}, jwt.InvalidAlgorithmError),
        ({"alg": "HS256"}, jwt.InvalidAlgorithmError),
        ({"omit": ["exp", "aud"]}, jwt.MissingRequiredClaimError),
    ],
)
async def test_bad_tokens_are_made_to_order(
    sandbox: Sandbox, wrong: dict[str, Any], error: type[jwt.PyJWTError]
) -> None:
    _, made = await sandbox.call("POST", "/sandbox/teams/token", wrong)

    with pytest.raises(error):
        await checked(sandbox, made["token"])


async def test_a_good_token_and_one_of_a_new_key_are_made_to_order(
    sandbox: Sandbox,
) -> None:
    _, before = await sandbox.call("POST", "/sandbox/teams/token", {})
    _, rotated = await sandbox.call("POST", "/sandbox/teams/keys", {})
    _, after = await sandbox.call("POST", "/sandbox/teams/token", {})

    assert (await checked(sandbox, before["token"]))["iss"] == ISSUER
    assert (await checked(sandbox, after["token"]))["aud"] == BOT_APP_ID
    assert jwt.get_unverified_header(after["token"])["kid"] == rotated["kid"]
