"""Going through the log once for one person: what is of them, and what is about them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from storage.compliance.gdpr.subjects import Subject, author_of
from storage.log_reader import LogEntry, LogReader

_PAGE = 500


@dataclass(slots=True)
class Gathered:
    """
    What the log has of a person and about them, lowest position first.

    `mine` is what they said and did, each once however many copies there are; `about`
    what others said in which they are called or named. `recipients` counts the copies
    by channel; `decisions` the policy decisions on what they said. `names` are those of
    everybody who said something, by platform and id.
    """

    size: int
    root: str
    mine: list[LogEntry] = field(default_factory=list)
    about: list[LogEntry] = field(default_factory=list)
    recipients: Counter[str] = field(default_factory=Counter)
    decisions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    erased: int = 0

    def take(self, subject: Subject, entry: LogEntry) -> None:
        if entry.erased:
            self.erased += 1
            return
        if name := (entry.body.get("author") or {}).get("name"):
            self.names[(entry.row["platform"], author_of(entry))] = str(name)
        if subject.wrote(entry):
            self.mine.append(entry)
            for decision in entry.body.get("decisions") or ():
                allowed = "allowed" if decision["allowed"] else "denied"
                told = (allowed, decision["rule"], decision["policy"])
                self.decisions[told] += 1
        elif entry.etype.startswith("message.") and subject.mentioned(entry):
            self.about.append(entry)


async def gather(
    reader: LogReader,
    tenant: str,
    subject: Subject,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Gathered:
    """Read the whole log. Raises `StoreUnavailable`."""
    head = await reader.head(tenant)
    found = Gathered(head.size, head.root_hex)
    mine: set[int] = set()
    copies: list[LogEntry] = []
    after = -1
    while after + 1 < head.size:
        entries = await reader.entries(tenant, after, _PAGE)
        if not entries:
            break
        for entry in entries:
            if entry.seq >= head.size:
                break
            known = len(found.mine)
            found.take(subject, entry)
            if len(found.mine) > known:
                mine.add(entry.seq)
            elif entry.etype == "bridge.delivered" and entry.row["origin_seq"] in mine:
                copies.append(entry)
        after = entries[-1].seq
        progress(min(after + 1, head.size), head.size)
    found.recipients = Counter(_place(copy) for copy in copies)
    return found


def _place(entry: LogEntry) -> str:
    row = entry.row
    return f"{row['platform']}:{row['team']}/{row['conv']}"
