"""Records as Work Objects in Slack: a pane for who opens one, through the whole of ATOM."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bots.demo_records import Systems
from bots.sandbox.slack import seed
from bots.sandbox.slack.model import User as SlackUser
from tests.e2e.at_work import at_work, both, said, slack_cards, teams_cards
from tests.e2e.test_records import AMOUNTS, CASE, WAITS, logged, sqlite, views
from tests.e2e.world import World, slack_messages

PATIENT: Mapping[str, Any] = {
    "slack__entity_trigger_seconds": 60.0,
    "slack__entity_trigger_uses": 5,
}


@asynccontextmanager
async def with_objects(
    home: Path, database_url: str = "", **settings: Any
) -> AsyncIterator[tuple[World, Systems]]:
    where = database_url or sqlite(home)
    async with at_work(home, where, ATOM_SLACK_WORK_OBJECTS="true") as (here, systems):
        await here.set(**{**PATIENT, **settings})
        yield here, systems


async def test_who_may_see_more_sees_it_at_the_side_alone(
    tmp_path: Path, database_url: str
) -> None:
    """Scenario 6, in a pane: the amount is for finance, in no byte for the room."""
    async with with_objects(tmp_path, database_url) as (here, systems):
        await here.slack("post", text=f"See {deal(systems)}", typed=True, user="U02BOB")
        await here.until(lambda s: both(s, "platform renewal"), WAITS)

        danas = await opened(here, "U04DANA")
        alices = await opened(here, "U01ALICE")
        await here.quiet()

        state = await here.state()
        assert "1,284,500" in said(danas["shown"])
        assert "platform renewal" in said(alices["shown"])
        everything = said([slack_messages(state), teams_cards(state), alices])
        assert not [amount for amount in AMOUNTS if amount in everything]
        for call in ("chat.postMessage", "chat.update", "chat.unfurl"):
            sent = said([e for e in await here.journal() if e["call"] == call])
            assert not [amount for amount in AMOUNTS if amount in sent]
        looked = await logged(here, "record.view")
        assert [e["actor"] for e in looked] == ["slack:U04DANA", "slack:U01ALICE"]
        assert set(looked[0]["fields"]) > set(looked[1]["fields"])
        assert (await here.verdict()).intact


async def test_the_same_is_seen_in_the_pane_and_in_my_view(tmp_path: Path) -> None:
    async with with_objects(tmp_path) as (here, systems):
        await here.slack("post", text=f"See {deal(systems)}", typed=True, user="U02BOB")
        await here.until(lambda s: both(s, "platform renewal"), WAITS)
        pane = await opened(here, "U04DANA")
        [card] = slack_cards(await here.state())
        [button] = [
            one
            for block in card["blocks"]
            for one in block.get("elements", [])
            if one.get("action_id") == "rec.view"
        ]
        await here.slack("click", ts=card["ts"], value=button["value"], user="U04DANA")
        state = await here.until(lambda s: "1,284,500" in said(views(s)), WAITS)

        payload = pane["shown"]["entity_payload"]
        there = said(views(state))
        for field in payload["custom_fields"]:
            if field["key"] != "origin":
                assert json.dumps(field["value"], ensure_ascii=False) in there


async def test_who_has_connected_nothing_is_asked_to_connect(tmp_path: Path) -> None:
    async with with_objects(tmp_path) as (here, _systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)

        pane = await opened(here, "U03CHEN")

        assert pane["status"] == "auth"
        assert pane["auth_url"].startswith(f"{here.atom}/connect/salesforce/")
        assert pane["shown"] is None
        assert "/connect/" not in said(slack_messages(await here.state()))


async def test_what_was_deleted_is_told_to_who_opens_it(tmp_path: Path) -> None:
    async with with_objects(tmp_path) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)
        pane = await opened(here, "U01ALICE")
        assert CASE in said(pane["shown"])

        org = systems.salesforce
        org.rows.delete(org.users["bob"], "Case", org.ids["crash"])
        await here.slack("refresh_entity")
        pane = await presented(here, "U01ALICE", "error")

        assert pane["error"]["custom_title"] == "No such record"
        assert "no longer visible" in pane["error"]["custom_message"]
        # The room's card loses its object with everything else it said.
        await here.until(lambda s: not entities(s), WAITS)


async def test_a_stranger_is_told_that_it_is_not_for_them(tmp_path: Path) -> None:
    async with with_objects(tmp_path) as (here, _systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)
        nobody = SlackUser(
            "U09NOBODY", "T01ACME", "nobody", "No Body", "nobody@elsewhere.example"
        )
        here.sandbox.slack.users[nobody.id] = nobody
        await here.slack("join", user="U09NOBODY")

        pane = await opened(here, "U09NOBODY")

        assert pane["error"]["custom_title"] == "Not for you"
        assert pane["shown"] is None
        assert [e["actor"] for e in await logged(here, "record.denied")] == [
            "slack:U09NOBODY"
        ]


async def test_what_cannot_be_reached_is_neither_empty_nor_old(tmp_path: Path) -> None:
    async with with_objects(tmp_path) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)
        away = {"match": "*", "kind": "status", "arg": 503, "times": 999}
        systems.salesforce.faults.order(away)

        pane = await opened(here, "U01ALICE")

        assert pane["error"]["custom_title"] == "Out of date"
        assert "cannot be reached" in pane["error"]["custom_message"]
        assert "What this channel shows is of" in pane["error"]["custom_message"]


async def test_an_object_follows_what_changes_in_the_system(tmp_path: Path) -> None:
    async with with_objects(tmp_path) as (here, systems):
        host = urlsplit(systems.base).netloc
        await here.set(slack__link_domains=[host])
        page = f"{systems.base}/salesforce/lightning/r/Case"
        link = f"{page}/{systems.salesforce.ids['crash']}/view"
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.slack("post", text=f"See {link}", typed=True)
        await here.until(lambda s: len(entities(s)) == 2, WAITS)
        before = said(entities(await here.state()))

        org = systems.salesforce
        user = org.users["bob"]
        org.rows.update(user, "Case", org.ids["crash"], {"Status": "Escalated"})
        state = await here.until(
            lambda s: said(entities(s)).count("Escalated") == 2, WAITS
        )

        assert "Escalated" not in before
        assert len(entities(state)) == 2
        calls = {e["call"] for e in await here.journal()}
        assert {"chat.update", "chat.unfurl"} <= calls


async def test_a_guest_who_joins_lowers_the_object_with_its_card(
    tmp_path: Path,
) -> None:
    async with with_objects(tmp_path) as (here, _systems):
        gus = SlackUser("U06GUS", "T01ACME", "gus", "Gus Novak", "gus@partner.example")
        gus.is_guest = True
        here.sandbox.slack.users[gus.id] = gus
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: "Hank Scorpio" in said(entities(s)), WAITS)

        await here.slack("join", user=gus.id)

        state = await here.until(
            lambda s: "Hank Scorpio" not in said(entities(s)), WAITS
        )
        assert CASE in said(entities(state))


async def test_killed_before_it_is_presented_no_harm_is_done(
    tmp_path: Path, database_url: str
) -> None:
    async with with_objects(tmp_path, database_url) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)
        await here.quiet()
        slow = {"match": "*", "kind": "delay", "arg": 20, "times": 999, "user": "alice"}
        struck = systems.salesforce.faults.order(slow)
        await act(here, "open_entity", "U01ALICE")
        await here.until(lambda _: struck.left < 999, WAITS)
        await here.heard()
        await here.kill()
        before = [e for e in await here.journal() if presents(e)]
        systems.salesforce.faults.clear()
        await here.start()
        await here.quiet()

        pane = await opened(here, "U01ALICE")

        state = await here.state()
        assert CASE in said(pane["shown"])
        assert [e for e in before if "metadata" in e["request"]] == []
        assert len(slack_cards(state)) == len(teams_cards(state)) == 1
        assert len(await logged(here, "record.view")) == 1
        assert (await here.verdict()).intact


async def test_a_slow_system_is_found_by_a_refresh(tmp_path: Path) -> None:
    """The trigger lives for one answer, which says to wait; what was read waits too."""
    once: dict[str, Any] = {"slack__entity_trigger_uses": 1}
    async with with_objects(tmp_path, **once) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)
        await here.quiet()
        slow = {"match": "*", "kind": "delay", "arg": 4, "times": 99, "user": "alice"}
        systems.salesforce.faults.order(slow)

        await act(here, "open_entity", "U01ALICE")
        waiting = await presented(here, "U01ALICE", "error")
        await here.logged(
            lambda entries: any(e.etype == "record.view" for e in entries), WAITS
        )
        systems.salesforce.faults.clear()
        await here.slack("refresh_entity")
        pane = await presented(here, "U01ALICE", "shown")

        assert "takes a while" in waiting["error"]["custom_title"]
        assert CASE in said(pane["shown"])
        assert len(await logged(here, "record.view")) == 1


async def test_a_comment_is_made_from_the_pane_as_the_person(tmp_path: Path) -> None:
    async with with_objects(tmp_path) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)
        pane = await opened(here, "U01ALICE")
        found = pane["shown"]["entity_payload"]["actions"]
        buttons = [one for kind in found.values() for one in kind]
        [comment] = [one for one in buttons if one["action_id"] == "rec.comment"]

        await act(here, "click_entity", "U01ALICE", value=comment["value"])
        state = await here.until(lambda s: bool(views(s)), WAITS)
        [view] = views(state)
        [block] = [b for b in view["blocks"] if b.get("type") == "input"][:1]
        entered = {"value": "From the side"}
        name = block["element"]["action_id"]
        values = {block["block_id"]: {name: {"type": "plain_text_input", **entered}}}
        await here.slack("submit", view=view["id"], values=values)
        await here.until(
            lambda _: "From the side" in repr(systems.salesforce.rows.rows), WAITS
        )
        await here.quiet()

        assert len(await logged(here, "record.update")) == 1


async def test_it_opens_over_a_socket_as_well(tmp_path: Path) -> None:
    """Where Slack may not call in, events and clicks come through ATOM's own socket."""
    socket = {
        "ATOM_SLACK_SIGNING_SECRET": "",
        "ATOM_SLACK_APP_TOKEN": seed.APP_TOKEN,
        "ATOM_SLACK_WORK_OBJECTS": "true",
    }
    async with at_work(tmp_path, sqlite(tmp_path), started=True, **socket) as (here, _):
        await here.set(**PATIENT)
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)

        pane = await opened(here, "U01ALICE")

        assert CASE in said(pane["shown"])


