"""
What a package shows of third parties: a list that an officer may change.

Everybody else in it is a number, the same one throughout. What others said about the
person is shown without the names; an officer may withhold it, or show it as it is,
saying why.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from bridge.errors import BadInput
from storage.compliance.gdpr.subjects import Subject, author_of, people_in
from storage.log_reader import LogEntry


class Treatment(StrEnum):
    """What becomes of one entry that others are in."""

    SHOW = "show"
    REDACT = "redact"
    WITHHOLD = "withhold"


@dataclass(frozen=True, slots=True)
class Decisions:
    """Treatments by position, each with the reason; all others are redacted."""

    chosen: Mapping[int, tuple[Treatment, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: bytes) -> "Decisions":
        """Read a list as `proposed` writes it. Raises `BadInput`."""
        try:
            rows = orjson.loads(text)["decisions"]
            chosen = {
                int(row["seq"]): (Treatment(row["do"]), str(row.get("why", "")))
                for row in rows
            }
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(
                'a decision list is {"decisions": [{"seq": 12, "do": "show", "redact" '
                'or "withhold", "why": "…"}]}'
            ) from error
        for seq, (treatment, why) in chosen.items():
            if treatment is not Treatment.REDACT and not why.strip():
                raise BadInput(f"say why entry {seq} is to be other than redacted")
        return cls(chosen)

    def on(self, seq: int) -> Treatment:
        return self.chosen.get(seq, (Treatment.REDACT, ""))[0]

    @property
    def canonical(self) -> bytes:
        rows = [[seq, str(do), why] for seq, (do, why) in sorted(self.chosen.items())]
        return orjson.dumps(rows)


@dataclass(slots=True)
class Others:
    """
    Gives everybody but the person a number, in the order they appear.

    `names` are people's full names; who is named in passing goes by them.
    """

    subject: Subject
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def label(self, platform: str, id_: str) -> str:
        if any(a.platform == platform and a.id == id_ for a in self.subject.accounts):
            return "you"
        number = self.numbers.setdefault((platform, id_), len(self.numbers) + 1)
        return f"person {number}"

    def author(self, entry: LogEntry) -> str:
        return self.label(entry.row["platform"], author_of(entry))

    def text(self, entry: LogEntry) -> str:
        """Return what the entry says with everybody else's names taken out."""
        text, platform = str(entry.body.get("text", "")), entry.row["platform"]
        labels = [
            (str(person.get("label") or ""), str(person.get("id") or ""))
            for person in people_in(entry.body.get("document"))
        ]
        # The longest first: one name may begin with another.
        for label, id_ in sorted(labels, key=lambda one: -len(one[0])):
            shown = f"[{self.label(platform, id_)}]"
            for word in (label, id_):
                if word:
                    text = text.replace(word, shown)
        return self._unnamed(text)

    def _unnamed(self, text: str) -> str:
        """Take full names out. A first name alone may be anybody's and stays."""
        folded = text.casefold()
        for (platform, id_), name in sorted(self.names.items()):
            if " " not in name.strip() or name.casefold() not in folded:
                continue
            shown = f"[{self.label(platform, id_)}]"
            if shown != "[you]":
                text = re.sub(re.escape(name), shown, text, flags=re.IGNORECASE)
        return text


def proposed(about: list[LogEntry]) -> dict[str, Any]:
    """Return the list of what has to be decided on, with what is done by default."""
    return {
        "help": "do: show, redact or withhold; other than redact takes a why",
        "decisions": [
            {"seq": entry.seq, "do": str(Treatment.REDACT), "why": ""}
            for entry in about
        ],
    }
