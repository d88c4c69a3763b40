"""Bring notices to people, one after another, while messages go on crossing."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field

import structlog

from bridge.errors import DeliveryFailed, NotSent, StoreUnavailable, Throttled
from bridge.messages import Platform
from bridge.notices import Cause, Herald, Notice, NoticeLog

log = structlog.get_logger()

_WAITING = 1_000  # notices a platform; what comes on top is not worth the memory
_TRIES = 3
_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_MICRO = 1_000_000

_NAMES = {Platform.SLACK: "Slack", Platform.TEAMS: "Teams"}
_BECAUSE = {
    Cause.NOT_ALLOWED: "your company's rules do not allow it{rule}.",
    Cause.OWNER: "outsiders read there, and your company's rules keep it back{rule}.",
    Cause.UNLINKED: "this channel is not linked any more.",
    Cause.WAITED: "the channel there took no messages for too long.",
    Cause.REFUSED: "{other} did not take it. An admin can see why, and try again.",
    Cause.UNKNOWN: "{other}'s answer was lost, and it may stand there all the same. "
    "An admin can look.",
    Cause.FILE_TOO_LARGE: "the file is larger than this link carries.",
    Cause.FILE_BLOCKED: "this link does not carry files.",
    Cause.FILE_INFECTED: "the virus scanner found something in the file.",
    Cause.FILE_FAILED: "the file could not be fetched.",
    Cause.FILE_WITHHELD: "your company's rules keep back what it says.",
    Cause.FILE_HELD: "it waits until an admin has looked at it.",
    Cause.HELD: "it waits until an admin has looked at it{rule}.",
}


def sentence(notice: Notice) -> str:
    """Return what a person is told. It quotes nothing of what they said."""
    other = _NAMES[notice.channel.platform.other]
    what = "A file of yours" if notice.cause.startswith("file_") else "This"
    if notice.cause is Cause.LATE:
        return (
            f"This crossed to {other} late: ATOM could not take it in when it was said."
        )
    if notice.cause is Cause.WARNED:
        return f"This crossed to {other}. Please look at it again: {notice.rule}."
    if notice.cause is Cause.REDACTED:
        return f"A part of this was hidden in {other} ({notice.rule.rstrip('.')})."
    if notice.cause is Cause.OWNER:
        what = "A message on a link that you made"
    rule = f" ({notice.rule.rstrip('.')})" if notice.rule else ""
    because = _BECAUSE[notice.cause].format(other=other, rule=rule)
    said = f"{what} did not cross to {other}: {because}"
    return f"{said} Reference {notice.reference}." if notice.rule else said


@dataclass(slots=True)
class Teller:
    """
    Implements `bridge.notices.Notices`; `run` brings what was asked for.

    `cooldown` is for how many seconds a person is not told of the same cause in the
    same channel again.
    """

    heralds: Mapping[Platform, Herald]
    noted: NoticeLog
    cooldown: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _queues: dict[Platform, asyncio.Queue[Notice]] = field(init=False)
    _waiting: set[Hashable] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._queues = {p: asyncio.Queue(_WAITING) for p in self.heralds}

    def tell(self, notice: Notice) -> None:
        queue = self._queues.get(notice.channel.platform)
        if queue is None or _told(notice) in self._waiting:
            return
        try:
            queue.put_nowait(notice)
        except asyncio.QueueFull:
            log.warning("notice not told", cause=notice.cause, reason="too many")
        else:
            self._waiting.add(_told(notice))

    async def run(self) -> None:
        """Tell until cancelled. A slow platform does not keep the other one waiting."""
        async with asyncio.TaskGroup() as group:
            for platform in self._queues:
                group.create_task(self._serve(platform))

    async def _serve(self, platform: Platform) -> None:
        while True:
            notice = await self._queues[platform].get()
            try:
                await self._tell(notice)
            finally:
                self._waiting.discard(_told(notice))

    async def _tell(self, notice: Notice) -> None:
        text = sentence(notice)
        try:
            wanted = await self.noted.note(notice, text, int(self.cooldown * _MICRO))
        except StoreUnavailable as error:
            # Nothing leaves that is not on record.
            log.warning("notice not told", cause=notice.cause, reason=str(error))
            return
        if wanted:
            await self._whisper(notice, text)

    async def _whisper(self, notice: Notice, text: str) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                await self.heralds[notice.channel.platform].whisper(notice, text)
            except (NotSent, Throttled) as error:
                if attempt == _TRIES:
                    log.warning(
                        "notice not told", cause=notice.cause, reason=str(error)
                    )
                    return
                asked = error.retry_after if isinstance(error, Throttled) else _PAUSE
                await self.sleep(min(asked, _LONGEST_PAUSE))
            except DeliveryFailed as error:
                # A lost answer is not repeated: the person may have read it.
                log.warning("notice not told", cause=notice.cause, reason=str(error))
                return
            else:
                return


def _told(notice: Notice) -> Hashable:
    """Return what is equal for notices of which one is enough."""
    return notice.tenant, notice.channel, notice.person.id, notice.cause
