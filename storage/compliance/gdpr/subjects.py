"""Whom a request is about: a person's identities, on both platforms."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import BadInput
from storage.log_reader import LogEntry

_NAME = re.compile(r"(slack|teams):([^/\s]+)/([^/\s]+)")


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """Somebody on one platform, as `slack:TEAM_ID/USER_ID` names them."""

    platform: str
    account: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.account}/{self.id}"


@dataclass(frozen=True, slots=True)
class Subject:
    """One person: what they are called on each platform, and `names` in text."""

    accounts: tuple[Account, ...]
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str], names: Iterable[str] = ()) -> "Subject":
        """Read identities. Raises `BadInput` saying how to write them."""
        found = set()
        for text in texts:
            match = _NAME.fullmatch(text)
            if match is None:
                raise BadInput(
                    f"'{text}' names nobody: write slack:TEAM_ID/USER_ID or "
                    "teams:TENANT_ID/USER_ID"
                )
            found.add(Account(*match.groups()))
        return cls(tuple(sorted(found)), tuple(sorted({n for n in names if n.strip()})))

    def __str__(self) -> str:
        return " ".join(map(str, self.accounts))

    def wrote(self, entry: LogEntry) -> bool:
        """
        Whether the entry tells what the person said or did themselves.

        A copy tells what somebody said elsewhere; that entry counts, and not this one.
        """
        row = entry.row
        author = author_of(entry)
        if row["etype"].startswith("bridge."):
            return False
        if row["platform"] == "atom":
            return author in self._officer_names
        return any(
            a.platform == row["platform"] and a.id == author for a in self.accounts
        )

    def mentioned(self, entry: LogEntry) -> bool:
        """Whether somebody else's entry calls the person, or says a name of theirs."""
        ids = {a.id for a in self.accounts if a.platform == entry.row["platform"]}
        if any(one.get("id") in ids for one in people_in(entry.body.get("document"))):
            return True
        text = str(entry.body.get("text", "")).casefold()
        return any(name.casefold() in text for name in self.names)

    @property
    def _officer_names(self) -> set[str]:
        short = {f"{a.platform}:{a.id}" for a in self.accounts}
        return short | {str(a) for a in self.accounts}


def author_of(entry: LogEntry) -> str:
    return str((entry.body.get("author") or {}).get("id", ""))


def people_in(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every node of a stored document that mentions a person."""
    match document:
        case dict():
            if document.get("type") == "person":
                yield document
            for value in document.values():
                yield from people_in(value)
        case list():
            for value in document:
                yield from people_in(value)
