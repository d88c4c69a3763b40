"""
The layout of a Slack export: lists of places and people, and a file a day and channel.

A message stands there as it was first said; what became of it follows as the events
`message_changed` and `message_deleted`, on the day when it happened. What Slack has
no field for (the place in the log, reactions that were taken back, bytes that are not
there) stands under `atom` in each object.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from storage.compliance.export.model import (
    Attached,
    Change,
    Conversation,
    Heading,
    Item,
    PlaceKind,
    Reaction,
    Revision,
    Source,
    Stamp,
    Who,
    Written,
)
from storage.compliance.export.paths import Names
from storage.compliance.export.text import as_json, day, seconds

FOLDER = "slack"
_LISTS = {
    PlaceKind.CHANNEL: "channels.json",
    PlaceKind.PRIVATE: "groups.json",
    PlaceKind.DIRECT: "dms.json",
    PlaceKind.GROUP: "mpims.json",
}
_EMPTY = ("integration_logs.json", "canvases.json", "content_flags.json")


def files(heading: Heading, source: Source) -> Iterator[Written]:
    """Yield the files of the export. Days are those of the heading's time zone."""
    names = Names()
    folders = [
        (each, names.one(each.id if _is_chat(each) else each.shown))
        for each in source.conversations()
    ]
    places = [each for each, _ in folders]
    for kind, name in _LISTS.items():
        listed = [_place(*each) for each in folders if each[0].kind is kind]
        yield _json(name, listed)
    people = {w.id: w for each in places for w in each.people}
    yield _json("users.json", [_user(people[i]) for i in sorted(people)])
    for name in _EMPTY:
        yield _json(name, [])
    yield _json("atom.json", _about(heading))
    for each, folder in folders:
        yield from _days(heading, source, each, folder)


def _days(
    heading: Heading, source: Source, place: Conversation, folder: str
) -> Iterator[Written]:
    """What became of a message may fall on a later day, so days are kept apart."""
    days: dict[str, list[tuple[int, int, bytes]]] = {}
    for item in source.items(place):
        for at_us, seq, told in _told(item, source):
            lines = days.setdefault(day(at_us, heading.zone), [])
            lines.append((at_us, seq, as_json(told)))
    for name in sorted(days):
        lines = sorted(days.pop(name), key=lambda line: line[:2])
        yield Written(f"{FOLDER}/{folder}/{name}.json", _array(t for *_, t in lines))


def _array(values: Iterable[bytes]) -> Iterator[bytes]:
    mark = b"[\n"
    for value in values:
        yield mark + value
        mark = b",\n"
    yield b"\n]\n" if mark != b"[\n" else b"[]\n"


def _told(item: Item, source: Source) -> Iterator[tuple[int, int, dict[str, Any]]]:
    first = item.first
    if first.change is not Change.DELETE:
        thread = source.thread(item)
        said = _message(item, first) | _reactions(item)
        if thread.replies:
            said |= {
                "thread_ts": said["ts"],
                "reply_count": thread.replies,
                "reply_users": list(thread.people),
                "latest_reply": seconds(thread.last_us),
            }
        yield first.at_us, first.stamp.seq, said
    for revision in item.revisions:
        if revision is not first or revision.change is Change.DELETE:
            yield revision.at_us, revision.stamp.seq, _later(item, revision)


def _later(item: Item, revision: Revision) -> dict[str, Any]:
    before = item.before(revision)
    was = _message(item, before) if before else {"ts": _ts(item)}
    common: dict[str, Any] = {
        "type": "message",
        "hidden": True,
        "channel": item.conv,
        "ts": seconds(revision.at_us),
        "event_ts": seconds(revision.at_us),
        "previous_message": was,
        "atom": _stamped(revision.stamp) | {"by": revision.by.id},
    }
    if revision.change is Change.DELETE:
        return common | {"subtype": "message_deleted", "deleted_ts": _ts(item)}
    edited = {"user": revision.by.id, "ts": seconds(revision.at_us)}
    now = _message(item, revision) | {"edited": edited}
    if revision.change is Change.RESTORE:
        common["atom"] |= {"restored": True}
    return common | {"subtype": "message_changed", "message": now}


