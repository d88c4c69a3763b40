"""
What movers keep for some days of what they were in, where the company says so.

It begins in the same version of the directory in which they left, so that nothing is
taken away and given back. It ends by the clock, wherever it is looked at; at once when
they come back, leave the company or become guests, and when an admin says so.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.directory.model import Grace, Kind, Standing, Subject

EVERYTHING = "*"
_DAY_US = 86_400_000_000
AT_WORK = frozenset({Standing.ACTIVE, Standing.LOCKED})


@dataclass(frozen=True, slots=True)
class Leniency:
    """
    For how many days people keep what they left, by `group:ID` and the like.

    `*` is everything that is not named, but neither roles nor what is among `admins`
    (by name or id): that is kept only if it is named itself.
    """

    days: Mapping[str, float] = field(default_factory=dict)
    admins: frozenset[str] = frozenset()

    def kept_us(self, ancestor: str, name: str) -> int:
        """Return for how long something is kept, 0 for not at all."""
        kind, _, id_ = ancestor.partition(":")
        days = self.days.get(ancestor)
        if days is None and kind != Kind.ROLE and not {id_, name} & self.admins:
            days = self.days.get(EVERYTHING)
        return int((days or 0) * _DAY_US)


def lenient(
    subject: Subject, told: Mapping[str, Grace], now_us: int, known: Subject | None
) -> Subject:
    """
    Return somebody with what they keep at the moment of what they left.

    `known` is how that was last time.
    """
    kept = tuple(sorted(grace for grace in told.values() if grace.until_us > now_us))
    if not kept:
        return subject
    # It ends one after the other without the directory being another: the number of
    # those that are left tells such versions apart, from all others by its sign.
    version = -((subject.version << 16) + len(kept))
    if known is not None and known.version == version:
        return known
    more = {grace.ancestor for grace in kept}
    return replace(
        subject, ancestors=subject.ancestors | more, version=version, kept=kept
    )


def ended_with(
    kept: Sequence[Grace],
    chosen: Collection[str],
    above: Callable[[str], Collection[str]],
) -> tuple[Grace, ...]:
    """
    Return what ends when some of what is kept is ended: what it is in ends as well.

    `above` says what a group is in. What is kept is left that something else is in
    which is still kept.
    """
    rest = [grace for grace in kept if grace.ancestor not in chosen]
    through = {over for one in chosen for over in above(one)}
    held = {
        over
        for grace in rest
        if grace.ancestor not in through
        for over in above(grace.ancestor)
    }
    ended = through - held | set(chosen)
    return tuple(grace for grace in kept if grace.ancestor in ended)


def changed(
    before: Subject,
    after: Subject | None,
    lasting: Callable[[str], int],
    above: Mapping[str, Sequence[str]],
    now_us: int,
) -> Iterator[Grace]:
    """
    Return what begins to be kept when somebody stands otherwise, and what ends.

    `lasting` says for how long something is kept, `above` what a group is in.
    """
    kept = {grace.ancestor for grace in before.kept}
    keeps = (
        after is not None
        and after.standing in AT_WORK
        and (before.guest or not after.guest)
    )
    for grace in before.kept:
        if not keeps or after is None or grace.ancestor in after.ancestors:
            yield Grace(grace.ancestor, grace.since_us, 0)
    if not keeps or after is None or before.standing not in AT_WORK:
        return
    lost = before.ancestors - kept - after.ancestors
    spans = {ancestor: lasting(ancestor) for ancestor in lost}
    for ancestor, span in sorted(spans.items()):
        # Whoever keeps a group keeps what the group is in.
        through = (s for a, s in spans.items() if ancestor in above.get(a, ()))
        longest = max(span, *through, 0)
        if longest:
            yield Grace(ancestor, now_us, now_us + longest)
