"""A stand-in for searching: it holds messages, and finds words in them."""

from dataclasses import dataclass, field

from bridge.compliance import Officer
from bridge.messages import Channel, Person
from bridge.search.finding import Findings, Hit
from bridge.search.grammar import read


@dataclass
class FakeFinder:
    """Implements `bridge.search.finding.Finder` with plain words."""

    said: list[str] = field(default_factory=lambda: ["plan one", "plan two"])

    async def find(  # noqa: PLR0917 - who, where and what
        self,
        tenant: str,
        officer: Officer,
        person: Person,
        here: Channel,
        text: str,
        cursor: str,
    ) -> Findings:
        del tenant, officer, person, here
        read(text)
        found = [said for said in self.said if text in said]
        hits = tuple(Hit("Ada", "Falcon", 0, said) for said in found)
        first = int(cursor or 0)
        more = str(first + 1) if first + 1 < len(found) else ""
        return Findings(len(found), hits[first : first + 1], "Here.", 0, more)
