"""
Going on after a backup was restored: declared by two persons, and for all to see.

A log that ends before what was signed is not signed any more, whoever restored what.
Where it was done in good faith, it goes on as another log: with an origin and a key of
its own, for which the old one vouches in a note that says what was signed and is gone.
Whoever holds a checkpoint of before can show what was declared to be missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from bridge.compliance import Approvals, Duties, Duty, Officer
from bridge.errors import BadInput, Conflict
from storage.compliance.acts import Act, Acts
from storage.compliance.proofs.checkpoints import Seen
from storage.compliance.proofs.publisher import Contradiction, Publisher
from storage.compliance.proofs.signers import Known


@dataclass(frozen=True, slots=True)
class Restored:
    """
    What is declared: `signed` had been signed, and of it the first `kept` entries are in
    this log for certain, as its own database has it signed.
    """

    kept: int
    signed: Seen

    @property
    def lost(self) -> int:
        """How many entries that were signed nobody can vouch for any more."""
        return self.signed.checkpoint.size - self.kept


@dataclass(frozen=True, slots=True)
class Restoring:
    """Has a log that was set back go on, on record."""

    publisher: Publisher
    acts: Acts
    duties: Duties
    approvals: Approvals

    async def look(self, tenant: str) -> Restored:
        """
        Return what would be declared.

        Raises `Conflict` if nothing has to be, and `Contradiction` if this is no backup:
        a log that contradicts what stands in its own database was changed.
        """
        try:
            now = await self.publisher.check(tenant)
        except Contradiction:
            return await self._set_back(tenant)
        raise Conflict(
            f"the log of {tenant} goes on from all that was signed (size {now.size}): "
            "there is nothing to declare"
        )

    async def ask(self, tenant: str, officer: Officer) -> str:
        """Ask a second person, and return the approval's id."""
        await self.duties.require(tenant, officer, Duty.RETAIN)
        found = await self.look(tenant)
        what = (
            f"declare that the log of {tenant} was restored from a backup, without "
            f"what was signed up to {found.signed.checkpoint.size}"
        )
        return await self.approvals.ask(tenant, officer, what, _digest(tenant, found))

    async def declare(self, tenant: str, officer: Officer, reason: str) -> Known:
        """
        Go on under a new origin, and return its key with the note that vouches for it.

        Needs an approval. The entry comes first and then the key, so that whoever is cut
        short in between declares again.
        """
        if not reason.strip():
            raise BadInput("say with --reason what was restored, and why")
        await self.duties.require(tenant, officer, Duty.RETAIN)
        found = await self.look(tenant)
        await self.approvals.spend(tenant, officer, _digest(tenant, found))
        await self.acts.note(_act(tenant, officer, reason, found))
        size = (await self.publisher.heads())[tenant]
        known = await self.publisher.signers.begin(
            tenant, found.kept, size, found.signed.checkpoint
        )
        self.publisher.high_water.set_aside(tenant, found.signed.checkpoint.size)
        await self.publisher.publish(tenant)
        return known

    async def _set_back(self, tenant: str) -> Restored:
        text = self.publisher.high_water.read(tenant)
        # What the database itself holds must agree with it: backups are of one piece.
        await self.publisher.check_recorded(tenant)
        newest = await self.publisher.newest(tenant)
        kept = newest.checkpoint.size if newest else 0
        signed = self.publisher.read(text, await self.publisher.verifiers(tenant))
        return Restored(kept, signed)


def _act(tenant: str, officer: Officer, reason: str, found: Restored) -> Act:
    text = (
        f"restored from a backup, which holds the first {found.kept} of the "
        f"{found.signed.checkpoint.size} entries that were signed"
    )
    detail = {
        "reason": reason.strip(),
        "kept": found.kept,
        "signed": found.signed.checkpoint.size,
        "note": found.signed.note,
    }
    return Act(tenant, "log.restored", officer.name, text, detail)


def _digest(tenant: str, found: Restored) -> str:
    """What the second person agrees to is bound to what had been signed."""
    told: Sequence[str] = ("log.restored", tenant, found.signed.checkpoint.text)
    return sha256("|".join(told).encode()).hexdigest()
