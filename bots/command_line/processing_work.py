"""Records of processing and impact assessments from the command line."""

from dataclasses import asdict
from pathlib import Path

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import day_said, print_json, print_table, say
from storage.compliance.acts import Act
from storage.compliance.evidence.files import write
from storage.compliance.gdpr.package import packed
from storage.compliance.gdpr.processing import digest_of, markdown, record
from storage.compliance.gdpr.processing_setup import setup_of


async def processing(out: Path, company: str, *, as_json: bool) -> None:
    """Write the record as JSON and Markdown, and its digest to the log."""
    async with company_core(company) as (built, tenant):
        await built.register.look(tenant, await built.links.all(tenant))
        setup = await setup_of(
            tenant, built.companies, built.links, built.duties, built.register
        )
        data = record(setup)
        digest = digest_of(data)
        files = {
            "processing.json": packed(data),
            "processing.md": markdown(data).encode(),
        }
        write(out, files)
        detail = {"sha256": digest}
        text = "records of processing made from the configuration"
        officer = cli_officer().name
        await built.acts.note(Act(tenant, "processing.record", officer, text, detail))
        if as_json:
            print_json(data)
            return
        for name in files:
            say(str(out / name))


async def assessments(close: str, outcome: str, company: str, *, as_json: bool) -> None:
    """Open what its triggers ask for, close one if that is wanted, and show all."""
    async with company_core(company) as (built, tenant):
        await built.register.look(tenant, await built.links.all(tenant))
        if close:
            await built.register.close(tenant, cli_officer(), close, outcome)
        found = await built.register.all(tenant)
        if as_json:
            print_json([asdict(one) for one in found])
            return
        rows = [
            (
                one.id,
                one.state,
                one.trigger,
                day_said(one.opened_us),
                one.what,
                one.outcome,
            )
            for one in found
        ]
        print_table(("assessment", "state", "why", "opened", "what", "outcome"), rows)
