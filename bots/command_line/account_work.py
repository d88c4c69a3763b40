"""A company's workspaces and tenants from the command line, with each change on record."""

import re
from collections.abc import Awaitable, Callable

from bots.command_line.company import company_core
from bots.command_line.links import operator
from bots.command_line.output import print_json, print_table, say
from bots.core import Core
from bridge.errors import AtomError, BadInput, NotFound
from bridge.messages import Platform
from bridge.workspaces import Change

_SHAPES = {
    Platform.SLACK: re.compile(r"T[A-Z0-9]{2,30}"),
    Platform.TEAMS: re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


async def listing(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.companies.accounts(tenant)
        if as_json:
            print_json(
                [{"account": f"{a.platform}:{a.id}", "name": a.name} for a in found]
            )
        elif not found:
            say(
                "None yet: Slack's is known once 'atom serve' runs or ATOM is installed."
            )
        else:
            rows = [(f"{one.platform}:{one.id}", one.name) for one in found]
            print_table(("account", "name"), rows)


async def add(account: str, name: str, company: str) -> None:
    """Raises `BadInput`, or `Conflict` if it is another company's."""
    platform, id_ = _parsed(account)
    async with company_core(company) as (built, tenant):
        await _on_record(
            built,
            Change(
                tenant, platform, operator(), f"make {platform}:{id_} the company's"
            ),
            lambda: built.companies.bind(tenant, platform, id_, name),
        )
        say(f"{platform}:{id_} is {tenant}'s.")


async def remove(account: str, company: str) -> None:
    """Raises `NotFound` if it is not the company's."""
    platform, id_ = _parsed(account)
    async with company_core(company) as (built, tenant):
        if await built.companies.tenant_of(platform, id_) != tenant:
            raise NotFound(f"{platform}:{id_} is not {tenant}'s.")
        await _on_record(
            built,
            Change(tenant, platform, operator(), f"let {platform}:{id_} be nobody's"),
            lambda: built.companies.unbind(platform, id_),
        )
        say(f"{platform}:{id_} is nobody's any more.")


async def _on_record(
    built: Core, change: Change, work: Callable[[], Awaitable[None]]
) -> None:
    intent = await built.audit.intend(change)
    try:
        await work()
    except AtomError as failure:
        await built.audit.conclude(change, intent, "refused", str(failure))
        raise
    await built.audit.conclude(change, intent, "done")


def _parsed(account: str) -> tuple[Platform, str]:
    platform, _, id_ = account.partition(":")
    for known, shape in _SHAPES.items():
        if platform == known:
            wanted = id_ if known is Platform.SLACK else id_.lower()
            if shape.fullmatch(wanted):
                return known, wanted
    raise BadInput(
        f"'{account}' is no account: write slack:TEAM_ID, such as slack:T01234567, "
        "or teams:TENANT_ID, which is a UUID"
    )
