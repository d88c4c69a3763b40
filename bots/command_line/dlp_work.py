"""Scanning on the command line: lines in, findings out, no value anywhere."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import IO

from bots.command_line.company import company_core
from bots.command_line.dlp_rules_work import read_rules
from bots.command_line.output import print_json, print_table
from bots.leaving_side import HASHES
from bots.settings_sources import read_settings
from bridge.errors import BadInput
from bridge.leaving.findings import Confidence
from policy.dlp.catalogue import detectors, expanded
from policy.dlp.detector import Detector
from policy.dlp.extracting import Extracted, is_document, text_of
from policy.dlp.rulebook import prepared
from policy.dlp.scanner import Exceptions, Scanner

_STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for."""

    detectors: tuple[str, ...]
    least: Confidence
    rules: Path | None = None
    whole: bool = False

    @classmethod
    def of(
        cls,
        detectors: Sequence[str],
        confidence: str,
        rules: Path | None,
        *,
        whole: bool,
    ) -> "Wanted":
        """Read what was typed. Raises `BadInput`."""
        try:
            least = Confidence[confidence.upper()]
        except KeyError as error:
            raise BadInput(
                f"'{confidence}' is no confidence: low, medium or high"
            ) from error
        return cls(tuple(detectors), least, rules, whole)


def scan(files: Sequence[Path], wanted: Wanted, company: str) -> int:
    """Print what is found; returns how much that was."""
    scanner = _scanner(wanted)
    key = asyncio.run(_key(company))
    count = 0
    for path in files or (_STDIN,):
        for number, text in _texts(path, whole=wanted.whole):
            for finding in scanner.scan_all(text, key).findings:
                told = finding.told
                where = {} if path == _STDIN else {"file": str(path)}
                line = {} if number is None else {"line": number}
                _print({**where, **line, **told})
                count += 1
    return count


def list_detectors(*, as_json: bool) -> None:
    """Print which detectors there are."""
    known = sorted(detectors().values(), key=lambda each: (each.group, each.name))
    if as_json:
        print_json(
            [{"detector": e.name, "group": e.group, "title": e.title} for e in known]
        )
        return
    print_table(
        ("Detector", "Group", "Finds"), [(e.name, e.group, e.title) for e in known]
    )


def _scanner(wanted: Wanted) -> Scanner:
    exceptions = Exceptions()
    known: Mapping[str, Detector] = detectors()
    if wanted.rules:
        scanner = prepared(read_rules(wanted.rules)).scanner
        known, exceptions = scanner.detectors, scanner.exceptions
    if wanted.detectors:
        groups = {name: each.group for name, each in known.items()}
        chosen = expanded(wanted.detectors, groups)
        known = {name: known[name] for name in known if name in chosen}
    return Scanner(known, exceptions, usual=wanted.least)


async def _key(company: str) -> bytes:
    """Return the company's key; one that is forgotten at the end if there is none."""
    if not company and not (read_settings().home / "keys").is_dir():
        return token_bytes(32)
    async with company_core(company) as (core, tenant):
        return (await core.ring.company(tenant)).secret(HASHES)


def _texts(path: Path, *, whole: bool) -> Iterator[tuple[int | None, str]]:
    """Yield lines with their numbers, or all of a file without one."""
    if path == _STDIN:
        yield from _lines(sys.stdin.buffer)
        return
    try:
        with path.open("rb") as source:
            if whole or is_document(path.name, source.read(8)):
                source.seek(0)
                found = text_of(path.name, source.read())
                _tell_unread(path, found)
                yield None, found.text
                return
            source.seek(0)
            yield from _lines(source)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _tell_unread(path: Path, found: Extracted) -> None:
    """Say what was not looked into, beside what is printed for programs."""
    if found.pictures:
        count = "1 picture" if found.pictures == 1 else f"{found.pictures} pictures"
        sys.stderr.write(f"{path}: {count} not looked into\n")
    if found.partial:
        sys.stderr.write(f"{path}: not all of it could be read\n")


def _lines(source: IO[bytes]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source, 1):
        yield number, line.decode("utf-8", "replace").rstrip("\r\n")


def _print(told: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
