"""Choosing where checkpoints are shown, from the command line."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bots.accounts import refuse_foreign
from bots.anchor_side import anchoring, choice
from bots.command_line.links import company_tools
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say
from bots.core import clock_us
from bridge.anchors import Shown
from bridge.errors import BadInput, NotFound, ServiceUnavailable
from bridge.messages import Channel
from storage.compliance.acts import Act
from storage.compliance.anchors.kept import (
    Last,
    StoredAnchors,
    chosen,
    dropped,
)
from storage.compliance.proofs.notes import first_signed


async def add(address: str, key: str, authority: Path | None, company: str) -> None:
    """Choose an anchor, and show it the newest checkpoint at once."""
    detail = key or _text(authority)
    wanted = choice(address, detail)
    async with company_tools(company) as (built, tenant):
        if wanted.kind in {"slack", "teams"}:
            await refuse_foreign(built.core, tenant, Channel.parse(wanted.address))
        act = Act(
            tenant,
            "admin.config",
            cli_officer().name,
            f"checkpoints are shown to {wanted.address}",
            {"anchor": wanted.address},
        )
        await built.core.acts.note(act, (chosen(tenant, wanted, clock_us()),))
        seen = await built.core.publisher.publish(tenant)
        shown = Shown(tenant, seen.checkpoint.size, seen.note, first_signed(seen.note))
        shower = anchoring(built.core, built.session, built.announcers)
        if fault := await shower.show(wanted, shown):
            raise ServiceUnavailable(f"{wanted.address} is chosen, but: {fault}")
        say(f"Checkpoints are shown to {wanted.address}.")


async def remove(address: str, company: str) -> None:
    async with company_tools(company) as (built, tenant):
        anchors = StoredAnchors(built.core.database.hot, clock_us)
        known = [each.address for each in await anchors.all(tenant)]
        if address not in known:
            raise NotFound(f"{address} is no anchor: 'atom log anchors' lists them")
        act = Act(
            tenant,
            "admin.config",
            cli_officer().name,
            f"checkpoints are not shown to {address} any more",
            {"anchor": address},
        )
        await built.core.acts.note(act, (dropped(tenant, address),))
        say(f"Checkpoints are not shown to {address} any more.")


async def listing(company: str, *, as_json: bool) -> None:
    async with company_tools(company) as (built, tenant):
        anchors = StoredAnchors(built.core.database.hot, clock_us)
        found = [
            (each.address, await anchors.last(tenant, each.address))
            for each in await anchors.all(tenant)
        ]
        if as_json:
            print_json([_data(address, last) for address, last in found])
        else:
            columns = ("anchor", "size", "when", "what is wrong")
            print_table(columns, [_row(address, last) for address, last in found])


def _data(address: str, last: Last | None) -> dict[str, object]:
    if last is None:
        return {"address": address, "size": None, "at": None, "fault": ""}
    told = {"size": last.size, "at": _moment(last.at_us), "fault": last.fault}
    return {"address": address, **told}


def _row(address: str, last: Last | None) -> Sequence[str]:
    if last is None:
        return (address, "-", "not yet", "")
    return (address, str(last.size), _moment(last.at_us), last.fault)


def _moment(us: int) -> str:
    return datetime.fromtimestamp(us / 1_000_000, UTC).isoformat(timespec="seconds")


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read") from error
