"""The SCIM server's tokens, and what its circuit breaker lets through."""

import time
from typing import Any

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say, time_said
from bridge.directory.scim import ScimKind, Token
from bridge.errors import NotFound
from storage.compliance.acts import Act

_DAY_US = 86_400_000_000


async def create(note: str, days: int, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        made = await built.scim.tokens.create(tenant, cli_officer(), note, days)
        if as_json:
            print_json({**_told(made.token), "token": made.text})
            return
        say(made.text)
        say(f"This is shown once. It is good until {time_said(made.token.expires_us)}.")
        say("Enter it as the bearer token of your identity provider's SCIM client.")
        if not built.scim.followed.follows(tenant):
            say("The directory has no source of kind scim yet: what is pushed is kept,")
            say("and counts for nothing until docs/directory.md was followed.")


async def tokens(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.scim.tokens.all(tenant)
        if as_json:
            print_json([_told(token) for token in found])
        elif not found:
            say("No identity provider gets in: start with")
            say("  atom directory scim token create --note Entra")
        else:
            columns = ("token", "state", "note", "from", "made", "until", "last used")
            print_table(columns, [tuple(_told(token).values()) for token in found])


async def revoke(token: str, company: str) -> None:
    async with company_core(company) as (built, tenant):
        await built.scim.tokens.revoke(tenant, cli_officer(), token)
        say(f"{token} lets nobody in any more.")


async def allow(group: str, company: str) -> None:
    async with company_core(company) as (built, tenant):
        if await built.scim.store.one(tenant, ScimKind.GROUP, group) is None:
            raise NotFound(f"There is no group {group}.")
        officer = cli_officer()
        text = f"let the SCIM group {group} shrink once within a day"
        detail = {"what": f"scim:group:{group}", "old": "", "new": "may shrink"}
        await built.acts.note(Act(tenant, "admin.config", officer.name, text, detail))
        await built.scim.store.allow(tenant, group, _now_us() + _DAY_US)
        say(f"{group} may lose members once until {time_said(_now_us() + _DAY_US)}.")


def _told(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "state": _state(token),
        "note": token.note,
        "from": token.created_by,
        "made": time_said(token.created_us),
        "until": time_said(token.expires_us),
        "used": time_said(token.used_us) if token.used_us else "never",
    }


def _state(token: Token) -> str:
    if token.revoked_us:
        return "revoked"
    return "live" if token.live(_now_us()) else "expired"


def _now_us() -> int:
    return time.time_ns() // 1000