def _message(item: Item, revision: Revision) -> dict[str, Any]:
    author = item.author
    told: dict[str, Any] = {
        "type": "message",
        "user": author.id,
        "text": _escaped(revision.text),
        "ts": _ts(item),
        "client_msg_id": item.msg,
        "team": item.team,
        "atom": _stamped(revision.stamp) | _apart(item, revision),
    }
    if author.name:
        told["user_profile"] = {
            "display_name": author.name,
            "real_name": author.name,
            "team": item.team,
        }
    if author.is_bot:
        told |= {"subtype": "bot_message", "bot_id": author.id}
        told |= {"username": author.shown}
    if item.thread:
        root = _ts_of(item.thread, item.platform)
        told |= {"thread_ts": root}
    if revision.files:
        told["files"] = [_file(file, revision) for file in revision.files]
        told["upload"] = True
    return told


def _apart(item: Item, revision: Revision) -> dict[str, Any]:
    """What Slack has no field for."""
    apart: dict[str, Any] = {"platform": item.platform, "message": item.msg}
    if revision.withheld:
        apart["withheld"] = revision.withheld
    if item.link:
        apart["link"] = item.link
    if item.origin:
        apart["origin"] = {"seq": item.origin.seq, "leaf": item.origin.leaf}
    return apart


def _reactions(item: Item) -> dict[str, Any]:
    if not item.reactions:
        return {}
    standing = [
        {"name": _emoji(emoji), "users": [w.id for w in people], "count": len(people)}
        for emoji, people in item.standing
    ]
    return {
        "reactions": standing,
        "atom_reactions": [_reaction(one) for one in item.reactions],
    }


def _reaction(one: Reaction) -> dict[str, Any]:
    return {
        "name": _emoji(one.emoji),
        "user": one.by.id,
        "added": one.added,
        "ts": seconds(one.at_us),
        **_stamped(one.stamp),
    }


def _emoji(emoji: str) -> str:
    return emoji.strip(":") or emoji


def _file(file: Attached, revision: Revision) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": file.id,
        "created": revision.at_us // 1_000_000,
        "name": file.name,
        "title": file.name,
        "mimetype": file.mime,
        "filetype": file.name.rpartition(".")[2] if "." in file.name else "",
        "user": revision.by.id,
        "size": file.size,
        "mode": "hosted",
        "url_private": file.url,
    }
    held = {"path": f"../{file.path}", "sha256": file.sha256} if file.path else {}
    return told | {"atom": held or {"missing": file.missing}}


def _place(place: Conversation, folder: str) -> dict[str, Any]:
    """Readers find a channel's folder by its name, so that is what it is called."""
    return {
        "id": place.id,
        "name": folder,
        "created": place.first_us // 1_000_000,
        "is_archived": False,
        "is_general": False,
        "members": [who.id for who in place.people],
        "topic": {"value": ""},
        "purpose": {"value": ""},
        "atom": {
            "platform": place.platform,
            "team": place.team,
            "name": place.name,
            "stays": [
                {"user": s.who.id, "joined": s.joined_us, "left": s.left_us}
                for s in place.stays
            ],
        },
    }


def _user(who: Who) -> dict[str, Any]:
    profile = {"real_name": who.name, "display_name": who.name, "email": who.email}
    return {
        "id": who.id,
        "name": who.shown,
        "real_name": who.name,
        "deleted": False,
        "is_bot": who.is_bot,
        "profile": profile,
        "atom": {"platform": who.platform, "kind": who.kind},
    }


def _about(heading: Heading) -> dict[str, Any]:
    return {
        "export": heading.id,
        "size": heading.size,
        "root": heading.root,
        "time_zone_of_days": heading.zone,
    }


def _stamped(stamp: Stamp) -> dict[str, Any]:
    return {"seq": stamp.seq, "leaf": stamp.leaf}


def _ts(item: Item) -> str:
    return _ts_of(item.msg, item.platform)


def _ts_of(message: str, platform: str) -> str:
    """Slack's `ts` is a message's id, and so is a number of milliseconds Teams'."""
    if platform == "teams" and message.isascii() and message.isdigit():
        return seconds(int(message) * 1000)
    return message


def _is_chat(place: Conversation) -> bool:
    return place.kind in {PlaceKind.DIRECT, PlaceKind.GROUP}


def _escaped(text: str) -> str:
    """Slack's text knows three characters that are not themselves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _json(name: str, value: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> Written:
    return Written(f"{FOLDER}/{name}", iter([as_json(value) + b"\n"]))
