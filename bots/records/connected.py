"""Make the adapters of the business systems that are configured."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial

import structlog
from aiohttp import ClientSession
from yarl import URL

from bots.metrics import RECORD_ALARMS
from bots.settings_records import RecordSettings
from bridge.errors import BadInput
from bridge.records.model import System
from bridge.records.ports import Budget, Records
from bridge.records.systems import Connected
from connectors.hr.systems import made as hr_system
from connectors.hubspot.api import MANNER as HUBSPOT
from connectors.hubspot.portal import Portal
from connectors.hubspot.records import HubSpotRecords
from connectors.jira.api import MANNER as JIRA
from connectors.jira.records import JiraRecords
from connectors.jira.site import Site
from connectors.rest import Rest
from connectors.salesforce.syncing import KnownBy
from connectors.salesforce.system import Salesforce, Setup
from connectors.servicenow.connector import ServiceNow
from connectors.servicenow.connector import Settings as Instance

log = structlog.get_logger()

Key = tuple[str, System, str]

Budgets = Callable[[str], Budget]
"""Return what a company's calls are counted in."""


def connected(
    stack: AsyncExitStack, systems: Mapping[Key, RecordSettings], budgets: Budgets
) -> Connected:
    """Make them; the stack closes them. Raises `BadInput` for what is not told."""
    known: dict[str, list[Records]] = {}
    for (tenant, _, name), one in systems.items():
        made = _made(name, one, budgets(tenant))
        stack.push_async_callback(made.aclose)
        known.setdefault(tenant, []).append(made)
    return Connected(known)


_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def hosts_of(systems: Mapping[Key, RecordSettings]) -> dict[str, frozenset[str]]:
    """
    Return the hosts on which each company's systems have pages.

    Of a stand-in on this machine, which has no certificate, it is the whole origin.
    """
    found: dict[str, set[str]] = {}
    for (tenant, _, _), one in systems.items():
        hosts = found.setdefault(tenant, set())
        url = URL(one.url)
        hosts |= {str(url.host or ""), *one.page_hosts}
        if url.scheme == "http" and url.host in _LOOPBACK:
            hosts.add(str(url.origin()))
    return {tenant: frozenset(hosts - {""}) for tenant, hosts in found.items()}


def _made(name: str, one: RecordSettings, budget: Budget) -> Records:
    site, api = one.url.rstrip("/"), (one.api_url or one.url).rstrip("/")
    secret = next(iter(one.webhook_secrets), "")
    match one.kind:
        case System.SALESFORCE:
            setup = Setup(
                name,
                api,
                site,
                tuple(one.page_hosts),
                _text(one, "currency", "USD"),
                _text(one, "key_field", "ATOM_Key__c"),
                events=bool(one.options.get("events", True)),
                organisation=_text(one, "organisation"),
                hook_secret=secret,
                known_by=_known_by(name, one),
            )
            return Salesforce(setup, budget)
        case System.SERVICENOW:
            instance = Instance(name, api, one.webhook_secrets, site)
            return ServiceNow(instance, budget, partial(_alarm, System.SERVICENOW))
        case System.JIRA:
            return _jira(name, one, budget, secret)
        case System.HUBSPOT:
            return _hubspot(name, one, budget)
        case System.HR:
            options = {"hook_key": secret, **one.options}
            return hr_system(
                name, site, (one.api_url or "").rstrip("/"), options, budget
            )


def _known_by(name: str, one: RecordSettings) -> KnownBy:
    """Read the names of fields. Raises `BadInput` with where they stand."""
    try:
        return KnownBy.told(_text(one, "contact_emails"), _text(one, "account_sites"))
    except BadInput as error:
        raise BadInput(f"[records.{name}]: options: {error}") from None


def _alarm(system: System, what: str, kind: str) -> None:
    """Tell operators of what a system did with a question; of the rows it tells none."""
    RECORD_ALARMS.labels(system, what).inc()
    log.error("a system answered another question", system=system, what=what, of=kind)


def _jira(name: str, one: RecordSettings, budget: Budget, secret: str) -> JiraRecords:
    projects = _text(one, "projects").replace(",", " ").upper().split()
    if not projects:
        raise BadInput(
            f"[records.{name}]: say in options which projects ATOM speaks of, such as "
            '{ projects = "OPS WEB" }'
        )
    page = URL(one.url.rstrip("/"))
    given = one.client_secret
    site = Site(
        name,
        page,
        frozenset(projects),
        hook_secret=secret,
        hook_url=_text(one, "hook_url"),
        client_secret=given.get_secret_value() if given else "",
    )
    base = URL((one.api_url or one.url).rstrip("/"))
    if cloud := _text(one, "cloud_id"):
        base = base / "ex" / "jira" / cloud
    rest = Rest(
        ClientSession(),
        System.JIRA.shown,
        base / "rest" / "api" / "3",
        site.bucket,
        budget,
        JIRA,
    )
    return JiraRecords(site, rest)


def _hubspot(name: str, one: RecordSettings, budget: Budget) -> HubSpotRecords:
    portal_id = one.options.get("portal")
    if not isinstance(portal_id, int) or isinstance(portal_id, bool):
        raise BadInput(
            f"[records.{name}]: say in options which portal it is, such as "
            "{ portal = 1234567 }"
        )
    given = one.client_secret
    portal = Portal(
        name,
        portal_id,
        URL(one.url.rstrip("/")),
        client_secret=given.get_secret_value() if given else "",
        app_id=int(one.options.get("app", 0)),
    )
    api = URL((one.api_url or "https://api.hubapi.com").rstrip("/"))
    rest = Rest(
        ClientSession(), System.HUBSPOT.shown, api, portal.bucket, budget, HUBSPOT
    )
    return HubSpotRecords(portal, rest)


def _text(one: RecordSettings, option: str, usual: str = "") -> str:
    return str(one.options.get(option, usual))
