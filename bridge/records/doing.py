"""
Write to a business system as the person, once, and have it on record before and after.

A deed has a key that is the same for every try: it is noted before the system is called,
and whoever tries it again learns what came of it. What may have been written though the
answer was lost is looked up by the system's adapter, never simply written again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bridge.errors import AtomError
from bridge.records.admitting import Admitted, Admitting
from bridge.records.books import ChangesBook
from bridge.records.drawing import Clock
from bridge.records.entries import RecordLog, Wish, done, failed, intended
from bridge.records.forms import Deed
from bridge.records.model import RecordRef
from bridge.records.ports import Access, Done, Records, Turns, Unsure

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
    "order": "Ordered",
    "note": "Noted",
    "log": "Logged",
    "task": "Task made",
    "take-back": "Taken back",
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
        await self.log.note(done(wish, deed, made, who.act.right))
        await self.changes.finish(tenant, deed.key, made.request, made.made)
        ref = made.record.ref
        word = past(deed.act, label)
        by = who.asker.person.shown or "somebody"
        self.fan(tenant, ref, "" if quiet else f"{word} by {by} via {_via(who)}")
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
