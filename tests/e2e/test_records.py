"""Business records where people talk, through the whole of ATOM and both platforms."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bots.demo_records import Systems
from bots.sandbox.slack.model import User as SlackUser
from bots.sandbox.teams.seed import ACME as TEAMS_TENANT
from bots.slack.record_asked import FROM_MESSAGE
from connectors.sandbox.hubspot.seed import PORTAL
from connectors.sandbox.jira.seed import paragraph
from connectors.sandbox.jira.state import Comment
from storage.hot import Program, Statement
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
from tests.e2e.test_linking import slack_answer, teams_answer
from tests.e2e.test_private_notices import whispers
from tests.e2e.test_reactions import told_of_shortcuts
from tests.e2e.world import (
    FALCON,
    PROJECT,
    World,
    slack_messages,
    teams_messages,
    teams_texts,
)

CASE = "CS-00001026"
CHANGE = "CHG0030351"
WAITS = 90.0
AMOUNTS = ("1284500", "1,284,500", "1 284 500", "1.284.500", "1284500.0")


async def test_a_case_that_is_named_is_shown_on_both_sides_once(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, _systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        state = await here.until(lambda s: both(s, CASE), WAITS)
        await here.slack("post", text="and that was all", typed=True)
        await here.until(
            lambda s: any("that was all" in t for t in teams_texts(s)), WAITS
        )
        await here.quiet()

        state = await here.state()
        assert both(state, CASE)
        [slack], [teams] = slack_cards(state), teams_cards(state)
        assert slack["thread_ts"]  # below the message that names it
        assert not teams["is_root"]
        assert len(await first_shown(here)) == 2
        assert (await here.verdict()).intact


async def test_an_amount_is_for_the_finance_person_alone(tmp_path: Path) -> None:
    """Scenario 6, with everybody of the company in the room."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        org = systems.salesforce
        page = f"{systems.base}/salesforce/lightning/r/Opportunity"
        link = f"{page}/{org.ids['renewal']}/view"
        await here.slack("post", text=f"See {link}", typed=True, user="U02BOB")
        state = await here.until(lambda s: both(s, "platform renewal"), WAITS)

        everything = said(state) + said(await here.journal())
        assert not [amount for amount in AMOUNTS if amount in everything]
        [card] = slack_cards(state)
        await click_in_slack(here, card, "view", user="U04DANA")
        state = await here.until(lambda s: "1,284,500" in said(views(s)), WAITS)

        [view] = [v for v in views(state) if "1,284,500" in said(v)]
        assert view["user"] == "U04DANA"
        assert "1,284,500" not in said(slack_cards(state)) + said(teams_cards(state))
        await click_in_slack(here, card, "view", user="U01ALICE")
        state = await here.until(lambda s: len(views(s)) == 2, WAITS)
        await here.quiet()
        own = [v for v in views(await here.state()) if v["user"] == "U01ALICE"]
        assert "1,284,500" not in said(own)


async def test_what_hr_knows_is_for_hr_alone(tmp_path: Path) -> None:
    """Nobody has an account in HR that ATOM could use: the policy says who sees what."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        last = systems.hr.company.employees["108"]["terminationDate"]
        page = f"{systems.base}/hr/employees/employee.php?id=108"
        # Chen has connected nothing, and is an employee like others.
        await here.slack("post", text=f"Ask {page}", typed=True, user="U03CHEN")
        state = await here.until(lambda s: both(s, "Frank Moss"), WAITS)
        [slack], [teams] = slack_cards(state), teams_cards(state)

        await click_in_slack(here, slack, "view", user="U04DANA")
        state = await here.until(lambda s: last in said(views(s)), WAITS)
        own = await click_in_teams(here, teams, "view")
        await click_in_slack(here, slack, "view", user="U01ALICE")
        state = await here.until(lambda s: len(views(s)) == 2, WAITS)
        await here.quiet()

        state = await here.state()
        [alices] = [v for v in views(state) if v["user"] == "U01ALICE"]
        assert "Frank Moss" in said(alices)
        assert "Frank Moss" in said(own)
        for seen in (alices, own, slack_cards(state), teams_cards(state)):
            assert last not in said(seen)
            assert "Last day" not in said(seen)


async def test_a_guest_leads_to_their_contact_and_its_account(
    tmp_path: Path, database_url: str
) -> None:
    """From either side, as who asks sees it; the book is read by then or not."""
    async with at_work(tmp_path, database_url) as (here, systems):
        gus = SlackUser("U06GUS", "T01ACME", "gus", "Gus Novak", "gus@partner.example")
        gus.is_guest = True
        here.sandbox.slack.users[gus.id] = gus
        erin = here.sandbox.teams.people["29:erin"]
        contact = {"LastName": "Park", "Email": erin.email, "Title": "Chief of trees"}
        systems.salesforce.rows.create(None, "Contact", contact)

        by_slack = await slack_answer(here, "contact @Gus Novak")
        account = ""
        for _ in range(100):
            account = await slack_answer(here, "account @gus")
            if "Partner Works" in account:
                break
            await asyncio.sleep(0.3)  # the book is read in the background
        mentions = [{"id": erin.id, "name": "Erin Park"}]
        by_teams = await teams_answer(here, "contact @Erin Park", mentions=mentions)
        nobody = await slack_answer(here, "contact @Bob Stone")

        assert "Field engineer" in by_slack
        assert "gus@partner.example" in by_slack
        assert "Partner Works" in account
        assert "to you alone" in by_teams
        assert "Chief of trees" not in by_teams
        await here.until(lambda s: "Chief of trees" in said(s), WAITS)
        assert "Salesforce: nothing found" in nobody
        views = await logged(here, "record.view")
        assert len(views) >= 3
        assert (await here.verdict()).intact


async def test_who_will_join_is_found_by_role_and_not_by_name(tmp_path: Path) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, _systems):
        by_role = await slack_answer(here, "find financial analyst", user="U03CHEN")
        by_name = await slack_answer(here, "find nora", user="U03CHEN")

        assert "Financial Analyst, from" in by_role
        assert "Nora" not in by_role
        assert "HR: nothing found" in by_name


async def test_an_approval_from_either_side_counts_once(
    tmp_path: Path, database_url: str
) -> None:
    """Scenario 10: clicked twice, by two people, on two platforms."""
    async with at_work(tmp_path, database_url) as (here, systems):
        await here.slack("post", text=f"{CHANGE} waits", typed=True)
        state = await here.until(lambda s: both(s, CHANGE), WAITS)
        [slack], [teams] = slack_cards(state), teams_cards(state)

        await asyncio.gather(
            click_in_slack(here, slack, "approve"),
            click_in_slack(here, slack, "approve"),
            click_in_teams(here, teams, "approve", user="29:erin"),
        )

        await here.until(lambda s: both(s, "2 of 3"), WAITS)
        state = await here.until(
            lambda s: all(
                any(f"Approved by {who}" in t for t in teams_texts(s))
                for who in ("Alice Wong via Slack", "Erin Park via Teams")
            ),
            WAITS,
        )
        assert approvals(systems) == {"alice": 1, "erin": 1}
        told = await logged(here, "record.approve")
        assert sorted(entry["actor"] for entry in told) == [
            "slack:U01ALICE",
            "teams:29:erin",
        ]


async def test_who_is_no_approver_is_told_alone(tmp_path: Path) -> None:
    """Scenario 11: the system is never asked to."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        await here.slack("post", text=f"{CHANGE} waits", typed=True)
        state = await here.until(lambda s: both(s, CHANGE), WAITS)
        [teams] = teams_cards(state)

        answer = await click_in_teams(here, teams, "approve")

        assert "waiting on" in said(answer).lower()
        assert approvals(systems) == {}
        assert both(await here.state(), "0 of 3")


