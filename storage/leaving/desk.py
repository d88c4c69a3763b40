"""What is held for review: dead letters that wait for somebody's word, and the words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.access import Label
from bridge.delivery import Delivery, Operation
from bridge.errors import Conflict
from bridge.leaving.findings import Inspection, taken_apart
from bridge.leaving.review import Waiting
from bridge.leaving.rules import Verdict
from bridge.letters import DeadLetter
from storage.compliance.acts import Act, Acts
from storage.dead_letters import StoredDeadLetters
from storage.hot import HotStore, Statement
from storage.journal import Journal
from storage.leaving.entries import findings_of_file
from storage.ledger import StoredLedger
from storage.rows import clean_id
from storage.writes import Write

_KEY = "link = :link AND target = :target AND message = :message AND file = :file"


@dataclass(frozen=True, slots=True)
class StoredReleases:
    """Implements `bridge.leaving.ports.Releases`."""

    store: HotStore

    async def released(self, delivery: Delivery, version_us: int) -> bool:
        rows = await self.store.fetch(
            Statement(
                f"SELECT 1 FROM dlp_release WHERE tenant = :tenant AND {_KEY} "
                "AND version_us = :version LIMIT 1",
                {"tenant": delivery.tenant, "version": version_us, **_of(delivery)},
                brief=True,
            )
        )
        return bool(rows)


@dataclass(frozen=True, slots=True)
class StoredFindings:
    """Implements `bridge.leaving.ports.FindingLog`."""

    journal: Journal
    clock: Callable[[], int]

    async def note(
        self,
        delivery: Delivery,
        person: str,
        inspection: Inspection,
        verdict: Verdict,
    ) -> None:
        entries = findings_of_file(delivery, person, inspection, verdict, self.clock())
        rules, detectors = taken_apart(inspection.rules)
        name = f"dlp:{delivery.seq}.{delivery.n}:{rules[:16]}{detectors}"
        for number, entry in enumerate(entries):
            # A file is looked into at each try; what it says stays the same.
            keys = (f"{name}:{number}:{verdict.deed}",)
            await self.journal.write(Write(delivery.tenant, keys=keys, entry=entry))


@dataclass(frozen=True, slots=True)
class StoredReviews:
    """Implements `bridge.leaving.review.ReviewDesk`."""

    letters: StoredDeadLetters
    ledger: StoredLedger
    acts: Acts
    clock: Callable[[], int]

    async def waiting(self, tenant: str) -> Sequence[Waiting]:
        letters = await self.letters.all(tenant)
        return [await self._waiting(letter) for letter in letters if letter.held]

    async def _waiting(self, letter: DeadLetter) -> Waiting:
        delivery = letter.delivery
        story = await self.ledger.history(delivery)
        found = story.inspection
        return Waiting(
            letter,
            story.author,
            found.detectors if found else (),
            found.label if found else Label.PUBLIC,
            0 if delivery.operation is Operation.FILE else story.version_us,
        )

    async def release(self, waiting: Waiting, actor: str) -> None:
        delivery = waiting.letter.delivery
        row = {
            "tenant": delivery.tenant,
            "version": waiting.version_us,
            "actor": actor,
            "at_us": self.clock(),
            **_of(delivery),
        }
        change = Statement(
            "INSERT INTO dlp_release (tenant, link, target, message, file, version_us, "
            "actor, at_us) VALUES (:tenant, :link, :target, :message, :file, :version, "
            ":actor, :at_us) ON CONFLICT DO NOTHING",
            row,
        )
        await self._decided(waiting, actor, "released", (change,))
        await self.letters.retry([waiting.letter], actor)

    async def refuse(self, waiting: Waiting, actor: str) -> None:
        await self._decided(waiting, actor, "refused")
        await self.letters.drop([waiting.letter], actor, "refused after review")

    async def _decided(
        self,
        waiting: Waiting,
        actor: str,
        decided: str,
        changes: tuple[Statement, ...] = (),
    ) -> None:
        delivery = waiting.letter.delivery
        act = Act(
            delivery.tenant,
            "dlp.action",
            actor,
            f"{decided} {waiting.number}",
            {
                "action": decided,
                "letter": waiting.number,
                "target": str(delivery.target),
                "link": delivery.link,
                "version_us": waiting.version_us,
            },
            team=delivery.source.team,
            conv=delivery.source.id,
            thread=delivery.thread,
            msg=delivery.message,
        )
        key = f"dlp-review:{waiting.number}"
        if (await self.acts.note(act, changes, key)).duplicate:
            raise Conflict("Somebody decided on this just now: look again.")


def _of(delivery: Delivery) -> dict[str, object]:
    return {
        "link": delivery.link,
        "target": str(delivery.target),
        "message": clean_id(delivery.message),
        "file": clean_id(delivery.file),
    }
