"""Jira, for the suite."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession
from yarl import URL

from bridge.records.model import RecordRef, System
from connectors.jira.api import MANNER
from connectors.jira.records import JiraRecords
from connectors.jira.site import Site
from connectors.rest import Rest
from connectors.sandbox.jira.app import Jira
from connectors.sandbox.jira.seed import paragraph
from connectors.sandbox.jira.state import Comment
from tests.contract.records.worlds import Sample
from tests.stand_ins import Account, CountingBudget, Told

_PEOPLE = {"reader": "bob", "insider": "alice", "onlooker": "frank"}


class JiraWorld:
    """Implements `tests.contract.records.worlds.World`."""

    writes = "PUT "
    adds = "POST */comment"
    rewords = "PUT */comment/*"
    deletes = "insider"
    words = "text"
    batch = 1

    def __init__(self, told: Told) -> None:
        assert isinstance(told.stand_in, Jira)
        self.told = told
        self.jira = told.stand_in
        self.budget = CountingBudget()
        site = Site("acme", URL(told.url), frozenset({"ACME"}))
        cloud = self.jira.site.cloud_id
        base = URL(f"{told.url}/ex/jira/{cloud}/rest/api/3")
        session = ClientSession()
        rest = Rest(session, "Jira", base, site.bucket, self.budget, MANNER)
        self.records = JiraRecords(site, rest, asyncio.sleep)
        self.sample = Sample(
            open=(ref("10042"), ref("10041"), ref("10039")),
            secret=ref("10043"),
            gone=ref("99999"),
            title_word="falcon",
            url=f"{told.url}/browse/ACME-42",
            key="ACME-45",
            keyed=ref("10045"),
            edit="edit",
            values={"summary": "Login fails on Mondays"},
            other={"summary": "Login fails everywhere"},
            add="comment",
            commented=ref("10042"),
            addition={"text": "Fixed in the next version"},
            create_kind="issue",
            new={"project": "ACME", "issuetype": "10004", "summary": "Printer burns"},
            wrong={"summary": "x" * 300},
            wrong_inputs=frozenset({"summary"}),
        )

    def account(self, name: str) -> Account:
        return Account(self.jira, _PEOPLE[name])

    def change_behind(self, values: Mapping[str, str]) -> None:
        issue = self.jira.site.issues["10042"]
        issue.values.update(values)
        issue.updated = self.jira.site.moment()
        self.jira.site.index(issue)

    def change_of(self, ref: RecordRef) -> None:
        issue = self.jira.site.issues[ref.id]
        issue.values["summary"] = "Somebody else's words"
        issue.updated = self.jira.site.moment() + 1

    def forbid_deleting(self, account: Account) -> None:
        self.jira.site.projects["10000"].delete = frozenset()

    def other_of(self, ref: RecordRef) -> str:
        return "10042"

    def reword_behind(self, words: str) -> None:
        said = self.jira.site.issues["10042"].comments[-1]
        said.body = paragraph(words)
        said.updated = self.jira.site.moment() + 1

    def remark(self, text: str, visibility: Any = None) -> int:
        now = self.jira.site.moment()
        said = Comment(
            self.jira.site.number(), "712020:carol", paragraph(text), now, visibility
        )
        self.jira.site.issues["10042"].comments.append(said)
        return int(now) * 1_000_000

    def remark_inside(self, text: str) -> None:
        self.remark(text, {"type": "role", "value": "it"})
        self.remark(text, {"type": "group", "value": "engineering"})

    def added(self, words: str = "") -> int:
        comments = self.jira.site.issues["10042"].comments
        text = words or self.sample.addition["text"]
        return sum(text in json.dumps(each.body) for each in comments)

    def value(self, name: str) -> Any:
        return self.jira.site.issues["10042"].values[name]

    async def aclose(self) -> None:
        await self.records.aclose()


def ref(id_: str) -> RecordRef:
    return RecordRef(System.JIRA, "acme", "issue", id_)
