"""Legal holds from the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say
from bots.core import clock_us
from bridge.compliance import Duty
from bridge.errors import BadInput
from bridge.hold_words import hold_data, moment, scope_shown, standing
from bridge.legal_holds import HoldScope, LegalHold
from bridge.retention_words import day


@dataclass(frozen=True, slots=True)
class ScopeWish:
    """What to hold, as it was typed."""

    people: Sequence[str]
    channels: Sequence[str]
    query: str
    from_: str
    to: str
    everything: bool

    def read(self) -> HoldScope:
        """Return the scope. Raises `BadInput`, also if it says nothing."""
        scope = HoldScope(
            frozenset(self.people),
            frozenset(self.channels),
            self.query.strip(),
            moment(self.from_) if self.from_ else 0,
            moment(self.to) if self.to else 0,
        )
        if (scope == HoldScope()) is not self.everything:
            raise BadInput(
                "say what to hold (--person, --channel, --query, --from, --to), "
                "or --everything alone"
            )
        return scope.checked()


async def create(name: str, wish: ScopeWish, company: str, *, as_json: bool) -> None:
    scope = wish.read()
    async with company_core(company) as (built, tenant):
        hold = await built.retention.holds.create(tenant, cli_officer(), name, scope)
        _tell(hold, f"Hold {hold.matter.id} holds from now on.", as_json=as_json)


async def widen(hold: str, wish: ScopeWish, company: str, *, as_json: bool) -> None:
    scope = wish.read()
    async with company_core(company) as (built, tenant):
        known = await built.retention.holds.widen(tenant, cli_officer(), hold, scope)
        _tell(known, f"Hold {hold} keeps that as well.", as_json=as_json)


async def holds(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.retention.holds.listed(tenant, cli_officer())
        now = clock_us()
        if as_json:
            print_json([hold_data(hold, now) for hold in found])
        elif not found:
            say("Nothing is held, and nothing ever was.")
        else:
            rows = [
                (
                    h.matter.id,
                    standing(h.matter, now),
                    day(h.matter.created_us),
                    h.matter.name,
                )
                for h in found
            ]
            print_table(("hold", "state", "since", "matter"), rows)


async def show(hold: str, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        await built.duties.require(tenant, cli_officer(), Duty.HOLD)
        known = await built.retention.holds.called(tenant, hold)
        if as_json:
            print_json(hold_data(known, clock_us()))
            return
        matter = known.matter
        say(f"{matter.id}: {matter.name}, by {matter.created_by}")
        say(f"{standing(matter, clock_us())}, since {day(matter.created_us)}; it keeps")
        for scope in known.scopes:
            say(f"  {scope_shown(scope)}")


async def release(hold: str, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        known = await built.retention.holds.release(tenant, cli_officer(), hold)
        until = day(known.matter.until_us)
        _tell(known, f"Released; it goes on holding until {until}.", as_json=as_json)


def _tell(hold: LegalHold, line: str, *, as_json: bool) -> None:
    if as_json:
        print_json(hold_data(hold, clock_us()))
    else:
        say(line)
