"""
Who was told that something did not cross, kept where every process sees it.

A notice is a log entry, and the keys that the log knows entries again by are its
cooldown: time is cut into slices, and a notice takes its own slice and those that
follow within the cooldown. A second one that comes too early wants a slice that is
taken, and becomes a duplicate, whichever process writes it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from bridge.notices import Notice
from storage.journal import Journal
from storage.writes import Entry, Write

_SLICES = 8  # to a cooldown, which thus lasts at most an eighth too long


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
    """Name the person by a hash: these keys are no place for personal data."""
    told = f"{notice.channel}|{notice.person.id}|{notice.cause}"
    if cooldown_us < _SLICES:
        told += f"|{notice.message}"
    name = "n:" + blake2b(told.encode(), digest_size=16).hexdigest()
    if cooldown_us < _SLICES:
        yield name
        return
    first = now_us // (cooldown_us // _SLICES)
    for number in range(first, first + _SLICES + 1):
        yield f"{name}:{cooldown_us}:{number}"


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
