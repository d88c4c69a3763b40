"""The connector's REST API, called with botframework's own client and by hand."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from botbuilder.schema import (
    Activity,
    ChannelAccount,
    ConversationParameters,
    ErrorResponseException,
)
from botframework.connector.teams import TeamsConnectorClient

from bots.sandbox.teams.seed import ACME, BOT_APP_ID, OTHER_APP_ID, OTHER_PASSWORD
from tests.sandbox import Sandbox
from tests.sandbox_teams import (
    BOT_SCOPE,
    FALCON,
    TEAM,
    Bot,
    GivenToken,
    asked,
    said,
    teams_messages,
    token_answer,
)

CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {"type": "AdaptiveCard", "version": "1.4", "body": []},
}


def thread(root: str) -> str:
    return f"{FALCON};messageid={root}"


async def test_a_post_to_the_channel_starts_a_thread(
    sandbox: Sandbox, bot: Bot
) -> None:
    sent = await bot.send(FALCON, text="<p>hi</p>", text_format="xml")

    message = (await teams_messages(sandbox))[0]
    assert (message["id"], message["root"], message["is_root"]) == (sent, sent, True)
    assert (message["html"], message["text"]) == ("<p>hi</p>", "hi\n")
    assert message["author"] == {
        "id": f"28:{BOT_APP_ID}",
        "name": "ATOM",
        "is_bot": True,
    }


async def test_a_post_to_the_thread_is_a_reply(sandbox: Sandbox, bot: Bot) -> None:
    root = (await said(sandbox, text="root"))["id"]

    reply = await bot.send(thread(root), text="answer")

    message = (await teams_messages(sandbox))[1]
    assert (message["id"], message["root"], message["is_root"]) == (reply, root, False)


async def test_a_reply_id_alone_starts_a_new_thread_whatever_it_names(
    sandbox: Sandbox, bot: Bot
) -> None:
    activity = Activity(type="message", text="x", reply_to_id="1")

    await asyncio.to_thread(
        bot.connector.conversations.reply_to_activity, FALCON, "no-such-id", activity
    )

    assert [one["is_root"] for one in await teams_messages(sandbox)] == [True]


async def test_escaped_and_plain_addresses_are_the_same(
    sandbox: Sandbox, bot: Bot
) -> None:
    root = (await bot.say("root")).body["id"]

    plain = await bot.say("a", thread(root))
    escaped = await bot.say("b", quote(thread(root), safe=""))

    assert (plain.status, escaped.status) == (201, 201)
    assert {one["root"] for one in await teams_messages(sandbox)} == {root}


async def test_ids_are_milliseconds_that_increase(bot: Bot) -> None:
    ids = [int((await bot.say(str(number))).body["id"]) for number in range(5)]

    assert ids == sorted(set(ids))
    assert all(len(str(one)) == 13 for one in ids)


async def test_an_update_replaces_the_message_and_keeps_what_it_was(
    sandbox: Sandbox, bot: Bot
) -> None:
    sent = await bot.send(FALCON, text="<p>old</p>", text_format="xml")
    new = Activity(type="message", text="<p>new</p>", text_format="xml")

    await asyncio.to_thread(
        bot.connector.conversations.update_activity, FALCON, sent, new
    )

    message = (await teams_messages(sandbox))[0]
    assert (message["html"], message["versions"]) == ("<p>new</p>", ["<p>old</p>"])
    assert message["edited"] > message["created"]


async def test_a_delete_leaves_a_tombstone_and_is_refused_twice(
    sandbox: Sandbox, bot: Bot
) -> None:
    sent = await bot.send(FALCON, text="x")

    await asyncio.to_thread(bot.connector.conversations.delete_activity, FALCON, sent)
    again = await bot.connect("DELETE", f"conversations/{FALCON}/activities/{sent}")

    assert [one["deleted"] for one in await teams_messages(sandbox)] == [True]
    assert (again.status, again.body["error"]["code"]) == (
        404,
        "ActivityNotFoundInConversation",
    )


@pytest.mark.parametrize("address", [FALCON, "thread", "foreign"])
async def test_a_reply_is_changed_through_its_channel_or_its_own_thread(
    bot: Bot, address: str
) -> None:
    root, other = (await bot.say("root")).body["id"], (await bot.say("o")).body["id"]
    reply = (await bot.say("reply", thread(root))).body["id"]
    where = {"thread": thread(root), "foreign": thread(other)}.get(address, address)

    answer = await bot.connect(
        "PUT",
        f"conversations/{where}/activities/{reply}",
        {"type": "message", "text": "y"},
    )

    assert answer.status == (404 if address == "foreign" else 200)


async def test_the_messages_of_people_cannot_be_changed(
    sandbox: Sandbox, bot: Bot
) -> None:
    theirs = (await said(sandbox, text="mine"))["id"]

    answer = await bot.connect("DELETE", f"conversations/{FALCON}/activities/{theirs}")

    assert (answer.status, answer.body["error"]["code"]) == (
        403,
        "ForbiddenOperationException",
    )


async def test_a_new_thread_by_creating_a_conversation(
    sandbox: Sandbox, bot: Bot
) -> None:
    parameters = ConversationParameters(
        is_group=True,
        bot=ChannelAccount(id=f"28:{BOT_APP_ID}"),
        channel_data={"channel": {"id": FALCON}, "tenant": {"id": ACME}},
        activity=Activity(type="message", text="hello"),
    )

    made = await asyncio.to_thread(
        bot.connector.conversations.create_conversation, parameters
    )

    assert made.id == thread(made.activity_id)
    assert made.service_url == bot.service
    assert [one["id"] for one in await teams_messages(sandbox)] == [made.activity_id]


async def test_the_chat_with_one_person_is_made_once(
    sandbox: Sandbox, bot: Bot
) -> None:
    asked_for = {
        "members": [{"id": "29:carol"}],
        "channelData": {"tenant": {"id": ACME}},
    }

    first = await bot.connect("POST", "conversations", asked_for)
    second = await bot.connect("POST", "conversations", asked_for)
    await bot.send(first.body["id"], text="psst")

    assert first.body["id"] == second.body["id"]
    messages = await teams_messages(sandbox, first.body["id"])
    assert [one["text"] for one in messages] == ["psst\n"]


async def test_members_come_in_pages(bot: Bot) -> None:
    conversations = bot.connector.conversations

    first = await asyncio.to_thread(
        conversations.get_conversation_paged_members, TEAM, page_size=3
    )
    second = await asyncio.to_thread(
        conversations.get_conversation_paged_members,
        TEAM,
        page_size=3,
        continuation_token=first.continuation_token,
    )

    names = [one.name for one in [*first.members, *second.members]]
    assert names == ["Carol Díaz", "Dave O'Neil", "Erin Park", "Frank Moss"]
    assert second.continuation_token is None


async def test_one_member_is_told_with_directory_id_and_address(bot: Bot) -> None:
    member = await bot.connect("GET", f"conversations/{FALCON}/members/29:carol")
    nobody = await bot.connect("GET", f"conversations/{FALCON}/members/29:nobody")

    assert member.body["email"] == "carol@acme.example"
    assert member.body["aadObjectId"] == "c0000000-0000-4000-8000-000000000001"
    assert nobody.status == 404


async def test_a_team_tells_its_channels_and_general_has_no_name(bot: Bot) -> None:
    client = TeamsConnectorClient(GivenToken(bot.token), base_url=bot.service)

    details = await asyncio.to_thread(client.teams.get_team_details, TEAM)
    channels = await asyncio.to_thread(client.teams.get_teams_channels, TEAM)

    assert (details.name, details.channel_count) == ("Acme", 3)
    assert [(one.id, one.name) for one in channels.conversations] == [
        (TEAM, None),
        (FALCON, "Project Falcon"),
        ("19:random@thread.tacv2", "Random"),
    ]


async def test_reacting_again_changes_nothing(sandbox: Sandbox, bot: Bot) -> None:
    theirs = (await said(sandbox, text="nice"))["id"]
    address = f"conversations/{FALCON}/activities/{theirs}/reactions/like"

    for _ in range(2):
        await bot.connect("PUT", address)

    reactions = (await teams_messages(sandbox))[0]["reactions"]
    assert reactions == [
        {"type": "like", "users": [f"28:{BOT_APP_ID}"], "count": 1},
    ]
    assert (await bot.connect("DELETE", address)).status == 200
    assert (await teams_messages(sandbox))[0]["reactions"] == []


async def test_a_targeted_message_is_for_one_member(sandbox: Sandbox, bot: Bot) -> None:
    path = f"conversations/{FALCON}/activities?isTargetedActivity=true"
    whisper = {"type": "message", "text": "psst", "recipient": {"id": "29:dave"}}

    done = await bot.connect("POST", path, whisper)
    nobody = await bot.connect(
        "POST", path, {**whisper, "recipient": {"id": "29:heidi"}}
    )

    assert (done.status, nobody.status) == (201, 400)
    assert [one["target"] for one in await teams_messages(sandbox)] == ["29:dave"]


async def test_text_and_card_in_one_are_split_and_no_id_is_told(
    sandbox: Sandbox, bot: Bot
) -> None:
    both = {"type": "message", "text": "see", "attachments": [CARD]}

    answer = await bot.connect("POST", f"conversations/{FALCON}/activities", both)

    assert (answer.status, answer.body) == (201, {})
    shapes = [
        (one["text"], len(one["attachments"])) for one in await teams_messages(sandbox)
    ]
    assert shapes == [("see\n", 0), ("", 1)]


async def test_only_mentions_that_stand_in_the_text_and_are_members_count(
    sandbox: Sandbox, bot: Bot
) -> None:
    def mention(text: str, who: str) -> dict[str, Any]:
        return {
            "type": "mention",
            "text": text,
            "mentioned": {"id": who, "name": "Carol Díaz"},
        }

    entities = [
        mention("<at>Carol Díaz</at>", "29:carol"),
        mention("<at>Not there</at>", "29:dave"),
        mention("<at>Heidi</at>", "29:heidi"),
    ]
    text = "<p><at>Carol Díaz</at> and <at>Heidi</at></p>"

    await bot.connect(
        "POST",
        f"conversations/{FALCON}/activities",
        {"type": "message", "textFormat": "xml", "text": text, "entities": entities},
    )

    message = (await teams_messages(sandbox))[0]
    assert message["mentions"] == [{"id": "29:carol", "name": "Carol Díaz"}]
    assert message["text"] == "<at>Carol Díaz</at> and Heidi\n"


@pytest.mark.parametrize(
    ("conversation", "body", "refusal"),
    [
        ("19:no@thread.tacv2", {"type": "message", "text": "x"}, (404, "Conversation")),
        (thread("1"), {"type": "message", "text": "x"}, (404, "Conversation")),
        ("19:labs@thread.tacv2", {"type": "message", "text": "x"}, (403, "BotNotIn")),
        ("19:board@thread.tacv2", {"type": "message", "text": "x"}, (403, "BotNotIn")),
        ("19:globex@thread.tacv2", {"type": "message", "text": "x"}, (404, "Convers")),
        (FALCON, {"type": "message"}, (400, "BadSyntax")),
        (FALCON, {"type": "nonsense", "text": "x"}, (400, "BadSyntax")),
        (FALCON, ["x"], (400, "BadSyntax")),
        (FALCON, {"type": "message", "text": "😀" * 30_000}, (413, "MessageSize")),
    ],
)
async def test_what_cannot_be_posted_is_refused_with_the_reason(
    sandbox: Sandbox, bot: Bot, conversation: str, body: Any, refusal: tuple[int, str]
) -> None:
    answer = await bot.connect("POST", f"conversations/{conversation}/activities", body)

    status, code = refusal
    assert answer.status == status
    assert answer.body["error"]["code"].startswith(code)
    assert await teams_messages(sandbox) == []


async def test_the_client_raises_what_is_refused(bot: Bot) -> None:
    with pytest.raises(ErrorResponseException) as refused:
        await bot.send("19:no@thread.tacv2", text="x")

    assert refused.value.error.error.code == "ConversationNotFound"


@pytest.mark.parametrize("kind", ["none", "garbage", "graph", "delivered"])
async def test_only_tokens_of_the_login_for_the_connector_open_it(
    sandbox: Sandbox, bot: Bot, kind: str
) -> None:
    _, made = await sandbox.call("POST", "/sandbox/teams/token", {})
    tokens = {"graph": bot.graph_token, "garbage": "a.b.c", "delivered": made["token"]}
    url = f"{bot.service}v3/conversations/{FALCON}/activities"

    answer = await asked(
        "POST", url, tokens.get(kind, ""), {"type": "message", "text": "x"}
    )

    assert answer.status == 401
    assert await teams_messages(sandbox) == []


async def test_a_bot_that_is_not_in_the_team_cannot_post(
    sandbox: Sandbox, bot: Bot
) -> None:
    other = await token_answer(
        sandbox, BOT_SCOPE, client_id=OTHER_APP_ID, client_secret=OTHER_PASSWORD
    )
    url = f"{bot.service}v3/conversations/{FALCON}/activities"

    answer = await asked(
        "POST", url, other.body["access_token"], {"type": "message", "text": "x"}
    )

    assert answer.body["error"]["code"] == "BotNotInConversationRoster"


async def test_a_team_is_reached_only_through_its_own_region(
    sandbox: Sandbox, bot: Bot
) -> None:
    path = "v3/conversations/19:globex@thread.tacv2/activities"
    url = f"{sandbox.base}/teams/connector/emea/{path}"

    answer = await asked("POST", url, bot.token, {"type": "message", "text": "x"})

    assert answer.status == 201


async def test_a_pasted_picture_is_fetched_with_the_bots_token(
    sandbox: Sandbox, bot: Bot
) -> None:
    await said(
        sandbox,
        action="upload",
        name="a.png",
        media_type="image/png",
        content_base64="iVBORw0KGgo=",
        pasted=True,
    )
    url = (await teams_messages(sandbox))[0]["attachments"][0]["contentUrl"]

    served = await asked("GET", url, bot.token)
    refused = await asked("GET", url, "")

    assert (served.status, served.body) == (200, b"\x89PNG\r\n\x1a\n")
    assert served.headers["Content-Type"] == "image/png"
    assert refused.status == 401


async def test_pictures_in_a_bots_html_are_kept_and_do_not_count_as_its_length(
    sandbox: Sandbox, bot: Bot
) -> None:
    picture = "iVBORw0KGgo" + "A" * 200_000
    html = f'<p>cat</p><img src="data:image/png;base64,{picture}=" alt="cat">'

    await bot.send(FALCON, text=html, text_format="xml")

    [message] = await teams_messages(sandbox)
    assert "data:" not in message["html"] + message["source"]
    assert "/v3/attachments/" in message["html"]


async def test_an_edit_keeps_files_drops_them_and_brings_new_ones(
    sandbox: Sandbox,
) -> None:
    made = await said(sandbox, action="upload", text="x", name="a.txt", content="a")
    edited = {"action": "edit", "message": made["id"], "text": "y"}

    await said(sandbox, **edited)
    [kept] = await teams_messages(sandbox)
    new = [{"name": "b.txt", "content": "b"}]
    await said(sandbox, **edited, drop_files=made["files"], files=new)
    [changed] = await teams_messages(sandbox)

    [old] = made["files"]
    assert old in kept["html"]
    assert old not in changed["html"]
    assert [one["name"] for one in changed["attachments"]] == ["b.txt"]