async def test_a_card_follows_what_somebody_changes_in_the_system(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        await here.teams("post", text=f"<p>{CASE} please</p>")
        await here.until(lambda s: both(s, CASE), WAITS)

        org = systems.salesforce
        user = org.users["bob"]
        org.rows.update(user, "Case", org.ids["crash"], {"Status": "Escalated"})

        state = await here.until(lambda s: both(s, "Escalated"), WAITS)
        assert len(slack_cards(state)) == len(teams_cards(state)) == 1


async def test_a_status_that_is_changed_in_teams_changes_in_slack(
    tmp_path: Path, database_url: str
) -> None:
    """By the form that the card opens, as the person who fills it in."""
    async with at_work(tmp_path, database_url) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        state = await here.until(lambda s: both(s, CASE), WAITS)
        [card] = teams_cards(state)
        assert not both(state, "Escalated")

        form = await click_in_teams(here, card, "status", user="29:erin")
        filled = {"in.choice.Status": "Escalated", "in.choice.Type": "Problem"}
        answer = await send_in_teams(here, card, form, filled, user="29:erin")

        assert "Status changed" in said(answer)
        state = await here.until(lambda s: both(s, "Escalated"), WAITS)
        assert len(slack_cards(state)) == len(teams_cards(state)) == 1
        await here.until(
            lambda s: (
                "Status changed by Erin Park via Teams" in said(slack_messages(s))
            ),
            WAITS,
        )
        org = systems.salesforce
        case = org.rows.rows["Case"][org.ids["crash"]]
        assert case["LastModifiedById"] == org.users["erin"].id
        [told] = await logged(here, "record.update")
        assert told["actor"] == "teams:29:erin"
        assert told["before"]["Status"] == "Working"
        assert told["after"]["Status"] == "Escalated"
        assert told["decision"]["allowed"]
        assert told["request"]


async def test_a_guest_who_joins_lowers_the_cards_of_that_room(tmp_path: Path) -> None:
    """Scenario 7: what is personal goes where the guest reads, and stays elsewhere."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, _systems):
        gus = SlackUser("U06GUS", "T01ACME", "gus", "Gus Novak", "gus@partner.example")
        gus.is_guest = True
        here.sandbox.slack.users[gus.id] = gus
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, "Hank Scorpio"), WAITS)

        await here.slack("join", user=gus.id)

        def shown(state: Mapping[str, Any]) -> str:
            return said([(card["text"], card["blocks"]) for card in slack_cards(state)])

        state = await here.until(lambda s: "Hank Scorpio" not in shown(s), WAITS)
        assert CASE in shown(state)
        await here.quiet()
        state = await here.state()
        assert "Hank Scorpio" not in shown(state)
        assert "Hank Scorpio" in said(teams_cards(state))
        newest = (await logged(here, "record.show"))[-1]
        assert newest["cause"] == "floor"
        assert newest["withheld"]


async def test_who_has_connected_nothing_shows_nothing_and_is_told_alone(
    tmp_path: Path,
) -> None:
    """Scenario 8: whoever cannot see it themselves shows it to nobody."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, _systems):
        await here.slack("post", text=f"look at {CASE}", typed=True, user="U03CHEN")
        state = await here.until(lambda s: bool(whispers(s)), WAITS)

        [told] = whispers(state)
        assert "account is not connected" in said(told)
        assert told["to"] == "U03CHEN"
        await here.quiet()
        state = await here.state()
        assert slack_cards(state) == teams_cards(state) == []


@pytest.mark.parametrize("fault", ["timeout_after", "error_after"])
async def test_a_post_whose_answer_was_lost_stands_once(
    tmp_path: Path, fault: str
) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, _systems):
        more = {"seconds": 4.0} if fault == "timeout_after" else {}
        await here.fault("slack.chat.postMessage", fault, times=1, **more)
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)

        state = await here.until(lambda s: both(s, CASE), WAITS)
        await here.quiet()
        await asyncio.sleep(3)
        state = await here.state()
        assert len(slack_cards(state)) == len(teams_cards(state)) == 1


async def test_killed_while_a_card_is_on_its_way_it_stands_once(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, _systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: bool(slack_cards(s) or teams_cards(s)), WAITS)
        await here.kill()
        await here.start()

        await here.until(lambda s: both(s, CASE), WAITS)
        await here.quiet()
        state = await here.state()
        assert len(slack_cards(state)) == len(teams_cards(state)) == 1


