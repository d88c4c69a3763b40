"""The Discovery API: what was said in the organisation, edits and deletions included."""

from collections.abc import Callable, Mapping
from typing import Any

from bots.sandbox.slack import grid_seed
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.events import stored
from bots.sandbox.slack.model import Channel

PREFIX = "discovery."
_SCOPE = "discovery:read"
_MOST = 1000

Answer = dict[str, Any]
Args = Mapping[str, Any]


class Discovery:
    """
    Serves the readings of `discovery.*`.

    It hears every event, because what a message was before it was deleted, and when
    that was, nothing else keeps.
    """

    def __init__(self) -> None:
        self.changes: dict[str, dict[str, dict[str, Any]]] = {}

    def clear(self) -> None:
        self.changes.clear()

    def heard(self, event: Mapping[str, Any]) -> None:
        """Keep what an event says about a message that was changed or deleted."""
        subtype = event.get("subtype")
        if event.get("type") != "message" or subtype not in {
            "message_changed",
            "message_deleted",
        }:
            return
        before = dict(event.get("previous_message") or {})
        now = dict(event.get("message") or {})
        if subtype == "message_changed" and now.get("text") == before.get("text"):
            return  # unfurled or replied to
        edited = dict(now.get("edited") or {})
        change = {
            "type": "message",
            "subtype": subtype,
            "user": before.get("user", ""),
            "bot_id": before.get("bot_id", ""),
            "thread_ts": before.get("thread_ts", ""),
            "editor_id": edited.get("user") or before.get("user", ""),
            "original_ts": str(before.get("ts", "")),
            "ts": edited.get("ts") or str(event.get("event_ts", "")),
            "text": now.get("text", ""),
            "previous": {"text": before.get("text", "")},
        }
        kept = self.changes.setdefault(str(event.get("channel", "")), {})
        shown = {name: value for name, value in change.items() if value != ""}
        kept.setdefault(f"{change['original_ts']}:{subtype}:{change['ts']}", shown)

    def serve(
        self,
        name: str,
        args: Args,
        scopes: list[str],
        channels: Mapping[str, Channel],
    ) -> Answer:
        """Serve one method; without the scope there is no such method."""
        calls: Mapping[str, Callable[[Args, Mapping[str, Channel]], Answer]] = {
            "enterprise.info": _enterprise,
            "conversations.list": _list,
            "conversations.history": _history,
            "conversations.edits": self._edits,
        }
        method = name.removeprefix(PREFIX)
        if method not in calls or _SCOPE not in scopes:
            raise SlackRefusal("unknown_method")
        return calls[method](args, channels)

    def _edits(self, args: Args, channels: Mapping[str, Channel]) -> Answer:
        channel = _channel(args, channels)
        found = [*self.changes.get(channel.id, {}).values()]
        page, offset = _page(found, args)
        return {"edits": page, **offset}


def _enterprise(_args: Args, _channels: Mapping[str, Channel]) -> Answer:
    teams = [{"id": team} for team in grid_seed.TEAMS]
    return {
        "enterprise": {"id": grid_seed.ORG, "name": grid_seed.ORG_NAME, "teams": teams}
    }


def _list(_args: Args, channels: Mapping[str, Channel]) -> Answer:
    found = [{"id": c.id, "team": c.team} for c in channels.values()]
    return {"channels": found}


def _history(args: Args, channels: Mapping[str, Channel]) -> Answer:
    """Return what stands, replies among the rest, newest first."""
    channel = _channel(args, channels)
    said = [stored(m) for m in channel.messages.values() if not m.deleted]
    page, offset = _page(said, args)
    return {"has_edits": any("edited" in m for m in page), "messages": page, **offset}


def _page(items: list[Any], args: Args) -> tuple[list[Any], Answer]:
    oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or 1e12)
    before = float(args.get("offset") or 1e12)
    found = [
        one
        for one in items
        if oldest <= float(one["ts"]) <= latest and float(one["ts"]) < before
    ]
    found.sort(key=lambda one: float(one["ts"]), reverse=True)
    limit = min(int(args.get("limit") or 100), _MOST)
    page = found[:limit]
    return page, {"offset": page[-1]["ts"]} if len(found) > limit else {}


def _channel(args: Args, channels: Mapping[str, Channel]) -> Channel:
    if not (args.get("channel") and args.get("team")):
        raise SlackRefusal("invalid_arguments")
    try:
        return channels[str(args["channel"])]
    except KeyError:
        raise SlackRefusal("channel_not_found") from None