async def test_without_the_setting_nothing_is_sent_beside_the_card(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, _systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        state = await here.until(lambda s: both(s, CASE), WAITS)

        assert entities(state) == []
        assert "entities" not in said(await here.journal())


async def test_where_slack_refuses_them_cards_stand_as_ever(tmp_path: Path) -> None:
    refused: dict[str, Any] = {"slack__work_objects": "refused"}
    async with with_objects(tmp_path, **refused) as (here, _systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        state = await here.until(lambda s: both(s, CASE), WAITS)
        await here.quiet()

        assert entities(state) == []
        assert len(slack_cards(await here.state())) == 1
        assert "work objects refused" in here.stderr


def deal(systems: Systems) -> str:
    page = f"{systems.base}/salesforce/lightning/r/Opportunity"
    return f"{page}/{systems.salesforce.ids['renewal']}/view"


def entities(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the objects that stand in Slack, with cards and under links."""
    found: list[Mapping[str, Any]] = []
    for message in slack_messages(state):
        found += (message.get("metadata") or {}).get("entities") or []
        found += [
            a["entity"] for a in message.get("attachments") or [] if "entity" in a
        ]
    return found


def presents(entry: Mapping[str, Any]) -> bool:
    return bool(entry["call"] == "entity.presentDetails")


async def act(here: World, action: str, user: str, **more: Any) -> None:
    """Let somebody do something with the object of the only card."""
    card = slack_cards(await here.state())[0]
    wish = {"ts": card["ts"]} if action == "open_entity" else {}
    await here.slack(action, user=user, **wish, **more)


async def presented(here: World, user: str, status: str = "") -> Mapping[str, Any]:
    """Wait until somebody's pane shows something; returns it."""

    def pane(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        for one in state["slack"]["workspaces"][0]["flexpanes"]:
            wanted = {status} if status else {"shown", "auth", "error"}
            if one["user"] == user and one["status"] in wanted:
                return dict(one)
        return None

    state = await here.until(lambda s: pane(s) is not None, WAITS)
    found = pane(state)
    assert found is not None
    return found


async def opened(here: World, user: str) -> Mapping[str, Any]:
    """Let somebody open the object of the only card; returns what they see."""
    await here.heard()
    await act(here, "open_entity", user)
    await here.heard()
    return await presented(here, user)