async def test_a_search_says_what_each_system_came_to(tmp_path: Path) -> None:
    """
    Scenario 19: one is down, and one is slow; what it found comes later.

    Slack lets nobody change an answer to a command: a fuller one follows it. Whoever
    looks again finds it in the same place, as in Teams everybody does.
    """
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        systems.jira.faults.order(
            {"match": "* /ex/jira/*", "kind": "status", "arg": 503, "times": 99}
        )
        login = {"short_description": "Globex cannot log in", "number": "INC0010099"}
        systems.servicenow.instance.insert("incident", login, "carol")
        with slow_search(systems):
            answer = await slack_answer(here, "find globex")
            [told] = whispers(await here.state())
            await looked_again(here, told)

        assert "platform renewal" in answer
        assert "Globex renewal FY27" in answer  # HubSpot's
        assert "Jira: unavailable" in answer
        assert "ServiceNow: still searching" in answer
        assert "Globex cannot log in" not in answer
        assert "Look again" in said(told)
        state = await here.until(
            lambda s: said(whispers(s)).count("Globex cannot log in") == 2, WAITS
        )
        [again, later] = whispers(state)
        assert again["ts"] == told["ts"]
        for fuller in (again, later):
            assert "platform renewal" in said(fuller)
            assert "ServiceNow: answered" in said(fuller)
            assert "Jira: unavailable" in said(fuller)
            assert "Look again" not in said(fuller)

        with slow_search(systems):
            answer = await teams_answer(here, "find globex", user="29:erin")
        assert "ServiceNow: still searching" in answer
        assert "Look again" in answer
        state = await here.until(
            lambda s: "Globex cannot log in" in said(teams_messages(s)), WAITS
        )
        [one] = [m for m in teams_messages(state) if "Found for" in said(m)]
        assert "ServiceNow: answered" in said(one["attachments"])
        assert "Look again" not in said(one["attachments"])
        assert (await here.verdict()).intact


@contextmanager
def slow_search(systems: Systems) -> Iterator[None]:
    """Let ServiceNow take its time with what it is asked for inside."""
    late = {"match": "POST */batch", "kind": "delay", "arg": 8.0, "times": 99}
    systems.servicenow.faults.order(late)
    yield
    systems.servicenow.faults.clear()


async def looked_again(here: World, told: Mapping[str, Any]) -> None:
    """Press the button below a search's answer that some system did not come to."""
    [row] = [b for b in told["blocks"] if b["type"] == "actions"]
    [button] = [e for e in row["elements"] if e["text"]["text"] == "Look again"]
    click = {"action": "click", "ts": told["ts"], "value": button["value"]}
    by = {"workspace": "T01ACME", "user": "U01ALICE", "channel": FALCON.id}
    await here._act("slack", {**by, **click})


async def test_a_person_in_teams_hears_of_changes_in_their_own_chat(
    tmp_path: Path,
) -> None:
    """Of a case that they asked for there, and of another asked for in a channel."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        opened = await here._act("teams", {"action": "chat", "user": "29:carol"})
        await here.teams("post", text=f"follow {CASE}", channel=opened["channel"])
        await here.until(lambda s: "for you alone" in own_chats(s), WAITS)
        wanted = "follow case me where status ~ New"
        await here.teams("post", text=wanted, mention_bot=True)
        await here.until(lambda s: "for you alone" in said(teams_messages(s)), WAITS)

        org = systems.salesforce
        user, case = org.users["bob"], org.ids["crash"]
        for status, times in (("Escalated", 1), ("New", 2)):
            org.rows.update(user, "Case", case, {"Status": status})
            await here.until(partial(heard_alone, f"{status} · High", times), WAITS)
        await here.quiet()

        state = await here.state()
        everybody = said([*slack_messages(state), *teams_messages(state)])
        assert "Escalated" not in everybody
        # The filter wants the second one alone.
        assert heard_alone("Escalated · High", 1, state)


async def test_what_is_followed_is_told_of_once_its_system_answers_again(
    tmp_path: Path, database_url: str
) -> None:
    """To a channel of each platform, though ATOM is killed before it does."""
    async with at_work(tmp_path, database_url) as (here, systems):
        await slack_answer(here, f"follow {CASE}")
        await teams_answer(here, f"follow {CASE}")
        org = systems.salesforce
        away = {"match": "* /services/data/*", "kind": "status", "arg": 503}
        systems.salesforce.faults.order({**away, "times": 9_999})
        org.rows.update(
            org.users["bob"], "Case", org.ids["crash"], {"Status": "Escalated"}
        )
        await unjudged(here, 2)
        assert "Escalated" not in said(await here.state())

        await here.kill()
        systems.salesforce.faults.clear()
        await here.start()
        told = "Escalated · High"
        for messages in (slack_messages, teams_messages):
            await here.until(partial(told_in, messages, told), WAITS)
        await here.quiet()

        state = await here.state()
        for messages in (slack_messages, teams_messages):
            assert [told in said(one) for one in messages(state)].count(True) == 1
        assert len(await logged(here, "record.told")) == 2


async def test_from_a_message_what_it_names_is_added_to_and_edited(
    tmp_path: Path, database_url: str
) -> None:
    """Records without numbers, by links: a note in Slack, an edit in Teams."""
    async with at_work(tmp_path, database_url) as (here, systems):
        await here.set(**told_of_shortcuts())
        org = systems.salesforce
        renewal = org.ids["renewal"]
        deal = f"{systems.base}/hubspot/contacts/{PORTAL}/record/0-3/30101"
        sale = f"{systems.base}/salesforce/lightning/r/Opportunity/{renewal}/view"
        text = f"They sign on Friday: {deal} and {sale}, see KB0010001"
        ts = await here.slack("post", text=text, typed=True)
        await here.until(lambda s: both(s, "platform renewal"), WAITS)

        callback = {"action": "message_shortcut", "callback_id": FROM_MESSAGE}
        place = {"workspace": "T01ACME", "user": "U01ALICE", "channel": FALCON.id}
        await here._act("slack", {**place, **callback, "ts": ts})
        state = await here.until(lambda s: "What shall it be" in said(views(s)), WAITS)
        [view] = views(state)
        named = choices_of(view)
        assert [label for label in named if ":" not in label] == [
            "Add a note to Globex – platform renewal FY27",
            "Edit Globex – platform renewal FY27",
            "Add a note to Globex renewal FY27",
            "Edit Globex renewal FY27",
        ]
        await chosen_in_slack(here, view, named["Add a note to Globex renewal FY27"])
        state = await here.until(lambda s: "Friday" in said(views(s)), WAITS)
        [view] = views(state)
        submit = {"workspace": "T01ACME", "user": "U01ALICE", "action": "submit"}
        await here._act("slack", {**submit, "view": view["id"]})
        await here.until(lambda _: len(notes_on_deals(systems)) == 1, WAITS)
        [note] = notes_on_deals(systems)
        assert len(places_in(note)) == 2

        asked = {
            "tenant": TEAMS_TENANT,
            "team": PROJECT.team,
            "channel": PROJECT.id,
            "command": "createRecord",
        }
        posts = teams_messages(await here.state())
        [copy] = [m["id"] for m in posts if "Friday" in said(m)]
        begin = {**asked, "action": "extension_action", "message": copy}
        answer = await here._act("teams", {**begin, "user": "29:dave"})
        send = {**asked, "action": "extension_submit", "user": "29:dave"}
        note_too = choice_in(answer, "Add a note to Globex renewal FY27")
        form = await here._act("teams", {**send, "data": note_too})
        assert places_in(said(form)) == places_in(note)
        edit = choice_in(answer, "Edit Globex – platform renewal FY27")
        answer = await here._act("teams", {**send, "data": edit})
        filled = {**form_in(answer), "in.line.NextStep": "They sign on Friday"}
        await here._act("teams", {**send, "data": filled})

        row = org.rows.rows["Opportunity"][renewal]
        await here.until(lambda _: row["NextStep"] == "They sign on Friday", WAITS)
        assert row["LastModifiedById"] == org.users["dave"].id
        # Carol may not see it in Salesforce, and is not asked about it.
        answer = await here._act("teams", {**begin, "user": "29:carol"})
        assert "Edit Globex renewal FY27" in said(answer)
        assert "platform renewal" not in said(answer)


def places_in(text: str) -> list[str]:
    """Return on which platforms a text says that a message can be looked at."""
    addresses = (".slack.com/archives/", "teams.microsoft.com/l/message/")
    return [each for each in addresses if each in text]


def form_in(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is sent if somebody changes nothing of a form in Teams."""
    card = answer["body"]["task"]["value"]["card"]["content"]
    stands = {b["id"]: b.get("value", "") for b in card["body"] if "id" in b}
    return {**card["actions"][0]["data"], **stands}


