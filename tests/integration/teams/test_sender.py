"""Copies come to stand in Teams, once, in their thread."""

from dataclasses import replace
from typing import Any

import pytest

from bots.teams.connector import Connector
from bots.teams.graph import Graph
from bots.teams.sender import TeamsSender
from bridge.delivery import Post
from bridge.errors import Ambiguous, CannotTell, NotSent, Refused, Throttled
from bridge.messages import Channel, Person, Platform
from tests.events import ALICE, words
from tests.events import FALCON as SLACK_FALCON
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import APP, FALCON, GROUP, FakePlaces, FakeTokens

SINCE = 1_700_000_000_000_000
MESSAGES = f"GET teams/{GROUP}/channels/{FALCON.id}/messages"


@pytest.fixture
def sender(
    connector: Connector, places: FakePlaces, teams: ScriptedTeams, tokens: FakeTokens
) -> TeamsSender:
    graph = Graph(connector.session, tokens, f"{teams.url}v1.0")
    return TeamsSender(connector, places, APP, graph)


def post(text: str = "hello", thread: str = "", **more: Any) -> Post:
    made = Post("acme.1.0", SLACK_FALCON, FALCON, thread, ALICE, words(text))
    return replace(made, **more)


def standing(
    message: str = "17", text: str = "hello", app: str = APP, **more: Any
) -> dict[str, Any]:
    return {
        "id": message,
        "createdDateTime": "2023-11-14T22:13:21.5Z",
        "lastModifiedDateTime": "2023-11-14T22:13:21.5Z",
        "from": {"application": {"id": app, "displayName": "ATOM"}, "user": None},
        "body": {
            "contentType": "html",
            "content": f"<div>\n<p><strong>Alice&nbsp;Wong</strong> (Slack)</p>"
            f"<p>{text}</p>\n</div>",
        },
        **more,
    }


async def test_root_is_posted_to_the_channel(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(201, {"id": "1700000005000"}))

    remote = await sender.post(post("a < b"))

    assert remote == "1700000005000"
    (call,) = teams.calls
    assert call.path == f"/v3/conversations/{FALCON.id}/activities"
    assert call.json["textFormat"] == "xml"
    assert "<strong>Alice Wong</strong> (Slack)" in call.json["text"]
    assert "a &lt; b" in call.json["text"]


async def test_trap_reply_is_addressed_to_the_thread(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(201, {"id": "2"}))

    await sender.post(post(thread="1700000000123"))

    assert teams.paths("POST") == [
        f"/v3/conversations/{FALCON.id};messageid=1700000000123/activities"
    ]


