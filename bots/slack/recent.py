"""
Read from Slack what happened in a channel, in the words of Slack's own events.

History shows what stands, not what happened: an edit shows by its time, a deletion
only by the message's absence from where it stood. Replies are in no history at all,
so the threads in which something may have happened are read one by one.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.slack.clients import Clients, done
from bots.slack.echo import Identity
from bots.slack.payload import (
    mapping,
    mappings,
    microseconds,
    number,
    string,
    timestamp,
)
from bots.slack.prober import Noticed, condition_of, refusal
from bots.slack.translate import translate
from bridge.errors import (
    Ambiguous,
    CannotTell,
    NotSent,
    Refused,
    ServiceUnavailable,
)
from bridge.messages import Channel, Event, EventKind
from bridge.patience import patiently
from bridge.recent import Gap, Known, Watch

_DAY = 24 * 3600 * 1_000_000
_MOST_AT_LEAST = 10  # times the pages that are read willingly
_GONE = {"thread_not_found"}
# More at once is no longer people's doing: a retention rule, or a history that is
# hidden from ATOM. Copies must not vanish for that.
_MOST_DELETED = 100

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SlackRecent:
    """
    Implements `bridge.recent.Recent` and `Roots`. `sleep` waits seconds, `clock` gives the time
    in microseconds: of a deletion nobody tells when it was.

    `page` is how many messages a call may ask for: 15 for apps that are neither in
    Slack's Marketplace nor a company's own. Of what is older than the gap no more
    than `pages` are read, and of threads no more than `threads`. What was said less
    than `settled` seconds ago may not show yet. `noticed` is told how a channel is,
    which has to be asked anyway.
    """

    clients: Clients
    sleep: Callable[[float], Awaitable[None]]
    clock: Callable[[], int]
    page: int = 200
    pages: int = 50
    threads: int = 1000
    settled: float = 5.0
    noticed: Noticed = field(default_factory=Noticed)

    async def within(self, gap: Gap) -> AsyncIterator[Event]:
        reading = await self.opened(gap)
        seen = await self._messages(reading)
        for root in self._threads(gap, seen):
            await self._replies(reading, root, seen)
        await self._wait_for_young(reading, seen)
        for event in sorted(_events(reading, seen), key=in_time):
            yield event

    async def root(self, channel: Channel, message: str) -> list[Event]:
        """Implements `bridge.recent.Roots`."""
        gap = Gap(channel, 0, 0, {}, bots=True)
        reading = await self.opened(gap)
        wanted = {"ts": message, "limit": "1", "include_all_metadata": "true"}
        page = await self._ask(gap, "conversations.replies", wanted)
        seen = {string(m, "ts"): m for m in mappings(page, "messages")}
        standing = {ts: m for ts, m in seen.items() if ts == message}
        told = _events(reading, standing)
        return [
            e
            for e in told
            if e.kind in {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_EDIT}
        ]

    async def opened(self, gap: Gap) -> "Reading":
        team = gap.channel.team
        try:
            own = await self.clients.identity(team)
        except (NotSent, Refused) as error:
            if isinstance(error, Refused) and error.cause:
                await self.noticed(gap.channel, refusal(error))
            raise CannotTell(str(error)) from error
        about = mapping(await self._ask(gap, "conversations.info", {}), "channel")
        await self.noticed(gap.channel, condition_of(about))
        shared = bool(about.get("is_ext_shared"))
        return Reading(gap, own, shared, timestamp(self.clock()))

    async def _messages(self, reading: "Reading") -> dict[str, Message]:
        """Return the roots since `back_us`, by their ts; since `since_us` all."""
        gap = reading.gap
        oldest = {"oldest": timestamp(gap.back_us)}
        seen: dict[str, Message] = {}
        reading.complete_us = gap.back_us
        pages = 0
        async for page in self._pages(gap, "conversations.history", oldest):
            seen |= {string(message, "ts"): message for message in page}
            pages += 1
            earliest = min(map(microseconds, seen), default=gap.back_us)
            if pages >= self.pages and earliest < gap.since_us:
                reading.complete_us = earliest
                break
        return seen

    def _threads(self, gap: Gap, seen: Mapping[str, Message]) -> list[str]:
        """Return the roots below which something may have happened, newest first."""
        stirred = {
            ts
            for ts, message in seen.items()
            if microseconds(string(message, "latest_reply")) >= gap.since_us
        }
        recent = {
            known.thread
            for ts, known in gap.known.items()
            if known.thread and microseconds(ts) >= gap.since_us - _DAY
        }
        shrunk = _shrunk(gap, seen)
        return sorted(stirred | recent | shrunk, reverse=True)[: self.threads]

    async def _replies(
        self, reading: "Reading", root: str, seen: dict[str, Message]
    ) -> None:
        gap = reading.gap
        wanted = {"ts": root, "oldest": timestamp(gap.back_us)}
        async for page in self._pages(gap, "conversations.replies", wanted):
            seen |= {string(m, "ts"): m for m in page if string(m, "ts") != root}
        reading.whole.add(root)

    async def _wait_for_young(
        self, reading: "Reading", seen: dict[str, Message]
    ) -> None:
        """Ask again for what was said just now and is missing: it may show late."""
        settled = self.clock() - int(self.settled * 1_000_000)
        young = [one for one in _gone(reading, seen) if microseconds(one[0]) > settled]
        if not young or len(young) > _MOST_DELETED:
            return
        await self.sleep(self.settled)
        for ts, known in young:
            method, more = "conversations.history", {}
            if known.thread:
                method, more = "conversations.replies", {"ts": known.thread}
            span = {"oldest": ts, "latest": ts, "inclusive": "true"}
            page = await self._ask(reading.gap, method, span | more)
            shown = {string(m, "ts"): m for m in mappings(page, "messages")}
            if ts in shown:
                seen[ts] = shown[ts]

    async def _pages(
        self, gap: Gap, method: str, wanted: Mapping[str, str]
    ) -> AsyncIterator[list[Message]]:
        cursor = ""
        for _ in range(self.pages * _MOST_AT_LEAST):
            asked = {**wanted, "limit": str(self.page), "include_all_metadata": "true"}
            page = await self._ask(gap, method, asked | {"cursor": cursor})
            yield [m for m in mappings(page, "messages") if string(m, "ts")]
            cursor = string(mapping(page, "response_metadata"), "next_cursor")
            if not cursor:
                return
        raise CannotTell("too much was said to read it all")

    async def _ask(self, gap: Gap, method: str, more: Mapping[str, str]) -> Message:
        given = {name: value for name, value in more.items() if value}

        async def ask() -> Message:
            if gap.watch:
                await gap.watch.before(method)
            client = await self.clients.of(gap.channel.team)
            params = {"channel": gap.channel.id, **given}
            call = client.api_call(method, params=params)
            if gap.watch is None:
                return await done(call)
            return await done(
                _told_of(gap.watch, method, given.get("cursor", ""), call)
            )

        try:
            return await patiently(ask, self.sleep)
        except Refused as refused:
            if getattr(refused, "code", "") in _GONE:
                return {}
            if refused.cause:
                await self.noticed(gap.channel, refusal(refused))
            raise CannotTell(str(refused)) from refused
        except (Ambiguous, NotSent) as error:
            raise ServiceUnavailable(str(error)) from error


async def _told_of(
    watch: Watch, method: str, cursor: str, call: Awaitable[AsyncSlackResponse]
) -> AsyncSlackResponse:
    """Tell how Slack calls its answer, by which it can be asked about it later."""
    response = await call
    watch.read(method, cursor, str(response.headers.get("x-slack-req-id", "")))
    return response


@dataclass(slots=True)
class Reading:
    """
    How one channel is read. Of roots said since `complete_us`, and of the replies in
    the threads that are `whole`, nothing that stands was overlooked.
    """

    gap: Gap
    own: Identity
    shared: bool
    now: str
    complete_us: int = 0
    whole: set[str] = field(default_factory=set)


def _shrunk(gap: Gap, seen: Mapping[str, Message]) -> set[str]:
    """Return the roots of which more replies are known than stand there."""
    standing: dict[str, int] = {}
    for known in gap.known.values():
        if known.thread and not known.deleted:
            standing[known.thread] = standing.get(known.thread, 0) + 1
    return {
        root
        for root, count in standing.items()
        if root in seen and number(seen[root], "reply_count") < count
    }


def _events(reading: Reading, seen: Mapping[str, Message]) -> Iterator[Event]:
    for message in seen.values():
        if string(message, "subtype") == "tombstone":
            yield from as_heard(reading, _buried(message), reading.now)
            continue
        yield from as_heard(reading, message, string(message, "ts"))
        if edited := string(mapping(message, "edited"), "ts"):
            yield from as_heard(reading, _edit(message, edited), edited)
    gone = [*_gone(reading, seen)]
    if len(gone) <= _MOST_DELETED:
        for ts, known in gone:
            yield from as_heard(reading, _deletion(ts, known), reading.now)


def in_time(event: Event) -> int:
    """Return a time to sort by. An edit's is cut to the second, before its message."""
    return max(event.sent_us, microseconds(event.message))


