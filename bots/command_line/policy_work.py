"""Policies from the command line: check, test, what-if, publish, show."""

import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say, time_said
from bots.commands.standard import NAMES
from bots.policy_desk import Desk
from bridge.directory.model import Kind
from bridge.errors import BadInput, NotFound
from bridge.policy_desk import PolicyVersion, Shown, Trial
from policy.cedar.bundle import Bundle, Draft, build
from policy.cedar.naming import key
from policy.cedar.yaml_reading import Node

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks what-if about: rules in files, or a move between groups."""

    file: Path | None
    cedar: Path | None
    person: str
    joins: str
    leaves: str


@dataclass
class _AnyName:
    """Takes every name for an id, where there is no directory to ask."""

    found: dict[str, str] = field(default_factory=dict)

    def id_of(self, kind: Kind, node: Node) -> str:
        self.found[key(kind, node.text())] = node.text()
        return node.text()

    def knows(self, kind: Kind, id_: str) -> bool:
        return bool(kind and id_)


async def check(
    file: Path | None, cedar: Path | None, company: str, *, as_json: bool
) -> None:
    draft = _draft(file, cedar)
    async with company_core(company) as (built, tenant):
        known = built.policies.engine.directory.configured(tenant)
        bundle = (
            built.policies.desk.candidate(tenant, draft)
            if known
            else build(tenant, draft, _AnyName(), NAMES)
        )
    own = len(bundle.own)
    if as_json:
        print_json({"hash": bundle.hash, "policies": own, "names_checked": known})
        return
    count = "1 policy" if own == 1 else f"{own} policies"
    say(f"{count} of your own, no mistakes. Hash {bundle.hash[:12]}.")
    if not known:
        say("There is no directory here, so names were not looked up.")


async def test(
    file: Path | None, cedar: Path | None, company: str, *, as_json: bool
) -> bool:
    async with company_core(company) as (built, tenant):
        desk = built.policies.desk
        if file is None and cedar is None:
            trial = await desk.test(tenant)
        else:
            bundle = desk.candidate(tenant, _draft(file, cedar))
            trial = await desk.trial(bundle, built.policies.engine.bundle(tenant))
    if as_json:
        print_json(_trial(trial))
    else:
        _tell_trial(trial)
    return trial.passed


async def what_if(
    wanted: Wanted, csv: Path | None, company: str, *, as_json: bool
) -> None:
    async with company_core(company) as (built, tenant):
        shown = await _shown(built.policies.desk, tenant, wanted)
    if csv:
        _write(csv, shown.report.as_csv())
    _tell(shown, as_json=as_json, applies=not wanted.person)


async def _shown(desk: Desk, tenant: str, wanted: Wanted) -> Shown:
    group = wanted.joins or wanted.leaves
    if not wanted.person:
        if group:
            raise BadInput("--joins and --leaves need --person.")
        draft = _draft(wanted.file, wanted.cedar)
        name = str(wanted.file or wanted.cedar)
        return await desk.preview(tenant, cli_officer().name, draft, name)
    if bool(wanted.joins) == bool(wanted.leaves) or wanted.file or wanted.cedar:
        raise BadInput("--person needs either --joins or --leaves, and no file.")
    return await desk.try_membership(
        tenant, wanted.person, group, joins=bool(wanted.joins)
    )


async def publish(preview: str, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        version = await built.policies.desk.apply(tenant, cli_officer().name, preview)
    if as_json:
        print_json(_version(version))
    else:
        say(f"Version {version.number} is in force. Hash {version.hash[:12]}.")


async def show(version: int, company: str, *, compiled: bool, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        desk = built.policies.desk
        if compiled:
            _compiled(built.policies.engine.bundle(tenant), as_json=as_json)
            return
        found = (
            await desk.shelf.version(tenant, version)
            if version
            else await desk.show(tenant)
        )
    if version and found is None:
        raise NotFound(f"The policy has no version {version}.")
    if as_json:
        print_json(_version(found) if found else None)
    elif found is None:
        say("No rules were published: ATOM's own policies are in force.")
    else:
        say(found.front.rstrip())
        if found.cedar.strip():
            say(found.cedar.rstrip())


async def history(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        versions = await built.policies.desk.history(tenant)
    if as_json:
        print_json([_version(each) for each in versions])
    elif not versions:
        say("No version was published yet.")
    else:
        columns = ("version", "hash", "by", "at", "what")
        rows = [
            (str(v.number), v.hash[:12], v.author, time_said(v.at_us), v.note)
            for v in versions
        ]
        print_table(columns, rows)


async def rollback(version: int, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        desk = built.policies.desk
        shown = await desk.rollback(tenant, cli_officer().name, version)
    _tell(shown, as_json=as_json, applies=True)


def _draft(file: Path | None, cedar: Path | None) -> Draft:
    if file is None and cedar is None:
        raise BadInput("Name a file with rules, or --cedar with one of Cedar.")
    return Draft(_read(file), _read(cedar))


def _read(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise BadInput(f"{file} cannot be read: {reason}") from None


def _write(file: Path, text: str) -> None:
    try:
        file.write_bytes(text.encode())  # CSV ends its lines alike on every system
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}") from None


def _compiled(bundle: Bundle | None, *, as_json: bool) -> None:
    if bundle is None:
        raise NotFound("No policy is loaded: is a directory configured?")
    if as_json:
        print_json({"hash": bundle.hash, "policies": [p.text for p in bundle.policies]})
        return
    for each in bundle.policies:
        say(f"{each.text}\n")


def _tell(shown: Shown, *, as_json: bool, applies: bool) -> None:
    report = shown.report
    if as_json:
        print_json(asdict(report) | {"tests": _trial(shown.trial)})
        return
    asked = f"{report.pairs} questions"
    if report.sampled:
        asked = f"{report.pairs} of {report.sampled} questions, chosen by lot"
    people = "1 person" if report.people == 1 else f"{report.people} people"
    say(f"{report.gains} gained, {report.losses} lost; {people}, {asked}.")
    for word, changes, total in (
        ("gains", report.gained, report.gains),
        ("loses", report.lost, report.losses),
    ):
        for each in changes[:_SHOWN]:
            when = f" ({each.when})" if each.when else ""
            say(f"  {each.name} {word} {each.action}: {each.where}{when}")
        if total > _SHOWN:
            say(f"  and {total - _SHOWN} more; --csv writes them down")
    if not applies:
        return
    _tell_trial(shown.trial)
    if shown.trial.passed:
        say(f"To put it into force: atom policy publish {report.hash[:12]}")


def _tell_trial(trial: Trial) -> None:
    for each in trial.outcomes:
        word = "passes" if each.passed else f"fails: {each.why}"
        say(f"  test {each.name}: {word}")
    for rule in trial.untested:
        say(f"  rule {rule} has no test that speaks of it")
    if not trial.outcomes and not trial.untested:
        say("There are no tests.")


def _trial(trial: Trial) -> dict[str, Any]:
    return asdict(trial) | {"passed": trial.passed}


def _version(version: PolicyVersion) -> dict[str, Any]:
    return asdict(version) | {"resolved": dict(version.resolved)}
