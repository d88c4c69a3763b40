"""
Write to a business system as the person, once, and have it on record before and after.

A deed has a key that is the same for every try: it is noted before the system is called,
and whoever tries it again learns what came of it. What may have been written though the
answer was lost is looked up by the system's adapter, never simply written again.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from bridge.errors import AtomError
from bridge.records.admitting import Admitted, Admitting
from bridge.records.books import ChangesBook
from bridge.records.drawing import Clock
from bridge.records.entries import RecordLog, Wish, done, failed, intended
from bridge.records.forms import Deed
from bridge.records.model import RecordRef
from bridge.records.ports import (
    Access,
    AllAtOnce,
    Done,
    PartFailed,
    Records,
    Turns,
    Unsure,
)

_PATIENCE = 20.0  # seconds for somebody else's write to end
_PAST = {
    "approve": "Approved",
    "reject": "Rejected",
    "comment": "Commented",
    "take": "Taken",
    "assign": "Assigned",
    "reassign": "Reassigned",
    "resolve": "Resolved",
    "close": "Closed",
    "reopen": "Reopened",
    "escalate": "Escalated",
    "edit": "Edited",
    "stage": "Moved on",
    "status": "Status changed",
    "transition": "Moved on",
    "create": "Created",
    "new": "Created",
    "new-case": "Case created",
    "new-contact": "Contact created",
    "call": "Call logged",
    "hold": "Put on hold",
    "give": "Approval handed on",
    "order": "Ordered",
    "order-for": "Ordered",
    "note": "Noted",
    "log": "Logged",
    "task": "Task made",
    "take-back": "Taken back",
    "amend": "Reworded",
}

Fan = Callable[[str, RecordRef, str], None]
"""A record's cards are to be drawn anew now, and a line to be said under them."""