def _gone(reading: Reading, seen: Mapping[str, Message]) -> Iterator[tuple[str, Known]]:
    """Yield what is known to have stood and does not stand any more."""
    for ts, known in reading.gap.known.items():
        if known.deleted or ts in seen or not microseconds(ts):
            continue
        looked = (
            known.thread in reading.whole and microseconds(ts) > reading.gap.back_us
            if known.thread
            else microseconds(ts) > reading.complete_us
        )
        if looked:
            yield ts, known


def as_heard(reading: Reading, event: Message, at: str) -> Iterator[Event]:
    """Yield what Slack's event would have been read as, if it was about a message."""
    channel, own = reading.gap.channel, reading.own
    kind = string(event, "subtype")
    ts = (
        string(mapping(event, "message"), "ts")
        or string(event, "deleted_ts")
        or string(event, "ts")
    )
    body = {
        "type": "event_callback",
        "team_id": channel.team,
        "event_id": f"catchup:{channel.id}:{ts}:{kind}:{at}",
        "is_ext_shared_channel": reading.shared,
        "authorizations": [
            {"team_id": channel.team, "user_id": own.user, "is_bot": True}
        ],
        "event": {"event_ts": at, **event, "type": "message", "channel": channel.id},
    }
    raw = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
    found = translate(body, raw, own.bot)
    if not isinstance(found, Event):
        return
    if found.kind is EventKind.COMMAND or found.kind.startswith("message."):
        yield found


def _edit(message: Message, edited: str) -> Message:
    return {"subtype": "message_changed", "ts": edited, "message": message}


def _buried(stone: Message) -> Message:
    return {
        "subtype": "message_changed",
        "message": stone,
        "previous_message": {"ts": string(stone, "ts")},
    }


def _deletion(ts: str, known: Known) -> Message:
    before = {"ts": ts} | ({"thread_ts": known.thread} if known.thread else {})
    return {"subtype": "message_deleted", "deleted_ts": ts, "previous_message": before}
