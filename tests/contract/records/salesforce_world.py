"""Salesforce, for the suite."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.records.model import RecordRef, System
from connectors.guarded import Limits
from connectors.salesforce import Salesforce, Setup
from connectors.sandbox.salesforce import Salesforce as Org
from tests.contract.records.worlds import Sample
from tests.stand_ins import Account, CountingBudget, Told

_PEOPLE = {"reader": "bob", "insider": "dana", "onlooker": "chen"}


class SalesforceWorld:
    """Implements `tests.contract.records.worlds.World`."""

    writes = "PATCH "
    adds = "POST *omment*"
    rewords = "PATCH *"
    deletes = "insider"
    words = "CommentBody"
    batch = 2  # five queries a call, and accounts take three

    def __init__(self, told: Told) -> None:
        assert isinstance(told.stand_in, Org)
        self.told = told
        self.org = told.stand_in
        self.budget = CountingBudget()
        setup = Setup("acme", told.url, hook_secret="hush")
        limits = Limits(deadline=20.0, workers=20)
        self.records = Salesforce(setup, self.budget, limits, self.org.clock.now)
        names = self.org.ids
        renewal = ref("opportunity", names["renewal"])
        crash = ref("case", names["crash"])
        self.sample = Sample(
            open=(
                renewal,
                ref("account", names["globex"]),
                ref("contact", names["hank"]),
                crash,
            ),
            secret=ref("opportunity", names["secret"]),
            gone=ref("case", "5005g00000ZZZZZAAA"[:15]),
            title_word="renewal",
            url=f"{told.url}/lightning/r/Opportunity/{names['renewal']}/view",
            key="CS-00001026",
            keyed=crash,
            edit="edit",
            values={"NextStep": "Send the redlines"},
            other={"NextStep": "Call the lawyers"},
            add="comment",
            commented=crash,
            addition={
                "CommentBody": "Fixed in the next version",
                "IsPublished": "true",
            },
            create_kind="case",
            new={"Subject": "Printer on fire", "Priority": "High"},
            wrong={"NextStep": "x" * 300},
            wrong_inputs=frozenset({"NextStep"}),
            money="amount",
        )

    def account(self, name: str) -> Account:
        return Account(self.org, _PEOPLE[name])

    def change_behind(self, values: Mapping[str, str]) -> None:
        user = self.org.users["alice"]
        self.org.rows.update(user, "Opportunity", self.org.ids["renewal"], values)

    def change_of(self, ref: RecordRef) -> None:
        user = self.org.users["carol"]
        self.org.clock.move(2)
        self.org.rows.update(user, "Case", ref.id, {"Priority": "Low"})

    def forbid_deleting(self, account: Account) -> None:
        user = self.org.users[account.user]
        profile = replace(user.profile, objects={"*": "cru"})
        self.org.users[account.user] = replace(user, profile=profile)

    def other_of(self, ref: RecordRef) -> str:
        return self.org.ids["crash"]

    def reword_behind(self, words: str) -> None:
        body = {"CommentBody": words}
        self.org.clock.move(2)
        rows = self.org.rows.rows["CaseComment"].values()
        id_ = next(row["Id"] for row in rows if row["CommentBody"] == "Fixed for good")
        self.org.rows.update(self.org.users["carol"], "CaseComment", id_, body)

    def remark(self, text: str, *, public: bool = True) -> int:
        values = {"ParentId": self.org.ids["crash"], "CommentBody": text}
        self.org.clock.move(2)
        before = int(self.org.clock.now())
        carol = self.org.users["carol"]
        self.org.rows.create(carol, "CaseComment", values | {"IsPublished": public})
        return before * 1_000_000

    def remark_inside(self, text: str) -> None:
        self.remark(text, public=False)

    def added(self, words: str = "") -> int:
        rows = self.org.rows.rows["CaseComment"].values()
        body = words or self.sample.addition["CommentBody"]
        return sum(row["CommentBody"] == body and not row["IsDeleted"] for row in rows)

    def value(self, name: str) -> Any:
        return self.org.rows.rows["Opportunity"][self.org.ids["renewal"]][name]

    async def aclose(self) -> None:
        await self.records.aclose()


def ref(kind: str, id_: str) -> RecordRef:
    return RecordRef(System.SALESFORCE, "acme", kind, id_)