def choices_of(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what a form in Slack offers, value by label."""
    [block] = [b for b in view["blocks"] if b["type"] == "input"]
    return {o["text"]["text"]: o["value"] for o in block["element"]["options"]}


def choice_in(answer: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Return what is sent if somebody chooses something of a form in Teams."""
    card = answer["body"]["task"]["value"]["card"]["content"]
    [asked] = [each for each in card["body"] if each["type"] == "Input.ChoiceSet"]
    [value] = [c["value"] for c in asked["choices"] if c["title"] == label]
    return {**card["actions"][0]["data"], asked["id"]: value}


def notes_on_deals(systems: Systems) -> list[str]:
    notes = systems.hubspot.portal.things["notes"].values()
    told = [str(note.values["hs_note_body"]) for note in notes]
    return [text for text in told if "Friday" in text]


async def unjudged(here: World, many: int) -> None:
    """Wait until so many changes wait for somebody who can judge them."""
    query = Statement("SELECT COUNT(*) FROM record_line WHERE unjudged = 1")
    async with asyncio.timeout(WAITS):
        while True:
            async with here.store() as store:
                [(found,)] = await store.fetch(query)
            if found == many:
                return
            await asyncio.sleep(0.3)


def told_in(
    messages: Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]],
    words: str,
    state: Mapping[str, Any],
) -> bool:
    return words in said(messages(state))


_STEPS = (
    'do edit ACME-42 priority=Highest then comment CS-00001026 "It is being looked at" '
    'then comment INC0010001 "See the case"'
)


async def test_a_thread_goes_into_its_record_where_that_was_chosen(
    tmp_path: Path, database_url: str
) -> None:
    """From both sides, each as who says it, and not for customers."""
    async with at_work(tmp_path, database_url) as (here, systems):
        root = await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        state = await here.until(lambda s: both(s, CASE), WAITS)
        [copied] = {card["root"] for card in teams_cards(state)}
        await here.slack("reply", thread_ts=root, text="before anybody chose it")
        assert "from now on" in await slack_answer(here, "records threads on")
        await teams_answer(here, "records threads on")
        await asyncio.sleep(5)  # within three seconds it counts

        await here.slack("reply", thread_ts=root, text="It is the fan")
        html = "<p>Fan is <strong>ordered</strong></p>"
        await here.teams("reply", thread=copied, html=html, user="29:erin")
        await here.slack("post", text="Lunch?", typed=True)
        await here.until(lambda _: len(said_on_case(systems)) == 2, WAITS)
        await here.quiet()

        org = systems.salesforce
        alice, erin = (org.users[name].id for name in ("alice", "erin"))
        assert sorted(said_on_case(systems)) == sorted(
            [("It is the fan", alice, False), ("Fan is ordered", erin, False)]
        )
        told = await logged(here, "record.update")
        assert sorted(e["actor"] for e in told) == ["slack:U01ALICE", "teams:29:erin"]
        assert (await here.verdict()).intact


@pytest.mark.parametrize("killed", [False, True], ids=["up", "killed"])
async def test_what_becomes_of_a_thread_becomes_of_it_in_its_record(
    tmp_path: Path, database_url: str, *, killed: bool
) -> None:
    """Edits and deletions, from both sides: what cannot be changed is said."""
    async with at_work(tmp_path, database_url, ATOM_TUNING_THREAD_SETTLE="2") as made:
        here, systems = made
        case = await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        incident = await here.teams("post", text="And INC0010001", typed=True)
        await here.until(lambda s: both(s, CASE) and both(s, "INC0010001"), WAITS)
        await slack_answer(here, "records threads on")
        await teams_answer(here, "records threads on")
        await asyncio.sleep(5)  # within three seconds it counts
        first = await here.slack("reply", thread_ts=case, text="It is the fan")
        second = await here.slack("reply", thread_ts=case, text="Fan number two")
        third = await here.teams(
            "reply", thread=incident, text="The fan is loud", user="29:erin"
        )
        await here.until(lambda _: len(said_on_case(systems)) == 2, WAITS)
        await here.until(
            lambda _: notes_on_incident(systems) == ["The fan is loud"], WAITS
        )

        editing = edited(here, first, second, third)
        if killed:
            await killed_while(here, systems, "PATCH */CaseComment/*", editing)
            await here.start()
        else:
            await editing
        await here.until(
            lambda _: (
                [t for t, _, _ in said_on_case(systems)] == ["It is the fan belt"]
            ),
            WAITS,
        )
        await here.until(lambda _: len(notes_on_incident(systems)) == 2, WAITS)
        await here.teams("delete", message=third, user="29:erin")
        await here.until(lambda _: len(notes_on_incident(systems)) == 3, WAITS)
        await here.quiet()

        [(_, by, public)] = said_on_case(systems)
        assert (by, public) == (systems.salesforce.users["alice"].id, False)
        _, again, gone = notes_on_incident(systems)
        assert again == "Edited: The fan is quiet"
        assert gone.startswith("Withdrawn in chat: what was said at 20")
        told = await logged(here, "record.update")
        acts = sorted((e["act"], e["actor"]) for e in told)
        assert acts == [
            ("amend", "slack:U01ALICE"),
            ("comment", "slack:U01ALICE"),
            ("comment", "slack:U01ALICE"),
            *[("note", "teams:29:erin")] * 3,
            ("take-back", "slack:U01ALICE"),
        ]
        assert len({e["deed"] for e in told}) == len(told)
        assert (await here.verdict()).intact


