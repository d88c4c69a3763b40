"""What people and ATOM itself do about the record, as entries of the same log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.ports import Receipt
from storage.hot import Program, Statement
from storage.journal import Journal
from storage.writes import Entry, Origin, Write


@dataclass(frozen=True, slots=True)
class Act:
    """
    One thing that was done.

    `etype` is one of the log's entry types, such as `search.run` or `hold.create`;
    `actor` an officer's name or `atom`; `text` one line for people; `detail` what a
    program reads, sealed with the rest of the body.
    """

    tenant: str
    etype: str
    actor: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    team: str = ""
    conv: str = ""
    thread: str = ""
    msg: str = ""
    outcome: str = "none"
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Acts:
    """Writes acts down, together with the rows that they change."""

    journal: Journal
    clock: Callable[[], int]

    async def note(
        self,
        act: Act,
        changes: tuple[Statement, ...] = (),
        key: str | tuple[str, ...] = "",
        *,
        rekeys: bool = False,
        guard: Callable[[], Program[None]] | None = None,
    ) -> Receipt:
        """
        Write the act and its changes, or neither.

        An act whose `key` was written before, or one of several, changes nothing and
        returns a duplicate receipt. `rekeys` says that it destroys or rotates keys, and may have a `guard`
        (`storage.writes.Write`). Raises `StoreUnavailable`, and what the guard raises.
        """
        entry = Entry(
            etype=act.etype,
            platform="atom",
            subject=f"atom|{act.actor}",
            src_us=self.clock(),
            body={
                "text": act.text,
                "author": {"id": act.actor, "name": act.actor, "avatar": ""},
                "detail": dict(act.detail),
            },
            team=act.team,
            conv=act.conv,
            thread=act.thread,
            msg=act.msg,
            via="self",
            outcome=act.outcome,
            origin=act.origin,
        )
        keys = tuple(filter(None, (key,) if isinstance(key, str) else key))
        return await self.journal.write(
            Write(
                act.tenant,
                keys=keys,
                entry=entry,
                changes=changes,
                rekeys=rekeys,
                guard=guard,
            )
        )
