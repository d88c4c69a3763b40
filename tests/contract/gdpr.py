"""A company in which people talk, and the parts that serve their rights."""

from dataclasses import dataclass

from bridge.compliance import Duty, Officer
from bridge.document import Document, Mention, Paragraph, Text
from bridge.links import Link
from bridge.messages import Person, Platform
from storage.compliance.acts import Act, Acts
from storage.compliance.gdpr.assessments import Register
from storage.compliance.gdpr.notices import StoredRecipients
from storage.compliance.gdpr.requests import StoredRequests
from storage.compliance.gdpr.restrictions import StoredRestrictions
from storage.compliance.gdpr.subjects import Subject
from storage.compliance.keys.shredding import destroyed
from storage.compliance.rights.duties import StoredDuties
from storage.compliance.rights.reading import Reading
from storage.hot import Statement
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT
from tests.fakes import FakeClock

ADA, BEN = Officer("cli:ada"), Officer("cli:ben")
ALICE = Subject.parse(["slack:T01ACME/U01ALICE"], ["Alice Wong"])
BOB = Person(Platform.SLACK, "U02BOB", "Bob Stone")
EVE = Person(Platform.SLACK, "U03EVE", "Eve Black")


@dataclass
class Office:
    """Everything that serves people's rights, on one database."""

    store: Store
    link: Link
    clock: FakeClock
    acts: Acts
    duties: StoredDuties
    restrictions: StoredRestrictions
    requests: StoredRequests
    recipients: StoredRecipients
    register: Register
    reading: Reading

    async def trust(self, officer: Officer, *duties: Duty) -> None:
        for duty in duties:
            await self.duties.assign(TENANT, ADA, officer, duty)

    async def erase(self, seq: int) -> None:
        """Destroy the key of an entry, and say so, as erasure does."""
        rows = await self.store.database.hot.fetch(
            Statement(
                "SELECT key_ref FROM log WHERE tenant = :t AND seq = :s",
                {"t": TENANT, "s": seq},
            )
        )
        refs = [rows[0][0]]
        detail = {"keys": refs}
        act = Act(TENANT, "erasure.shred", ADA.name, "erased", detail)
        change = destroyed(TENANT, refs, self.clock())
        await self.acts.note(act, (change,), rekeys=True)

    async def etypes(self) -> list[str]:
        entries = await self.store.reader.entries(TENANT, -1, 999)
        return [entry.etype for entry in entries]


async def office(store: Store) -> Office:
    """Open an office in which Ada assigns duties and one link carries."""
    hot, clock = store.database.hot, FakeClock()
    acts = Acts(store.journal, clock)
    duties = StoredDuties(hot, acts, clock)
    await duties.assign(TENANT, ADA, ADA, Duty.ASSIGN)
    restrictions = StoredRestrictions(hot, acts, duties, clock)
    return Office(
        store,
        await store.links.add(TENANT, (FALCON, PROJECT), "cli:ada"),
        clock,
        acts,
        duties,
        restrictions,
        StoredRequests(hot, acts, clock),
        StoredRecipients(hot, store.journal, store.reader, duties, clock),
        Register(hot, acts, duties, clock),
        Reading(duties, acts, clock, restrictions),
    )


def calling(*people: Person, text: str = "look, ") -> Document:
    """A text that calls people."""
    calls = tuple(Mention(person.id, f"@{person.name}") for person in people)
    return Document((Paragraph((Text(text), *calls)),))
