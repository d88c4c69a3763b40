"""
Which messages' files are still to be kept: noted in the very transaction in which the
message is captured, so that no file is forgotten whoever dies.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.messages import Channel, Event, EventKind, Platform
from storage.hot import HotStore, Program, Row, Statement, run_one
from storage.rows import clean_id

_CONTENT = {
    EventKind.MESSAGE_CREATE,
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_RESTORE,
}
_CHANGES = {
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_DELETE,
    EventKind.MESSAGE_RESTORE,
}
_LEASE_US = 15 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class FileWork:
    """A message whose files have to be looked at. `since_us` is when it was noted."""

    tenant: str
    channel: Channel
    thread: str
    message: str
    generation: int
    tries: int
    since_us: int


def noted(tenant: str, event: Event, now_us: int) -> tuple[Statement, ...]:
    """Return what notes an event's files, in the transaction that captures it."""
    if event.channel is None or not event.message:
        return ()
    if event.files and event.kind in _CONTENT:
        return (_note(tenant, event, event.channel, now_us),)
    if event.kind in _CHANGES:
        # Nothing happens unless the message had files before.
        return (
            Statement(
                "UPDATE file_work SET due_us = :now, since_us = :now, tries = 0, "
                "generation = generation + 1 WHERE tenant = :tenant "
                "AND platform = :platform AND conv = :conv AND msg = :msg",
                _key(tenant, event.channel, event.message) | {"now": now_us},
            ),
        )
    return ()


def _note(tenant: str, event: Event, channel: Channel, now_us: int) -> Statement:
    return Statement(
        "INSERT INTO file_work (tenant, platform, conv, msg, team, thread, generation, "
        "tries, since_us, due_us) VALUES (:tenant, :platform, :conv, :msg, :team, "
        ":thread, 0, 0, :now, :now) ON CONFLICT (tenant, platform, conv, msg) "
        "DO UPDATE SET due_us = excluded.due_us, since_us = excluded.since_us, "
        "tries = 0, generation = file_work.generation + 1",
        _key(tenant, channel, event.message)
        | {
            "team": clean_id(channel.team),
            "thread": clean_id(event.thread),
            "now": now_us,
        },
    )


def _key(tenant: str, channel: Channel, message: str) -> dict[str, object]:
    return {
        "tenant": tenant,
        "platform": str(channel.platform),
        "conv": clean_id(channel.id),
        "msg": clean_id(message),
    }


@dataclass(frozen=True, slots=True)
class FileWorkList:
    """What is due. Work that a dead process had is taken up when its lease ends."""

    store: HotStore
    clock: Callable[[], int]

    async def claim(self) -> FileWork | None:
        """Take what is due the longest, for a quarter of an hour."""
        rows = await self.store.run(self._claim)
        return _work(rows[0]) if rows else None

    async def done(self, work: FileWork) -> None:
        """Nothing is left to do, unless something happened to the message meanwhile."""
        await self._set(work, None, work.tries)

    async def again(self, work: FileWork, due_us: int) -> None:
        """Look at the message again later."""
        await self._set(work, due_us, work.tries + 1)

    async def waiting(self, tenant: str) -> int:
        """Return how many messages have files that are still to be kept."""
        rows = await self.store.fetch(
            Statement(
                "SELECT count(*) FROM file_work WHERE tenant = :tenant "
                "AND due_us IS NOT NULL",
                {"tenant": tenant},
            )
        )
        return int(rows[0][0])

    def _claim(self) -> Program[list[Row]]:
        first = (
            "SELECT tenant, platform, conv, msg FROM file_work "
            "WHERE due_us <= :now ORDER BY due_us LIMIT 1"
        )
        taken = (
            "UPDATE file_work SET due_us = :until "
            "WHERE (tenant, platform, conv, msg) IN ({first}) RETURNING tenant, "
            "platform, team, conv, thread, msg, generation, tries, since_us"
        )
        now = self.clock()
        rows = yield Statement(
            taken.format(first=first),
            {"now": now, "until": now + _LEASE_US},
            postgres=taken.format(first=f"{first} FOR UPDATE SKIP LOCKED"),
        )
        return list(rows)

    async def _set(self, work: FileWork, due_us: int | None, tries: int) -> None:
        parameters = _key(work.tenant, work.channel, work.message)

        await run_one(
            self.store,
            Statement(
                "UPDATE file_work SET due_us = :due, tries = :tries "
                "WHERE tenant = :tenant AND platform = :platform AND conv = :conv "
                "AND msg = :msg AND generation = :generation",
                parameters
                | {"due": due_us, "tries": tries, "generation": work.generation},
            ),
        )


def _work(row: Row) -> FileWork:
    tenant, platform, team, conv, thread, msg, generation, tries, since_us = row
    channel = Channel(Platform(platform), team, conv)
    return FileWork(tenant, channel, thread, msg, generation, tries, since_us)
