"""Slack's client looks up people, channels and the workspace."""

from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox import Sandbox


async def test_people_are_found_by_id_and_by_email(slack: AsyncWebClient) -> None:
    by_id = (await slack.users_info(user="U01ALICE"))["user"]
    by_email = (await slack.users_lookupByEmail(email="Alice@acme.example"))["user"]

    assert by_id == by_email
    assert by_id["is_admin"]
    assert by_id["profile"]["display_name"] == "Alice Wong"
    assert by_id["profile"]["email"] == "alice@acme.example"


async def test_an_email_needs_its_own_scope(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    await sandbox.set({"slack.scopes": ["users:read"]})

    user = (await slack.users_info(user="U01ALICE"))["user"]

    assert "email" not in user["profile"]


async def test_a_picture_can_be_fetched(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    user = (await slack.users_info(user="U02BOB"))["user"]

    picture = user["profile"]["image_48"]

    assert picture.startswith(f"{sandbox.base}/slack/avatars/U02BOB.svg")


async def test_channels_are_listed_as_the_bot_sees_them(slack: AsyncWebClient) -> None:
    answer = await slack.conversations_list(types="public_channel,private_channel")

    seen = {one["name"]: one["is_member"] for one in answer["channels"]}
    assert seen == {
        "general": True,
        "project-falcon": True,
        "random": True,
        "quiet": False,
    }


async def test_a_channel_tells_of_itself_and_its_members(slack: AsyncWebClient) -> None:
    info = (await slack.conversations_info(channel="C02FALCON"))["channel"]
    members = await slack.conversations_members(channel="C02FALCON", limit=3)

    assert info["topic"]["value"] == "Falcon ships in spring"
    assert not info["is_private"]
    assert members["members"] == ["U01ALICE", "U02BOB", "U03CHEN"]
    assert members["response_metadata"]["next_cursor"]


async def test_the_bot_joins_a_public_channel_once(slack: AsyncWebClient) -> None:
    first = await slack.conversations_join(channel="C05QUIET")
    again = await slack.conversations_join(channel="C05QUIET")

    assert first["channel"]["is_member"]
    assert "warning" not in first.data
    assert again["warning"] == "already_in_channel"


async def test_a_direct_conversation_is_opened_once(slack: AsyncWebClient) -> None:
    first = await slack.conversations_open(users="U01ALICE")
    again = await slack.conversations_open(users=["U01ALICE"])

    assert first["channel"]["id"].startswith("D")
    assert again["channel"]["id"] == first["channel"]["id"]
    assert again["already_open"]


async def test_the_workspace_tells_of_itself(slack: AsyncWebClient) -> None:
    team = (await slack.team_info())["team"]
    emoji = (await slack.emoji_list())["emoji"]
    groups = (await slack.usergroups_list(include_users=True))["usergroups"]
    engineers = await slack.usergroups_users_list(usergroup="S01ENG")
    bot = (await slack.bots_info(bot="BATOM"))["bot"]

    assert (team["name"], team["domain"]) == ("Acme", "acme")
    assert emoji["tada2"] == "alias:tada"
    assert groups[0]["users"] == engineers["users"] == ["U02BOB", "U03CHEN"]
    assert (bot["user_id"], bot["app_id"]) == ("UATOM", "A01ATOM")


async def test_changes_of_somebody_show(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    await sandbox.act(
        action="change_user", user="U02BOB", display_name="bobby", is_guest=True
    )
    await sandbox.act(action="change_user", user="U03CHEN", email_confirmed=False)

    bob = (await slack.users_info(user="U02BOB"))["user"]
    chen = (await slack.users_info(user="U03CHEN"))["user"]

    assert (bob["profile"]["display_name"], bob["is_restricted"]) == ("bobby", True)
    assert (bob["is_email_confirmed"], chen["is_email_confirmed"]) == (True, False)


async def test_whoever_writes_in_a_channel_sees_who_is_there(sandbox: Sandbox) -> None:
    path = "/sandbox/slack/members?channel="

    status, known = await sandbox.call("GET", f"{path}C04BOARD")
    refused, _ = await sandbox.call("GET", f"{path}C99NONE")

    picture = f"{sandbox.base}/slack/avatars/U01ALICE.svg?size=48"
    assert (status, refused) == (200, 404)
    assert [one["name"] for one in known["members"]] == ["Alice Wong", "Dana Fox"]
    assert known["members"][0] == {
        "id": "U01ALICE",
        "name": "Alice Wong",
        "avatar": picture,
        "bot": False,
    }
