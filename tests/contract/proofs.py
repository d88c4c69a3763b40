"""A company whose log is signed, for tests of what outsiders check."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage.compliance.proofs.examination import Fault
from storage.compliance.proofs.high_water import HighWater
from storage.compliance.proofs.keeper import TreeKeeper
from storage.compliance.proofs.prover import Prover
from storage.compliance.proofs.publisher import Publisher
from storage.compliance.proofs.signers import Signers
from storage.compliance.proofs.signing_keys import SigningKeys
from storage.compliance.proofs.verification import Verification
from storage.hot import Program, Statement
from tests.contract.conftest import TENANT, Store
from tests.contract.test_journal import commitment
from tests.events import message

START = 1_900_000_000


@dataclass
class Clock:
    """A clock that stands where it is put, in seconds."""

    now: int = START

    def __call__(self) -> int:
        return self.now * 1_000_000


@dataclass
class Proofs:
    """What signs the log of one store, and proves things of it."""

    store: Store
    clock: Clock
    keeper: TreeKeeper
    signers: Signers
    high_water: HighWater
    publisher: Publisher
    prover: Prover
    verification: Verification

    async def verified(self, *notes: str, bodies: bool = True) -> Fault | None:
        """Return what a verification finds, if anything."""
        found = await self.verification.verify(TENANT, notes, bodies=bodies)
        return found.fault


def proofs_of(
    store: Store, home: Path, clock: Callable[[], int] | None = None
) -> Proofs:
    hot, time = store.database.hot, Clock()
    keeper = TreeKeeper(hot)
    signers = Signers(hot, SigningKeys.under(home), clock or time)
    water = HighWater.under(home)
    publisher = Publisher(hot, keeper, signers, water, clock or time)
    prover = Prover(publisher, store.reader)
    verification = Verification(publisher, store.reader)
    return Proofs(store, time, keeper, signers, water, publisher, prover, verification)


async def said(store: Store, count: int, first: int = 0) -> None:
    """Have `count` messages captured, one after the other."""
    for n in range(first, first + count):
        event = message(ts=f"17000{n:05}.000100", text=f"message {n}")
        await store.journal.append(commitment(event))


async def tamper(store: Store, sql: str, **parameters: object) -> int:
    """Change the database behind ATOM's back; returns how many rows it changed."""

    def changed() -> Program[int]:
        rows = yield Statement(f"{sql} RETURNING 1", parameters)
        return len(rows)

    return await store.database.hot.run(changed)


async def forget(store: Store) -> None:
    """Have the journal read the head again, as another process would."""
    store.journal._queues.clear()


__all__ = ["TENANT", "Clock", "Proofs", "forget", "proofs_of", "said", "tamper"]
