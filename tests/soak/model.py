"""
What "right" means: the rules that both platforms' final state has to keep.

A message is `Said`; what stands for it on the other platform is a `Copy`. Several may
stand in one message there: a `Copy` each, with the same id. Once nothing is under way
any more, `wrongs` names every rule that is broken.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Side(StrEnum):
    """Where something was said."""

    SLACK = "slack"
    TEAMS = "teams"

    @property
    def other(self) -> "Side":
        return Side.TEAMS if self is Side.SLACK else Side.SLACK


# What people choose, by the name that their own platform gives it.
EMOJI: Mapping[Side, Mapping[str, str]] = {
    Side.SLACK: {"+1": "👍", "tada": "🎉", "eyes": "👀"},
    Side.TEAMS: {"like": "+1", "heart": "heart", "laugh": "laughing"},
}

Chosen = dict[str, set[str]]  # people by what they chose


@dataclass(eq=False)
class Said:
    """
    A message as its author and its readers left it.

    `crosses` is False for what was said without a link. `loose` says that a link ended
    since: the copy stays as it happens to be, and nothing is asked of it any more.
    `restored` is what was deleted and came back: its copy is another one, which stands
    where it came back. With `file`, the author attached one that is named and filled after the number.
    """

    n: int
    side: Side
    id: str
    author: str
    root: "Said | None" = None
    revision: int = 1
    deleted: bool = False
    crosses: bool = True
    loose: bool = False
    file: bool = False
    restored: bool = False
    at_original: Chosen = field(default_factory=dict)
    at_copy: Chosen = field(default_factory=dict)

    @property
    def text(self) -> str:
        return text_of(self.n, self.revision)


@dataclass(frozen=True, slots=True)
class Copy:
    """
    What stands for a message on the other side.

    `thread` is the root's id, or nothing for a root; `place` tells the order in which
    copies stand; `line` is what the line below counts, and `ours` are ATOM's own
    reactions to it.
    """

    n: int
    text: str
    id: str
    thread: str
    place: tuple[int, ...]
    line: Mapping[str, int]
    ours: frozenset[str]


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that stands for a message's own on the other side, in a thread there."""

    n: int
    thread: str
    content: str


@dataclass(frozen=True, slots=True)
class Seen:
    """
    Both platforms at one moment, and the order in which the log took messages in.

    `copies` are by the side on which they stand, `ours` are ATOM's own reactions to
    people's messages in Slack, by the message's id. `shared` says by number which
    messages were brought to Teams in one, those included that are gone. `files` are by
    the side on which they stand, as copies are.
    """

    copies: Mapping[Side, Sequence[Copy]]
    ours: Mapping[str, frozenset[str]]
    captured: Mapping[tuple[Side, str], int]
    shared: Collection[frozenset[int]] = ()
    files: Mapping[Side, Sequence[Brought]] = field(default_factory=dict)

    def together(self, said: Said) -> frozenset[int]:
        """Return the messages that stand or stood in one with this, itself included."""
        return frozenset({said.n}).union(*(s for s in self.shared if said.n in s))

    def copies_of(self, said: Said) -> list[Copy]:
        return [copy for copy in self.copies[said.side.other] if copy.n == said.n]


def name_of(n: int) -> str:
    """Return what a message's file is called. Its content is the same."""
    return f"f{n:05}"


def text_of(n: int, revision: int) -> str:
    return f"m{n:05} r{revision}"


def wrongs(everything: Iterable[Said], seen: Seen) -> list[str]:
    """Return every rule that is broken, in words; nothing if all is right."""
    everything = list(everything)
    known = {said.n: said for said in everything}
    found = [wrong for said in everything for wrong in _about(said, seen, known)]
    return found + list(_out_of_order(everything, seen))


def _about(said: Said, seen: Seen, known: Mapping[int, Said]) -> Iterator[str]:
    copies = seen.copies_of(said)
    name = f"{said.text} of {said.side}"
    if len(copies) > 1:
        yield f"{name} stands {len(copies)} times"
    if not said.crosses:
        if copies:
            yield f"{name} was said without a link and stands there"
        return
    if said.loose:
        return
    yield from _misfiled(said, seen)
    if said.deleted:
        if copies:
            yield f"{name} is deleted and stands there as {copies[0].text!r}"
        return
    if not copies:
        yield f"{name} does not stand there"
        return
    copy = copies[0]
    if copy.text != said.text:
        yield f"{name} stands there as {copy.text!r}"
    yield from _in_wrong_thread(said, copy, seen, known)
    yield from _miscounted(said, copy, seen, known)


