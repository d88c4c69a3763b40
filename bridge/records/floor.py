"""
What a whole room may see of a record, and what one person may.

A room sees the classes of fields that all who are present may see: the floor. The
policy is asked about each of them, and every answer that hides something can be put on
record with the person because of whom it is hidden.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bridge.access import Action, Asked, Decision
from bridge.messages import Channel, Person, PersonKind
from bridge.ports import AccessPolicy
from bridge.records.cards import Level
from bridge.records.model import PUBLIC, RecordRef
from bridge.records.places import Present
from bridge.records.redaction import Audience

MOST_PEOPLE = 1_000
TTL_SECONDS = 30.0

_MOST_FLOORS = 10_000
_MOST_ANSWERS = 200_000
_NOT_ALL_KNOWN = "it is not known who everybody in the channel is"
_TOO_MANY = "too many people are in the channel"
# Programs are let into a channel by its owners; who reads cards is people.
_ASKED = frozenset([PersonKind.USER, PersonKind.GUEST, PersonKind.EXTERNAL])
_STRANGERS = frozenset([PersonKind.GUEST, PersonKind.EXTERNAL])

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Hidden:
    """
    A class of fields that is kept from an audience, and why.

    `decision` is the policy's, about `person`; both are None where nobody was asked,
    and then `reason` alone says why.
    """

    cls: str
    reason: str
    person: Person | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Floor:
    """
    The classes that an audience may see, and what is hidden from it because of whom.

    `shown` holds one decision for each class that is shown: together with those in
    `hidden` they are what goes on record with the card.
    """

    classes: frozenset[str]
    hidden: tuple[Hidden, ...] = ()
    shown: tuple[Decision, ...] = ()

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the policy said, a decision a class."""
        refusals = (each.decision for each in self.hidden)
        return (*self.shown, *(each for each in refusals if each))

    @property
    def public(self) -> "Floor":
        """The same for what cannot be taken back when others come to read it."""
        return replace(self, classes=self.classes & {PUBLIC})

    def audience(
        self,
        level: Level = Level.DATA,
        *,
        viewer: bool = False,
    ) -> Audience:
        return Audience(self.classes, viewer, level)


@dataclass(frozen=True, slots=True)
class Room:
    """
    Where a card would be seen, and by whom.

    `by` is the person because of whom it is shown. They must be allowed to see it
    too, and are asked first.
    """

    tenant: str
    channel: Channel
    present: Present
    by: Person | None = None


