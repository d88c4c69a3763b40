"""Rules for what may leave, on the command line: checked, published, shown."""

import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from bots.command_line.company import company_core
from bots.command_line.links import operator
from bots.command_line.output import print_json, print_table, say
from bots.core import Core
from bots.leaving_side import LeavingOnRecord
from bridge.errors import BadInput, Conflict, NotFound
from bridge.policy_desk import CaseOutcome
from policy.cedar.cases import NO_RULES
from policy.dlp.cases import Difference, difference, outcomes
from policy.dlp.rulebook import DEFAULT, MOST_BYTES, Prepared, prepared
from policy.dlp.version import detectors_version
from storage.leaving.rules import Preview, RulesVersion

_MICRO = 1_000_000
_MOST_LINES = 100_000  # that are tried with rules


def read_rules(file: Path) -> str:
    """Return what a file says. Raises `BadInput` if it cannot be read."""
    try:
        with file.open("rb") as source:
            return source.read(MOST_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8") from error


def check(file: Path) -> None:
    """Say that rules can be used. Raises `BadInput` if they cannot."""
    rules = prepared(read_rules(file))
    count = len(rules.book.rules)
    detectors = len(rules.scanner.detectors)
    say(
        f"{count} rules and {detectors} detectors (version {detectors_version()}), "
        f"hash {rules.name[:12]}"
    )


async def test(file: Path | None, company: str, *, as_json: bool) -> bool:
    """Run the tests of rules, and those of the policy that are about them."""
    async with company_core(company) as (core, tenant):
        rules = prepared(read_rules(file)) if file else None
        rules = rules or (await _in_force(core, tenant))[1]
        found = await _outcomes(core, tenant, rules)
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        for each in found:
            say(f"  test {each.name}: {'passes' if each.passed else each.why}")
        if not found:
            say("There are no tests.")
    return all(each.passed for each in found)


async def what_if(
    file: Path, lines: Path | None, company: str, *, as_json: bool
) -> None:
    """Say what rules would change, and the hash by which exactly they are published."""
    new = prepared(read_rules(file))
    texts = read_rules(lines).splitlines()[:_MOST_LINES] if lines else ()
    async with company_core(company) as (core, tenant):
        number, old = await _in_force(core, tenant)
        told = difference(number, old, new, texts)
        trial = await _outcomes(core, tenant, new)
    if as_json:
        deeds = [
            {"was": was, "would_be": now, "texts": count}
            for (was, now), count in told.deeds.items()
        ]
        tests = [asdict(each) for each in trial]
        print_json({**asdict(told), "deeds": deeds, "tests": tests})
        return
    for word in ("added", "removed", "changed"):
        for name in getattr(told, word):
            say(f"  {word}: {name}")
    for word in told.parts:
        say(f"  other {word}")
    if texts:
        say(f"{told.texts} lines, each inside and where others read along:")
    for (was, now), count in told.deeds.items():
        say(f"  {count} that were {was.value} would be {now.value}")
    failed = [each for each in trial if not each.passed]
    for each in failed:
        say(f"  test {each.name}: {each.why}")
    if not failed:
        say(f"To let them hold: atom dlp publish {file} --preview {told.hash}")


async def publish(file: Path, company: str, preview: str, *, unseen: bool) -> None:
    """
    Let rules hold from now on. Raises `BadInput` or `Conflict`.

    What changes anything takes the hash of a preview of it, or somebody who says that
    they did not look.
    """
    if preview and unseen:
        raise BadInput("give --preview or --without-preview, not both")
    text = read_rules(file)
    new = prepared(text)
    async with company_core(company) as (core, tenant):
        for each in await _outcomes(core, tenant, new):
            if not each.passed:
                raise BadInput(f"test {each.name!r} fails: {each.why}")
        after, old = await _in_force(core, tenant)
        told = _looked_at(difference(after, old, new, ()), preview, unseen=unseen)
        number = await core.leaving.stored.publish(
            tenant, text, new.name, operator(), Preview(after, told)
        )
    say(f"Version {number} holds now.")


def _looked_at(told: Difference, preview: str, *, unseen: bool) -> str:
    """Return what the log says of the preview. Raises if there has to be another."""
    if preview and preview != told.hash:
        raise Conflict(
            "These are not the rules that were looked at, or other rules or "
            "detectors hold since: look again with 'atom dlp what-if'."
        )
    if preview:
        return preview
    if not told.matters:
        return "not needed"
    if not unseen:
        raise BadInput(
            "these rules do something else than those that hold: look with 'atom dlp "
            "what-if' and give its hash as --preview, or say --without-preview"
        )
    return "left out"


async def _outcomes(core: Core, tenant: str, rules: Prepared) -> list[CaseOutcome]:
    """Run the tests of rules, and those of the policy that speak of what may leave."""
    own = list(outcomes(rules))
    desk = core.policies.desk
    if not desk.directory.configured(tenant) or desk.leaving is None:
        return own
    trying = LeavingOnRecord(core.leaving.stored, lambda _tenant: rules)
    trial = await replace(desk, leaving=trying).test(tenant)
    before = await replace(desk, leaving=None).test(tenant)
    # Without rules for what may leave, exactly the tests about them fail.
    about = {each.name for each in before.outcomes if each.why == NO_RULES}
    return own + [each for each in trial.outcomes if each.name in about]


async def _in_force(core: Core, tenant: str) -> tuple[int, Prepared]:
    version = await core.leaving.stored.version(tenant)
    if version is None:
        return 0, prepared(DEFAULT)
    return version.number, prepared(version.text)


async def show(number: int, company: str, *, as_json: bool) -> None:
    """Print one version. Raises `NotFound`."""
    async with company_core(company) as (core, tenant):
        version = await core.leaving.stored.version(tenant, number)
    if version is None and number:
        raise NotFound(f"there is no version {number} of the rules")
    if version is None:
        version = RulesVersion(0, prepared(DEFAULT).name, DEFAULT, "atom", 0)
    if as_json:
        print_json(_told(version) | {"text": version.text})
    else:
        sys.stdout.write(version.text)


async def list_versions(company: str, *, as_json: bool) -> None:
    """Print which versions there are, the newest first."""
    async with company_core(company) as (core, tenant):
        versions = await core.leaving.stored.versions(tenant)
    if as_json:
        print_json([_told(each) for each in versions])
    elif not versions:
        say("No rules were published: those that ATOM brings along hold.")
    else:
        rows = [[str(cell) for cell in _told(each).values()] for each in versions]
        print_table(("Version", "Hash", "Published by", "At"), rows)


def _told(version: RulesVersion) -> dict[str, object]:
    at = datetime.fromtimestamp(version.at_us // _MICRO, UTC).isoformat()
    return {
        "version": version.number,
        "hash": version.hash,
        "actor": version.actor,
        "at": at if version.at_us else "",
    }