async def edited(here: World, first: str, second: str, third: str) -> None:
    """Edit two messages, each some times in a row, and delete the other."""
    for text in ("It is the fan b", "It is the fan belt"):
        await here.slack("edit", ts=first, text=text)
    for text in ("The fan is", "The fan is quiet"):
        await here.teams("edit", message=third, text=text, user="29:erin")
    await here.slack("delete", ts=second)


async def test_what_is_said_on_a_record_appears_in_the_thread_of_its_card(
    tmp_path: Path, database_url: str
) -> None:
    """On both sides, what customers may read alone, once, and nothing said here twice."""
    async with at_work(tmp_path, database_url) as (here, systems):
        case = await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.slack("post", text="And INC0010001", typed=True)
        issue = await here.teams("post", text="And ACME-42", typed=True)
        for key in (CASE, "INC0010001", "ACME-42"):
            await here.until(partial(both, words=key), WAITS)
        await slack_answer(here, "records threads on")
        await teams_answer(here, "records threads on")
        await asyncio.sleep(5)  # within three seconds it counts

        said_in_systems(systems)
        await here.slack("reply", thread_ts=case, text="It is the fan")
        await here.teams("reply", thread=issue, text="A fan, too", user="29:erin")
        await here.until(lambda _: len(said_on_case(systems)) == 1, WAITS)
        await here.until(lambda _: "A fan, too" in said(jira_comments(systems)), WAITS)
        await here.until(lambda s: all_remarks(s) == (REMARKS, REMARKS), WAITS)
        await here.stop()
        said_in_systems(systems, "The last word")
        await here.start()
        await here.until(
            lambda s: all("The last word" in said(side) for side in threads_of(s)),
            WAITS,
        )
        await here.quiet()

        state = await here.state()
        for side in threads_of(state):
            assert len(side) == 4
            title = "Carol Díaz in Salesforce, on CS-00001026"
            assert sum(title in said(one) for one in side) == 2
            assert "work notes" not in said(side)
            assert "inside" not in said(side)
            assert "fan" not in said(side).casefold()
        told = await logged(here, "record.remark")
        assert len(told) == len({(e["remark"], e["card"]) for e in told}) == 8
        assert (await here.verdict()).intact


@pytest.mark.parametrize("side", ["slack", "teams"])
async def test_killed_while_a_remark_is_on_its_way_it_stands_once(
    tmp_path: Path, side: str
) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        await here.until(lambda s: both(s, CASE), WAITS)
        await slack_answer(here, "records threads in")
        await teams_answer(here, "records threads in")
        await here.heard()
        call = "slack.chat.postMessage" if side == "slack" else "teams.post"
        await here.fault(call, "timeout_after", times=1, seconds=60.0)
        said_in_systems(systems)
        await here.until(
            lambda s: "We look" in said(threads_of(s)[side == "teams"]), WAITS
        )
        await here.kill()
        await here.start()

        await here.until(
            lambda s: all("We look" in said(one) for one in threads_of(s)), WAITS
        )
        await here.quiet()
        for one in threads_of(await here.state()):
            assert sum("We look" in said(message) for message in one) == 1


REMARKS = ["INC: Try again", "Jira: Same here", "SF: We look into it"]


def said_in_systems(systems: Systems, text: str = "") -> None:
    """Let Carol say something on three records, for everybody and for colleagues."""
    org = systems.salesforce
    case, carol = org.ids["crash"], org.users["carol"]
    for words, public in ((text or "SF: We look into it", True), ("inside", False)):
        values = {"ParentId": case, "CommentBody": words, "IsPublished": public}
        org.rows.create(carol, "CaseComment", values)
    if text:
        return
    now = systems.servicenow.instance
    id_ = next(r["sys_id"] for r in now.all("incident") if r["number"] == "INC0010001")
    now.update("incident", id_, {"work_notes": "work notes"}, "carol")
    now.update("incident", id_, {"comments": "INC: Try again"}, "carol")
    site = systems.jira.site
    issue = site.found("ACME-42")
    assert issue is not None
    for words, visibility in (
        ("Jira: Same here", None),
        ("inside", {"type": "role", "value": "it"}),
    ):
        moment = site.moment()
        said_ = Comment(
            site.number(), "712020:carol", paragraph(words), moment, visibility
        )
        issue.comments.append(said_)
        issue.updated = moment
        site.index(issue)


def jira_comments(systems: Systems) -> list[Any]:
    issue = systems.jira.site.found("ACME-42")
    assert issue is not None
    return [each.body for each in issue.comments]


