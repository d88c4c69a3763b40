"""What a room lets a mention show, and what is chosen from a list in Teams' composer."""

from pathlib import Path

from bots.sandbox.teams.seed import ACME
from tests.e2e.at_work import (
    at_work,
    buttons,
    click_in_slack,
    click_in_teams,
    said,
    slack_cards,
    teams_cards,
)
from tests.e2e.test_linking import slack_answer
from tests.e2e.test_reactions import told_of_shortcuts
from tests.e2e.test_records import CASE, WAITS, logged, sqlite, views
from tests.e2e.world import PROJECT, teams_messages


async def test_a_room_that_wants_names_alone_is_shown_no_fields(
    tmp_path: Path,
) -> None:
    """Chosen in Slack for that channel: the linked one in Teams goes by its own."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, _systems):
        answer = await slack_answer(here, "records level name salesforce")
        assert "its number and title from now on" in answer

        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        state = await here.until(
            lambda s: bool(slack_cards(s)) and "Working" in said(teams_cards(s)), WAITS
        )
        await here.quiet()

        state = await here.state()
        [slack] = slack_cards(state)
        shown = said([slack["text"], slack["blocks"]])
        assert "Login page shows an error" in shown
        assert "Hank Scorpio" not in shown
        assert "Working" not in shown
        assert [bool(buttons(slack["blocks"], act)) for act in ("view", "take")] == [
            True,
            False,
        ]
        await click_in_slack(here, slack, "view")
        await here.until(lambda s: "Hank Scorpio" in said(views(s)), WAITS)

        await slack_answer(here, "records level nothing servicenow")
        await here.slack("post", text="And INC0010001", typed=True)
        await here.until(lambda s: "INC0010001" in said(teams_cards(s)), WAITS)
        await here.quiet()
        assert len(slack_cards(await here.state())) == 1


async def test_what_is_chosen_from_a_search_in_teams_is_drawn_for_the_room(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, _systems):
        await here.set(**told_of_shortcuts())
        by = {"tenant": ACME, "user": "29:dave", "team": PROJECT.team}
        place = {**by, "channel": PROJECT.id}
        query = {"action": "extension_query", "command": "findRecord"}
        listed = await here._act("teams", {**place, **query, "words": "renewal"})

        results = listed["body"]["composeExtension"]["attachments"]
        [deal] = [r for r in results if "platform renewal" in said(r["preview"])]
        assert "1,284,500" not in said(listed)
        tap = deal["preview"]["content"]["tap"]["value"]
        select = {"action": "extension_select", "value": tap}
        chosen = await here._act("teams", {**place, **select})

        # What stands in somebody's own message cannot be taken back: no field does.
        [preview] = chosen["body"]["composeExtension"]["attachments"]
        card = preview["content"]
        assert "platform renewal" in said(card)
        assert "Bob Stone" not in said(card)
        assert "1,284,500" not in said(chosen)

        send = {"action": "extension_send", "text": "Look at this", "card": card}
        await here._act("teams", {**place, **send})
        [posted] = [
            m for m in teams_messages(await here.state()) if "Look at this" in said(m)
        ]
        own = await click_in_teams(here, posted, "view", user="29:dave")
        assert "1,284,500" in said(own)
        told = await logged(here, "record.find")
        assert [entry["actor"] for entry in told] == ["teams:29:dave"]
        assert len(await logged(here, "record.show")) == 1
        await here.quiet()
        assert "1,284,500" not in said(
            [m["attachments"] for m in teams_messages(await here.state())]
        )
        assert (await here.verdict()).intact
