"""Cards under links that people write, through the whole of ATOM and both platforms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bots.demo_records import Systems
from bots.sandbox.teams.seed import ACME as TENANT
from tests.e2e.at_work import at_work, said, teams_cards
from tests.e2e.test_linking import slack_answer, teams_answer
from tests.e2e.test_records import (
    AMOUNTS,
    CASE,
    WAITS,
    first_shown,
    logged,
    own_chats,
    sqlite,
)
from tests.e2e.test_work_objects import deal
from tests.e2e.world import PROJECT, World, slack_messages, teams_messages

TITLE = "platform renewal"
VALUES = ("Working", "Hank Scorpio", "High", "502")


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
        assert len(await first_shown(here)) == 2
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


async def test_what_is_put_into_ones_own_message_is_drawn_anew_for_each_reader(
    tmp_path: Path, database_url: str
) -> None:
    """Scenarios 6 and 7 where ATOM cannot edit: no byte that would have to go again."""
    async with at_work(tmp_path, database_url) as (here, systems):
        link = case(systems)
        given = [
            await extension(here, "extension_link", url=link),
            await extension(here, "extension_select", value={"url": link}),
        ]
        for answer in given:
            assert CASE in said(answer)
            assert not [value for value in VALUES if value in said(answer)]
        card = inserted(given[0])
        assert {"29:carol", "29:dave"} <= set(card["refresh"]["userIds"])

        message = await here.teams("extension_send", card=card)
        await here.until(lambda s: "502" in views(s, message, "29:carol"), WAITS)
        org = systems.salesforce
        org.rows.update(org.users["bob"], "Case", org.ids["crash"], {"Status": "New"})
        await here.teams("refresh", message=message)
        state = await here.until(
            lambda s: "Working" not in views(s, message, "29:carol"), WAITS
        )

        assert "502" in views(state, message, "29:carol")
        [sent] = [m for m in teams_messages(state) if m["id"] == message]
        assert not [value for value in VALUES if value in said(sent["attachments"])]
        shown = await logged(here, "record.show")
        assert [(e["level"], e["fields"]) for e in shown] == [("name", [])] * 2
        assert (await here.verdict()).intact


async def test_only_who_may_see_more_is_drawn_more_in_anothers_message(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        asked = {"url": deal(systems), "user": "29:dave"}
        card = inserted(await extension(here, "extension_link", **asked))
        message = await here.teams("extension_send", card=card, user="29:dave")
        await here.until(lambda s: "1,284,500" in views(s, message, "29:dave"), WAITS)
        await here.teams("refresh", message=message, user="29:erin")
        state = await here.state()

        assert TITLE in said(card)
        for seen in (said(card), views(state, message, "29:erin")):
            assert not [amount for amount in AMOUNTS if amount in seen]


async def test_a_link_beside_it_has_its_card_below_that_follows_the_record(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        link = case(systems)
        card = inserted(await extension(here, "extension_link", url=link))
        await here.teams("extension_send", card=card, text=f"See {link}")
        await here.until(lambda s: "Working" in said(below(s)), WAITS)

        org = systems.salesforce
        user = org.users["bob"]
        org.rows.update(user, "Case", org.ids["crash"], {"Status": "Escalated"})

        state = await here.until(lambda s: "Escalated" in said(below(s)), WAITS)
        assert len(below(state)) == 1


def case(systems: Systems) -> str:
    page = f"{systems.base}/salesforce/lightning/r/Case"
    return f"{page}/{systems.salesforce.ids['crash']}/view"


async def extension(here: World, action: str, **more: Any) -> Mapping[str, Any]:
    """Let somebody use the message extension in Project Falcon; returns what they get."""
    where = {"tenant": TENANT, "team": PROJECT.team, "channel": PROJECT.id}
    wish = {"action": action, "user": "29:carol", **where, **more}
    answer = await here._act("teams", wish)
    found: Mapping[str, Any] = answer["body"]["composeExtension"]
    return found


def inserted(answer: Mapping[str, Any]) -> dict[str, Any]:
    [attachment] = answer["attachments"]
    return dict(attachment["content"])


def views(state: Mapping[str, Any], message: str, person: str) -> str:
    """Return what somebody's client shows in place of a card."""
    [found] = [m for m in teams_messages(state) if m["id"] == message]
    return said(found["views"].get(person))


def below(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return ATOM's cards in threads."""
    return [card for card in teams_cards(state) if not card["is_root"]]


async def test_whoever_misses_a_card_asks_why_and_is_told_alone(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, systems):
        link = deal(systems)
        chens = await slack_answer(here, f"why <{link}>", "U03CHEN")
        alices = await slack_answer(here, f"why {link}")
        everybody = await teams_answer(here, f"why {link}")
        state = await here.until(lambda s: "no such record" in own_chats(s), WAITS)
        await slack_answer(here, "records level nothing salesforce")
        nothing = await slack_answer(here, f"why {link}", "U03CHEN")

        assert "account is not connected" in chens
        assert "whoever wrote it may not see the record" in alices
        assert "Answered to you alone" in everybody
        assert "no such record" not in said(teams_messages(state))
        assert "let nothing of Salesforce be shown here" in nothing
        # Carol sees no deals, and Chen has no account: they learn nothing of this one.
        assert TITLE not in said([chens, everybody, own_chats(state), nothing])
        told = await logged(here, "record.notice")
        assert [e["person"] for e in told] == [
            "slack:U03CHEN",
            "slack:U01ALICE",
            "teams:29:carol",
            "slack:U03CHEN",
        ]
        assert (await here.verdict()).intact
