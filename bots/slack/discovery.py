"""
Read a channel through the Discovery API, in the words of Slack's own events.

Unlike history it tells every edit with the words before it, and what was deleted with
its words, so nothing that ATOM did not hear is lost. Slack opens it for organisations,
on request.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.clients import done
from bots.slack.payload import mapping, mappings, microseconds, string, timestamp
from bots.slack.recent import Reading, SlackRecent, as_heard, in_time
from bridge.errors import Ambiguous, CannotTell, NotSent, Refused, ServiceUnavailable
from bridge.messages import Event
from bridge.patience import patiently
from bridge.recent import Gap

_PAGE = 1000
_PAGES = 500

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SlackDiscovery:
    """
    Implements `bridge.recent.Recent`. `slack` says who ATOM itself is there.

    `client` has an Org Owner's token with `discovery:read`.
    """

    client: AsyncWebClient
    slack: SlackRecent

    async def within(self, gap: Gap) -> AsyncIterator[Event]:
        reading = await self.slack.opened(gap)
        oldest = {"oldest": timestamp(gap.back_us)}
        standing = [m async for m in self._listed(gap, "history", "messages", oldest)]
        changes = [c async for c in self._listed(gap, "edits", "edits", oldest)]
        for event in sorted(_events(reading, standing, changes), key=in_time):
            yield event

    async def _listed(
        self, gap: Gap, method: str, what: str, given: Mapping[str, str]
    ) -> AsyncIterator[Message]:
        offset = ""
        for _ in range(_PAGES):
            asked = {**given, "limit": str(_PAGE)} | (
                {"offset": offset} if offset else {}
            )
            answer = await self._ask(gap, f"discovery.conversations.{method}", asked)
            for one in mappings(answer, what):
                yield one
            if not (offset := string(answer, "offset")):
                return
        raise CannotTell("too much was said to read it all")

    async def _ask(self, gap: Gap, method: str, given: Mapping[str, str]) -> Message:
        channel = {"channel": gap.channel.id, "team": gap.channel.team}

        async def ask() -> Message:
            if gap.watch:
                await gap.watch.before(method)
            answer = await done(
                self.client.api_call(
                    method, http_verb="GET", params={**channel, **given}
                )
            )
            if gap.watch:
                gap.watch.read(method, given.get("offset", ""), "")
            return answer

        try:
            return await patiently(ask, self.slack.sleep)
        except Refused as refused:
            raise CannotTell(
                f"Slack does not let ATOM at the Discovery API: {refused}"
            ) from refused
        except (Ambiguous, NotSent) as error:
            raise ServiceUnavailable(str(error)) from error


def _events(
    reading: Reading, standing: Sequence[Message], changes: Sequence[Message]
) -> Iterator[Event]:
    by_message: dict[str, list[Message]] = {}
    for change in sorted(changes, key=lambda c: microseconds(string(c, "ts"))):
        by_message.setdefault(string(change, "original_ts"), []).append(change)
    stand = {string(m, "ts"): m for m in standing if string(m, "ts")}
    for ts in sorted(stand.keys() | by_message.keys()):
        yield from _told(reading, ts, stand.get(ts, {}), by_message.get(ts, ()))


def _told(
    reading: Reading, ts: str, stands: Message, changes: Sequence[Message]
) -> Iterator[Event]:
    """Tell one message from its first words on, each revision, and its end."""
    edits = [c for c in changes if string(c, "subtype") == "message_changed"]
    ends = [c for c in changes if string(c, "subtype") == "message_deleted"]
    first = _first(ts, stands, changes)
    yield from as_heard(reading, first, ts)
    before: Message = first
    for edit in edits:
        at = string(edit, "ts")
        edited = {"user": string(edit, "editor_id"), "ts": at}
        now: Message = {**before, "text": string(edit, "text"), "edited": edited}
        if edit is edits[-1] and stands:
            now = stands  # with blocks and files, as it is now
        yield from as_heard(reading, _changed(now, before, at), at)
        before = now
    if not edits and (at := string(mapping(stands, "edited"), "ts")):
        yield from as_heard(reading, _changed(stands, {}, at), at)
    if ends and not stands:
        at = string(ends[-1], "ts")
        gone = {"subtype": "message_deleted", "deleted_ts": ts, "event_ts": at}
        yield from as_heard(reading, {**gone, "previous_message": before}, at)


def _first(ts: str, stands: Message, changes: Sequence[Message]) -> Message:
    """Return a message as it was when it was said."""
    if not changes:
        return stands
    told = changes[0]
    known = {
        name: string(told, name)
        for name in ("user", "bot_id", "thread_ts")
        if string(told, name)
    }
    words = {"text": string(mapping(told, "previous"), "text")}
    # Blocks would have the words of now.
    kept = {n: v for n, v in stands.items() if n not in {"edited", "blocks"}}
    return {**known, **kept, **words, "type": "message", "ts": ts}


def _changed(now: Message, before: Message, at: str) -> Message:
    event: dict[str, Any] = {
        "subtype": "message_changed",
        "ts": at,
        "message": now,
    }
    return event | ({"previous_message": before} if before else {})
