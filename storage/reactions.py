"""What the log knows about reactions: who did what, and what was made of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.messages import Channel, EventKind, Person
from bridge.ports import History
from bridge.reacting import Told
from bridge.reactions import Reacted, Shown, Spot, Word, folded
from storage.files import files_in
from storage.log_reader import LogEntry, LogReader, late_us
from storage.rows import clean_id

_DENIED = "deny"
_SAID, _REACTED, _DONE = "message.%", "reaction.%", "bridge.%"

_Place = tuple[str, str]  # a channel and a message in it


@dataclass(frozen=True, slots=True)
class LoggedReactions:
    """
    Implements `bridge.reacting.ReactionLog`.

    There is no table of reactions: the log is the truth, and is read anew.
    """

    reader: LogReader

    async def told(
        self, tenant: str, origin: Spot, heard: Sequence[Spot], at: Spot
    ) -> Told:
        wanted: dict[_Place, set[str]] = defaultdict(set)
        wanted[_place(origin)].add(_SAID)
        wanted[_place(at)].add(_DONE)
        for spot in heard:
            wanted[_place(spot)].add(_REACTED)
        found = await self._about(tenant, wanted)
        return Told(
            _story(origin.channel, found[_SAID, _place(origin)]),
            _all_reacted(found[_REACTED, _place(spot)] for spot in heard),
            _shown(found[_DONE, _place(at)]),
        )

    async def reacted(self, tenant: str, spots: Sequence[Spot]) -> tuple[Reacted, ...]:
        if not spots:
            return ()
        places = [_place(spot) for spot in spots]
        found = await self._about(tenant, {place: {_REACTED} for place in places})
        return _all_reacted(found[_REACTED, place] for place in places)

    async def shown(self, tenant: str, spot: Spot) -> Shown:
        place = _place(spot)
        return _shown((await self._about(tenant, {place: {_DONE}}))[_DONE, place])

    async def _about(
        self, tenant: str, wanted: Mapping[_Place, Collection[str]]
    ) -> Mapping[tuple[str, _Place], list[LogEntry]]:
        """Return entries by their kind and place, oldest first."""
        found: dict[tuple[str, _Place], list[LogEntry]] = defaultdict(list)
        for entry in await self.reader.about_each(tenant, wanted):
            kind = entry.etype.partition(".")[0] + ".%"
            found[kind, (entry.row["conv"], entry.row["msg"])].append(entry)
        return found


def _place(spot: Spot) -> _Place:
    return clean_id(spot.channel.id), clean_id(spot.message)


def _story(channel: Channel, entries: Sequence[LogEntry]) -> History | None:
    """Return what a message says by its revisions."""
    allowed = [entry for entry in entries if entry.row["outcome"] != _DENIED]
    with_content = [e for e in allowed if e.etype != EventKind.MESSAGE_DELETE]
    if not with_content:
        return None
    newest = max(with_content, key=lambda e: (e.row["version_us"], e.seq))
    if newest.erased:
        return None
    author = newest.body["author"]
    return History(
        seq=newest.seq,
        leaf=bytes(newest.row["leaf"]),
        author=Person(channel.platform, author["id"], author["name"], author["avatar"]),
        document=newest.document,
        version_us=newest.row["version_us"],
        deleted=_is_deleted(allowed),
        thread=newest.row["thread"],
        files=files_in(newest),
        late_us=late_us(allowed),
        told=allowed[0].body.get("detail") or {},
    )


def _all_reacted(entries: Iterable[Sequence[LogEntry]]) -> tuple[Reacted, ...]:
    return tuple(
        one
        for each in entries
        for entry in each
        for one in _reacted(entry)
        if _counts(one, entry)
    )


def _shown(entries: Sequence[LogEntry]) -> Shown:
    told = (entry for entry in entries if "shown" in entry.body)
    return folded(_word(entry.body["shown"], entry.row) for entry in told)


def word_as_json(word: Word) -> dict[str, Any]:
    """Return a word as it stands in a log entry's body."""
    return {
        "upto": word.upto,
        "native": sorted(word.native),
        "gone": sorted(word.gone),
        "refused": sorted(word.refused),
        "footer": word.footer,
    }


def _word(body: Mapping[str, Any], row: Mapping[str, Any]) -> Word:
    return Word(
        upto=body["upto"],
        message=row["msg"],
        thread=row["thread"],
        native=frozenset(body["native"]),
        gone=frozenset(body["gone"]),
        refused=frozenset(body["refused"]),
        footer=body["footer"],
        at_us=row["cap_us"],
    )


def _reacted(entry: LogEntry) -> Iterator[Reacted]:
    detail = entry.body.get("detail") or {}
    for name, added in (("added", True), ("removed", False)):
        for emoji in str(detail.get(name, "")).split():
            yield Reacted(
                emoji,
                entry.row["actor_tok"].hex(),
                entry.row["src_us"],
                entry.seq,
                added,
                entry.row["msg"],
                entry.body["author"]["id"],
            )


def _counts(one: Reacted, entry: LogEntry) -> bool:
    """Adding needs a yes. Taking back counts even while no link asked the policy."""
    outcome = entry.row["outcome"]
    return outcome == "allow" or (not one.added and outcome != _DENIED)


def _is_deleted(entries: Sequence[LogEntry]) -> bool:
    """Whether the message is gone, by the platform's own clock."""
    switches = [
        (entry.row["src_us"], entry.seq, entry.etype)
        for entry in entries
        if entry.etype in {EventKind.MESSAGE_DELETE, EventKind.MESSAGE_RESTORE}
    ]
    return bool(switches) and max(switches)[2] == EventKind.MESSAGE_DELETE
