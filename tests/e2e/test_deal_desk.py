"""
Scenario 6: an amount that one room may see, and the room that it is linked with not.

All of Slack's #deal-desk are in sales-finance; a guest of a partner's is in the room
in Teams.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw

from bots.core import Core
from bots.demo_company import company_in, employ, rules
from bots.demo_records import Systems
from bots.sandbox.company import Member
from bots.sandbox.teams.model import Person
from bots.sandbox.teams.seed import ACME
from bots.settings import Settings
from policy.cedar.bundle import Draft
from tests.e2e.at_work import ELSEWHERE as _ELSEWHERE
from tests.e2e.at_work import at_work, said, slack_cards, teams_cards
from tests.e2e.test_records import AMOUNTS, WAITS, sqlite
from tests.e2e.world import COMPANY, FALCON, PROJECT, World

_GROUP = "Sales finance"
_NEW = ("7654321", "7,654,321", "7 654 321", "7.654.321")
_SECRETS = (*AMOUNTS, *_NEW)
_ROOMS = ((FALCON, PROJECT), _ELSEWHERE)
_IN_GROUP = f"given: {{user: Dana Fox, groups: [{_GROUP}]}}"
_GUESTS = """
  - id: partners-see-deals-without-amounts
    allow: [record.view]
    who: {guest: true}
    where: {record: salesforce/opportunity}
    when: {field: public}
    reason: Partners see what is being negotiated, and for how much they do not.
tests:
  - name: partners see deals
    given: {user: Gus Novak, guest: true}
    ask: {action: record.view, record: salesforce/opportunity/1, field: public}
    expect: {effect: allow, rules: [partners-see-deals-without-amounts]}
"""


async def test_an_amount_stays_on_the_side_whose_room_may_see_it(
    tmp_path: Path,
) -> None:
    async with deal_desk(tmp_path) as (here, systems):
        org = systems.salesforce
        page = f"{systems.base}/salesforce/lightning/r/Opportunity"
        link = f"{page}/{org.ids['renewal']}/view"
        await here.slack(
            "post", text=f"Renew for 9,876,543 {link}", typed=True, user="U04DANA"
        )
        await here.until(lambda s: "1,284,500" in said(slack_cards(s)), WAITS)
        await here.until(lambda s: "platform renewal" in said(teams_cards(s)), WAITS)

        values = {"Amount": 7_654_321, "NextStep": "Ask the partner"}
        org.rows.update(org.users["dana"], "Opportunity", org.ids["renewal"], values)
        await here.until(lambda s: "7,654,321" in said(slack_cards(s)), WAITS)
        await here.until(lambda s: "Ask the partner" in said(teams_cards(s)), WAITS)
        await here.quiet()

        state, journal = await here.state(), await here.journal()
        calls = {
            side: said([one for one in journal if one["side"] == side])
            for side in ("slack", "teams")
        }
        for shown in ("1,284,500", "7,654,321"):
            assert shown in calls["slack"]  # so that it is no mere matter of writing
        [card] = teams_cards(state)
        assert "Amount" in said(card["attachments"])
        entries = [f"{dict(e.row)} {dict(e.body)}" for e in await here.log()]
        of_room = [entry for entry in entries if PROJECT.id in entry]
        assert any("record.show" in entry for entry in of_room)
        places = {
            "what Teams was sent": calls["teams"] + said(state["teams"]),
            "ATOM's own logs": here.stderr,
            "the room's entries": "".join(of_room),
        }
        assert not [
            (place, secret)
            for place, text in places.items()
            for secret in _SECRETS
            if secret in text
        ]
        # The index has the parts of a number apart.
        assert not await searchable(here, "876") & {"284", "654", "1284500", "7654321"}


@asynccontextmanager
async def deal_desk(home: Path) -> AsyncIterator[tuple[World, Systems]]:
    """Yield ATOM between the two rooms, with a rule on amounts for a group."""
    async with at_work(home, sqlite(home), started=False) as (here, systems):
        company = company_in(home / "people.yaml")
        gus = Member("gus", "Gus Novak", "", "gus@partner.example", ("teams:29:gus",))
        gus.guest = True
        company.people = [*(p for p in company.people if p.id != "gus"), gus]
        company.groups["sales-finance"] = _GROUP
        company.inside["sales-finance"] = {"bob", "dana", "dave", "frank"}
        company.write()
        in_slack = here.sandbox.slack.channels[FALCON.id]
        in_slack.name = "deal-desk"
        in_slack.members = ["U02BOB", "U04DANA", "UATOM"]
        team = here.sandbox.teams.teams[PROJECT.team]
        team.members, team.owners = ["29:dave", "29:frank", "29:gus"], ["29:dave"]
        here.sandbox.teams.people["29:gus"] = Person(
            "29:gus",
            ACME,
            "Gus",
            "Novak",
            "gus@partner.example",
            "c0000000-0000-4000-8000-000000000077",
            role="guest",
        )
        settings = Settings.model_validate(
            {
                "home": home,
                "database_url": here.database_url,
                "directory": {"people": home / "people.yaml"},
            }
        )
        await employ(settings, COMPANY, _ROOMS, ruled)
        await here.start()
        yield here, systems


async def ruled(built: Core) -> None:
    """Put into force that the group sees amounts, and partners what is public."""
    text = rules(*_ROOMS).replace("department: Finance", f"group: {_GROUP}")
    text = text.replace("given: {user: Dana Fox}", _IN_GROUP)
    text = text.replace("\ntests:", _GUESTS.rstrip(), 1)
    desk, draft = built.policies.desk, Draft(text)
    shown = await desk.preview(COMPANY, "test", draft, "amounts for a group")
    await desk.apply(COMPANY, "test", shown.report.hash)


async def searchable(here: World, control: str) -> set[str]:
    """Return every word of the search index, once a word is among them."""
    async with asyncio.timeout(WAITS):
        while control not in (words := words_in(here.home / "search.db")):
            await asyncio.sleep(0.2)
    return words


def words_in(file: Path) -> set[str]:
    """Return what stands in the search file of every company, by SQLite's own list."""
    if not file.exists():
        return set()
    with contextlib.closing(apsw.Connection(str(file))) as open_:
        listed = "SELECT name FROM sqlite_schema WHERE sql LIKE '%fts5vocab%, row)'"
        tables = [name for (name,) in open_.execute(listed)]
        terms = [open_.execute(f"SELECT term FROM {each}") for each in tables]  # noqa: S608 - names that are the index's own
        return {term for each in terms for (term,) in each}