@dataclass(frozen=True, slots=True)
class Did:
    """What came of a deed, in a line. `before` says that it had been done already."""

    text: str
    done: Done | None = None
    before: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of several deeds: who may do it, and what it is called."""

    who: Admitted
    deed: Deed
    label: str


@dataclass(frozen=True, slots=True)
class Doing:
    """
    Carries deeds out. `fan` lets every card of the record know.

    With `turns`, one at a time writes to a record, in whatever process.
    """

    admitting: Admitting
    changes: ChangesBook
    log: RecordLog
    clock: Clock
    fan: Fan
    turns: Turns | None = None

    async def do(
        self,
        who: Admitted,
        deed: Deed,
        label: str = "",
        correlation: str = "",
        *,
        quiet: bool = False,
    ) -> Did:
        """
        Do it, or say that it was done. `quiet`: no line under the cards says so.

        Raises what the system's adapter raises: `NotConnected`, `EditConflict`,
        `Rejected`, `NotYours`, `Unsure`, `Gone`, `Spent`, `ServiceUnavailable`.
        """
        tenant, correlation = who.asker.tenant, correlation or deed.key
        if (request := await self.changes.done(tenant, deed.key)) is not None:
            wish = _wish(who, correlation)
            why = f"it was done before, as {request or 'unknown'}"
            await self.log.note(failed(wish, deed, why, request=request))
            return Did("That is recorded already.", before=True)
        # Asked for before anything is noted: without it there is no deed.
        access = await self.admitting.account(who.asker, who.person, who.act)
        records = self.admitting.system(tenant, who.act)
        wish = _wish(who, correlation)
        await self.log.note(intended(wish, deed))
        tried_us = await self.changes.begin(tenant, deed.key, self.clock())
        deed = replace(deed, tried_us=tried_us)
        try:
            made = await self._alone(tenant, records, access, deed)
        except AtomError as error:
            lost = isinstance(error, Unsure)
            why = type(error).__name__
            await self.log.note(failed(wish, deed, why, unsure=lost))
            if not lost:
                await self.changes.undone(tenant, deed.key)
            raise
        return await self._done(Wanted(who, deed, label), wish, made, quiet=quiet)

    async def do_all(self, wanted: Sequence[Wanted], correlation: str) -> Sequence[Did]:
        """
        Do several deeds of one person in one system at once, all of them or none.

        What was done before is left out. Raises `PartFailed` for the one that could not
        be done; with an `Unsure` in it nobody knows of any of them.
        """
        found: dict[int, Did] = {}
        tenant = wanted[0].who.asker.tenant
        for n, each in enumerate(wanted):
            if await self.finished_before(tenant, each.deed.key):
                found[n] = await self._alone_of(n, each, correlation)
        left = [n for n in range(len(wanted)) if n not in found]
        if len(left) == 1:
            found[left[0]] = await self._alone_of(left[0], wanted[left[0]], correlation)
        elif left:
            some = [wanted[n] for n in left]
            try:
                did = await self._at_once(some, correlation)
            except PartFailed as failed:
                raise PartFailed(left[failed.place], failed.error) from failed
            found |= dict(zip(left, did, strict=True))
        return [found[n] for n in range(len(wanted))]

    async def _alone_of(self, n: int, one: Wanted, correlation: str) -> Did:
        try:
            return await self.do(one.who, one.deed, one.label, correlation)
        except AtomError as error:
            raise PartFailed(n, error) from error

    async def _at_once(
        self, wanted: Sequence[Wanted], correlation: str
    ) -> Sequence[Did]:
        who = wanted[0].who
        tenant = who.asker.tenant
        access = await self.admitting.account(who.asker, who.person, who.act)
        records = self.admitting.system(tenant, who.act)
        assert isinstance(records, AllAtOnce)  # noqa: S101 - whoever asks looked
        tried = []
        for each in wanted:
            await self.log.note(intended(_wish(each.who, correlation), each.deed))
            begun = await self.changes.begin(tenant, each.deed.key, self.clock())
            tried.append(replace(each.deed, tried_us=begun))
        try:
            async with AsyncExitStack() as stack:
                refs = {each.deed.ref for each in wanted if each.deed.ref}
                for ref in sorted(refs) if self.turns else ():
                    turn = self.turns.turn(tenant, ref, _PATIENCE)  # type: ignore[union-attr]
                    await stack.enter_async_context(turn)
                made = await self._performed_all(records, access, tried)
        except AtomError as error:
            failed = error if isinstance(error, PartFailed) else PartFailed(0, error)
            await self._failed_all(wanted, correlation, failed)
            raise failed from error
        return [
            await self._done(each, _wish(each.who, correlation), one)
            for each, one in zip(wanted, made, strict=True)
        ]

    async def _performed_all(
        self, records: AllAtOnce, access: Access, deeds: Sequence[Deed]
    ) -> Sequence[Done]:
        begun = self.clock()
        try:
            return await records.perform_all(access, deeds)
        except Unsure:
            # The same keys: it is looked up first whether they were written.
            again = [replace(one, tried_us=one.tried_us or begun) for one in deeds]
            return await records.perform_all(access, again)

    async def _failed_all(
        self, wanted: Sequence[Wanted], correlation: str, error: PartFailed
    ) -> None:
        lost = isinstance(error.error, Unsure)
        for n, each in enumerate(wanted):
            own = n == error.place or lost
            why = type(error.error).__name__ if own else "another of them failed"
            wish = _wish(each.who, correlation)
            await self.log.note(failed(wish, each.deed, why, unsure=lost))
            if not lost:
                await self.changes.undone(each.who.asker.tenant, each.deed.key)

    async def _done(
        self, one: Wanted, wish: Wish, made: Done, *, quiet: bool = False
    ) -> Did:
        """Put on record what was done, and let the record's cards know."""
        who, deed, tenant = one.who, one.deed, one.who.asker.tenant
        receipt = await self.log.note(done(wish, deed, made, who.act.right))
        await self.changes.finish(tenant, deed.key, made.request, made.made)
        word = past(deed.act, one.label)
        by = who.asker.person.shown or "somebody"
        # Of two presses at the same moment, one on each platform, one is told of.
        known = quiet or receipt.duplicate
        line = "" if known else f"{word} by {by} via {_via(who)}"
        self.fan(tenant, made.record.ref, line)
        return Did(_told(word, made), made, before=made.again)

    async def _alone(
        self, tenant: str, records: Records, access: Access, deed: Deed
    ) -> Done:
        if self.turns is None or deed.ref is None:
            return await self._performed(records, access, deed)
        async with self.turns.turn(tenant, deed.ref, _PATIENCE):
            return await self._performed(records, access, deed)

    async def _performed(self, records: Records, access: Access, deed: Deed) -> Done:
        begun = self.clock()
        try:
            return await records.perform(access, deed)
        except Unsure:
            # The same key: it is looked up first whether it was written.
            again = replace(deed, tried_us=deed.tried_us or begun)
            return await records.perform(access, again)

    async def finished_before(self, tenant: str, key: str) -> bool:
        """Whether a deed was done, by whichever try."""
        return await self.changes.done(tenant, key) is not None

    async def made(self, tenant: str, key: str) -> str:
        """Return what a deed that was done made, as its adapter named it."""
        return await self.changes.made(tenant, key)


def key_of(tenant: str, person: str, *parts: object) -> str:
    """Return the key of a deed: the same for the same person and the same parts."""
    text = "\n".join(str(part) for part in (tenant, person, *parts))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def valued(values: Mapping[str, str]) -> str:
    """Return values as one text, whatever order they came in."""
    return repr(sorted(values.items()))


def past(act: str, label: str) -> str:
    """Return what was done, as the note under a card begins."""
    return _PAST.get(act) or f"{label.rstrip('.… ') or act} done"


def _wish(who: Admitted, correlation: str) -> Wish:
    card = who.act.card_id or who.act.detail.get("card", "")
    return Wish(who.asker, correlation, who.decision, card)


def _via(who: Admitted) -> str:
    return str(who.asker.person.platform).capitalize()


def _told(word: str, done: Done) -> str:
    record = done.record
    name = record.key or record.title
    text = f"{word}: {name}." if name else f"{word}."
    if done.again:
        text = f"That is recorded already: {name}."
    if done.unsaved:
        text += f" Not saved: {', '.join(done.unsaved)}."
    return f"{text} {done.note}".strip()
