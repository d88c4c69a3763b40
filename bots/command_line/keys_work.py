"""A company's keys from the command line."""

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say
from bots.command_line.progress import progress_bar
from storage.compliance.keys.rotation import Wraps


async def status(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.rotation.status(tenant)
        if as_json:
            columns = ("version", "provider", "state", "keys")
            print_json([dict(zip(columns, _row(w), strict=True)) for w in found])
        else:
            table = [tuple(map(str, _row(wraps))) for wraps in found]
            print_table(("version", "where", "state", "keys it wraps"), table)


async def rotate(company: str) -> None:
    async with company_core(company) as (built, tenant):
        with progress_bar() as bar:
            task = bar.add_task("wrapping keys", total=None)
            version = await built.rotation.rotate(
                tenant,
                cli_officer(),
                lambda done, size: bar.update(task, completed=done, total=size),
            )
        say(f"Every key is wrapped under version {version}. Older versions are still")
        say("there: 'atom compliance keys destroy-old' destroys them.")


async def destroy_old(company: str, *, approved: bool) -> None:
    async with company_core(company) as (built, tenant):
        if approved:
            gone = await built.rotation.destroy_old(tenant, cli_officer())
            say(f"Destroyed: version {', '.join(map(str, gone))}.")
            return
        approval = await built.rotation.ask_to_destroy(tenant, cli_officer())
        say(f"Somebody else has to agree: atom compliance approvals approve {approval}")
        say("Then: atom compliance keys destroy-old --approved")


def _row(wraps: Wraps) -> tuple[int, str, str, int]:
    version = wraps.version
    return (version.number, version.provider, version.state, wraps.count)
