"""
The demo's business systems: a small Salesforce, ServiceNow, Jira, HubSpot and HR, with
data.

Most people have connected their accounts already, as they would with `/atom connect`.
Some have not, so that a visitor can see that as well.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bots.connecting_side import RecordBooks
from bots.core import Core
from bridge.directory.model import Kind
from bridge.records.connections import Connection, Tokens
from bridge.records.model import System
from connectors.sandbox.app import create_app
from connectors.sandbox.hr.stand_in import Hr
from connectors.sandbox.hubspot.app import HubSpot
from connectors.sandbox.hubspot.seed import PORTAL
from connectors.sandbox.jira.app import Jira
from connectors.sandbox.jira.seed import CLIENT_ID, CLIENT_SECRET
from connectors.sandbox.salesforce import Salesforce
from connectors.sandbox.servicenow.app import ServiceNow
from connectors.sandbox.stand_in import StandIn

_CONNECTED = ("alice", "erin", "bob", "carol", "dana", "dave")
_READER = "alice"  # by whose token ATOM itself reads where there is no account for it
_HANDS_ON = "erin@acme.example"  # who may make others approvers there
_ATOM = "atom"  # ATOM's own account in HR
_POLL = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class Systems:
    """The stand-ins, and where they are served."""

    base: str
    salesforce: Salesforce
    servicenow: ServiceNow
    jira: Jira
    hubspot: HubSpot
    hr: Hr

    @property
    def all(self) -> Mapping[System, StandIn]:
        return {
            System.SALESFORCE: self.salesforce,
            System.SERVICENOW: self.servicenow,
            System.JIRA: self.jira,
            System.HUBSPOT: self.hubspot,
            System.HR: self.hr,
        }

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return the tables `[records.…]` by which ATOM is told of them."""
        ours = {"client_id": "atom", "client_secret": "atom-secret"}
        own: Mapping[System, Mapping[str, Any]] = {
            System.SALESFORCE: ours,
            System.SERVICENOW: {**ours, "approval_admins": [_HANDS_ON]},
            System.JIRA: {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "auth": "token",
                "token": self.jira.tokens.issue(_READER, CLIENT_ID).access,
                "options": {
                    "projects": "ACME",
                    "cloud_id": self.jira.site.cloud_id,
                },
            },
            System.HUBSPOT: {
                **ours,
                "auth": "token",
                "token": self.hubspot.tokens.issue(_READER).access,
                "options": {"portal": PORTAL},
            },
            System.HR: {
                "auth": "token",
                "token": self.hr.tokens.issue(_ATOM).access,
                "api_url": f"{self._at(System.HR)}/bamboohr/api/gateway.php/acme/v1",
                "options": {
                    "announced": "customAnnounced",
                    "done": "customOnboardingDone",
                    "total": "customOnboardingTotal",
                },
            },
        }
        return {
            system.value: {
                "system": system.value,
                "url": self._at(system),
                "api_url": self._at(system),
                "login_url": self._at(system),
                "poll": _POLL,
                **more,
            }
            for system, more in own.items()
        }

    def configure(self, file: Path, public: str) -> None:
        """Write them down as an operator would, in ATOM's own file of settings."""
        lines = [f"public_url = {json.dumps(public)}"]
        for name, table in self.settings().items():
            lines.append(f"\n[records.{name}]")
            lines += [f"{key} = {_toml(value)}" for key, value in table.items()]
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _at(self, system: System) -> str:
        return f"{self.base}/{self.all[system].name}"


@asynccontextmanager
async def business_systems() -> AsyncIterator[Systems]:
    """Serve them on loopback, on a port of their own."""
    jira, hubspot = Jira(None), HubSpot(None)
    salesforce, servicenow, hr = Salesforce(), ServiceNow(), Hr()
    app = create_app((salesforce, servicenow, jira, hubspot, hr))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        jira.site.address = f"{base}/{jira.name}"
        _with_partner(salesforce)
        yield Systems(base, salesforce, servicenow, jira, hubspot, hr)
    finally:
        await runner.cleanup()


def _with_partner(salesforce: Salesforce) -> None:
    """Let the demo's guest be a contact: `/atom contact @Gus Novak` shows them."""
    rows, owner = salesforce.rows, {"OwnerId": salesforce.users["bob"].id}
    account = rows.create(
        None,
        "Account",
        {
            "Name": "Partner Works",
            "Type": "Partner",
            "Website": "https://www.partner.example",
            "BillingCity": "Vienna",
            **owner,
        },
    )
    contact = {
        "FirstName": "Gus",
        "LastName": "Novak",
        "Title": "Field engineer",
        "Email": "gus@partner.example",
        "AccountId": account["Id"],
    }
    rows.create(None, "Contact", contact | owner)
    rows.changes.clear()


async def connect_people(
    built: Core, tenant: str, systems: Systems, names: Sequence[str] = _CONNECTED
) -> None:
    """Let people have connected their accounts of every system that has such."""
    books = RecordBooks.of(built)
    for name in names:
        found = built.sources.view.named(tenant, Kind.PERSON, f"{name}@acme.example")
        for system, stand_in in systems.all.items():
            user = stand_in.users.get(name)
            if user is None or not found or system is System.HR:
                continue
            client = CLIENT_ID if system is System.JIRA else "atom"
            grant = stand_in.tokens.issue(name, client)
            await books.connections.keep(
                Connection(tenant, found[0], system, system.value, user.shown, user.id),
                Tokens(grant.access, grant.refresh),
                "atom demo",
            )


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {_toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    return json.dumps(value)
