"""The part of Graph that the sandbox has."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from bots.sandbox.teams.seed import BOT_APP_ID
from tests.sandbox import Sandbox
from tests.sandbox_teams import (
    FALCON,
    GRAPH_SCOPE,
    GROUP,
    Answered,
    Bot,
    asked,
    said,
    token_answer,
)

MESSAGES = f"teams/{GROUP}/channels/{FALCON}/messages"
LABS = "6a1c0de5-0000-4000-8000-000000000002"


async def graph_as(sandbox: Sandbox, bot: Bot, roles: list[str], path: str) -> Answered:
    """Ask with a fresh token that has these roles."""
    await sandbox.set({"teams.graph_roles": roles})
    token = (await token_answer(sandbox, GRAPH_SCOPE)).body["access_token"]
    return await asked("GET", bot.graph_url(path), token)


async def test_a_persons_message_shows_who_and_what(sandbox: Sandbox, bot: Bot) -> None:
    sent = await said(
        sandbox,
        text="hi @Dave O'Neil",
        mentions=[{"id": "29:dave", "name": "Dave O'Neil"}],
    )

    message = (await bot.graph(f"{MESSAGES}/{sent['id']}")).body
    assert message["from"]["user"]["displayName"] == "Carol Díaz"
    assert message["body"]["content"] == '<p>hi <at id="0">Dave O\'Neil</at></p>'
    assert message["mentions"][0]["mentioned"]["user"]["displayName"] == "Dave O'Neil"
    assert (message["replyToId"], message["deletedDateTime"]) == (None, None)


async def test_the_bots_own_message_is_from_an_application(bot: Bot) -> None:
    sent = await bot.send(FALCON, text="<p>mine</p>", text_format="xml")

    message = (await bot.graph(f"{MESSAGES}/{sent}")).body
    assert message["from"]["application"]["id"] == BOT_APP_ID
    assert message["from"]["user"] is None
    assert message["body"] == {"contentType": "html", "content": "<p>mine</p>"}


async def test_edits_deletions_and_reactions_show_with_their_times(
    sandbox: Sandbox, bot: Bot
) -> None:
    one = (await said(sandbox, text="old"))["id"]
    await said(sandbox, action="react", message=one, reaction="like")
    reacted = (await bot.graph(f"{MESSAGES}/{one}")).body
    await said(sandbox, action="edit", message=one, text="new")
    await said(sandbox, action="delete", message=one)

    gone = (await bot.graph(f"{MESSAGES}/{one}")).body
    assert reacted["lastEditedDateTime"] is None
    assert reacted["lastModifiedDateTime"] > reacted["createdDateTime"]
    assert reacted["reactions"][0]["reactionType"] == "like"
    assert gone["createdDateTime"] < gone["lastEditedDateTime"]
    assert gone["lastEditedDateTime"] < gone["deletedDateTime"]


async def test_roots_come_newest_first_and_in_pages(sandbox: Sandbox, bot: Bot) -> None:
    roots = [(await said(sandbox, text=str(number)))["id"] for number in range(5)]
    await said(sandbox, action="reply", thread=roots[0], text="re")

    first = (await bot.graph(f"{MESSAGES}?$top=3")).body
    second = (await bot.graph(first["@odata.nextLink"])).body

    told = [one["id"] for one in [*first["value"], *second["value"]]]
    assert told == roots[::-1]
    assert "@odata.nextLink" not in second


async def test_replies_are_listed_under_their_root(sandbox: Sandbox, bot: Bot) -> None:
    root = (await said(sandbox, text="root"))["id"]
    reply = await bot.send(f"{FALCON};messageid={root}", text="re")

    listed = (await bot.graph(f"{MESSAGES}/{root}/replies")).body["value"]
    alone = (await bot.graph(f"{MESSAGES}/{root}/replies/{reply}")).body

    assert [(one["id"], one["replyToId"]) for one in listed] == [(reply, root)]
    assert alone == listed[0]


async def test_delta_tells_what_changed_since(sandbox: Sandbox, bot: Bot) -> None:
    old = (await said(sandbox, text="old"))["id"]
    link = (await bot.graph(f"{MESSAGES}/delta")).body["@odata.deltaLink"]
    new = (await said(sandbox, text="new"))["id"]
    await said(sandbox, action="delete", message=old)

    changed = (await bot.graph(link)).body
    quiet = (await bot.graph(changed["@odata.deltaLink"])).body

    assert [one["id"] for one in changed["value"]] == [new, old]
    assert quiet["value"] == []


async def test_reading_lags_behind_if_so_set(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.set({"teams.graph_delay": 60.0})
    sent = (await said(sandbox, text="fresh"))["id"]

    hidden = await bot.graph(f"{MESSAGES}/{sent}")
    await sandbox.set({"teams.graph_delay": 0.0})
    shown = await bot.graph(f"{MESSAGES}/{sent}")

    assert (hidden.status, shown.status) == (404, 200)


async def test_targeted_messages_are_nowhere_in_graph(
    sandbox: Sandbox, bot: Bot
) -> None:
    path = f"conversations/{FALCON}/activities?isTargetedActivity=true"
    whisper = {"type": "message", "text": "psst", "recipient": {"id": "29:dave"}}
    await bot.connect("POST", path, whisper)

    assert (await bot.graph(MESSAGES)).body["value"] == []


async def test_members_show_who_owns_the_team(bot: Bot) -> None:
    members = (await bot.graph(f"teams/{GROUP}/members")).body["value"]

    roles = {one["displayName"]: one["roles"] for one in members}
    assert roles["Carol Díaz"] == ["owner"]
    assert roles["Dave O'Neil"] == []
    assert members[0]["userId"] == "c0000000-0000-4000-8000-000000000001"


async def test_channels_show_their_kind(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.set({"teams.graph_grants": ["ChannelSettings.Read.Group"]})
    channels = (await bot.graph(f"teams/{GROUP}/channels")).body["value"]
    one = (await bot.graph(f"teams/{GROUP}/channels/{FALCON}")).body

    kinds = {one["displayName"]: one["membershipType"] for one in channels}
    assert kinds == {
        "General": "standard",
        "Project Falcon": "standard",
        "Random": "standard",
        "Board": "private",
    }
    assert one["displayName"] == "Project Falcon"


@pytest.mark.parametrize(
    ("roles", "path", "status"),
    [
        ([], MESSAGES, 403),
        (["Group.Selected"], MESSAGES, 200),
        (["ChannelMessage.Read.All"], MESSAGES, 200),
        (["ChannelMessage.Read.All"], f"teams/{GROUP}/members", 403),
        (["Group.Selected"], f"teams/{LABS}/members", 403),
        (["TeamMember.Read.All"], f"teams/{LABS}/members", 200),
        (
            ["Group.Selected"],
            f"teams/{GROUP}/channels/19:board@thread.tacv2/messages",
            403,
        ),
        (["Group.Selected"], "users/carol@acme.example", 403),
        (["User.Read.All"], "users/carol@acme.example", 200),
        (["User.Read.All"], "users/c0000000-0000-4000-8000-000000000001", 200),
        (["User.Read.All"], "users/nobody@acme.example", 404),
        (["Group.Selected"], "teams/no-such-team/members", 404),
    ],
)
async def test_the_tokens_roles_and_the_teams_grants_decide(
    sandbox: Sandbox, bot: Bot, roles: list[str], path: str, status: int
) -> None:
    answer = await graph_as(sandbox, bot, roles, path)

    assert answer.status == status


async def test_a_missing_role_is_named(sandbox: Sandbox, bot: Bot) -> None:
    answer = await graph_as(sandbox, bot, [], MESSAGES)

    assert answer.body["error"]["code"] == "Forbidden"
    assert "ChannelMessage.Read.Group" in answer.body["error"]["message"]


async def test_roles_are_those_of_when_the_token_was_made(
    sandbox: Sandbox, bot: Bot
) -> None:
    await sandbox.set({"teams.graph_roles": []})

    assert (await bot.graph(MESSAGES)).status == 200


async def test_only_tokens_for_graph_open_it(bot: Bot) -> None:
    answer = await asked("GET", bot.graph_url(MESSAGES), bot.token)

    assert (answer.status, answer.body["error"]["code"]) == (
        401,
        "InvalidAuthenticationToken",
    )


@pytest.mark.parametrize("wrong", ["?$top=51", "?$top=x", "?$skiptoken=x"])
async def test_nonsense_in_the_query_is_refused(bot: Bot, wrong: str) -> None:
    assert (await bot.graph(MESSAGES + wrong)).status == 400


async def test_a_file_on_the_teams_site_is_fetched_by_its_shared_address(
    sandbox: Sandbox, bot: Bot
) -> None:
    sent = await said(sandbox, action="upload", name="a b.txt", content="hello")
    message = (await bot.graph(f"{MESSAGES}/{sent['id']}")).body
    attachment: dict[str, Any] = message["attachments"][0]
    url = str(attachment["contentUrl"])
    share = "u!" + urlsafe_b64encode(url.encode()).decode().rstrip("=")

    answer = await bot.graph(f"shares/{share}/driveItem/content")

    assert attachment["contentType"] == "reference"
    assert f'<attachment id="{attachment["id"]}">' in message["body"]["content"]
    assert answer.body == b"hello"
