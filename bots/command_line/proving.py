"""Proofs from the command line: what is printed or written for an outsider."""

import base64
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say
from bots.command_line.progress import progress_bar
from bots.core import Core
from bridge.compliance import Duty
from bridge.errors import BadInput
from storage.compliance.acts import Act
from storage.compliance.proofs.checkpoints import Seen
from storage.compliance.proofs.publisher import Contradiction
from storage.compliance.proofs.restoring import Restoring
from storage.compliance.proofs.signers import Known
from storage.compliance.proofs.tile_files import write_log


async def checkpoint(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        seen = await _signed(built, tenant)
        if as_json:
            found = seen.checkpoint
            told = {"size": found.size, "root": found.root.hex(), "time": seen.time}
            print_json({"company": tenant, **told, "note": seen.note})
        else:
            sys.stdout.write(seen.note)


async def prove(entry: int, out: Path | None, company: str) -> None:
    async with company_core(company) as (built, tenant):
        _give(str(await built.prover.entry(tenant, entry)), out)


async def prove_link(
    entry: int, out: Path | None, company: str, *, disclose: bool
) -> None:
    async with company_core(company) as (built, tenant):
        if disclose:
            await built.duties.require(tenant, cli_officer(), Duty.READ)
        told = await built.prover.link(tenant, entry, opened=disclose)
        if disclose:
            act = Act(
                tenant,
                "item.view",
                cli_officer().name,
                f"disclosed what entry {entry} delivered, in a link proof",
                {"seq": entry},
            )
            await built.acts.note(act)
        text = orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"
        _give(text, out)


async def consistency(old: int, new: int, out: Path | None, company: str) -> None:
    async with company_core(company) as (built, tenant):
        path = await built.prover.consistency(tenant, old, new)
        lines = (base64.b64encode(line).decode() + "\n" for line in path)
        _give("".join(lines), out)


async def keys(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        await built.signers.current(tenant)
        known = await built.signers.known(tenant)
        if as_json:
            print_json([_policy(each, known) for each in known])
            return
        if len(known) == 1:
            say(str(known[0].key))
            return
        rows = [(str(k.key), f"from size {k.from_size}") for k in known]
        print_table(("verifier key", "valid"), rows)
        for each in known[1:]:
            sys.stdout.write(f"\n{each.note}")


async def rotate_key(company: str) -> None:
    async with company_core(company) as (built, tenant):
        known, _ = await built.publisher.rotate(tenant)
        detail = {"vkey": str(known.key), "from_size": known.from_size}
        act = Act(tenant, "key.rotate", cli_officer().name, "new signing key", detail)
        await built.acts.note(act)
        say(f"A new key signs from size {known.from_size} on:")
        say(str(known.key))
        say("Back up ATOM_HOME/keys, and hand out the note that vouches for it:")
        sys.stdout.write(f"\n{known.note}")


async def declare_restored(company: str, reason: str, *, approved: bool) -> None:
    async with company_core(company) as (built, tenant):
        restoring = Restoring(
            built.publisher, built.acts, built.duties, built.approvals
        )
        try:
            if not approved:
                found = await restoring.look(tenant)
                approval = await restoring.ask(tenant, cli_officer())
                say(
                    f"{found.signed.checkpoint.size} entries were signed; of those this "
                    f"log holds the first {found.kept} for certain."
                )
                say(
                    "Somebody else has to agree: "
                    f"atom compliance approvals approve {approval}"
                )
                say("Then: atom log declare-restored --reason … --approved")
                return
            known = await restoring.declare(tenant, cli_officer(), reason)
        except Contradiction as found:
            show_evidence(found)
            raise
        say(f"The log goes on as {known.key.name}, from size {known.from_size}:")
        say(str(known.key))
        say("Back up ATOM_HOME/keys, and hand out the note that vouches for it:")
        sys.stdout.write(f"\n{known.note}")


async def tiles(folder: Path, company: str) -> None:
    async with company_core(company) as (built, tenant):
        seen = await _signed(built, tenant)
        with progress_bar() as bar:
            task = bar.add_task("writing", total=seen.checkpoint.size)
            await write_log(
                built.publisher.store,
                tenant,
                seen,
                folder,
                lambda done: bar.update(task, completed=done),
            )
        say(f"{seen.checkpoint.size} entries as tiles in {folder}")


async def contradiction(built: Core, tenant: str) -> Contradiction | None:
    """Return how the log contradicts what was signed, if it does."""
    try:
        await built.publisher.check(tenant)
    except Contradiction as found:
        return found
    return None


def show_evidence(found: Contradiction) -> None:
    """Print both statements; together they prove that one is not true."""
    say(f"NOT SIGNED ANY MORE: {found}")
    for text in found.evidence:
        if text:
            sys.stdout.write(f"---\n{text}")


async def _signed(built: Core, tenant: str) -> Seen:
    try:
        return await built.publisher.publish(tenant)
    except Contradiction as found:
        show_evidence(found)
        raise


def _policy(known: Known, among: Sequence[Known]) -> dict[str, object]:
    later = [k.from_size for k in among if k.version > known.version]
    until = min(later) if later else None
    return {
        "vkey": str(known.key),
        "from_size": known.from_size,
        "until_size": until,
        "note": known.note,
    }


def _give(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}") from error
