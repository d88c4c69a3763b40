"""Comparing the record with the platforms' history, from the command line."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from bots.command_line.company import company_core, company_id
from bots.command_line.output import console, print_json, print_table, say
from bots.command_line.progress import progress_bar
from bots.core import clock_us
from bots.reconciling import Reconciling, budgets, histories, reconciling
from bots.settings_sources import read_settings
from bots.tools import Tools, tools
from bridge.errors import AtomError, BadInput, NotFound
from bridge.links import LinkState
from bridge.messages import Channel
from bridge.reconcile import Attested, in_risk_order
from bridge.relay import Relay
from storage.compliance.completeness.coverage import Coverage, Day, days

_MICRO = 1_000_000
_DAY_US = 24 * 3600 * _MICRO
_COLUMNS = ("channel", "shown", "on record", "missing", "read in", "lost", "result")


async def reconcile(
    channel: str, since: str, until: str, company: str, *, as_json: bool
) -> bool:
    """Reconcile channels one by one; returns whether all could be compared."""
    from_us, to_us = _time(since), _time(until)
    if since and until and from_us >= to_us:
        raise BadInput("--from has to be before --to")
    settings = read_settings()
    async with tools(settings) as built:
        tenant = await company_id(built.companies, company)
        job = _job(built)
        wanted = await _wanted(job, tenant, channel)
        calls = budgets(settings.tuning)
        results: list[tuple[Channel, Attested | None, str]] = []
        with progress_bar() as bar:
            task = bar.add_task("comparing", total=len(wanted))
            for one in wanted:
                bar.update(task, description=f"comparing {one.platform}:{one.id}")
                try:
                    found = await job.reconciler.channel(
                        tenant, one, calls[one.platform], from_us, to_us
                    )
                    results.append((one, found, ""))
                except AtomError as error:
                    results.append((one, None, str(error)))
                bar.advance(task)
    if as_json:
        print_json({"company": tenant, "channels": [_data(*r) for r in results]})
    elif results:
        print_table(_COLUMNS, [_row(*result) for result in results])
    else:
        say("No channel is linked.")
    return not any(fault for _, _, fault in results)


async def coverage(last: int, company: str, *, as_json: bool) -> None:
    """Print the coverage of the last days, newest first."""
    async with company_core(company) as (built, tenant):
        windows = await Coverage(built.database.hot).windows(tenant)
        now = clock_us()
        found: list[Day] = []
        for link in await built.links.all(tenant):
            if link.state is LinkState.REMOVED:
                continue
            for channel in link.channels:
                since = max(link.since_us(channel), now - last * _DAY_US)
                found += days(channel, windows, since, now)
    found.sort(key=lambda d: (d.day, str(d.channel)), reverse=True)
    if as_json:
        print_json({"company": tenant, "days": [_as_json(day) for day in found]})
        return
    columns = ("day", "channel", "covered", "compared", "shown", "held", "lost", "")
    print_table(columns, [_covered(day) for day in found])
    if not windows:
        say("Nothing was compared yet: run 'atom compliance reconcile'.")


def _job(built: Tools) -> Reconciling:
    core = built.core
    recent = histories(built.slack, built.teams)
    intake = Relay(
        core.companies, core.links, core.policy, core.journal, others=core.others
    )
    return reconciling(core, recent, intake, built.ahead)


async def _wanted(job: Reconciling, tenant: str, channel: str) -> list[Channel]:
    linked = await job.linked(tenant)
    if channel:
        one = Channel.parse(channel)
        if one not in linked:
            raise NotFound(f"{one} is in no link: 'atom links' shows those that are")
        return [one]
    standings = await job.coverage.standings(tenant, linked)
    return [standing.channel for standing in in_risk_order(standings, clock_us())]


def _time(text: str) -> int:
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(
            f"'{text}' is no time: write 2030-01-31 or 2030-01-31T08:00"
        ) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp() * _MICRO)


def _data(channel: Channel, found: Attested | None, fault: str) -> dict[str, object]:
    if found is None:
        return {"channel": str(channel), "attested": False, "fault": fault}
    before, after = found.before, found.after
    return {
        "channel": str(channel),
        "attested": True,
        "from_us": after.window.from_us,
        "to_us": after.window.to_us,
        "shown": len(after.shown),
        "held": len(after.held),
        "missing": [*before.missing],
        "filled": [*found.filled],
        "vanished": [*before.vanished],
        "unrecoverable": [*after.lost],
        "pages": len(found.pages),
    }


def _row(channel: Channel, found: Attested | None, fault: str) -> Sequence[str]:
    name = f"{channel.platform}:{channel.id}"
    if found is None:
        return (name, "", "", "", "", "", f"behind: {fault}" if fault else "no link")
    before, after = found.before, found.after
    return (
        name,
        str(len(after.shown)),
        str(len(after.held)),
        str(len(before.missing)),
        str(len(found.filled)),
        str(len(after.lost)),
        "attested",
    )


def _as_json(day: Day) -> dict[str, object]:
    return asdict(day) | {"channel": str(day.channel), "day": day.day.isoformat()}


def _covered(day: Day) -> Sequence[str]:
    return (
        day.day.isoformat(),
        f"{day.channel.platform}:{day.channel.id}",
        _percent(day.covered),
        _percent(day.compared),
        str(day.shown),
        str(day.held),
        str(day.lost),
        "behind" if day.behind else "",
    )


def _percent(share: float) -> str:
    """Return a share for people; what is not whole never reads as 100 %."""
    percent = share * 100
    return "100 %" if share == 1 else f"{min(percent, 99.99):.2f} %"


async def sync_grid(company: str, *, as_json: bool) -> bool:
    """Read the organisation's feeds once; returns whether both could be read."""
    async with tools(read_settings()) as built:
        tenant = await company_id(built.companies, company)
        sync = built.slack.grid if built.slack else None
        if sync is None:
            raise BadInput(
                "set ATOM_SLACK_COMPLIANCE_TOKEN to an Org Owner's token with "
                "auditlogs:read"
            )
        with console(stderr=True).status("reading the organisation's audit log"):
            done = await sync.sync(tenant)
    if as_json:
        print_json({"company": tenant, **asdict(done)})
    else:
        say(f"{done.audit} new entries of the audit log, {done.holds} legal holds.")
        for fault in done.faults:
            say(fault)
    return not done.faults
