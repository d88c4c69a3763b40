"""
Who was told that something did not cross, kept where every process sees it.

A notice is a log entry, and the keys that the log knows entries again by are its
cooldown (`storage.slices`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bridge.notices import Notice
from storage.journal import Journal
from storage.slices import SHORTEST_US, hashed, slices
from storage.writes import Entry, Write


@dataclass(frozen=True, slots=True)
class StoredNotices:
    """Implements `bridge.notices.NoticeLog`."""

    journal: Journal
    clock: Callable[[], int]

    async def note(self, notice: Notice, text: str, cooldown_us: int) -> bool:
        now = self.clock()
        write = Write(
            notice.tenant,
            keys=tuple(_keys(notice, now, cooldown_us)),
            entry=_entry(notice, text, now),
        )
        return not (await self.journal.write(write)).duplicate


def _keys(notice: Notice, now_us: int, cooldown_us: int) -> Iterator[str]:
    told = f"{notice.channel}|{notice.person.id}|{notice.cause}"
    if cooldown_us < SHORTEST_US:
        yield hashed("n", f"{told}|{notice.message}")
        return
    yield from slices("n", told, now_us, cooldown_us)


def _entry(notice: Notice, text: str, now_us: int) -> Entry:
    person = notice.person
    return Entry(
        etype="bridge.notice",
        platform=person.platform,
        subject=f"{person.platform}|{person.id}",
        src_us=now_us,
        body={
            "text": text,
            "about": notice.message,
            "reason": str(notice.cause),
            "author": {"id": person.id, "name": person.name, "avatar": ""},
        },
        team=notice.channel.team,
        conv=notice.channel.id,
        thread=notice.thread,
        via="self",
    )
