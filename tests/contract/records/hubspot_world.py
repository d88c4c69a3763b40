"""HubSpot, for the suite."""

import asyncio
import html
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import ClientSession
from yarl import URL

from bridge.records.model import RecordRef, System
from connectors.hubspot.api import MANNER
from connectors.hubspot.portal import Portal
from connectors.hubspot.records import HubSpotRecords
from connectors.rest import Rest
from connectors.sandbox.hubspot.app import HubSpot
from connectors.sandbox.hubspot.seed import PORTAL
from connectors.sandbox.hubspot.state import Thing
from tests.contract.records.worlds import Sample
from tests.stand_ins import Account, CountingBudget, Told

_PEOPLE = {"reader": "carol", "insider": "dana", "onlooker": "frank"}


class HubSpotWorld:
    """Implements `tests.contract.records.worlds.World`."""

    writes = "PATCH "
    adds = "POST */notes"
    rewords = "PATCH */notes/*"
    deletes = "insider"
    words = "text"
    batch = 4  # one a kind: which company each belongs to is in it

    def __init__(self, told: Told) -> None:
        assert isinstance(told.stand_in, HubSpot)
        self.told = told
        self.hubspot = told.stand_in
        # What the suite asks in a moment takes longer in a company.
        self.hubspot.portal.burst = self.hubspot.portal.searches = 100_000
        self.budget = CountingBudget()
        portal = Portal("acme", PORTAL, URL(told.url))
        rest = Rest(
            ClientSession(),
            "HubSpot",
            URL(told.url),
            portal.bucket,
            self.budget,
            MANNER,
        )
        self.records = HubSpotRecords(portal, rest, asyncio.sleep)
        self.sample = Sample(
            open=(
                ref("deal", "30101"),
                ref("company", "20101"),
                ref("contact", "10101"),
                ref("ticket", "40101"),
            ),
            secret=ref("deal", "30104"),
            gone=ref("deal", "99999"),
            title_word="renewal",
            url=f"{told.url}/contacts/{PORTAL}/record/0-3/30101",
            key="",
            keyed=None,
            edit="edit",
            values={"dealname": "Globex renewal FY28"},
            other={"dealname": "Globex renewal FY29"},
            add="note",
            commented=ref("deal", "30101"),
            addition={"text": "Grace asks for a date"},
            create_kind="deal",
            new={
                "dealname": "Printer for Globex",
                "pipeline": "default",
                "dealstage": "qualifiedtobuy",
            },
            wrong={"closedate": "soon"},
            wrong_inputs=frozenset({"closedate"}),
            money="amount",
        )

    def account(self, name: str) -> Account:
        return Account(self.hubspot, _PEOPLE[name])

    def change_behind(self, values: Mapping[str, str]) -> None:
        deal = self.hubspot.portal.things["deals"]["30101"]
        deal.values.update(values)
        deal.updated = self.hubspot.portal.moment()
        self.hubspot.portal.index(deal)

    def change_of(self, ref: RecordRef) -> None:
        deal = self.hubspot.portal.things["deals"][ref.id]
        deal.values["dealname"] = "Somebody else's words"
        deal.updated = self.hubspot.portal.moment()

    def forbid_deleting(self, account: Account) -> None:
        user = self.hubspot.users[account.user]
        profile = replace(user.profile, objects={"*": "cru"})
        self.hubspot.users[account.user] = replace(user, profile=profile)

    def other_of(self, ref: RecordRef) -> str:
        return "30101"

    def reword_behind(self, words: str) -> None:
        for note in self.hubspot.portal.things["notes"].values():
            body = str(note.values["hs_note_body"])
            note.values["hs_note_body"] = body.replace("Fixed for good", words)

    def remark(self, text: str) -> int:
        portal = self.hubspot.portal
        now = portal.moment()
        body = f"<p>{html.escape(text)}</p>"
        values: dict[str, str | None] = {"hs_note_body": body}
        values["hubspot_owner_id"] = "503"
        note = Thing(portal.new_id(), "notes", values, now, now)
        portal.things["notes"][note.id] = note
        portal.links.add(("notes", note.id, "deals", "30101"))
        return int(now) * 1_000_000

    def remark_inside(self, text: str) -> None:
        """HubSpot keeps nothing from customers: they see no notes at all."""

    def added(self, words: str = "") -> int:
        notes = self.hubspot.portal.things["notes"].values()
        text = html.escape(words or self.sample.addition["text"], quote=False)
        return sum(
            text in str(each.values["hs_note_body"]) and not each.archived
            for each in notes
        )

    def value(self, name: str) -> Any:
        return self.hubspot.portal.things["deals"]["30101"].values[name]

    async def aclose(self) -> None:
        await self.records.aclose()


def ref(kind: str, id_: str) -> RecordRef:
    return RecordRef(System.HUBSPOT, "acme", kind, id_)
