"""
The SCIM server without HTTP: users and groups made, changed and deleted.

Every change is stored whole or not at all, and then handed to the directory, in the
order in which it was stored; the answer goes out after that. If ATOM dies in between,
the directory reads it when it comes up, from where it last was.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from bridge.directory.scim import (
    Change,
    Kept,
    Member,
    Receives,
    ScimKind,
    ScimStore,
    Stale,
)
from bridge.errors import Conflict
from policy.directory.scim.admission import Document, admitted, require_small
from policy.directory.scim.asking import Query
from policy.directory.scim.brake import Brake
from policy.directory.scim.comparing import folded
from policy.directory.scim.finding import Finder, Found, Needs
from policy.directory.scim.mapping import Translation
from policy.directory.scim.membership import difference, put_in, taken_out
from policy.directory.scim.patching import Operation, Patch
from policy.directory.scim.problems import Problem, invalid_value, taken, unknown
from policy.directory.scim.schemas import shape
from policy.directory.scim.showing import Wanted
from policy.directory.scim.targets import Caller, Target

_TRIES = 8
_LATER = 3_600  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A resource as it is now. `held` is why the directory does not follow it yet."""

    kept: Kept
    document: Document
    held: str = ""


@dataclass(frozen=True, slots=True)
class ScimService:
    """
    What a company's identity provider asks for, done. Every method raises `Problem`.

    `allowed` says whether an admin lets a group (tenant, id) shrink as it likes.
    """

    store: ScimStore
    receives: Receives
    allowed: Callable[[str, str], Awaitable[bool]]
    translation: Translation = field(default_factory=Translation)
    brake: Brake = field(default_factory=Brake)
    new_id: Callable[[], str] = lambda: str(uuid4())
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def create(self, caller: Caller, kind: ScimKind, payload: object) -> Answer:
        document = admitted(shape(kind), payload)
        if kind is ScimKind.USER:
            document.setdefault("active", True)
        members = taken_out(document)
        await self._require(caller, members)
        change = _change(Target(kind, self.new_id()), 0, document)
        return await self._written(caller, replace(change, joined=members))

    async def kept(self, caller: Caller, target: Target) -> Kept:
        """Return a resource as it is kept."""
        found = await self.store.one(caller.tenant, target.kind, target.id)
        if found is None:
            raise unknown(f"there is no such {target.kind.lower()}")
        return found

    async def read(self, caller: Caller, target: Target, wanted: Wanted) -> Answer:
        kept = await self.kept(caller, target)
        needs = Needs.of(kept.kind, wanted)
        whole = await Finder(self.store).render(caller, [kept], needs)
        return Answer(kept, wanted.of(shape(target.kind), whole[0]))

    async def search(
        self, caller: Caller, kinds: Sequence[ScimKind], query: Query
    ) -> Found:
        return await Finder(self.store).search(caller, kinds, query)

    async def replace(self, caller: Caller, target: Target, payload: object) -> Answer:
        """Put a document in the place of another one."""
        given = admitted(shape(target.kind), payload)

        def put(now: Document) -> Document:
            # Saying nothing of it must not let somebody in again who was shut out.
            if "active" in now:
                return {"active": now["active"], **given}
            return dict(given)

        return await self._changed(caller, target, put)

    async def patch(
        self, caller: Caller, target: Target, steps: Sequence[Operation]
    ) -> Answer:
        """Do the operations of a PATCH, all or none."""

        def patched(now: Document) -> Document:
            return Patch.of(shape(target.kind), now, steps).document

        return await self._changed(caller, target, patched)

    async def delete(self, caller: Caller, target: Target) -> Answer:
        """Delete a resource for good; its id is never given again."""
        for _ in range(_TRIES):
            kept = await self.kept(caller, target)
            target.require(kept)
            before = await self._members(caller, target)
            await self._brake(caller, target, len(before), len(before))
            left = tuple(member.id for member in before)
            change = Change(
                target.kind, target.id, kept.version, {}, left=left, deleted=True
            )
            try:
                return await self._written(caller, change)
            except Stale:
                continue
        raise _busy()

    async def _changed(
        self, caller: Caller, target: Target, edit: Callable[[Document], Document]
    ) -> Answer:
        for _ in range(_TRIES):
            kept = await self.kept(caller, target)
            target.require(kept)
            before = await self._members(caller, target)
            document = edit(put_in(kept.document, before))
            joined, left = difference(before, taken_out(document))
            if document == kept.document and not joined and not left:
                return Answer(kept, await self._whole(caller, kept))
            await self._require(caller, joined)
            spends = await self._brake(caller, target, len(before), len(left))
            change = _change(target, kept.version, document)
            try:
                return await self._written(
                    caller, replace(change, joined=joined, left=left, spends=spends)
                )
            except Stale:
                continue
        raise _busy()

    async def _written(self, caller: Caller, change: Change) -> Answer:
        tenant = caller.tenant
        async with self._locks.setdefault(tenant, asyncio.Lock()):
            kinds = await self.store.kinds(tenant, [m.id for m in change.joined])
            joined = tuple(
                replace(member, kind=kinds[member.id])
                for member in change.joined
                if member.id in kinds
            )
            outer = await self._outer(tenant, change) if change.deleted else ()
            try:
                kept = await self.store.write(tenant, replace(change, joined=joined))
            except Conflict as error:
                raise taken(f"{error}: userName has to be another one") from error
            told = replace(kept, deleted=change.deleted)
            reading = self.translation.changed(told, joined, change.left, outer)
            receipt = await self.receives.receive(tenant, reading)
        document = {} if change.deleted else await self._whole(caller, kept)
        return Answer(kept, document, receipt.held)

    async def _outer(self, tenant: str, change: Change) -> Sequence[str]:
        """Return the groups that something is directly in."""
        found = await self.store.memberships(tenant, [change.id])
        return [each.group for each in found[change.id] if each.direct]

    async def _members(self, caller: Caller, target: Target) -> Sequence[Member]:
        if target.kind is ScimKind.USER:
            return ()
        return (await self.store.members(caller.tenant, [target.id]))[target.id]

    async def _require(self, caller: Caller, members: Sequence[Member]) -> None:
        """Raise `Problem` if a new member does not exist."""
        new = {member.id for member in members}
        if len(await self.store.kinds(caller.tenant, list(new))) != len(new):
            raise invalid_value(
                "members names somebody who is not here: push people before groups"
            )

    async def _brake(
        self, caller: Caller, target: Target, before: int, leaving: int
    ) -> bool:
        """
        Say whether an admin's word is needed for what would leave a group, and spent.

        Raises `Problem` if it was not given.
        """
        if not self.brake.holds(before, leaving):
            return False
        if await self.allowed(caller.tenant, target.id):
            return True
        raise Problem(
            409,
            f"the circuit breaker holds this back and nothing was changed: {leaving} "
            f"of {before} members would leave the group {target.id} at once. If that "
            f"is meant, an admin runs 'atom directory scim allow {target.id}'; then "
            "send it again",
            retry_after=_LATER,
        )

    async def _whole(self, caller: Caller, kept: Kept) -> Document:
        return (await Finder(self.store).render(caller, [kept], Needs()))[0]


def _change(target: Target, expected: int, document: Document) -> Change:
    require_small(document)
    user = target.kind is ScimKind.USER
    label = folded(str(document["userName" if user else "displayName"]))
    return Change(
        target.kind,
        target.id,
        expected,
        document,
        unique=label if user else "",
        label=label,
        external=str(document.get("externalId", "")),
    )


def _busy() -> Problem:
    return Problem(
        409, "others change this resource all the time: send it again", retry_after=1
    )
