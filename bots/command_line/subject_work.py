"""A person's rights from the command line."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import day_said, print_json, print_table, say
from bots.command_line.progress import progress_bar
from bots.core import Core
from bridge.compliance import Duty
from bridge.errors import BadInput, Refused
from storage.compliance.acts import Act
from storage.compliance.evidence.files import write
from storage.compliance.gdpr.decisions import Decisions, proposed
from storage.compliance.gdpr.gathering import Gathered, gather
from storage.compliance.gdpr.notices import per_platform
from storage.compliance.gdpr.package import KIND as ACCESS
from storage.compliance.gdpr.package import (
    Context,
    access_package,
    digest_of,
    packed,
)
from storage.compliance.gdpr.page import page_of
from storage.compliance.gdpr.portability import KIND as PORTABILITY
from storage.compliance.gdpr.portability import portable
from storage.compliance.gdpr.processing import retention_texts
from storage.compliance.gdpr.processing_setup import rules_of
from storage.compliance.gdpr.requests import Request
from storage.compliance.gdpr.subjects import Subject

_PURPOSES = ("conversations across Slack and Microsoft Teams", "evidence")


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer to a person: whose, its kind, and what the approval is bound to."""

    subject: Subject
    kind: str
    digest: str
    received: str


async def access(
    people: Sequence[str],
    names: Sequence[str],
    decided: Path | None,
    received: str,
    out: Path,
    company: str,
    *,
    as_json: bool,
) -> None:
    subject, decisions = Subject.parse(people, names), _decisions(decided)
    digest = digest_of(ACCESS, subject, decisions)
    async with company_core(company) as (built, tenant):
        answer = _Answer(subject, "access", digest, received)
        async with _agreed(built, tenant, answer) as found:
            rules = await rules_of(built.database.hot, tenant)
            context = Context(tenant, retention_texts(rules), _PURPOSES)
            data = access_package(subject, found, decisions, context)
            files = {
                "package.json": packed(data),
                "package.html": page_of(data),
                "decisions.json": orjson.dumps(
                    proposed(found.about), option=orjson.OPT_INDENT_2
                ),
            }
            _hand_over(out, files, data["counts"], as_json=as_json)


async def portability(
    people: Sequence[str], received: str, out: Path, company: str, *, as_json: bool
) -> None:
    subject = Subject.parse(people)
    digest = digest_of(PORTABILITY, subject, Decisions())
    async with company_core(company) as (built, tenant):
        answer = _Answer(subject, "portability", digest, received)
        async with _agreed(built, tenant, answer) as found:
            data = portable(subject, found)
            counts = {"messages": len(data["messages"])}
            _hand_over(out, {"portability.json": packed(data)}, counts, as_json=as_json)


async def restrict(
    people: Sequence[str], reason: str, company: str, *, lift: bool
) -> None:
    subject = Subject.parse(people)
    async with company_core(company) as (built, tenant):
        change = built.restrictions.lift if lift else built.restrictions.restrict
        await change(tenant, cli_officer(), subject, reason)
        done = "can be used again" if lift else "is kept, and shown to nobody"
        say(f"What {subject} said {done}.")


async def notices(company: str, *, take_down: bool, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        if take_down:
            positions = await built.recipients.erased(tenant)
            told = await built.recipients.tell(tenant, cli_officer(), positions)
            if not as_json:
                say(f"{told} copies are to be taken down; 'atom serve' does it.")
        found = await built.recipients.results(tenant)
        if as_json:
            print_json([asdict(one) for one in found])
            return
        if not found:
            say("No recipient had to be told of anything.")
            return
        rows = [(p, state, str(n)) for p, state, n in per_platform(found)]
        print_table(("platform", "copies are", "how many"), rows)
        say("What was said first stands where it was said: delete it there.")


async def requests(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.requests.all(tenant)
        if as_json:
            print_json([asdict(one) for one in found])
        elif not found:
            say("Nobody asked for anything.")
        else:
            columns = ("request", "kind", "due", "state", "person")
            print_table(columns, [_row(one) for one in found])


async def extend(request: str, reason: str, company: str) -> None:
    async with company_core(company) as (built, tenant):
        officer = cli_officer()
        await built.duties.require(tenant, officer, Duty.EXPORT)
        one = await built.requests.extend(tenant, officer, request, reason)
        say(f"{one.id} is due on {day_said(one.due_us)}. Tell the person, and why.")


@asynccontextmanager
async def _agreed(built: Core, tenant: str, answer: _Answer) -> AsyncIterator[Gathered]:
    """
    Gather what is wanted, once a second person has agreed; it is on record first.

    The request is counted from the day on which it was received.
    """
    officer, subject = cli_officer(), answer.subject
    await built.duties.require(tenant, officer, Duty.EXPORT)
    request = await built.requests.receive(
        tenant, officer, answer.kind, str(subject), _received(answer.received)
    )
    try:
        approval = await built.approvals.spend(tenant, officer, answer.digest)
    except Refused as refusal:
        wish = f"hand {subject} the {answer.kind} package"
        asked = await built.approvals.ask(tenant, officer, wish, answer.digest)
        raise Refused(
            f"{request.id} is due on {day_said(request.due_us)}. It takes a second person: "
            f"'atom compliance approvals approve {asked}'. Then run this again."
        ) from refusal
    with progress_bar() as bar:
        task = bar.add_task("reading the log", total=None)
        found = await gather(
            built.log,
            tenant,
            subject,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    act = Act(
        tenant,
        f"subject.{answer.kind}",
        officer.name,
        f"{answer.kind} package for {subject}",
        {
            "subject": [str(account) for account in subject.accounts],
            "request": request.id,
            "approval": approval,
            "digest": answer.digest,
            "size": found.size,
            "result_count": len(found.mine) + len(found.about),
        },
    )
    await built.acts.note(act, (built.requests.answered(tenant, request),))
    yield found


def _hand_over(
    out: Path, files: dict[str, bytes], counts: dict[str, Any], *, as_json: bool
) -> None:
    write(out, files)
    if as_json:
        print_json({"files": [str(out / name) for name in files], "counts": counts})
        return
    for name in files:
        say(str(out / name))
    say(", ".join(f"{count} {name}" for name, count in counts.items()))


def _decisions(path: Path | None) -> Decisions:
    if path is None:
        return Decisions()
    try:
        return Decisions.parse(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _received(text: str) -> date:
    today = datetime.now(UTC).date()
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"'{text}' is no day such as {today}") from error
    if day > today:
        raise BadInput(f"{day} is not yet: nobody can have asked then")
    return day


def _row(one: Request) -> tuple[str, ...]:
    state = "answered" if one.answered_us else "extended" if one.extended_us else "open"
    late = one.open and one.due_us < datetime.now(UTC).timestamp() * 1_000_000
    return (
        one.id,
        one.kind,
        day_said(one.due_us),
        "LATE" if late else state,
        one.subject,
    )
