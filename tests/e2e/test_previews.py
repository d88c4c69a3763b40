"""Cards under links that people write, through the whole of ATOM and both platforms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bots.demo_records import Systems
from tests.e2e.at_work import at_work, said, teams_cards
from tests.e2e.test_records import WAITS, logged
from tests.e2e.test_work_objects import deal
from tests.e2e.world import World, slack_messages

TITLE = "platform renewal"


async def test_a_link_says_what_it_is_while_it_is_written_and_more_once_it_is_sent(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, systems):
        await watched(here, systems)
        text = f"See {deal(systems)}"
        await here.slack("compose", text=text, user="U03CHEN")
        await here.slack("compose", text=text, user="U01ALICE")
        state = await here.until(lambda s: bool(previews(s, "U01ALICE")), WAITS)

        [preview] = previews(state, "U01ALICE")
        assert "Salesforce record" in said(preview)
        assert previews(state, "U03CHEN") == []  # has no account to see it with
        sent = said([e for e in await here.journal() if e["call"] == "chat.unfurl"])
        assert TITLE not in sent
        assert "rec." not in sent
        assert await logged(here, "record.show") == []  # nothing stands anywhere
        [looked] = await logged(here, "record.view")
        assert (looked["actor"], looked["fields"]) == ("slack:U01ALICE", [])
        assert looked["decision"]["allowed"]

        await here.slack("post", text=text, typed=True)
        state = await here.until(lambda s: TITLE in said(teams_cards(s)), WAITS)
        state = await here.until(lambda s: TITLE in said(shown_in_slack(s)), WAITS)
        assert len(await logged(here, "record.show")) == 2
        assert (await here.verdict()).intact


async def watched(here: World, systems: Systems) -> None:
    """Let both platforms tell of links to the systems' pages."""
    host = urlsplit(systems.base).netloc
    await here.set(slack__link_domains=[host], teams__link_domains=[host])


def previews(state: Mapping[str, Any], user: str) -> list[Any]:
    """Return what somebody's client shows under the links that they are writing."""
    [acme] = [w for w in state["slack"]["workspaces"] if w["id"] == "T01ACME"]
    return [
        shown
        for draft in acme["drafts"]
        if draft["user"] == user
        for shown in draft["attachments"]
    ]


def shown_in_slack(state: Mapping[str, Any]) -> list[Any]:
    return [one.get("attachments") or [] for one in slack_messages(state)]