def _in_wrong_thread(
    said: Said, copy: Copy, seen: Seen, known: Mapping[int, Said]
) -> Iterator[str]:
    root = said.root
    if root is None:
        if copy.thread:
            yield f"{said.text} is a root and stands in thread {copy.thread}"
        return
    if not _stays(root):
        return  # a reply may have been the first to see that its root is gone
    if root.side is not said.side:
        # Nobody can tell which of the messages that stand there in one was meant.
        wanted = [known[n].id for n in seen.together(root)]
    else:
        wanted = [found.thread or found.id for found in seen.copies_of(root)]
    if copy.thread not in wanted:
        yield f"{said.text} stands in {copy.thread or 'no thread'}, not in {wanted}"


def _stays(root: Said) -> bool:
    """Whether a root's copy is the one that it always was."""
    return not (root.deleted or root.loose or root.restored) and root.crosses


def _misfiled(said: Said, seen: Seen) -> Iterator[str]:
    """A file stands once, whole and in the copy's thread, as long as its message does."""
    files = [f for f in seen.files.get(said.side.other, ()) if f.n == said.n]
    wanted = 1 if said.file and not said.deleted else 0
    if len(files) != wanted:
        yield f"the file of {said.text} stands {len(files)} times, not {wanted}"
        return
    for file in files:
        if file.content != name_of(said.n):
            yield f"the file of {said.text} holds {file.content!r}"
        threads = [copy.thread or copy.id for copy in seen.copies_of(said)]
        if threads and file.thread not in threads:
            yield f"the file of {said.text} stands in {file.thread}, not in {threads}"


def _miscounted(
    said: Said, copy: Copy, seen: Seen, known: Mapping[int, Said]
) -> Iterator[str]:
    """
    Only ATOM's own messages have a line below; in Slack it reacts itself.

    What stands in one message has one line below, and what people choose there ATOM
    leaves on the first of the originals.
    """
    if said.side is Side.TEAMS:
        wanted = _ours(said.at_original)
        if copy.ours != wanted:
            yield f"ATOM's reactions to the copy of {said.text}: {copy.ours}, not {wanted}"
        return
    names = EMOJI[Side.SLACK]
    group = [known[n] for n in sorted(seen.together(said))]
    standing = [one for one in group if not one.deleted]
    people = {
        names[name]: set[str]().union(*(s.at_original.get(name, ()) for s in standing))
        for name in names
    }
    counts = {char: len(who) for char, who in people.items() if who}
    if copy.line != counts:
        yield f"below {said.text}: {copy.line}, not {counts}"
    if standing != group:
        return  # what ATOM left on the first went with it
    ours, wanted = seen.ours[said.id], frozenset[str]()
    if said is group[0]:
        wanted = _ours(said.at_copy)
    if ours != wanted:
        yield f"ATOM's reactions to {said.text}: {ours}, not {wanted}"


def _ours(chosen: Chosen) -> frozenset[str]:
    names = EMOJI[Side.TEAMS]
    return frozenset(names[kind] for kind, who in chosen.items() if who)


def _out_of_order(everything: Sequence[Said], seen: Seen) -> Iterator[str]:
    """Within a thread, and among a channel's roots, copies stand as they were heard."""
    lanes: dict[tuple[Side, int], list[tuple[int, Copy]]] = {}
    for said in everything:
        heard = seen.captured.get((said.side, said.id))
        copies = seen.copies_of(said)
        root = said.root
        unsure = said.loose or said.restored or (root and not _stays(root))
        if heard is None or len(copies) != 1 or unsure:
            continue
        lane = (said.side, root.n if root else 0)
        lanes.setdefault(lane, []).append((heard, copies[0]))
    for (side, n), members in lanes.items():
        texts = [copy.text for _, copy in sorted(members, key=lambda pair: pair[0])]
        standing = sorted(members, key=lambda pair: pair[1].place)
        stand = [copy.text for _, copy in standing]
        if texts != stand:
            where = f"thread m{n:05}" if n else "the roots"
            yield f"in {where} of {side}: {stand}, heard as {texts}"
