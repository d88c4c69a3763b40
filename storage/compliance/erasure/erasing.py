"""
Erasing somebody: their keys are destroyed, and with them all that they sealed.

A legal hold wins: what is held is kept under its matter's key first, and shown to open
with it. From the request on the person's keys seal nothing new, so what is to be
erased is certain; whoever speaks again gets other keys. Every step is on record and
can be taken again, so an erasure that a crash cut short is finished by `resume`.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from secrets import token_hex

from bridge.compliance import Approvals, Duties, Duty, Forgets, Holds, Officer
from bridge.errors import AtomError, BadInput, Conflict, NotFound, StoreUnavailable
from storage.compliance.acts import Act, Acts
from storage.compliance.erasure import plain, rows
from storage.compliance.erasure.certificates import (
    Certificate,
    Signer,
    committed,
    issued,
    salt_of,
)
from storage.compliance.erasure.matters import Matters, matter_ref
from storage.compliance.erasure.rows import DONE, REQUESTED, SHREDDED, Erasure
from storage.compliance.keys import Keyring
from storage.compliance.keys.company import one
from storage.compliance.keys.derived import PREFIX
from storage.compliance.keys.graveyard import Graveyard
from storage.compliance.keys.shredding import destroyed, scrubbed, swept
from storage.compliance.retention import barrier
from storage.hot import Program, Statement
from storage.log_reader import LogReader
from storage.records import forgetting as records

_PAGE = 200
_TRIES = 20
BACKUP_DAYS = 30

Progress = Callable[[int, int], None]


class HoldsMoved(AtomError):
    """A hold was made or released meanwhile; look again at what is held."""


@dataclass(frozen=True, slots=True)
class Eraser:
    """
    What officers do to erase people.

    `forgets` are what was made from texts, such as a search index; `removes` hold
    bytes of their own, which stay as long as a matter keeps the entry. Keys are in
    backups for `backup_days` at most.
    """

    ring: Keyring
    reader: LogReader
    matters: Matters
    acts: Acts
    duties: Duties
    approvals: Approvals
    holds: Holds
    signer: Signer
    graveyard: Graveyard
    clock: Callable[[], int]
    forgets: Sequence[Forgets] = ()
    removes: Sequence[Forgets] = ()
    backup_days: int = BACKUP_DAYS
    told: Callable[[str], None] = lambda _step: None

    async def ask(self, tenant: str, officer: Officer, person: str) -> str:
        """Ask a second person to agree to `erase`; return the approval's id."""
        await self.duties.require(tenant, officer, Duty.ERASE)
        await self._keys(tenant, person)
        what = f"erase {person}: destroy the keys of all that they said"
        return await self.approvals.ask(tenant, officer, what, _digest(tenant, person))

    async def erase(
        self,
        tenant: str,
        officer: Officer,
        person: str,
        addresses: Collection[str] = (),
    ) -> Erasure:
        """
        Erase somebody, such as `slack|U024BE7LH`. Needs an approval.

        `addresses` are mailboxes of theirs, by which business systems may know them.
        Raises `NotFound` if nothing of theirs is on record, or not any more.
        """
        await self.duties.require(tenant, officer, Duty.ERASE)
        keys = await self._keys(tenant, person)
        boxes = await records.never_again(self.ring, tenant, addresses)
        await self.approvals.spend(tenant, officer, _digest(tenant, person))
        requested = await self._request(tenant, officer, person, keys, boxes)
        self.told("requested")
        return await self._carry_on(tenant, requested)

    async def resume(self, tenant: str) -> int:
        """Finish what was cut short, and return how many erasures that were."""
        open_ = [e for e in await self.all(tenant) if e.state != DONE]
        for each in open_:
            await self._carry_on(tenant, each)
        return len(open_)

    async def replay(self, tenant: str) -> list[str]:
        """
        Destroy again what a restored backup brought back; return which keys it was.

        What is held by now is kept first, as in any erasure.
        """
        back = await self.graveyard.came_back(tenant)
        if not back:
            return []
        made = Erasure(f"E-{token_hex(5)}", "", REQUESTED, "atom", tuple(back), 0)
        made = replace(made, requested_us=await self._now(tenant))
        text = f"{len(back)} destroyed keys came back, and are destroyed again"
        await self.acts.note(
            Act(tenant, "erasure.request", "atom", text, {"erasure": made.id}),
            (
                rows.inserted(tenant, made),
                *rows.frozen(tenant, back),
                *await plain.named_again(self.ring, tenant, back),
            ),
            rekeys=True,
        )
        await self._carry_on(tenant, made)
        return back

    async def all(self, tenant: str) -> list[Erasure]:
        """Return the company's erasures, oldest first."""
        return [rows.read(r) for r in await self.ring.store.fetch(rows.all_of(tenant))]

    async def certificate(self, tenant: str, id_: str) -> Certificate:
        """
        Sign what became of an erasure, as of now.

        Raises `NotFound`, and `Conflict` as long as the keys are not destroyed.
        """
        found = next((e for e in await self.all(tenant) if e.id == id_), None)
        if found is None:
            raise NotFound(f"there is no erasure {id_[:40]}")
        if found.state == REQUESTED:
            raise Conflict(f"erasure {id_} is not carried out yet")
        left: Counter[str] = Counter()
        async for seqs in self._entries(tenant, found, kept=True):
            left.update(await self._kept_by(tenant, seqs))
        head = await self.reader.head(tenant)
        said = {
            "company": tenant,
            "erasure": found.id,
            "person": found.person,
            "requested_us": found.requested_us,
            "shredded_us": found.shredded_us,
            "entries": found.entries,
            "held_then": found.held,
            "kept_now": dict(sorted(left.items())),
            "keys": [*found.keys],
            "size": head.size,
            "root": head.root_hex,
            "no_backup_after": self._no_backup_after(found),
        }
        return await issued(self.signer, tenant, said)

    async def salt(self, tenant: str, id_: str) -> str:
        """Return what shows that a certificate is about a certain person."""
        secret = (await self.ring.company(tenant)).secret("erasure")
        return salt_of(secret, id_)

    async def end_matters(self, tenant: str) -> list[str]:
        """Destroy the keys of matters that hold no more; return which they were."""
        kept = await self.ring.store.fetch(
            Statement(
                "SELECT DISTINCT matter FROM item_key_wrap WHERE tenant = :tenant "
                "ORDER BY matter",
                {"tenant": tenant},
            )
        )
        version = await self.holds.version(tenant)
        active = set(await self.holds.active(tenant))
        over = [matter for (matter,) in kept if matter not in active]
        for matter in over:
            await self._end(tenant, matter, version)
        return over

    async def _keys(self, tenant: str, person: str) -> list[str]:
        if not all(person.partition("|")) or person.startswith("atom|"):
            raise BadInput(
                f"'{person[:80]}' is nobody: say slack|USER_ID or teams|USER_ID"
            )
        company = await self.ring.company(tenant)
        asked = rows.keys_of(tenant, company.person(person))
        keys = [ref for (ref,) in await self.ring.store.fetch(asked)]
        file = self.ring.of_file(tenant) if company.derived else None
        if file and (file.reference(person) in keys or await self._was_derived(tenant)):
            raise Conflict(
                "the key file still opens what was said before people had keys of "
                "their own: run 'atom compliance keys rotate' and 'destroy-old' first"
            )
        if not keys and not await plain.is_named(self.ring.store, tenant, person):
            raise NotFound("nothing of theirs is on record, or not any more")
        return keys

    async def _was_derived(self, tenant: str) -> bool:
        found = Statement(
            "SELECT 1 FROM log WHERE tenant = :tenant "
            f"AND key_ref LIKE '{PREFIX}%' LIMIT 1",
            {"tenant": tenant},
        )
        return bool(await self.ring.store.fetch(found))

    async def _request(
        self,
        tenant: str,
        officer: Officer,
        person: str,
        keys: Sequence[str],
        boxes: Sequence[Statement],
    ) -> Erasure:
        id_ = f"E-{token_hex(5)}"
        made = Erasure(
            id_,
            committed(await self.salt(tenant, id_), person),
            REQUESTED,
            officer.name,
            tuple(keys),
            await self._now(tenant),
        )
        detail = {"erasure": id_, "person": person, "keys_frozen": [*keys]}
        await self.acts.note(
            Act(tenant, "erasure.request", officer.name, f"erase {person}", detail),
            (
                rows.inserted(tenant, made),
                *rows.frozen(tenant, keys),
                *boxes,
                *plain.forgotten(tenant, person),
                rows.unnamed(tenant, made, _digest(tenant, person)),
            ),
            rekeys=True,
        )
        return made

    async def _now(self, tenant: str) -> int:
        """Return a time before which everything was captured that is on record."""
        newest = Statement(
            "SELECT last_us FROM head WHERE tenant = :tenant", {"tenant": tenant}
        )
        rows = await self.ring.store.fetch(newest)
        return max([self.clock(), *(int(last_us) for (last_us,) in rows)])

    async def _carry_on(self, tenant: str, erasure: Erasure) -> Erasure:
        if erasure.state == REQUESTED:
            erasure = await self._shred(tenant, erasure)
        if erasure.state == SHREDDED:
            await self._forget(tenant, erasure)
            erasure = replace(erasure, state=DONE)
        return erasure

    async def _shred(self, tenant: str, erasure: Erasure) -> Erasure:
        for _ in range(_TRIES):
            version = await self.holds.version(tenant)
            held = await self._keep_held(tenant, erasure)
            self.told("kept")
            if held:
                await self._defer(tenant, erasure, held, version)
            try:
                return await self._destroy(tenant, erasure, sum(held.values()), version)
            except HoldsMoved:
                continue
        raise StoreUnavailable("holds keep changing: try again")

    async def _keep_held(self, tenant: str, erasure: Erasure) -> Counter[str]:
        """Keep what is held for its matters; return how many entries each has."""
        held: Counter[str] = Counter()
        page: dict[int, set[str]] = {}
        async for seq, matter in self.holds.held(tenant, erasure.keys):
            if seq not in page and len(page) == _PAGE:
                await self.matters.keep(tenant, page)
                page = {}
            page.setdefault(seq, set()).add(matter)
            held[matter] += 1
        if page:
            await self.matters.keep(tenant, page)
        return held

    async def _defer(
        self, tenant: str, erasure: Erasure, held: Counter[str], version: int
    ) -> None:
        detail = {"erasure": erasure.id, "held": dict(sorted(held.items()))}
        text = f"erasure {erasure.id}: what is held waits for the end of the hold"
        await self.acts.note(
            Act(tenant, "erasure.defer", "atom", text, detail),
            key=f"erasure.defer:{erasure.id}:{version}",
        )

    async def _destroy(
        self, tenant: str, erasure: Erasure, kept: int, version: int
    ) -> Erasure:
        entries = 0
        async for seqs in self._entries(tenant, erasure, kept=None):
            entries += len(seqs)
        made = replace(
            erasure,
            state=SHREDDED,
            shredded_us=self.clock(),
            entries=entries,
            held=kept,
        )
        detail = {
            "erasure": erasure.id,
            "keys": [*erasure.keys],
            "entries": entries,
            "held": kept,
        }
        text = f"erasure {erasure.id}: {len(erasure.keys)} keys are destroyed"
        await self.acts.note(
            Act(tenant, "erasure.shred", "atom", text, detail),
            (
                scrubbed(),
                destroyed(tenant, erasure.keys, made.shredded_us),
                rows.shredded(tenant, made),
            ),
            key=f"erasure.shred:{erasure.id}",
            rekeys=True,
            guard=lambda: _unmoved(tenant, version),
        )
        self.told("shredded")
        return made

    async def _forget(self, tenant: str, erasure: Erasure) -> None:
        self.graveyard.bury(tenant, erasure.keys)
        await self.ring.store.fetch(swept())
        async for seqs in self._entries(tenant, erasure, kept=None):
            for each in self.forgets:
                await each.forget(tenant, seqs)
        async for seqs in self._entries(tenant, erasure, kept=False):
            for each in self.removes:
                await each.forget(tenant, seqs)
        self.told("forgotten")
        await self.ring.store.run(lambda: one(rows.done(tenant, erasure.id)))

    async def _entries(
        self, tenant: str, erasure: Erasure, *, kept: bool | None
    ) -> AsyncIterator[list[int]]:
        """Yield positions of entries in pages: kept for a matter, not, or both."""
        after = -1
        while found := await self.ring.store.fetch(
            rows.entries_under(tenant, erasure.keys, after, _PAGE)
        ):
            after = found[-1][0]
            seqs = [seq for seq, is_kept in found if kept in {None, bool(is_kept)}]
            if seqs:
                yield seqs

    async def _kept_by(self, tenant: str, seqs: Collection[int]) -> Counter[str]:
        found: Counter[str] = Counter()
        select = (
            "SELECT matter FROM item_key_wrap WHERE tenant = :tenant AND seq = :seq"
        )
        for seq in seqs:
            statement = Statement(select, {"tenant": tenant, "seq": seq}, brief=True)
            found.update(m for (m,) in await self.ring.store.fetch(statement))
        return found

    async def _end(self, tenant: str, matter: str, version: int) -> None:
        given = {"tenant": tenant, "matter": matter}
        which = "WHERE tenant = :tenant AND matter = :matter"
        seqs = [
            seq
            for (seq,) in await self.ring.store.fetch(
                Statement(f"SELECT seq FROM item_key_wrap {which} ORDER BY seq", given)
            )
        ]
        ref = matter_ref(matter)
        await self.acts.note(
            Act(
                tenant,
                "key.destroy",
                "atom",
                f"matter {matter} is over: what it kept of the erased is erased",
                {"matter": matter, "keys": [ref], "entries": len(seqs)},
            ),
            (
                scrubbed(),
                destroyed(tenant, [ref], self.clock()),
                Statement(f"DELETE FROM item_key_wrap {which}", given),
            ),
            key=f"matter.end:{matter}",
            rekeys=True,
            guard=partial(_unmoved, tenant, version),
        )
        self.graveyard.bury(tenant, [ref])
        await self.ring.store.fetch(swept())
        left = await self._left(tenant, seqs)
        for each in self.removes:
            await each.forget(tenant, [seq for seq in seqs if seq not in left])

    async def _left(self, tenant: str, seqs: Sequence[int]) -> set[int]:
        """Return which entries another matter keeps."""
        return {seq for seq in seqs if await self._kept_by(tenant, [seq])}

    def _no_backup_after(self, erasure: Erasure) -> str:
        shredded = datetime.fromtimestamp(erasure.shredded_us / 1_000_000, UTC)
        return (shredded + timedelta(days=self.backup_days)).date().isoformat()


def _unmoved(tenant: str, version: int) -> Program[None]:
    """Raise `HoldsMoved` if a hold changed since `version`."""
    found = yield barrier.read(tenant)
    if (int(found[0][0]) if found else 0) != version:
        raise HoldsMoved("a hold changed meanwhile")


def _digest(tenant: str, person: str) -> str:
    return sha256(f"erase|{tenant}|{person}".encode()).hexdigest()
