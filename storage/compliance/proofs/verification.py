"""All of a log's verification in one: its tree, what was signed, what it holds."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from storage.compliance.proofs.checkpoints import Seen, verified
from storage.compliance.proofs.examination import (
    Examination,
    Examined,
    Fault,
    Progress,
)
from storage.compliance.proofs.keeper import LogBroken
from storage.compliance.proofs.publisher import Contradiction, Publisher
from storage.compliance.proofs.signers import declared
from storage.compliance.rights.accounted import unaccounted
from storage.hot import Statement
from storage.log_reader import LogReader

_RESTORED = Statement(
    "SELECT tenant, seq FROM log WHERE platform = 'atom' AND etype = 'log.restored'"
)


def _unseen(_what: str) -> Progress:
    return lambda _done, _size: None


@dataclass(frozen=True, slots=True)
class Verification:
    """Verifies companies' logs, and names the first thing that does not hold."""

    publisher: Publisher
    reader: LogReader

    async def verify(
        self,
        tenant: str,
        notes: Sequence[str] = (),
        *,
        bodies: bool = True,
        progress: Callable[[str], Progress] = _unseen,
    ) -> Examined:
        """
        Read the whole log again.

        `notes` are earlier checkpoints that it must go on from; one that this log
        never signed raises `NoteRefused`. `progress` is asked for once a pass.
        """
        keys = await self.publisher.verifiers(tenant)
        given = [verified(note, keys) for note in notes]
        examined = await self._tree(tenant, given, progress("entries"))
        if examined.fault or not bodies:
            return examined
        return replace(examined, fault=await self._held(tenant, progress("contents")))

    async def _tree(
        self, tenant: str, given: Sequence[Seen], progress: Progress
    ) -> Examined:
        try:
            signed = await self.publisher.all_signed(tenant)
        except Contradiction as found:
            head = await self.reader.head(tenant)
            fault = Fault(str(found), evidence=found.evidence)
            return Examined(head.size, head.root, fault)
        with suppress(LogBroken):
            # What is wrong is found, and named, by what follows.
            await self.publisher.keeper.keep(tenant)
        examination = Examination(self.publisher.store)
        examined = await examination.examine(tenant, [*signed, *given], progress)
        if examined.fault:
            return examined
        return replace(examined, fault=await self._declared(tenant))

    async def _declared(self, tenant: str) -> Fault | None:
        """Whatever key goes on after a restored backup, an entry has to say so."""
        known = await self.publisher.signers.known(tenant)
        restored = [told for key in known if (told := declared(key.note))]
        rows = await self.publisher.store.fetch(_RESTORED) if restored else []
        entries = {seq for of, seq in rows if of == tenant}
        for number, (kept, size) in enumerate(restored):
            # What a later backup does not hold any more, it cannot say.
            stands = all(size <= later for later, _ in restored[number + 1 :])
            if stands and not any(kept <= seq < size for seq in entries):
                return Fault(f"a backup was restored before {size}: no entry says so")
        return None

    async def _held(self, tenant: str, progress: Progress) -> Fault | None:
        verdict = await self.reader.verify(tenant, progress)
        if verdict.intact:
            store = self.publisher.store
            wrong = await unaccounted(store, self.reader, tenant)
            return Fault(wrong, column="duty") if wrong else None
        seq = re.match(r"entry (\d+)", verdict.fault)
        column = re.search(r"column (\w+)", verdict.fault)
        named = column[1] if column else ""
        return Fault(verdict.fault, int(seq[1]) if seq else -1, named)