async def test_trap_edit_and_delete_are_addressed_to_the_thread(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer("PUT activities", Said(200, {"id": "2"}))
    teams.answer("DELETE activities", Said(200))

    await sender.edit("2", post(thread="1"))
    await sender.delete("2", post(thread="1"))
    await sender.edit("1", post())

    thread = f"/v3/conversations/{FALCON.id};messageid=1/activities"
    assert [call.path for call in teams.calls] == [
        f"{thread}/2",
        f"{thread}/2",
        f"{thread}/1",
    ]


async def test_copy_that_is_gone_counts_as_deleted(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer("DELETE activities", Said(404))

    await sender.delete("2", post())

    assert teams.paths("DELETE")


async def test_edit_of_a_copy_that_is_gone_is_refused(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer("PUT activities", Said(404))

    with pytest.raises(Refused):
        await sender.edit("2", post())


async def test_trap_split_message_without_an_id_is_not_taken_for_sent(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(201, {}))

    with pytest.raises(Ambiguous):
        await sender.post(post())


async def test_unknown_team_is_refused_with_what_to_do(sender: TeamsSender) -> None:
    elsewhere = Channel(Platform.TEAMS, "19:other@thread.tacv2", "19:x@thread.tacv2")

    with pytest.raises(Refused, match="add it there first"):
        await sender.post(post(target=elsewhere))


async def test_nameless_author_is_somebody(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(201, {"id": "2"}))

    await sender.post(post(author=Person(Platform.SLACK, "U9")))

    assert "<strong>Somebody</strong>" in teams.calls[0].json["text"]


async def test_trap_lost_answer_is_found_by_what_was_said(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    others = [
        standing("14", "hello", app="another-app"),
        standing("15", "something else"),
        standing("16", createdDateTime="2023-11-14T21:00:00Z"),
        standing("17"),
    ]
    teams.answer(MESSAGES, Said(body={"value": others}))

    assert await sender.find(post(), SINCE, set()) == "17"
    assert await sender.find(post(), SINCE, {"17"}) is None


async def test_lost_reply_is_looked_for_in_its_thread(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer(f"{MESSAGES}/1700/replies", Said(body={"value": [standing("18")]}))

    assert await sender.find(post(thread="1700"), SINCE, set()) == "18"


async def test_of_two_equal_ones_the_older_is_taken(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    newer = standing("19", createdDateTime="2023-11-14T22:14:00Z")
    teams.answer(MESSAGES, Said(body={"value": [newer, standing("17")]}))

    assert await sender.find(post(), SINCE, set()) == "17"


async def test_what_was_sent_before_an_edit_is_recognised(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer(MESSAGES, Said(body={"value": [standing("17", "helo")]}))
    edited = post("hello", earlier=(words("helo"),))

    assert await sender.find(edited, SINCE, set()) == "17"


async def test_further_pages_are_read_until_all_is_older(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    page = f"{teams.url}v1.0/page"
    old = "2023-11-14T22:00:00Z"
    older = standing("3", createdDateTime=old, lastModifiedDateTime=old)
    teams.answer(
        MESSAGES,
        Said(
            body={
                "value": [standing("20", "else")],
                "@odata.nextLink": f"{page}2?$skiptoken=a%2Bb",
            }
        ),
    )
    teams.answer(
        "GET page2",
        Said(body={"value": [standing("17")], "@odata.nextLink": f"{page}3"}),
    )
    teams.answer(
        "GET page3", Said(body={"value": [older], "@odata.nextLink": f"{page}4"})
    )

    assert await sender.find(post(), SINCE, set()) == "17"
    assert teams.paths("GET")[1:] == ["/v1.0/page2?$skiptoken=a%2Bb", "/v1.0/page3"]


async def test_next_page_at_another_host_is_not_asked_for_with_our_token(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    elsewhere = "https://graph.example/v1.0/page2"
    teams.answer(MESSAGES, Said(body={"value": [], "@odata.nextLink": elsewhere}))

    with pytest.raises(CannotTell):
        await sender.find(post(), SINCE, set())


async def test_pages_without_end_are_given_up(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    again = f"{teams.url}v1.0/page"
    page = Said(body={"value": [standing("1", "else")], "@odata.nextLink": again})
    teams.answer(MESSAGES, page)
    teams.answer("GET page", page)

    with pytest.raises(CannotTell):
        await sender.find(post(), SINCE, set())


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_without_the_right_to_look_nobody_can_tell(
    sender: TeamsSender, teams: ScriptedTeams, status: int
) -> None:
    teams.answer(MESSAGES, Said(status, {"error": {"code": "Forbidden"}}))

    with pytest.raises(CannotTell):
        await sender.find(post(), SINCE, set())


async def test_without_graph_nobody_can_tell(
    connector: Connector, places: FakePlaces
) -> None:
    with pytest.raises(CannotTell):
        await TeamsSender(connector, places, APP).find(post(), SINCE, set())


async def test_deleted_post_of_ours_leaves_it_open_what_it_said(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    gone = standing("17", "", deletedDateTime="2023-11-14T22:15:00Z")
    teams.answer(MESSAGES, Said(body={"value": [gone]}))

    with pytest.raises(CannotTell):
        await sender.find(post(), SINCE, set())


@pytest.mark.parametrize("said", [Said(503), Said(cut=True)], ids=["503", "reset"])
async def test_graph_that_is_away_is_asked_again_later(
    sender: TeamsSender, teams: ScriptedTeams, said: Said
) -> None:
    teams.answer(MESSAGES, said)

    with pytest.raises(NotSent):
        await sender.find(post(), SINCE, set())


async def test_graph_that_asks_to_wait_is_waited_for(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer(MESSAGES, Said(429, headers={"Retry-After": "9"}))

    with pytest.raises(Throttled) as caught:
        await sender.find(post(), SINCE, set())

    assert caught.value.retry_after == 9


async def test_graph_token_that_has_ended_is_replaced_at_once(
    sender: TeamsSender, teams: ScriptedTeams
) -> None:
    teams.answer(MESSAGES, Said(401), Said(body={"value": [standing("17")]}))

    assert await sender.find(post(), SINCE, set()) == "17"
