"""ServiceNow, for the suite."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.records.model import RecordRef, System
from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.app import SECRET
from connectors.sandbox.servicenow.app import ServiceNow as Instance
from connectors.sandbox.users import Profile
from connectors.servicenow.connector import ServiceNow, Settings
from tests.contract.records.worlds import Sample
from tests.stand_ins import Account, CountingBudget, Told

_PEOPLE = {"reader": "bob", "insider": "erin", "onlooker": "frank", "admin": "alice"}


class ServiceNowWorld:
    """Implements `tests.contract.records.worlds.World`."""

    writes = "PATCH "
    adds = "PATCH *"
    rewords = ""
    words = "comments"
    deletes = "admin"  # agents may not
    batch = 1

    def __init__(self, told: Told) -> None:
        assert isinstance(told.stand_in, Instance)
        self.told = told
        self.stand_in = told.stand_in
        self.budget = CountingBudget()
        settings = Settings("acme", told.url, (SECRET,), workers=20)
        self.records = ServiceNow(settings, self.budget)
        frank = self.stand_in.users["frank"]
        looking = Profile("looking", {"*": "r"}, everything=True)
        self.stand_in.users["frank"] = replace(frank, profile=looking)
        mail = ref("incident", seed.sys_id("INC0010001"))
        noted = {"work_notes": "The relay of the provider is down."}
        self.stand_in.instance.update("incident", mail.id, noted, "erin")
        self.sample = Sample(
            open=(
                mail,
                ref("item", seed.item_id("Developer laptop")),
                ref("article", seed.sys_id("KB0000020")),
            ),
            secret=ref("incident", seed.sys_id("INC0010002")),
            gone=ref("incident", "f" * 32),
            title_word="email",
            url=f"{told.url}/nav_to.do?uri=incident.do?sys_id={mail.id}",
            key="INC0010001",
            keyed=mail,
            edit="edit",
            values={"urgency": "1"},
            other={"urgency": "3"},
            add="comment",
            commented=mail,
            addition={"comments": "It also concerns the calendar."},
            create_kind="incident",
            new={"short_description": "Printer on fire", "urgency": "1"},
            wrong={"short_description": "x" * 300, "urgency": "9"},
            wrong_inputs=frozenset({"short_description", "urgency"}),
            money="work_notes",
        )

    def account(self, name: str) -> Account:
        return Account(self.stand_in, _PEOPLE[name])

    def change_behind(self, values: Mapping[str, str]) -> None:
        id_ = self.sample.open[0].id
        self.stand_in.instance.update("incident", id_, values, "alice")

    def change_of(self, ref: RecordRef) -> None:
        values = {"urgency": "3"}
        self.stand_in.instance.update("incident", ref.id, values, "erin")

    def forbid_deleting(self, account: Account) -> None:
        alice = self.stand_in.users["alice"]
        erin = self.stand_in.users["erin"]
        self.stand_in.users["alice"] = replace(alice, profile=erin.profile)

    def other_of(self, ref: RecordRef) -> str:
        return self.sample.open[0].id

    def reword_behind(self, words: str) -> None:
        raise AssertionError("journals stay as they are")

    def remark(self, text: str, element: str = "comments") -> int:
        before = int(self.stand_in.clock.now())
        ref, values = self.sample.commented, {element: text}
        self.stand_in.instance.update("incident", ref.id, values, "carol")
        return before * 1_000_000

    def remark_inside(self, text: str) -> None:
        self.remark(text, "work_notes")

    def added(self, words: str = "") -> int:
        rows = self.stand_in.instance.rows["sys_journal_field"].values()
        wanted = words or self.sample.addition["comments"]
        return sum(row["value"] == wanted for row in rows)

    def value(self, name: str) -> Any:
        return self.stand_in.instance.rows["incident"][self.sample.open[0].id][name]

    async def aclose(self) -> None:
        await self.records.aclose()


def ref(kind: str, id_: str) -> RecordRef:
    return RecordRef(System.SERVICENOW, "acme", kind, id_)
