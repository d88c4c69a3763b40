"""Showing others what was done, from the command line."""

from dataclasses import asdict
from datetime import UTC, datetime

from bots.at_command_line import cli_officer
from bots.cli_company import company_core
from bots.cli_output import print_json, print_table, say
from storage.compliance.evidence.periods import period
from storage.compliance.rights.access_log import AccessLog, tally


async def access_log(words: str, officer: str, company: str, *, as_json: bool) -> None:
    wanted = period(words, datetime.now(UTC).date())
    async with company_core(company) as (built, tenant):
        trail = AccessLog(built.log, built.duties, built.acts)
        found = await trail.read(
            tenant, cli_officer(), wanted.since_us, wanted.until_us
        )
        found = [one for one in found if officer in {"", one.officer}]
        if as_json:
            print_json(
                {
                    "company": tenant,
                    "period": str(wanted),
                    "uses": [asdict(one) for one in found],
                    "tally": [
                        {"officer": who, "type": what, "times": n, "items": items}
                        for who, what, n, items in tally(found)
                    ],
                }
            )
            return
        if not found:
            say(f"Nobody used the record in {wanted}.")
            return
        rows = [
            (
                str(one.seq),
                _time(one.at_us),
                one.officer,
                one.etype,
                "" if one.count is None else str(one.count),
                one.root[:16],
                one.text,
            )
            for one in found
        ]
        print_table(("seq", "time", "officer", "type", "items", "root", "what"), rows)
        say("")
        print_table(
            ("officer", "type", "times", "items"),
            [(who, what, str(n), str(items)) for who, what, n, items in tally(found)],
        )


def _time(moment_us: int) -> str:
    return datetime.fromtimestamp(moment_us / 1_000_000, UTC).strftime("%F %T")
