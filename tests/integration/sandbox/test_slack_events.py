"""What the sandbox's Slack tells the app, in Slack's words."""

from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.seed import BOT_TOKEN, SIGNING_SECRET
from tests.sandbox import Listener, Sandbox, eventually, serving

FALCON: dict[str, Any] = {"channel": "C02FALCON"}


async def test_an_event_is_signed_and_wrapped_as_slack_does(
    sandbox: Sandbox, listener: Listener
) -> None:
    said = await sandbox.act(action="post", user="U01ALICE", **FALCON, text="a <b> & c")

    await eventually(lambda: listener.got)
    delivered = listener.got[0]
    verifier = SignatureVerifier(SIGNING_SECRET)
    assert verifier.is_valid_request(delivered.body, delivered.headers)
    assert delivered.path == "/slack/events"
    outer = delivered.json()
    assert outer["type"] == "event_callback"
    assert outer["api_app_id"] == "A01ATOM"
    assert outer["authorizations"][0]["team_id"] == outer["team_id"] == "T01ACME"
    event = outer["event"]
    assert event["text"] == "a &lt;b&gt; &amp; c"
    assert event["ts"] == event["event_ts"] == said["ts"]
    assert event["channel_type"] == "channel"
    section = event["blocks"][0]["elements"][0]
    assert section["elements"] == [{"type": "text", "text": "a <b> & c"}]


async def test_bolt_takes_a_signed_event(sandbox: Sandbox) -> None:
    heard: list[str] = []
    app = AsyncApp(
        token=BOT_TOKEN,
        signing_secret=SIGNING_SECRET,
        client=AsyncWebClient(BOT_TOKEN, base_url=sandbox.slack_api),
    )

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    async with _mounted(app) as url:
        await sandbox.set({"atom_url": url})
        await sandbox.act(action="post", user="U01ALICE", **FALCON, text="hello")
        await eventually(lambda: heard)

    assert heard == ["hello"]


async def test_typed_formatting_becomes_rich_text_and_mrkdwn(
    sandbox: Sandbox, listener: Listener
) -> None:
    text = "*bold* _it_ ~no~ `a<b` <@U02BOB> <!channel> https://acme.example :tada:"

    await sandbox.act(action="post", user="U01ALICE", **FALCON, text=text, typed=True)

    await eventually(listener.events)
    event = listener.events("message")[0]
    elements = event["blocks"][0]["elements"][0]["elements"]
    assert {"type": "text", "text": "bold", "style": {"bold": True}} in elements
    assert {"type": "text", "text": "a<b", "style": {"code": True}} in elements
    assert {"type": "user", "user_id": "U02BOB"} in elements
    assert {"type": "broadcast", "range": "channel"} in elements
    assert event["text"] == (
        "*bold* _it_ ~no~ `a&lt;b` <@U02BOB> <!channel> <https://acme.example> :tada:"
    )