def threads_of(state: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return the remarks that stand in Slack and in Teams, in their threads."""
    slack = [
        m
        for m in slack_messages(state)
        if (m.get("metadata") or {}).get("event_type") == "atom_record_remark"
    ]
    teams = [m for m in teams_messages(state) if '"rmk_' in said(m["attachments"])]
    assert all(m["thread_ts"] for m in slack)
    assert not any(m["is_root"] for m in teams)
    return slack, teams


def all_remarks(state: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return which of the remarks stand on each side, however often each does."""
    slack, teams = (
        sorted(r for r in REMARKS for one in side if r in said(one))
        for side in threads_of(state)
    )
    return slack, teams


def notes_on_incident(systems: Systems) -> list[str]:
    rows = systems.servicenow.instance.rows["sys_journal_field"].values()
    told = [row["value"] for row in rows if row["element"] == "work_notes"]
    return [text for text in told if "fan" in text or "Withdrawn" in text]


async def test_several_things_are_done_by_one_command(tmp_path: Path) -> None:
    """Scenario 20: the second of three systems is away, and is back later."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        offer = await offered_steps(here)
        away = {"match": "POST *CaseComment*", "kind": "status", "arg": 503}
        systems.salesforce.faults.order({**away, "times": 99})
        await click_in_slack(here, offer, "steps")
        state = await here.until(lambda s: "What now?" in said(views(s)), WAITS)
        [view] = views(state)
        assert "✓ edit ACME-42" in said(view)
        assert "✗ comment CS-00001026: Salesforce" in said(view)
        assert "… comment INC0010001" in said(view)
        assert len(jira_edits(systems)) == 1

        systems.salesforce.faults.clear()
        submit = {"workspace": "T01ACME", "user": "U01ALICE", "action": "submit"}
        await here._act("slack", {**submit, "view": view["id"]})
        await here.until(lambda _: len(comments(systems)) == 1, WAITS)
        await here.quiet()

        told = await logged(here, "record.update")
        assert len(told) == 3
        assert len({entry["correlation"] for entry in told}) == 1


async def test_two_edit_other_fields_of_one_issue_from_both_sides(
    tmp_path: Path, database_url: str
) -> None:
    """Neither writes over the other, and each card shows both."""
    async with at_work(tmp_path, database_url) as (here, systems):
        await here.slack("post", text="ACME-42 is next", typed=True)
        await here.until(lambda s: both(s, "ACME-42"), WAITS)
        await slack_answer(here, "do edit ACME-42 priority=Highest")
        await teams_answer(here, 'do edit ACME-42 summary="Said in Teams"')
        state = await here.state()
        [slack] = [w for w in whispers(state) if buttons(w["blocks"], "steps")]
        [teams] = [
            m for m in teams_messages(state) if buttons(m["attachments"], "steps")
        ]

        await asyncio.gather(
            click_in_slack(here, slack, "steps"), click_in_teams(here, teams, "steps")
        )

        await here.until(lambda _: len(jira_edits(systems)) == 2, WAITS)
        await here.until(
            lambda s: both(s, "Said in Teams") and both(s, "Highest"), WAITS
        )
        told = await logged(here, "record.update")
        assert sorted((e["actor"], *e["after"]) for e in told) == [
            ("slack:U01ALICE", "priority"),
            ("teams:29:carol", "summary"),
        ]
        assert not await logged(here, "record.failed")


async def test_what_steps_made_is_taken_back_though_atom_is_killed_meanwhile(
    tmp_path: Path, database_url: str
) -> None:
    """The last step fails; ATOM is killed while the case's comment is deleted."""
    async with at_work(tmp_path, database_url) as (here, systems):
        told = await slack_answer(here, new_steps(systems))
        assert "can be taken back if Salesforce lets you" in told
        assert "for good: ServiceNow has no way to take it back" in told
        state = await here.until(lambda s: bool(offers_of(whispers(s))), WAITS)
        journals_are_away(systems)
        [offer] = offers_of(whispers(state))
        await click_in_slack(here, offer, "steps")
        state = await here.until(lambda s: "What now?" in said(views(s)), WAITS)
        [view] = views(state)
        assert "✗ comment INC0010001" in said(view)
        assert new_things(systems) == ["comment", "incident", "issue", "note"]

        await killed_while(
            here, systems, "DELETE *CaseComment*", chosen_in_slack(here, view, "back")
        )
        await claims_run_out(here)
        await here.start()

        def own(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
            every = [m for m in everything_in_slack(state) if "interrupted" in said(m)]
            return offers_of(every)

        state = await here.until(lambda s: bool(own(s)), WAITS)
        [left] = own(state)
        assert "Go on taking back" in said(left)
        await pressed_in_own_chat(here, left)
        await here.until(lambda _: not new_things(systems), WAITS)
        await here.quiet()

        deleted = [
            entry.call
            for system in systems.all.values()
            for entry in system.journal.all()
            if entry.method == "DELETE" and entry.status == 204
        ]
        assert len(deleted) == len(set(deleted)) == 4
        changed = await logged(here, "record.update")
        taken = [entry for entry in changed if entry["act"] == "take-back"]
        assert len({entry["deed"] for entry in taken}) == len(taken) == 4
        made = await logged(here, "record.create")
        assert len({entry["correlation"] for entry in (*changed, *made)}) == 1
        assert (await here.verdict()).intact


def of_salesforce(systems: Systems) -> str:
    deal = f"{systems.base}/salesforce/lightning/r/Opportunity"
    deal += f"/{systems.salesforce.ids['renewal']}/view"
    return (
        f'do edit {deal} NextStep="Look at the fan" '
        'then comment CS-00001026 "The fan burns" '
        f'then note {deal} Subject="The fan burns" '
        'then comment INC0010001 "See the case"'
    )


def fans(systems: Systems) -> tuple[bool, bool, int]:
    """Whether each of the three steps in Salesforce stands, and how many notes do."""
    rows = systems.salesforce.rows.rows
    deal = rows["Opportunity"][systems.salesforce.ids["renewal"]]
    said = [r["CommentBody"] for r in rows["CaseComment"].values()]
    notes = [r for r in rows["Task"].values() if r["Subject"] == "The fan burns"]
    return deal["NextStep"] == "Look at the fan", "The fan burns" in said, len(notes)


def composites(systems: Systems) -> list[int]:
    """Return what calls that wrote came to."""
    calls = systems.salesforce.journal.all()
    return [one.status for one in calls if '"allOrNone": true' in one.body]


async def test_steps_in_one_salesforce_are_done_at_once_or_not_at_all(
    tmp_path: Path,
) -> None:
    """In Teams: a note is not Erin's to make at first, so that nothing is written."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        org = systems.salesforce
        bob, erin = org.users["bob"], org.users["erin"]
        readonly = replace(bob.profile, objects={"*": "crud", "Task": "r"})
        org.users["erin"] = replace(erin, profile=readonly)
        told = await teams_answer(here, of_salesforce(systems), user="29:erin")
        assert "Do 4 steps" in told
        state = await here.state()
        [card] = [
            m for m in teams_messages(state) if buttons(m["attachments"], "steps")
        ]
        form = await click_in_teams(here, card, "steps", user="29:erin")
        assert said(form).count("not done because note") == 2
        assert "✗ note" in said(form)
        assert fans(systems) == (False, False, 0)

        org.users["erin"] = replace(erin, profile=bob.profile)
        used = org.used
        answer = await send_in_teams(here, card, form, {}, user="29:erin")

        await here.until(lambda _: fans(systems) == (True, True, 1), WAITS)
        assert said(answer).count("✓") == 4
        assert composites(systems)[-1] == 200
        assert len(composites(systems)) == 2
        assert org.used > used
        changed = await logged(here, "record.update")
        assert len({e["deed"] for e in changed}) == len(changed) == 4
        assert len({e["correlation"] for e in changed}) == 1
        failed = await logged(here, "record.failed")
        whys = [entry["why"] for entry in failed]
        assert whys == ["another of them failed"] * 2 + ["NoObject"]


@pytest.mark.parametrize("arrived", [True, False], ids=["it arrived", "it did not"])
async def test_killed_in_a_call_of_several_steps_each_is_done_once(
    tmp_path: Path, database_url: str, *, arrived: bool
) -> None:
    async with at_work(tmp_path, database_url) as (here, systems):
        await slack_answer(here, of_salesforce(systems))
        state = await here.until(lambda s: bool(offers_of(whispers(s))), WAITS)
        [offer] = offers_of(whispers(state))
        kind = "delay_after_effect" if arrived else "delay"
        pressing = click_in_slack(here, offer, "steps")
        await killed_while(
            here,
            systems,
            "POST */composite",
            pressing,
            kind=kind,
            says='"allOrNone": true',
        )
        assert fans(systems) == ((True, True, 1) if arrived else (False, False, 0))
        await claims_run_out(here)
        await here.start()

        await click_in_slack(here, offer, "steps")

        noted = systems.servicenow.instance.rows["sys_journal_field"]
        await here.until(lambda _: "See the case" in said(noted), WAITS)
        assert fans(systems) == (True, True, 1)
        await here.quiet()
        changed = await logged(here, "record.update")
        assert len({e["deed"] for e in changed}) == len(changed) == 4
        rows = systems.salesforce.rows.rows["CaseComment"].values()
        assert [r["CommentBody"] for r in rows].count("The fan burns") == 1
        assert (await here.verdict()).intact


async def test_what_somebody_may_not_delete_stays_and_is_named(tmp_path: Path) -> None:
    """In Teams: Erin may delete no incident, and no note in HubSpot."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        await teams_answer(here, new_steps(systems), user="29:erin")
        state = await here.state()
        journals_are_away(systems)
        [card] = [
            m for m in teams_messages(state) if buttons(m["attachments"], "steps")
        ]
        form = await click_in_teams(here, card, "steps", user="29:erin")
        assert "✗ comment INC0010001" in said(form)

        filled = {"in.choice.next": "back"}
        answer = await send_in_teams(here, card, form, filled, user="29:erin")

        await here.until(lambda _: new_things(systems) == ["incident", "note"], WAITS)
        assert "↩ create issue: taken back" in said(answer)
        assert "↩ comment CS-00001026: taken back" in said(answer)
        assert "ServiceNow does not let you do this" in said(answer)
        assert "HubSpot does not let you do that" in said(answer)
        failed = await logged(here, "record.failed")
        assert [e["why"] for e in failed if e["act"] == "take-back"] == ["NotYours"] * 2


async def test_steps_that_were_cut_short_go_on_where_they_were(tmp_path: Path) -> None:
    """ATOM is killed while the second of three systems takes its time."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        offer = await offered_steps(here)
        pressing = click_in_slack(here, offer, "steps")
        await killed_while(here, systems, "POST *CaseComment*", pressing)
        written = len(jira_edits(systems))
        await claims_run_out(here)
        await here.start()

        await click_in_slack(here, offer, "steps")
        await here.until(lambda _: len(comments(systems)) == 1, WAITS)
        await here.quiet()

        assert len(jira_edits(systems)) == written


async def test_who_pressed_in_slack_hears_of_steps_that_were_cut_short(
    tmp_path: Path, database_url: str
) -> None:
    """ATOM is killed in the middle, and tells the person when it is back, once."""
    async with at_work(tmp_path, database_url) as (here, systems):
        offer = await offered_steps(here)
        pressing = click_in_slack(here, offer, "steps")
        await killed_while(here, systems, "POST *CaseComment*", pressing)
        assert not comments(systems)
        await claims_run_out(here)
        await here.start()

        def own(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
            every = [m for m in everything_in_slack(state) if "interrupted" in said(m)]
            return [m for m in every if buttons(m["blocks"], "steps")]

        state = await here.until(lambda s: bool(own(s)), WAITS)
        [told] = own(state)
        assert "Nothing goes on by itself" in said(told)
        await pressed_in_own_chat(here, told)
        await here.until(lambda _: len(comments(systems)) == 1, WAITS)
        await asyncio.sleep(12)  # it looks every ten seconds
        await here.quiet()

        assert len(own(await here.state())) == 1
        assert len(jira_edits(systems)) == 1
        [left] = await logged(here, "record.left")
        assert left["person"] == "slack:U01ALICE"
        assert len(await logged(here, "record.update")) == 3
        assert (await here.verdict()).intact


async def test_who_pressed_in_teams_hears_of_an_act_that_was_cut_short(
    tmp_path: Path,
) -> None:
    """An act of one button: the record is shown as it is, and what is not known said."""
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        state = await here.until(lambda s: both(s, CASE), WAITS)
        [teams] = teams_cards(state)
        pressing = click_in_teams(here, teams, "take", user="29:erin")
        await killed_while(here, systems, "PATCH */sobjects/Case/*", pressing)
        await claims_run_out(here)
        await here.start()

        state = await here.until(lambda s: "interrupted" in own_chats(s), WAITS)
        assert CASE in own_chats(state)
        assert "looked up first" in own_chats(state)
        everybody = said([*slack_messages(state), *teams_messages(state)])
        assert "interrupted" not in everybody
        [left] = await logged(here, "record.left")
        assert left["person"] == "teams:29:erin"
        assert left["done"] is False


async def killed_while(
    here: World,
    systems: Systems,
    call: str,
    pressing: Coroutine[Any, Any, Any],
    *,
    kind: str = "delay",
    says: str = "",
) -> None:
    """Kill ATOM while Salesforce takes its time with a call, which comes to nothing."""
    slow = {"match": call, "kind": kind, "arg": 600.0, "times": 99, "says": says}
    struck = systems.salesforce.faults.order(slow)
    pressed = asyncio.create_task(pressing)
    await here.until(lambda _: struck.left < 99, WAITS)
    await here.kill()
    pressed.cancel()  # nobody answers any more
    await asyncio.gather(pressed, return_exceptions=True)
    systems.salesforce.faults.clear()


async def test_a_case_that_is_taken_in_teams_changes_in_slack(tmp_path: Path) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        await here.slack("post", text=f"Globex asks about {CASE}", typed=True)
        state = await here.until(lambda s: both(s, CASE), WAITS)
        [teams] = teams_cards(state)

        org = systems.salesforce
        case = org.rows.rows["Case"][org.ids["crash"]]
        mine = org.users["erin"].id
        assert case["OwnerId"] != mine

        answer = await click_in_teams(here, teams, "take", user="29:erin")

        await here.until(lambda _: case["OwnerId"] == mine, WAITS)
        await here.until(lambda s: both(s, "Erin Park"), WAITS)
        assert said(answer)


async def offered_steps(here: World) -> Mapping[str, Any]:
    """Type the steps; returns the answer, which has the button that does them."""
    assert "Do 3 steps" in await slack_answer(here, _STEPS)
    state = await here.until(
        lambda s: any(buttons(w["blocks"], "steps") for w in whispers(s)), WAITS
    )
    [offer] = [w for w in whispers(state) if buttons(w["blocks"], "steps")]
    return offer


def new_steps(systems: Systems) -> str:
    deal = f"{systems.base}/hubspot/contacts/{PORTAL}/record/0-3/30101"
    return (
        'do create issue project=ACME issuetype=Task summary="The fan burns" '
        'then create incident short_description="The fan burns" '
        'then comment CS-00001026 "The fan burns" '
        f'then note {deal} "The fan burns" '
        'then comment INC0010001 "See the issue"'
    )


def journals_are_away(systems: Systems) -> None:
    away = {"match": "PATCH *", "kind": "status", "arg": 503, "times": 99}
    systems.servicenow.faults.order(away)


def new_things(systems: Systems) -> list[str]:
    """Return what there is of the things that `new_steps` makes."""
    words, found = "The fan burns", []
    if words in [i.values["summary"] for i in systems.jira.site.issues.values()]:
        found.append("issue")
    if words in said(systems.servicenow.instance.rows["incident"]):
        found.append("incident")
    rows = systems.salesforce.rows.rows["CaseComment"].values()
    if any(r["CommentBody"] == words and not r["IsDeleted"] for r in rows):
        found.append("comment")
    notes = systems.hubspot.portal.things["notes"].values()
    if any(words in str(n.values["hs_note_body"]) and not n.archived for n in notes):
        found.append("note")
    return sorted(found)


def offers_of(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those that have a button which begins, or goes on with, several steps."""
    return [each for each in messages if buttons(each.get("blocks"), "steps")]


async def chosen_in_slack(here: World, view: Mapping[str, Any], choice: str) -> None:
    """Choose one of what a form offers, and send it."""
    [block] = [b for b in view["blocks"] if b["type"] == "input"]
    by = {"workspace": "T01ACME", "user": "U01ALICE", "view": view["id"]}
    options = block["element"]["options"]
    [option] = [each for each in options if each["value"] == choice]
    place = {"block_id": block["block_id"], "action_id": block["element"]["action_id"]}
    entered = {"action": "enter", **place, "entered": {"selected_option": option}}
    await here._act("slack", {**by, **entered})
    await here._act("slack", {**by, "action": "submit"})


async def pressed_in_own_chat(here: World, told: Mapping[str, Any]) -> None:
    """Press the button by which Alice goes on, in her own chat with ATOM."""
    await here._act(
        "slack",
        {
            "workspace": "T01ACME",
            "user": "U01ALICE",
            "channel": told["channel"],
            "action": "click",
            "ts": told["ts"],
            "value": buttons(told["blocks"], "steps")[0]["value"],
        },
    )


async def send_in_teams(
    here: World,
    card: Mapping[str, Any],
    form: Mapping[str, Any],
    filled: Mapping[str, str],
    user: str,
) -> Mapping[str, Any]:
    """Send what somebody filled in; returns what they are shown."""
    [button, *_] = buttons(form["body"]["value"], "submit")
    wish = {
        "tenant": TEAMS_TENANT,
        "user": user,
        "team": PROJECT.team,
        "channel": PROJECT.id,
        "action": "invoke",
        "message": card["id"],
        "card_action": {**button, "data": {**button["data"], **filled}},
    }
    return await here._act("teams", wish)


def said_on_case(systems: Systems) -> list[tuple[str, str, bool]]:
    """Return what was added to the case here, by whom, and whether customers see it."""
    rows = systems.salesforce.rows.rows["CaseComment"].values()
    new = [r for r in rows if "fan" in str(r["CommentBody"]).lower()]
    return [
        (r["CommentBody"], r["CreatedById"], r["IsPublished"])
        for r in new
        if not r["IsDeleted"]
    ]


def jira_edits(systems: Systems) -> list[str]:
    calls = [each.call for each in systems.jira.journal.all()]
    return [call for call in calls if call.startswith("PUT ") and "/issue/" in call]


def comments(systems: Systems) -> list[str]:
    """Return what was said on the case by these steps."""
    rows = systems.salesforce.rows.rows["CaseComment"].values()
    return [r["Id"] for r in rows if r["CommentBody"] == "It is being looked at"]


async def claims_run_out(here: World) -> None:
    """Let the minutes pass after which a claim is given out again."""

    def program() -> Program[None]:
        yield Statement("UPDATE record_act_use SET at_us = 0 WHERE open = 1", {})

    async with here.store() as store:
        await store.run(program)


def everything_in_slack(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all messages, those in people's own chats with ATOM included."""
    return [
        {**message, "channel": found["id"]}
        for workspace in state["slack"]["workspaces"]
        for found in workspace["channels"]
        for message in found["messages"]
    ]


def own_chats(state: Mapping[str, Any]) -> str:
    """Return what stands in people's own chats with ATOM in Teams."""
    return said([chat for one in state["teams"]["tenants"] for chat in one["chats"]])


def heard_alone(words: str, times: int, state: Mapping[str, Any]) -> bool:
    return own_chats(state).count(words) == times


def approvals(systems: Systems) -> dict[str, int]:
    """Return how often each person approved the change, as ServiceNow has it."""
    instance = systems.servicenow.instance
    users = {each.id: name for name, each in systems.servicenow.users.items()}
    found: dict[str, int] = {}
    for row in instance.rows["sysapproval_approver"].values():
        if row["state"] == "approved":
            name = users[row["approver"]]
            found[name] = found.get(name, 0) + 1
    return found


def views(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [v for one in state["slack"]["workspaces"] for v in one["views"]]


async def first_shown(here: World) -> list[Mapping[str, Any]]:
    """
    Return what is on record of cards that were put somewhere.

    One may be drawn again when it becomes known who is in its room.
    """
    shown = await logged(here, "record.show")
    return [entry for entry in shown if entry["cause"] != "floor"]


async def logged(here: World, etype: str) -> list[Mapping[str, Any]]:
    return [
        {"actor": e.body["author"]["id"], **e.body["detail"]}
        for e in await here.log()
        if e.etype == etype
    ]


def sqlite(home: Path) -> str:
    return f"sqlite:///{home}/atom.db"
