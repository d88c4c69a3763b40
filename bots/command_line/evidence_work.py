"""Showing others what was done, from the command line."""

import asyncio
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say, time_said
from bots.command_line.progress import progress_bar
from bridge.compliance import Duty
from storage.compliance.evidence.files import enclosed, made, statement, write
from storage.compliance.evidence.pack import PackMaker
from storage.compliance.evidence.pdf import pdf_of
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
                time_said(one.at_us),
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


async def report(
    words: str, out: Path, size: int, company: str, *, as_json: bool
) -> None:
    """Write the pack's three files and have it on record that they were made."""
    wanted = period(words, datetime.now(UTC).date())
    async with company_core(company) as (built, tenant):
        officer = cli_officer()
        await built.duties.require(tenant, officer, Duty.EXPORT)
        with progress_bar() as bar:
            task = bar.add_task("reading the log", total=None)
            maker = PackMaker(built.database.hot, built.prover)
            pack = await maker.make(
                tenant,
                wanted,
                size,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
            bar.update(task, description="setting the pages", total=None)
            pdf = await asyncio.to_thread(pdf_of, pack.data, pack.digest)
        note = await built.signers.sign(tenant, statement(pack, pdf))
        name = f"evidence-{tenant}-{wanted}-{pack.checkpoint.size}"
        files = {f"{name}.json": pack.json, f"{name}.pdf": pdf}
        files[f"{name}.note"] = note.encode()
        write(out, files | enclosed(name, pack))
        await built.acts.note(made(tenant, officer, pack, pdf))
        verdicts = Counter(one["verdict"] for one in pack.data["controls"])
        if as_json:
            print_json(
                {
                    "files": [str(out / name) for name in files],
                    "size": pack.checkpoint.size,
                    "sha256": pack.digest,
                    "controls": dict(verdicts),
                }
            )
            return
        for each in files:
            say(str(out / each))
        counted = ", ".join(f"{n} {word}" for word, n in sorted(verdicts.items()))
        say(f"{out / name}-proofs: a proof of each sampled entry, and verify_atom.py")
        say(f"{len(pack.data['controls'])} controls: {counted}.")