async def test_markup_that_was_not_meant_stays_text(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.act(
        action="post", user="U01ALICE", **FALCON, text="<!channel> *x* <@U02BOB>"
    )

    await eventually(listener.events)
    assert listener.events()[0]["text"] == "&lt;!channel&gt; *x* &lt;@U02BOB&gt;"


async def test_a_reply_names_its_thread_and_a_broadcast_its_root(
    sandbox: Sandbox, listener: Listener
) -> None:
    root = await sandbox.act(action="post", user="U01ALICE", **FALCON, text="root")
    for action in ("reply", "broadcast"):
        await sandbox.act(
            action=action, user="U02BOB", **FALCON, text=action, thread_ts=root["ts"]
        )

    await eventually(lambda: len(listener.got) == 3)
    first, reply, broadcast = listener.events()
    assert "thread_ts" not in first
    assert reply["thread_ts"] == broadcast["thread_ts"] == root["ts"]
    assert reply["parent_user_id"] == "U01ALICE"
    assert broadcast["subtype"] == "thread_broadcast"
    assert broadcast["root"]["text"] == "root"


async def test_an_edit_carries_old_and_new_and_who_edited(
    sandbox: Sandbox, listener: Listener
) -> None:
    said = await sandbox.act(action="post", user="U01ALICE", **FALCON, text="old")
    await sandbox.act(
        action="edit", user="U01ALICE", **FALCON, ts=said["ts"], text="new"
    )

    await eventually(lambda: len(listener.got) == 2)
    event = listener.events()[1]
    assert (event["subtype"], event["hidden"]) == ("message_changed", True)
    assert event["ts"] > said["ts"]
    assert event["message"]["ts"] == said["ts"]
    assert event["message"]["text"] == "new"
    assert event["message"]["edited"]["user"] == "U01ALICE"
    assert event["message"]["edited"]["ts"].endswith(".000000")
    assert event["previous_message"]["text"] == "old"
    assert "user" not in event


async def test_a_preview_changes_a_message_without_an_edit(
    sandbox: Sandbox, listener: Listener
) -> None:
    said = await sandbox.act(action="post", user="U01ALICE", **FALCON, text="x")
    await sandbox.act(action="unfurl", **FALCON, ts=said["ts"])

    await eventually(lambda: len(listener.got) == 2)
    changed = listener.events()[1]["message"]
    assert "edited" not in changed
    assert changed["attachments"]


async def test_a_deleted_message_is_named(sandbox: Sandbox, listener: Listener) -> None:
    said = await sandbox.act(action="post", user="U01ALICE", **FALCON, text="x")
    await sandbox.act(action="delete", user="U01ALICE", **FALCON, ts=said["ts"])

    await eventually(lambda: len(listener.got) == 2)
    event = listener.events()[1]
    assert event["subtype"] == "message_deleted"
    assert event["deleted_ts"] == said["ts"]
    assert event["previous_message"]["text"] == "x"


async def test_a_deleted_root_leaves_a_tombstone_until_its_last_reply_goes(
    sandbox: Sandbox, listener: Listener
) -> None:
    root = await sandbox.act(action="post", user="U01ALICE", **FALCON, text="root")
    reply = await sandbox.act(
        action="reply", user="U02BOB", **FALCON, text="r", thread_ts=root["ts"]
    )
    await sandbox.act(action="delete", user="U01ALICE", **FALCON, ts=root["ts"])
    await sandbox.act(action="delete", user="U02BOB", **FALCON, ts=reply["ts"])

    await eventually(lambda: len(listener.got) == 6)
    events = listener.events()[2:]
    assert [event["subtype"] for event in events] == [
        "message_changed",
        "message_changed",
        "message_deleted",
        "message_deleted",
    ]
    tombstone, unchanged = events[0]["message"], events[1]
    assert tombstone["subtype"] == "tombstone"
    assert tombstone["user"] == "USLACKBOT"
    assert tombstone["text"] == "This message was deleted."
    assert unchanged["message"]["text"] == unchanged["previous_message"]["text"] == "r"
    assert [event["deleted_ts"] for event in events[2:]] == [reply["ts"], root["ts"]]


async def test_the_app_hears_itself_with_only_a_nested_bot_id(
    slack: AsyncWebClient, listener: Listener
) -> None:
    ts = (await slack.chat_postMessage(**FALCON, text="a", username="Carol"))["ts"]
    await slack.chat_update(**FALCON, ts=ts, text="b")
    await slack.chat_delete(**FALCON, ts=ts)

    await eventually(lambda: len(listener.got) == 3)
    posted, changed, deleted = listener.events()
    assert (posted["subtype"], posted["bot_id"]) == ("bot_message", "BATOM")
    assert "user" not in posted
    for event in (changed, deleted):
        assert "bot_id" not in event
        assert "user" not in event
    assert changed["message"]["bot_id"] == "BATOM"
    assert deleted["previous_message"]["bot_id"] == "BATOM"


async def test_an_override_without_app_id_can_be_had(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.bot_message_has_app_id": False})

    await slack.chat_postMessage(**FALCON, text="a", username="Carol")

    await eventually(listener.events)
    assert "app_id" not in listener.events()[0]


async def test_another_bots_message_is_told_as_such(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.act(action="bot_post", **FALCON, text="built", username="CI")

    await eventually(listener.events)
    event = listener.events()[0]
    assert (event["subtype"], event["bot_id"]) == ("bot_message", "B09OTHER")
    assert event["username"] == "CI"


async def test_reactions_are_told_with_whom_they_are_for(
    sandbox: Sandbox, listener: Listener
) -> None:
    said = await sandbox.act(action="post", user="U01ALICE", **FALCON, text="x")
    what = {**FALCON, "ts": said["ts"], "name": "wave::skin-tone-3"}
    await sandbox.act(action="react", user="U02BOB", **what)
    await sandbox.act(action="unreact", user="U02BOB", **what)

    await eventually(lambda: len(listener.got) == 3)
    added, removed = listener.events()[1:]
    assert added["type"] == "reaction_added"
    assert removed["type"] == "reaction_removed"
    assert added["reaction"] == "wave::skin-tone-3"
    assert added["item_user"] == "U01ALICE"
    assert added["item"]["ts"] == said["ts"]


async def test_speaking_to_the_app_is_told_twice(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.act(
        action="post", user="U01ALICE", **FALCON, text="<@UATOM> help", typed=True
    )

    await eventually(lambda: len(listener.got) == 2)
    assert [event["type"] for event in listener.events()] == ["message", "app_mention"]
    assert len({one.json()["event_id"] for one in listener.got}) == 2


async def test_joining_and_leaving_is_told(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.act(action="leave", user="U02BOB", **FALCON)
    await sandbox.act(action="join", user="U02BOB", **FALCON)

    await eventually(lambda: len(listener.got) == 4)
    told = {event.get("subtype") or event["type"] for event in listener.events()}
    assert told == {
        "channel_leave",
        "channel_join",
        "member_left_channel",
        "member_joined_channel",
    }


async def test_the_app_hears_only_channels_it_is_in_and_events_it_asked_for(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"slack.events": ["message.channels"]})

    for channel in ("C04BOARD", "C05QUIET"):
        await sandbox.act(action="post", user="U01ALICE", channel=channel, text="x")
    heard = {"channel": "C01GENERAL", "user": "U01ALICE"}
    said = await sandbox.act(action="post", **heard, text="first")
    await sandbox.act(action="react", **heard, ts=said["ts"], name="eyes")
    await sandbox.act(action="post", **heard, text="last")

    await eventually(lambda: len(listener.got) >= 2)
    assert [event["text"] for event in listener.events()] == ["first", "last"]


async def test_the_app_is_told_that_it_was_removed(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.act(action="uninstall", workspace="T01ACME")
    await sandbox.act(action="post", user="U01ALICE", **FALCON, text="unheard")
    await sandbox.act(action="install", workspace="T01ACME")
    await sandbox.act(action="post", user="U01ALICE", **FALCON, text="heard")

    await eventually(lambda: len(listener.got) == 3)
    revoked, uninstalled, said = listener.events()
    assert revoked["tokens"]["bot"] == ["UATOM"]
    assert uninstalled["type"] == "app_uninstalled"
    assert said["text"] == "heard"


async def test_any_event_at_all_can_be_delivered(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.act(
        action="event", **FALCON, event={"type": "brand_new", "user": "U01ALICE"}
    )

    await eventually(listener.events)
    assert listener.events() == [{"type": "brand_new", "user": "U01ALICE"}]


async def test_odd_characters_arrive_as_they_were_typed(
    sandbox: Sandbox, listener: Listener
) -> None:
    text = "nul \x00 lone \ud83d tag \U000e0041 rtl \u202e"

    await sandbox.act(action="post", user="U01ALICE", **FALCON, text=text)

    await eventually(listener.events)
    assert listener.events()[0]["text"] == text


async def test_an_address_is_verified_on_request(
    sandbox: Sandbox, listener: Listener
) -> None:
    async def echo(delivered: Any) -> web.Response:
        return web.json_response({"challenge": delivered.json()["challenge"]})

    listener.answer = echo

    answer = await sandbox.act(action="verify")

    assert answer["status"] == 200
    assert listener.got[0].json()["type"] == "url_verification"
    assert answer["answer"]["challenge"] == listener.got[0].json()["challenge"]


async def test_rich_text_can_come_escaped(sandbox: Sandbox, listener: Listener) -> None:
    await sandbox.set({"slack.rich_text_raw": False})

    await sandbox.act(action="post", user="U01ALICE", **FALCON, text="a < b")

    await eventually(listener.events)
    section = listener.events()[0]["blocks"][0]["elements"][0]
    assert section["elements"][0]["text"] == "a &lt; b"


async def test_lost_minutes_are_announced(sandbox: Sandbox, listener: Listener) -> None:
    await sandbox.act(action="rate_limited", workspace="T01ACME")

    told = listener.got[0].json()
    assert (told["type"], told["team_id"]) == ("app_rate_limited", "T01ACME")
    assert told["minute_rate_limited"] % 60 == 0


def _mounted(app: AsyncApp) -> Any:
    async def handle(request: web.Request) -> web.Response:
        answer = await app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)

    server = web.Application()
    server.router.add_post("/slack/events", handle)
    return serving(server)
