"""Rules for what may leave, on the command line: checked, published, shown."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from bots.command_line.company import company_core
from bots.command_line.links import operator
from bots.command_line.output import print_json, print_table, say
from bridge.errors import BadInput, NotFound
from policy.dlp.rulebook import DEFAULT, MOST_BYTES, prepared
from storage.leaving.rules import RulesVersion

_MICRO = 1_000_000


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
    say(f"{count} rules and {detectors} detectors, version {rules.book.hash[:12]}")


async def publish(file: Path, company: str) -> None:
    """Let rules hold from now on. Raises `BadInput` or `Conflict`."""
    text = read_rules(file)
    name = prepared(text).book.hash
    async with company_core(company) as (core, tenant):
        number = await core.leaving.stored.publish(tenant, text, name, operator())
    say(f"Version {number} holds now.")


async def show(number: int, company: str, *, as_json: bool) -> None:
    """Print one version. Raises `NotFound`."""
    async with company_core(company) as (core, tenant):
        version = await core.leaving.stored.version(tenant, number)
    if version is None and number:
        raise NotFound(f"there is no version {number} of the rules")
    if version is None:
        version = RulesVersion(0, prepared(DEFAULT).book.hash, DEFAULT, "atom", 0)
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
