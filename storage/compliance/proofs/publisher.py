"""
Signing checkpoints: only ever of a log that goes on from all that was signed before.

What was signed is known from the database and from a file beside it. If the log ends
earlier than that, or does not begin with it, nothing is signed any more, and both
statements are shown: that is the evidence.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge.errors import AtomError
from storage.compliance.proofs.checkpoints import Checkpoint, Seen, signed, verified
from storage.compliance.proofs.high_water import HighWater
from storage.compliance.proofs.keeper import TreeKeeper
from storage.compliance.proofs.merkle import ProofRefused, verify_consistency
from storage.compliance.proofs.notes import (
    NoteRefused,
    SigningKey,
    VerifierKey,
    with_lines,
)
from storage.compliance.proofs.signers import Known, Signers
from storage.hot import HotStore, Program, Statement

_MICRO = 1_000_000
_MOST_APART = 300  # seconds


class Contradiction(AtomError):
    """The log contradicts a checkpoint that was signed; `evidence` are both texts."""

    def __init__(self, reason: str, evidence: tuple[str, str]) -> None:
        super().__init__(reason)
        self.evidence = evidence


class ClockBehind(AtomError):
    """
    The clock cannot be right: it stands before the time of the last checkpoint, or far
    from what witnesses and time-stamping authorities say.
    """


@dataclass(frozen=True, slots=True)
class Publisher:
    """Signs the heads of companies' logs."""

    store: HotStore
    keeper: TreeKeeper
    signers: Signers
    high_water: HighWater
    clock: Callable[[], int]
    doubts: dict[str, str] = field(default_factory=dict)

    def told_time(self, tenant: str, theirs_us: int) -> None:
        """Somebody outside said what time it is; if we disagree, nothing is signed."""
        apart = (self.clock() - theirs_us) // _MICRO
        self.doubts.pop(tenant, None)
        if abs(apart) > _MOST_APART:
            word = "ahead of" if apart > 0 else "behind"
            self.doubts[tenant] = (
                f"the clock is {abs(apart)} s {word} those that saw the checkpoints"
            )

    async def publish(self, tenant: str, former: SigningKey | None = None) -> Seen:
        """
        Sign the log as it is now, and return the checkpoint.

        Where a key takes over, `former` signs along. Raises `Contradiction`,
        `ClockBehind`, `LogBroken`, `BadInput` or `StoreUnavailable`; nothing is
        signed then.
        """
        key = await self.signers.current(tenant)
        if doubt := self.doubts.get(tenant):
            raise ClockBehind(doubt)
        checkpoint = await self._now(tenant, key.name)
        now = self.clock() // _MICRO
        others = ""
        for before in await self.signed_before(tenant):
            await self._follows(tenant, before, checkpoint)
            if before.checkpoint == checkpoint:
                others = others or _of_others(before.note, key.name)
            if now < before.time:
                behind = before.time - now
                raise ClockBehind(
                    f"the clock is {behind} s before the last checkpoint's time"
                )
        note = signed(checkpoint, now, *([former] if former else []), key)
        if others:
            note = with_lines(note, others)
        # Flushing may take as long as the disk likes; events do not wait for it.
        await asyncio.to_thread(self.high_water.raise_to, tenant, note)
        await self.store.run(lambda: _stored(tenant, checkpoint, note, self.clock()))
        return Seen(checkpoint, note, now)

    async def thin(self, tenant: str) -> None:
        """
        Forget checkpoints older than a day, but for each hour's last and those shown.

        A later checkpoint says all that an earlier one said, and more.
        """

        def thinned() -> Program[None]:
            yield Statement(
                "DELETE FROM checkpoint WHERE tenant = :tenant AND at_us < :before "
                "AND size NOT IN (SELECT max(size) FROM checkpoint "
                f"WHERE tenant = :tenant GROUP BY at_us / {3600 * _MICRO}) "
                "AND size NOT IN (SELECT size FROM anchored "
                "WHERE tenant = :tenant AND fault = '')",
                {"tenant": tenant, "before": self.clock() - 86_400 * _MICRO},
            )

        await self.store.run(thinned)

    async def rotate(self, tenant: str) -> tuple[Known, SigningKey]:
        """
        Have a new key sign from now on; the checkpoint at hand is signed by both.

        Raises as `publish` does, before anything is changed.
        """
        former = await self.signers.current(tenant)
        at = await self.publish(tenant)
        known, key = await self.signers.next(tenant, at.checkpoint.size)
        await self.publish(tenant, former)
        return known, key

    async def check(self, tenant: str) -> Checkpoint:
        """Compare the log with all that was signed, and sign nothing."""
        return await self._compared(tenant, await self.signed_before(tenant))

    async def check_recorded(self, tenant: str) -> Checkpoint:
        """Compare the log with what its own database says was signed."""
        newest = await self.newest(tenant)
        return await self._compared(tenant, [newest] if newest else [])

    async def _compared(self, tenant: str, signed: Sequence[Seen]) -> Checkpoint:
        name = (await self.keys(tenant))[-1].key.name
        checkpoint = await self._now(tenant, name)
        for before in signed:
            await self._follows(tenant, before, checkpoint)
        return checkpoint

    async def heads(self) -> dict[str, int]:
        """Return the size of every company's log. Raises `StoreUnavailable`."""
        rows = await self.store.fetch(Statement("SELECT tenant, size FROM head"))
        return dict(rows)

    async def keys(self, tenant: str) -> list[Known]:
        """Return the keys on record; the first is made, if there was never one."""
        if not (known := await self.signers.known(tenant)):
            await self.signers.current(tenant)
            known = await self.signers.known(tenant)
        return known

    async def verifiers(self, tenant: str) -> list[VerifierKey]:
        """
        Return all keys that may have signed.

        A database that was rolled back has forgotten the newer ones; the files have not.
        """
        known = [each.key for each in await self.keys(tenant)]
        files = self.signers.files
        made = [files.load(tenant, v).verifier for v in files.versions(tenant)]
        names = {key.name for key in known}
        return known + [key for key in made if key not in known and key.name in names]

    async def newest(self, tenant: str) -> Seen | None:
        """Return the checkpoint on record that was signed last, if there is one."""
        rows = await self.store.fetch(
            Statement(
                "SELECT note FROM checkpoint WHERE tenant = :tenant "
                "ORDER BY size DESC LIMIT 1",
                {"tenant": tenant},
            )
        )
        return self.read(rows[0][0], await self.verifiers(tenant)) if rows else None

    async def all_signed(self, tenant: str) -> list[Seen]:
        """
        Return every checkpoint on record, and the one beside the database.

        Raises `Contradiction` for one that this log's keys did not sign, and for a row
        that says something else than its own note.
        """
        keys = await self.verifiers(tenant)
        rows = await self.store.fetch(
            Statement(
                "SELECT size, root, note FROM checkpoint WHERE tenant = :tenant "
                "ORDER BY size",
                {"tenant": tenant},
            )
        )
        found = []
        for size, root, note in rows:
            seen = self.read(note, keys)
            told = Checkpoint(seen.checkpoint.origin, size, bytes(root))
            if told != seen.checkpoint:
                reason = f"the checkpoint of size {size} is not what was signed"
                raise Contradiction(reason, (note, told.text))
            found.append(seen)
        if text := self.high_water.read(tenant):
            found.append(self.read(text, keys))
        return found

    async def signed_before(self, tenant: str) -> list[Seen]:
        """
        Return the newest checkpoints that this log's keys signed, as far as known.

        Raises `Contradiction` for one that they did not sign: somebody put it there.
        """
        keys = await self.verifiers(tenant)
        found = [] if (newest := await self.newest(tenant)) is None else [newest]
        if text := self.high_water.read(tenant):
            found.append(self.read(text, keys))
        return found

    def read(self, note: str, keys: list[VerifierKey]) -> Seen:
        """Return a note of this log's. Raises `Contradiction` if it is not."""
        try:
            return verified(note, keys)
        except NoteRefused as error:
            reason = "a checkpoint on record is not signed by this log's keys"
            raise Contradiction(reason, (note, "")) from error

    async def _now(self, tenant: str, origin: str) -> Checkpoint:
        size = await self.keeper.keep(tenant)
        return Checkpoint(origin, size, await self.keeper.tree.root(tenant, size))

    async def _follows(self, tenant: str, before: Seen, now: Checkpoint) -> None:
        old = before.checkpoint
        if old.size == 0:
            return
        evidence = (before.note, now.text)
        if now.size < old.size:
            reason = f"the log ends at {now.size}, but {old.size} entries were signed"
            raise Contradiction(reason, evidence)
        proof = await self.keeper.tree.consistency(tenant, old.size, now.size)
        try:
            sizes, roots = (old.size, now.size), (old.root, now.root)
            verify_consistency(sizes, roots, proof)
        except ProofRefused as error:
            reason = (
                f"the log's first {old.size} entries are not those that were signed"
            )
            raise Contradiction(reason, evidence) from error


def _of_others(note: str, name: str) -> str:
    """Return the lines below a note that are not the log's own."""
    lines = note.rpartition("\n\n")[2].splitlines()
    return "".join(f"{line}\n" for line in lines if line.split(" ")[1] != name)


def _stored(
    tenant: str, checkpoint: Checkpoint, note: str, now_us: int
) -> Program[None]:
    yield Statement(
        "INSERT INTO checkpoint (tenant, size, root, note, at_us) "
        "VALUES (:tenant, :size, :root, :note, :at_us) "
        "ON CONFLICT (tenant, size) DO UPDATE SET root = excluded.root, "
        "note = excluded.note, at_us = excluded.at_us",
        {
            "tenant": tenant,
            "size": checkpoint.size,
            "root": checkpoint.root,
            "note": note,
            "at_us": now_us,
        },
    )
