"""What is asked for: whose and which messages, as of when, in which formats."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bridge.errors import BadInput
from bridge.messages import Channel
from storage.compliance.export.model import Item, Who
from storage.compliance.export.text import as_json

Matches = Callable[[Item], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """
    One export, as it can be asked for again.

    `channels` and `people` narrow it down; with neither and no `query` it is
    everything. `from_us` counts and `to_us` does not; 0 is no limit. A message belongs
    by when it was said, and then whole: with what became of it up to `size`.
    """

    tenant: str
    size: int
    formats: tuple[str, ...]
    query: str = ""
    channels: tuple[Channel, ...] = ()
    people: tuple[str, ...] = ()
    from_us: int = 0
    to_us: int = 0
    zone: str = "UTC"
    matter: str = ""

    def __post_init__(self) -> None:
        if self.from_us and self.to_us and self.from_us >= self.to_us:
            raise BadInput("the range ends before it begins")

    @property
    def stated(self) -> Mapping[str, Any]:
        """The question as it stands in the manifest and in the log."""
        return {
            "channels": sorted(str(channel) for channel in self.channels),
            "people": sorted(self.people),
            "query": self.query,
            "from_us": self.from_us,
            "to_us": self.to_us,
        }

    @property
    def digest(self) -> str:
        """What an approval is bound to: SHA-256 of everything that is asked for."""
        asked = {
            "tenant": self.tenant,
            "size": self.size,
            "formats": sorted(self.formats),
            "zone": self.zone,
            "matter": self.matter,
            **self.stated,
        }
        return sha256(b"atom/export/v1\0" + as_json(asked, ordered=True)).hexdigest()

    @property
    def id(self) -> str:
        """The export's name: the same question about the same log has the same."""
        return self.digest[:16]

    @property
    def words(self) -> str:
        """The question in a line, for whoever is to approve it."""
        where = ", ".join(str(channel) for channel in self.channels)
        who = ", ".join(self.people)
        parts = [self.query, f"in {where}" if where else "", f"by {who}" if who else ""]
        asked = " ".join(part for part in parts if part) or "everything"
        formats = ", ".join(self.formats)
        return f"export {asked} as of entry {self.size} as {formats}"

    def takes(self, item: Item) -> bool:
        """Whether a message is asked for, but for the query."""
        if item.at_us < self.from_us or (self.to_us and item.at_us >= self.to_us):
            return False
        place = (item.platform, item.team, item.conv)
        wanted = {(str(c.platform), c.team, c.id) for c in self.channels}
        if wanted and place not in wanted:
            return False
        return not self.people or any(self._is_asked(who) for who in _people(item))

    def _is_asked(self, who: Who) -> bool:
        names = {who.id, f"{who.platform}:{who.id}", who.email} - {""}
        return not names.isdisjoint(self.people)


def _people(item: Item) -> list[Who]:
    return [*(r.by for r in item.revisions), *(r.by for r in item.reactions)]
