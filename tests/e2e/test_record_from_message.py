"""Somebody makes an issue of a message, by its menu in Slack and in Teams."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bots.demo_records import Systems
from bots.sandbox.teams.seed import ACME
from bots.slack.record_asked import FROM_MESSAGE
from connectors.jira.adf import plain
from tests.e2e.at_work import at_work, said
from tests.e2e.test_reactions import told_of_shortcuts
from tests.e2e.test_records import (
    WAITS,
    choice_in,
    choices_of,
    chosen_in_slack,
    form_in,
    logged,
    places_in,
    views,
)
from tests.e2e.world import FALCON, PROJECT, World, slack_messages, teams_messages


async def test_an_issue_is_made_of_a_message_from_either_side(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, systems):
        await here.set(**told_of_shortcuts())
        ts = await here.slack("post", text="The fan burns at plant two", typed=True)
        said_in_teams = await here.teams("post", text="The fan rests", user="29:erin")
        for words in ("fan burns", "fan rests"):
            await here.until(partial(crossed, words=words), WAITS)

        by = {"workspace": "T01ACME", "user": "U01ALICE"}
        use = {"action": "message_shortcut", "callback_id": FROM_MESSAGE, "ts": ts}
        await here._act("slack", {**by, **use, "channel": FALCON.id})
        state = await here.until(lambda s: "What shall it be" in said(views(s)), WAITS)
        [view] = views(state)
        await chosen_in_slack(here, view, choices_of(view)["Jira: issue"])
        state = await here.until(lambda s: "Summary" in said(views(s)), WAITS)
        [view] = views(state)
        await entered(here, view, "issuetype", {"selected_option": BUG})
        await here._act("slack", {**by, "action": "submit", "view": view["id"]})
        await here.until(lambda _: len(fans(systems)) == 1, WAITS)

        place = {"tenant": ACME, "team": PROJECT.team, "channel": PROJECT.id}
        asked = {**place, "command": "createRecord", "user": "29:erin"}
        begin = {**asked, "action": "extension_action", "message": said_in_teams}
        send = {**asked, "action": "extension_submit"}
        answer = await here._act("teams", begin)
        answer = await here._act(
            "teams", {**send, "data": choice_in(answer, "Jira: issue")}
        )
        filled = {**form_in(answer), "in.choice.issuetype": BUG["value"]}
        await here._act("teams", {**send, "data": filled})
        await here.until(lambda _: len(fans(systems)) == 2, WAITS)

        # Of a copy it is made as of the message that it is one of.
        [copy] = [m for m in teams_messages(state) if "fan burns" in said([m])]
        answer = await here._act("teams", {**begin, "message": copy["id"]})
        answer = await here._act(
            "teams", {**send, "data": choice_in(answer, "Jira: issue")}
        )
        filled = {**form_in(answer), "in.choice.issuetype": BUG["value"]}
        await here._act("teams", {**send, "data": filled})
        await here.until(lambda _: len(fans(systems)) == 3, WAITS)
        await here.quiet()

        burns, rests, again = fans(systems)
        assert again["summary"] == burns["summary"]
        assert (burns["summary"], burns["reporter"]) == (
            "The fan burns at plant two",
            "712020:alice",
        )
        assert (rests["summary"], rests["reporter"]) == (
            "The fan rests",
            "712020:erin",
        )
        for issue in (burns, rests, again):
            assert len(places_in(plain(issue["description"]))) == 2
        told = await logged(here, "record.create")
        assert [entry["actor"] for entry in told] == [
            "slack:U01ALICE",
            "teams:29:erin",
            "teams:29:erin",
        ]
        assert (await here.verdict()).intact


BUG = {"text": {"type": "plain_text", "text": "Bug", "emoji": False}, "value": "10004"}


def crossed(state: Mapping[str, Any], words: str) -> bool:
    """Whether something is said on both sides."""
    return all(words in said(m(state)) for m in (slack_messages, teams_messages))


async def entered(
    here: World, view: Mapping[str, Any], name: str, what: Mapping[str, Any]
) -> None:
    """Fill in an input of a form that stands open in Slack."""
    [block] = [
        b
        for b in view["blocks"]
        if b["type"] == "input" and b["element"]["action_id"].endswith(f".{name}")
    ]
    place = {"block_id": block["block_id"], "action_id": block["element"]["action_id"]}
    by = {"workspace": "T01ACME", "user": view["user"], "view": view["id"]}
    await here._act("slack", {**by, "action": "enter", **place, "entered": what})


def fans(systems: Systems) -> list[Mapping[str, Any]]:
    """Return the issues that were made of messages, in that order."""
    issues = systems.jira.site.issues.values()
    return [i.values for i in issues if "fan" in str(i.values["summary"])]