@dataclass
class Floors:
    """
    Works out floors, and keeps them while nothing they follow from has changed.

    `version` names the state of a company's policy and directory together; with
    another one nothing that was kept is used. Nor is it after `TTL_SECONDS` by
    `steady`, a clock in seconds, since policies may look at the time. In rooms of more
    than `most` people only public fields are shown.
    """

    policy: AccessPolicy
    version: Callable[[str], str]
    steady: Callable[[], float]
    most: int = MOST_PEOPLE
    _floors: dict[tuple[object, ...], tuple[float, Floor]] = field(default_factory=dict)
    _answers: dict[tuple[object, ...], tuple[float, Decision]] = field(
        default_factory=dict
    )
    _refused: dict[tuple[str, Channel, str], Person] = field(default_factory=dict)

    async def of_room(
        self, room: Room, ref: RecordRef, classes: Iterable[str]
    ) -> Floor:
        """Return which of the classes everybody in a room may see."""
        wanted = frozenset(classes) | {PUBLIC}
        present = room.present
        key = (
            room.tenant,
            self.version(room.tenant),
            room.channel,
            room.by,
            present.version or present.people,
            present.outsiders,
            present.unknown,
            ref,
            wanted,
        )
        kept = self._floors.get(key)
        if kept is not None and kept[0] > self.steady():
            return kept[1]
        floor = await self._floor(room, ref, wanted)
        if not any(decision.unsure for decision in floor.decisions):
            _keep(self._floors, key, (self.steady() + TTL_SECONDS, floor), _MOST_FLOORS)
        return floor

    async def of_viewer(
        self,
        asker: tuple[str, Person, str],
        ref: RecordRef,
        classes: Iterable[str],
    ) -> Floor:
        """
        Return which of the classes one person may see, alone.

        `asker` is the company, the person and the account that vouches for them. It is
        decided anew each time: whoever asks for more waits for an answer of today.
        """
        tenant, person, account = asker
        verdicts: dict[str, Decision] = {}
        for cls in _public_first(frozenset(classes) | {PUBLIC}):
            verdicts[cls] = await self.policy.decide(
                Asked(
                    tenant,
                    person,
                    Action.RECORD_VIEW,
                    account=account,
                    thing=ref.thing,
                    field=cls,
                )
            )
            if cls == PUBLIC and not verdicts[cls].allowed:
                break
        return Floor(
            frozenset(cls for cls, each in verdicts.items() if each.allowed),
            tuple(
                Hidden(cls, each.reason or each.rule, person, each)
                for cls, each in verdicts.items()
                if not each.allowed
            ),
            tuple(each for each in verdicts.values() if each.allowed),
        )

    async def _floor(
        self, room: Room, ref: RecordRef, classes: frozenset[str]
    ) -> Floor:
        people = _people(room)
        why_not = _NOT_ALL_KNOWN if room.present.unknown or not people else ""
        if len(people) > self.most:
            people, why_not = people[: self.most], _TOO_MANY
        seen: set[str] = set()
        hidden: list[Hidden] = []
        shown: list[Decision] = []
        for cls in _public_first(classes):
            if cls != PUBLIC and why_not:
                hidden.append(Hidden(cls, why_not))
                continue
            refusal, last = await self._refusal(room, ref, cls, people)
            if refusal is None:
                seen.add(cls)
                shown += [last] if last else []
                continue
            hidden.append(refusal)
            if cls == PUBLIC:
                break
        return Floor(frozenset(seen), tuple(hidden), tuple(shown))

    async def _refusal(
        self, room: Room, ref: RecordRef, cls: str, people: tuple[Person, ...]
    ) -> tuple[Hidden | None, Decision | None]:
        """Ask until somebody may not see a class; return that, or the last answer."""
        place = (room.tenant, room.channel, cls)
        last: Decision | None = None
        for person in _in_order(_about(room, cls, people), self._refused.get(place)):
            last = await self._asked(room, ref, cls, person)
            if not last.allowed:
                _keep(self._refused, place, person, _MOST_FLOORS)
                reason = last.reason or last.rule
                return Hidden(cls, reason, person, last), last
        return None, last

    async def _asked(
        self, room: Room, ref: RecordRef, cls: str, person: Person
    ) -> Decision:
        outsiders = room.present.outsiders
        key = (
            room.tenant,
            self.version(room.tenant),
            room.channel,
            person.platform,
            person.id,
            person.kind,
            ref.thing,
            cls,
            outsiders,
        )
        kept = self._answers.get(key)
        if kept is not None and kept[0] > self.steady():
            return kept[1]
        decision = await self.policy.decide(
            Asked(
                room.tenant,
                person,
                Action.RECORD_VIEW,
                room.channel,
                thing=ref.thing,
                field=cls,
                outsiders=outsiders,
            )
        )
        if not decision.unsure:
            until = self.steady() + TTL_SECONDS
            _keep(self._answers, key, (until, decision), _MOST_ANSWERS)
        return decision


def _people(room: Room) -> tuple[Person, ...]:
    """Return who is asked about, each once, the one who shows it first."""
    everybody = (room.by, *room.present.people) if room.by else room.present.people
    once = {(each.platform, each.id): each for each in everybody if each.kind in _ASKED}
    return tuple(once.values())


def _about(room: Room, cls: str, people: tuple[Person, ...]) -> tuple[Person, ...]:
    """
    Return whom the policy is asked about for a class.

    Whether public fields may stand where strangers read along is asked about the
    company's own people, and about who shows them. If nobody is known, it is asked
    about somebody whom nobody knows: the policy says what holds then.
    """
    if cls == PUBLIC:
        by = room.by
        own = (p for p in people if p.kind not in _STRANGERS or _same(p, by))
        return tuple(own) or (Person(room.channel.platform, ""),)
    return people


def _same(one: Person, other: Person | None) -> bool:
    return other is not None and (one.platform, one.id) == (other.platform, other.id)


def _public_first(classes: frozenset[str]) -> list[str]:
    return sorted(classes, key=lambda cls: (cls != PUBLIC, cls))


def _in_order(people: tuple[Person, ...], first: Person | None) -> Iterator[Person]:
    """Begin with who was refused before: one refusal is enough."""
    if first in people:
        yield first
    yield from (each for each in people if each != first)


def _keep(kept: dict[Key, Value], key: Key, value: Value, most: int) -> None:
    if len(kept) >= most:
        kept.clear()
    kept[key] = value
