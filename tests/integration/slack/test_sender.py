"""Copies stand in Slack once, under their authors' names, or it is known why not."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bots.slack.clients import Clients
from bots.slack.sender import SlackSender
from bots.slack.signature import is_genuine, signed
from bridge.delivery import Post
from bridge.document import Document, Mention, Paragraph, Text
from bridge.errors import (
    Ambiguous,
    CannotTell,
    DeliveryFailed,
    NotSent,
    Refused,
    Throttled,
)
from bridge.messages import Channel, Person, Platform
from tests.integration.slack.conftest import Slack, serving
from tests.servers import free_port

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
PROJECT = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:falcon@thread.tacv2")
CAROL = Person(
    Platform.TEAMS, "29:carol", "Carol Díaz", "https://avatars.example/carol.png"
)
DAVE = Person(Platform.TEAMS, "29:dave", "Dave O'Neil")


def words(text: str) -> Document:
    return Document((Paragraph((Text(text),)),))


POST = Post(
    marker="acme.7.0",
    source=PROJECT,
    target=FALCON,
    thread="",
    author=CAROL,
    document=words("hello"),
)


@pytest.fixture
def sender(clients: Clients) -> SlackSender:
    return SlackSender(clients)


async def elsewhere(api_url: str, session: ClientSession) -> SlackSender:
    async def token(_team: str) -> str:
        return "token"

    return SlackSender(Clients(api_url, token, session))


async def test_copy_stands_under_its_authors_name(
    slack: Slack, sender: SlackSender
) -> None:
    ts = await sender.post(POST)

    (message,) = slack.messages()
    assert message["ts"] == ts
    assert message["username"] == "Carol Díaz (Teams)"
    assert message["bot_id"] == "BATOM"
    assert message["text"] == "hello"
    (call,) = slack.calls("chat.postMessage")
    assert call["request"]["icon_url"] == CAROL.avatar


async def test_reply_stands_in_its_thread(slack: Slack, sender: SlackSender) -> None:
    root = await sender.post(POST)
    await sender.post(replace(POST, marker="acme.8.0", thread=root))

    assert slack.messages()[1]["thread_ts"] == root


async def test_mentions_are_shown_by_name_and_ping_nobody(
    slack: Slack, sender: SlackSender
) -> None:
    said = Document((Paragraph((Text("<!channel> "), Mention("29:dave", ""))),))
    await sender.post(replace(POST, document=said, people={"29:dave": DAVE}))

    (message,) = slack.messages()
    assert "Dave O'Neil" in message["text"]
    assert "<!channel>" not in message["text"]
    assert "<@" not in message["text"]


async def test_edit_and_deletion_follow(slack: Slack, sender: SlackSender) -> None:
    ts = await sender.post(POST)
    await sender.edit(ts, replace(POST, document=words("better")))
    assert slack.messages()[0]["text"] == "better"

    await sender.delete(ts, POST)

    assert slack.messages() == []


async def test_deleting_what_is_gone_is_success(
    slack: Slack, sender: SlackSender
) -> None:
    ts = await sender.post(POST)
    await sender.delete(ts, POST)

    await sender.delete(ts, POST)

    assert slack.messages() == []


async def test_deleting_a_root_whose_tombstone_stands_is_success(
    slack: Slack, sender: SlackSender
) -> None:
    ts = await sender.post(POST)
    await sender.post(replace(POST, thread=ts, marker="acme.8.0"))
    await sender.delete(ts, POST)

    await sender.delete(ts, POST)


async def test_what_is_somebody_elses_cannot_be_deleted(
    slack: Slack, sender: SlackSender
) -> None:
    ts = str((await slack.act(action="post", text="a person's"))["ts"])

    with pytest.raises(Refused, match="cant_delete_message"):
        await sender.delete(ts, POST)


async def test_trap_long_post_can_be_edited(slack: Slack, sender: SlackSender) -> None:
    ts = await sender.post(replace(POST, document=words("word " * 4_500)))

    await sender.edit(ts, replace(POST, document=words("other " * 4_500)))

    assert slack.messages()[0]["text"].startswith("other")


OUTCOMES: list[tuple[dict[str, Any], type[DeliveryFailed]]] = [
    ({"fault": "429", "retry_after": 17}, Throttled),
    ({"fault": "500"}, Ambiguous),
    ({"fault": "503_after"}, Ambiguous),
    ({"fault": "reset"}, Ambiguous),
    ({"fault": "reset_after"}, Ambiguous),
    ({"fault": "error", "error": "internal_error"}, Ambiguous),
    ({"fault": "error", "error": "fatal_error"}, Ambiguous),
    ({"fault": "error", "error": "request_timeout"}, Ambiguous),
    ({"fault": "error", "error": "service_unavailable"}, Ambiguous),
    ({"fault": "error", "error": "team_added_to_org"}, NotSent),
    ({"fault": "error", "error": "is_archived"}, Refused),
    ({"fault": "error", "error": "ratelimited"}, Throttled),
]


@pytest.mark.parametrize(("fault", "outcome"), OUTCOMES)
async def test_trap_a_post_may_stand_unless_slack_clearly_says_no(
    slack: Slack,
    sender: SlackSender,
    fault: dict[str, Any],
    outcome: type[DeliveryFailed],
) -> None:
    slack.fault("slack.chat.postMessage", **fault)

    with pytest.raises(outcome) as failure:
        await sender.post(POST)

    assert type(failure.value) is outcome or outcome is Refused
    assert "hello" not in str(failure.value)


async def test_slack_says_how_long_to_wait(slack: Slack, sender: SlackSender) -> None:
    slack.fault("slack.chat.postMessage", "429", retry_after=17)

    with pytest.raises(Throttled) as failure:
        await sender.post(POST)

    assert failure.value.retry_after == 17


async def test_refusal_gives_slacks_reason(slack: Slack, sender: SlackSender) -> None:
    await slack.act(action="archive")

    with pytest.raises(Refused, match="Slack says: is_archived"):
        await sender.post(POST)


async def test_workspace_without_atom_is_refused(sender: SlackSender) -> None:
    nowhere = Channel(Platform.SLACK, "T99NOWHERE", "C01")

    with pytest.raises(Refused, match="not installed"):
        await sender.post(replace(POST, target=nowhere))


async def test_unreachable_slack_has_got_nothing(session: ClientSession) -> None:
    sender = await elsewhere(f"http://127.0.0.1:{free_port()}/", session)

    with pytest.raises(NotSent):
        await sender.post(POST)


@pytest.mark.parametrize(
    ("status", "content_type", "outcome"),
    [
        (200, "text/plain", Ambiguous),
        (200, "text/html", Ambiguous),
        (200, "application/json", Ambiguous),
        (502, "text/plain", Ambiguous),
        (502, "application/json", Ambiguous),
        (408, "text/html", Ambiguous),
        (413, "text/html", Refused),
    ],
)
async def test_trap_answers_that_are_no_json(
    session: ClientSession, status: int, content_type: str, outcome: type[Exception]
) -> None:
    """The library looks for JSON in whatever a proxy answers, and stumbles."""

    async def proxy(_request: web.Request) -> web.Response:
        return web.Response(status=status, text="<oops>", content_type=content_type)

    app = web.Application()
    app.router.add_post("/{method}", proxy)
    async with serving(app) as base:
        sender = await elsewhere(f"{base}/", session)

        with pytest.raises(outcome):
            await sender.post(POST)


async def test_trap_library_would_post_twice_after_a_reset(
    slack: Slack, sender: SlackSender
) -> None:
    """By default slack_sdk repeats a request whose connection broke."""
    slack.fault("slack.chat.postMessage", "reset_after")

    with pytest.raises(Ambiguous):
        await sender.post(POST)

    assert len(slack.messages()) == 1
    assert len(slack.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("place", ["channel", "thread"])
async def test_copy_whose_answer_was_lost_is_found(
    slack: Slack, sender: SlackSender, place: str
) -> None:
    root = await sender.post(replace(POST, marker="acme.1.0"))
    lost = replace(POST, thread=root if place == "thread" else "")
    slack.fault("slack.chat.postMessage", "500_after")
    with pytest.raises(Ambiguous):
        await sender.post(lost)

    found = await sender.find(lost, 0, known=())

    assert found == slack.messages()[-1]["ts"]


async def test_copy_that_never_came_to_be_is_not_found(
    slack: Slack, sender: SlackSender
) -> None:
    await sender.post(replace(POST, marker="acme.1.0"))
    slack.fault("slack.chat.postMessage", "500")
    with pytest.raises(Ambiguous):
        await sender.post(POST)

    assert await sender.find(POST, 0, known=()) is None


async def test_copy_that_another_post_accounts_for_is_not_found(
    slack: Slack, sender: SlackSender
) -> None:
    ts = await sender.post(POST)

    assert await sender.find(POST, 0, known={ts}) is None


async def test_copy_is_found_behind_many_pages(
    slack: Slack, sender: SlackSender
) -> None:
    ts = await sender.post(POST)
    for number in range(450):
        await slack.act(action="post", text=f"chat {number}")

    assert await sender.find(POST, 0, known=()) == ts


async def test_channel_that_cannot_be_read_tells_nothing(
    slack: Slack, sender: SlackSender
) -> None:
    slack.fault("slack.conversations.history", "error", error="missing_scope")

    with pytest.raises(CannotTell):
        await sender.find(POST, 0, known=())


async def test_throttled_search_can_be_tried_again(
    slack: Slack, sender: SlackSender
) -> None:
    slack.fault("slack.conversations.history", "429", retry_after=3)

    with pytest.raises(Throttled):
        await sender.find(POST, 0, known=())


FORGED = {"op": "acme.7.0", "src": "teams", "hops": [], "origin": ""}


async def key(team: str) -> bytes:
    return f"the secret of {team}".encode()


@pytest.fixture
def signing(clients: Clients) -> SlackSender:
    return SlackSender(clients, key)


async def test_a_lost_copy_is_found_by_its_signature(
    slack: Slack, signing: SlackSender
) -> None:
    post = replace(POST, hops=("L1",), origin="teams:T/C#1")
    ts = await signing.post(post)
    await signing.edit(ts, post)

    assert await signing.find(post, 0, known=()) == ts


@pytest.mark.parametrize("signature", [None, "", "é", "0" * 32, 7], ids=repr)
async def test_what_another_app_marks_as_ours_is_not_taken_for_it(
    slack: Slack, signing: SlackSender, signature: object
) -> None:
    payload = FORGED if signature is None else FORGED | {"sig": signature}
    await slack.act(
        action="bot_post",
        text="hello",
        metadata={"event_type": "atom_bridge", "event_payload": payload},
    )

    assert await signing.find(POST, 0, known=()) is None


async def test_a_signature_is_good_in_its_own_channel_only(
    slack: Slack, signing: SlackSender
) -> None:
    elsewhere = replace(POST, target=replace(FALCON, id="C03RANDOM"))
    secret = await key(FALCON.team)
    payload = signed(FORGED, elsewhere.target, secret)

    assert is_genuine(payload, elsewhere.target, secret)
    assert not is_genuine(payload, FALCON, secret)
    assert not is_genuine(payload | {"hops": ["L9"]}, elsewhere.target, secret)


async def test_what_stands_from_before_signatures_is_told_by_who_posted_it(
    slack: Slack, sender: SlackSender, signing: SlackSender
) -> None:
    ts = await sender.post(POST)

    assert await signing.find(POST, 0, known=()) == ts
