"""Somebody rejects a change from a card: both cards say so, and ask nobody any more."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bots.demo_records import Systems
from tests.e2e.at_work import (
    at_work,
    both,
    buttons,
    click_in_slack,
    click_in_teams,
    said,
    slack_cards,
    teams_cards,
)
from tests.e2e.test_records import (
    CHANGE,
    WAITS,
    logged,
    send_in_teams,
    views,
)
from tests.e2e.world import World, slack_messages, teams_texts

_WHY = "Not in the week of the fair"


async def test_a_change_that_is_rejected_in_teams_is_closed_on_both_cards(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, systems):
        await here.slack("post", text=f"{CHANGE} waits", typed=True)
        state = await here.until(partial(both, words=CHANGE), WAITS)
        assert asked_on(state) == [2, 2]
        [card] = teams_cards(state)

        form = await click_in_teams(here, card, "reject", user="29:erin")
        again = await send_in_teams(
            here, card, form, {"in.text.comments": ""}, user="29:erin"
        )
        above, reason = at_reason(again["body"]["value"]["body"])
        assert above["inlines"][0]["text"] == "⚠️ this is needed"
        assert reason["errorMessage"] == "this is needed"
        assert not decisions(systems)

        filled = {"in.text.comments": _WHY}
        answer = await send_in_teams(here, card, again, filled, user="29:erin")

        assert "Rejected" in said(answer)
        await closed(here, "Erin Park")
        assert decisions(systems) == {"erin": ("rejected", [_WHY])}
        await here.until(
            lambda s: "Rejected by Erin Park via Teams" in said(slack_messages(s)),
            WAITS,
        )
        [told] = await logged(here, "record.approve")
        assert (told["act"], told["actor"]) == ("reject", "teams:29:erin")


async def test_a_change_that_is_rejected_in_slack_is_closed_on_both_cards(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, systems):
        await here.teams("post", text=f"{CHANGE} waits", typed=True)
        state = await here.until(partial(both, words=CHANGE), WAITS)
        assert asked_on(state) == [2, 2]
        [card] = slack_cards(state)

        await click_in_slack(here, card, "reject")
        state = await here.until(lambda s: "Reason" in said(views(s)), WAITS)
        [view] = views(state)
        await submitted(here, view, " ")  # Slack itself lets nobody submit nothing
        state = await here.until(lambda s: "needed" in said(views(s)), WAITS)
        [view] = views(state)
        above, _ = at_reason(view["blocks"])
        assert above["elements"][0]["text"] == "⚠️ this is needed"
        assert not decisions(systems)

        await submitted(here, view, _WHY)

        await closed(here, "Alice Wong")
        assert decisions(systems) == {"alice": ("rejected", [_WHY])}
        await here.until(
            lambda s: any(
                "Rejected by Alice Wong via Slack" in t for t in teams_texts(s)
            ),
            WAITS,
        )
        [told] = await logged(here, "record.approve")
        assert (told["act"], told["actor"]) == ("reject", "slack:U01ALICE")


def stands(state: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return what the one card in Slack and the one in Teams show now."""
    [slack], [teams] = slack_cards(state), teams_cards(state)
    return slack["blocks"], teams["attachments"]


def asked_on(state: Mapping[str, Any]) -> list[int]:
    """Return how many ways to decide each of the cards has."""
    ways = ("approve", "reject")
    return [sum(bool(buttons(card, w)) for w in ways) for card in stands(state)]


async def closed(here: World, who: str) -> None:
    """Wait until both cards say that it is rejected, and by whom, and ask nobody."""
    await here.until(lambda s: both(s, f"rejected by {who}"), WAITS)
    await here.quiet()
    state = await here.state()
    for card in map(said, stands(state)):
        assert "New – rejected" in card
        assert f"0 of 1 · rejected by {who}" in card
        assert "waiting on" not in card
    assert asked_on(state) == [0, 0]


def at_reason(parts: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the input of a reason in a form, and what stands right above it."""
    [place] = [n for n, part in enumerate(parts) if "comments" in input_of(part)]
    return parts[place - 1 : place + 1]


def input_of(part: Mapping[str, Any]) -> str:
    """Return the id of an input of either platform; of other parts, nothing."""
    if part.get("type") == "Input.Text":
        return str(part["id"])
    return str(part["element"]["action_id"]) if part.get("type") == "input" else ""


async def submitted(here: World, view: Mapping[str, Any], reason: str) -> None:
    """Enter a reason in the form that stands open in Slack, and send it."""
    [block] = [b for b in view["blocks"] if b["type"] == "input"]
    by = {"workspace": "T01ACME", "user": view["user"], "view": view["id"]}
    place = {"block_id": block["block_id"], "action_id": block["element"]["action_id"]}
    entered = {"action": "enter", **place, "entered": {"value": reason}}
    await here._act("slack", {**by, **entered})
    await here._act("slack", {**by, "action": "submit"})


def decisions(systems: Systems) -> dict[str, tuple[str, list[str]]]:
    """Return who decided on the change, how and why, as ServiceNow has it."""
    instance = systems.servicenow.instance
    users = {each.id: name for name, each in systems.servicenow.users.items()}
    [change] = [r for r in instance.all("change_request") if r["number"] == CHANGE]
    said_ = instance.all("sys_journal_field")
    return {
        users[row["approver"]]: (
            row["state"],
            [e["value"] for e in said_ if e["element_id"] == row["sys_id"]],
        )
        for row in instance.all("sysapproval_approver")
        if row["sysapproval"] == change["sys_id"]
        and row["state"] in {"approved", "rejected"}
    }
