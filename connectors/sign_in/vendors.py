"""
How each vendor's OAuth differs from the others'.

Sources: Salesforce Help, "OAuth 2.0 Web Server Flow"; ServiceNow, "OAuth 2.0" and
"Revoke an OAuth token"; Atlassian, "OAuth 2.0 (3LO) apps"; HubSpot, "Manage OAuth
tokens". Salesforce says of no token when it runs out; Jira's refresh tokens are good
for one use each; HubSpot wants expiry followed, since 401 means other things there.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from yarl import URL

from bridge.errors import NotAllowed
from bridge.records.connections import Identity, Tokens
from bridge.records.model import System
from connectors.sign_in.asking import Asking


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where an instance is: `site` is where its people see it, `login` where they sign in,
    `api` where programs ask.
    """

    site: URL
    login: URL
    api: URL


@dataclass(frozen=True, slots=True)
class Client:
    """ATOM as the system knows it."""

    id: str
    secret: str = field(repr=False)


Whose = Callable[
    [Asking, Place, Client, Tokens, Mapping[str, Any]],
    Awaitable[tuple[Tokens, Identity]],
]


@dataclass(frozen=True, slots=True)
class Vendor:
    """
    A vendor's paths and parameters. `token` and `revoke` lie below `login` where
    `at_login` is set, else below `api`. `whose` asks who signed in.
    """

    authorize: str
    token: str
    revoke: str
    scopes: str
    whose: Whose
    at_login: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)
    login: str = ""
    api: str = ""


async def _salesforce(
    asking: Asking, place: Place, _: Client, tokens: Tokens, said: Mapping[str, Any]
) -> tuple[Tokens, Identity]:
    site = str(said.get("instance_url", "") or place.site.origin())
    if URL(site).host != place.site.host:
        raise NotAllowed(
            f"That account is of another Salesforce ({URL(site).host}): sign in to "
            f"{place.site.host}."
        )
    told = await asking.get(place.site / "services/oauth2/userinfo", tokens.access)
    remote, name = told.get("user_id"), told.get("preferred_username")
    return replace(tokens, site=site), _identity(
        remote, name or told.get("name"), told.get("email")
    )


async def _servicenow(
    asking: Asking, place: Place, _: Client, tokens: Tokens, __: Mapping[str, Any]
) -> tuple[Tokens, Identity]:
    path = "api/now/ui/user/current_user"
    told = await asking.get(place.site / path, tokens.access)
    result = told.get("result") or {}
    remote, name = result.get("user_sys_id"), result.get("user_name")
    return tokens, _identity(remote, name, result.get("user_email"))


async def _jira(
    asking: Asking, place: Place, _: Client, tokens: Tokens, __: Mapping[str, Any]
) -> tuple[Tokens, Identity]:
    """Find the site among those that the person let ATOM into."""
    path = "oauth/token/accessible-resources"
    sites = await asking.get(place.api / path, tokens.access)
    wanted = str(place.site).rstrip("/")
    for each in sites if isinstance(sites, list) else ():
        if str(each.get("url", "")).rstrip("/") == wanted:
            api = place.api / "ex/jira" / str(each["id"])
            break
    else:
        raise NotAllowed(
            f"That account does not let ATOM into {place.site.host}: choose that site "
            "when you are asked."
        )
    told = await asking.get(api / "rest/api/3/myself", tokens.access)
    name = told.get("displayName")
    return replace(tokens, site=str(api)), _identity(
        told.get("accountId"),
        told.get("emailAddress") or name,
        told.get("emailAddress"),
    )


async def _hubspot(
    asking: Asking, place: Place, client: Client, tokens: Tokens, _: Mapping[str, Any]
) -> tuple[Tokens, Identity]:
    form = {
        "client_id": client.id,
        "client_secret": client.secret,
        "token": tokens.access,
        "token_type_hint": "access_token",
    }
    path = "oauth/v3/token/introspect"
    _status, told = await asking.post(place.api / path, form)
    return tokens, _identity(told.get("user_id"), told.get("user"), told.get("user"))


def _identity(remote: object, name: object, email: object) -> Identity:
    if not remote or not name:
        raise NotAllowed("The system does not tell whose account that is.")
    mail = str(email) if email and "@" in str(email) else ""
    return Identity(str(remote)[:200], str(name)[:200], mail[:200])


VENDORS: Mapping[System, Vendor] = {
    System.SALESFORCE: Vendor(
        "services/oauth2/authorize",
        "services/oauth2/token",
        "services/oauth2/revoke",
        "api refresh_token openid",
        _salesforce,
    ),
    System.SERVICENOW: Vendor(
        "oauth_auth.do",
        "oauth_token.do",
        "oauth_revoke_token.do",
        "useraccount",
        _servicenow,
    ),
    System.JIRA: Vendor(
        "authorize",
        "oauth/token",
        "oauth/revoke",
        "read:jira-work write:jira-work read:jira-user offline_access",
        _jira,
        extra={"audience": "api.atlassian.com", "prompt": "consent"},
        login="https://auth.atlassian.com",
        api="https://api.atlassian.com",
    ),
    System.HUBSPOT: Vendor(
        "oauth/authorize",
        "oauth/v3/token",
        "oauth/v3/token/revoke",
        "oauth crm.objects.contacts.read crm.objects.contacts.write "
        "crm.objects.companies.read crm.objects.companies.write "
        "crm.objects.deals.read crm.objects.deals.write tickets",
        _hubspot,
        at_login=False,
        login="https://app.hubspot.com",
        api="https://api.hubapi.com",
    ),
}
