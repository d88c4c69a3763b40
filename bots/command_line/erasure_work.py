"""Erasing people from the command line."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say
from bots.command_line.progress import progress_bar
from bots.core import Core
from bridge.errors import BadInput
from bridge.legal_holds import subject
from bridge.messages import Person, Platform
from bridge.records.knowing import mailbox
from storage.compliance.erasure.certificates import committed
from storage.compliance.erasure.matters import MatterReader, Matters
from storage.compliance.erasure.rows import Erasure
from storage.log_view import as_json as entry_as_json

_MOST = 1000


async def erase(
    person: str, company: str, addresses: Sequence[str], *, approved: bool
) -> None:
    whom = subject(person)
    for each in addresses:
        if not mailbox(each):
            raise BadInput(f"'{each[:80]}' is no e-mail address")
    async with company_core(company) as (built, tenant):
        if not approved:
            approval = await built.eraser.ask(tenant, cli_officer(), whom)
            say("Somebody else has to agree:")
            say(f"  atom compliance approvals approve {approval}")
            say(f"Then: atom compliance erase {person} --approved")
            return
        with progress_bar() as bar:
            bar.add_task("erasing", total=None)
            mails = {*addresses, *_in_directory(built, tenant, person)}
            made = await built.eraser.erase(tenant, cli_officer(), whom, mails)
            told = await built.recipients.tell(
                tenant, cli_officer(), await built.recipients.erased(tenant)
            )
        say(f"{made.id}: {made.entries} entries are erased, {len(made.keys)} keys are")
        say(f"destroyed. {made.held} are held, and stay for their matters alone.")
        say(f"{told} copies are to be taken down from the platforms: see")
        say("  atom compliance subject notices")
        say(f"The certificate: atom compliance certificate {made.id}")


async def erasures(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.eraser.all(tenant)
        if as_json:
            print_json([asdict(each) for each in found])
        elif not found:
            say("Nobody was erased.")
        else:
            columns = ("erasure", "state", "by", "entries", "held then", "keys")
            print_table(columns, [_row(each) for each in found])


async def certificate(erasure: str, person: str, company: str) -> None:
    async with company_core(company) as (built, tenant):
        made = await built.eraser.certificate(tenant, erasure)
        told: dict[str, Any] = {"said": dict(made.said), "note": made.note}
        if person:
            salt = await built.eraser.salt(tenant, erasure)
            whom = subject(person)
            if committed(salt, whom) != made.said["person"]:
                raise BadInput(f"erasure {erasure} is about somebody else")
            told |= {"person": whom, "salt": salt}
        print_json(told)


async def matter(name: str, after: int, company: str) -> None:
    async with company_core(company) as (built, tenant):
        matters = Matters(built.ring, built.log)
        reader = MatterReader(matters, built.duties, built.acts)
        found = await reader.entries(tenant, cli_officer(), name, after, _MOST)
        print_json([entry_as_json(entry) for entry in found])


def _in_directory(built: Core, tenant: str, person: str) -> Iterator[str]:
    """Return the addresses that the directory has of an account's owner."""
    view = built.sources.view
    if not view.configured(tenant):
        return
    platform, _, account = person.partition(":")
    team, _, user = account.rpartition("/")
    if found := view.subject(tenant, Person(Platform(platform), user), team):
        told = view.attributes(tenant, found.id)
        yield from (told.get(name, "") for name in ("mail", "user_name"))


def _row(each: Erasure) -> tuple[str, ...]:
    counts = (each.entries, each.held, len(each.keys))
    return (each.id, each.state, each.officer, *map(str, counts))
