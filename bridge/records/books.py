"""What is kept about records: cards, the ids of their buttons, subscriptions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bridge.access import Action
from bridge.errors import NotAllowed
from bridge.messages import Channel
from bridge.records.cards import Level, Standing
from bridge.records.model import (
    NEVER,
    Needs,
    RecordChange,
    RecordRef,
    Revision,
    System,
)


class CardState(StrEnum):
    """How far a card came. A card is planned before anything is sent."""

    PLANNED = "planned"
    POSTING = "posting"  # sent, and no answer yet: it may stand there
    POSTED = "posted"
    RETIRED = "retired"  # it is not kept up to date any more


@dataclass(frozen=True, slots=True)
class CardInstance:
    """
    One card in one channel. `card_id` is random and names it everywhere.

    `cause` is the message that named the record, as `platform:team/channel/message`;
    with the record and the channel it makes the card the only one. `thread` is the
    thread's root to post under, `message` the id of what was posted, empty before.
    `unfurl` holds what Slack needs to change an unfurled link again. `rev` and `digest`
    are of what is shown, so that nothing older and nothing equal is shown again.
    """

    card_id: str
    tenant: str
    ref: RecordRef
    channel: Channel
    cause: str
    level: Level = Level.DATA
    thread: str = ""
    message: str = ""
    unfurl: Mapping[str, str] = field(default_factory=dict)
    state: CardState = CardState.PLANNED
    standing: Standing = Standing.LIVE
    rev: Revision = NEVER
    digest: str = ""
    made_us: int = 0
    shown_us: int = 0


class CardBook(Protocol):
    """The cards that stand somewhere. Raises `StoreUnavailable`."""

    async def plan(self, cards: Sequence[CardInstance]) -> Sequence[CardInstance]:
        """
        Keep cards that are to be posted; returns them as they are kept.

        The same record for the same message in the same channel is one card, whoever
        asks how often: the one that was there is returned.
        """
        ...

    async def get(self, tenant: str, card_id: str) -> CardInstance | None: ...

    async def of_record(self, tenant: str, ref: RecordRef) -> Sequence[CardInstance]:
        """Return every card of a record that is not retired, on both platforms."""
        ...

    async def in_channel(
        self, tenant: str, channel: Channel
    ) -> Sequence[CardInstance]: ...

    async def unfinished(self, tenant: str, before_us: int) -> Sequence[CardInstance]:
        """Return what was planned or being posted before a time, to be taken up again."""
        ...

    async def records(self, tenant: str) -> Sequence[RecordRef]:
        """Return the records that have a card anywhere."""
        ...

    async def posting(self, tenant: str, card_id: str) -> bool:
        """Note the intent to post; False if somebody else did, or it is posted."""
        ...

    async def posted(
        self, tenant: str, card_id: str, message: str, unfurl: Mapping[str, str]
    ) -> None: ...

    async def unposted(self, tenant: str, card_id: str) -> None:
        """It certainly was not sent: it is planned again."""
        ...

    async def shown(self, card: CardInstance) -> bool:
        """
        Note what a card shows now: its `rev`, `digest`, `standing` and `shown_us`.

        False if something newer is noted already, and then nothing is to be shown: a
        later revision, or the same one as it was drawn later. What is shown without
        having been read again keeps its `rev`.
        """
        ...

    async def retire(self, tenant: str, card_ids: Sequence[str]) -> None:
        """Let go of cards: their buttons do nothing any more."""
        ...


@dataclass(frozen=True, slots=True)
class IssuedAct:
    """
    What a button's token stands for. `field_cls` etc. are decided anew on every click.

    `card_id` is empty for a card that one person sees alone, and then `person` is that
    person's key: nobody else may use it. `channel` is where it was shown: a token that
    comes from elsewhere is refused.
    """

    token: str
    tenant: str
    ref: RecordRef | None
    act: str
    right: Action
    rev: Revision
    until_us: int
    card_id: str = ""
    channel: Channel | None = None
    person: str = ""
    kind: str = ""
    system: System | None = None
    instance: str = ""
    needs: Needs = Needs.NOTHING
    detail: Mapping[str, str] = field(default_factory=dict)


class Outdated(NotAllowed):
    """
    A button that was replaced or has run out: its card has to be drawn anew.

    `act` is what it stood for, if that is still known.
    """

    def __init__(self, reason: str, act: "IssuedAct | None" = None) -> None:
        super().__init__(reason)
        self.act = act


class UsedUp(NotAllowed):
    """This person has used this button before. `outcome` is what came of it."""

    def __init__(self, reason: str, outcome: str = "") -> None:
        super().__init__(reason)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class LeftAct:
    """
    A button that somebody used, and of which nothing was heard since.

    `act` has no token any more. `address` is who used it, and where they are told;
    `deed` is the key of what it would have done, as far as that was said. With `at_us`,
    when it was used, `id` names this one use.
    """

    id: str
    act: IssuedAct
    person: str
    address: str
    deed: str
    at_us: int


class ActBook(Protocol):
    """
    Buttons' tokens: opaque, of limited life, used once by each person.

    Only a token's hash is kept. Another company's token is not found.
    """

    async def issue(self, acts: Sequence[IssuedAct]) -> None:
        """
        Keep them; those of the same card that were issued before are superseded.

        A form that a button of a card opens is a card of its own: its `card_id` is
        empty. Raises `BadInput` for a token that could be guessed.
        """
        ...

    async def look(self, tenant: str, token: str, now_us: int) -> IssuedAct:
        """Return what a token stands for. Raises `NotFound` or `Outdated`."""
        ...

    async def claim(  # noqa: PLR0913 - who claims what, and for which deed
        self,
        tenant: str,
        token: str,
        person: str,
        now_us: int,
        *,
        address: str = "",
        deed: str = "",
    ) -> IssuedAct:
        """
        Use a token up for a person. Raises `NotFound`, `Outdated` or `UsedUp`, and
        `NotAllowed` if it is somebody else's.

        Of two claims at the same moment one wins, in whatever process. A claim of
        which nothing was heard for minutes is given out again, for its process died:
        what may have been done is known by the deed's key (`ChangesBook.begin`).
        Whoever has an `address` can be told of that.
        """
        ...

    async def left(self, tenant: str, now_us: int) -> Sequence[LeftAct]:
        """Return claims of which nothing was heard for minutes, and nobody told of."""
        ...

    async def left_told(self, left: LeftAct) -> None:
        """The person knows of it. If they press it again, that is another claim."""
        ...

    async def concluded(
        self, tenant: str, token: str, person: str, outcome: str
    ) -> None:
        """Keep what came of it, for whoever clicks again."""
        ...

    async def released(self, tenant: str, token: str, person: str) -> None:
        """Nothing came of it: the person may click again."""
        ...

    async def revoke(self, tenant: str, person: str) -> int:
        """End all of a person's tokens, as when they leave; returns how many."""
        ...

    async def sweep(self, before_us: int) -> int:
        """Forget what ran out before a time; returns how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nothing is told: minutes of the day, in a time zone by name."""

    start: int = 0
    end: int = 0
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Subscription:
    """
    Who wants to hear of what. Exactly one of `channel` and `person` is set.

    `ref` follows one record; else `kind` with `filter`, a line of the filter language
    (`bridge.records.filters`). `every` is 0 for at once, or the minutes of a digest.
    `secured` lets secured records in, and can only be chosen for a person.
    """

    id: str
    tenant: str
    system: System
    instance: str
    kind: str
    by: str
    channel: Channel | None = None
    person: str = ""
    ref: RecordRef | None = None
    filter: str = ""
    every: int = 0
    quiet: Quiet = field(default_factory=Quiet)
    secured: bool = False
    made_us: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """
    What waits to be told: a line about a record, or a `change` that nobody could judge.

    `at_us` is when it was heard of.
    """

    event: str
    ref: RecordRef
    line: str
    at_us: int
    change: RecordChange | None = None


MOST_UNJUDGED = 1_000
"""Changes that are kept for one subscription until somebody can judge them."""


class SubscriptionBook(Protocol):
    """Subscriptions, and what waits for a digest, for the morning or for its system."""

    async def add(self, subscription: Subscription) -> None: ...

    async def remove(self, tenant: str, id_: str) -> bool: ...

    async def of(self, tenant: str) -> Sequence[Subscription]: ...

    async def hold_back(self, subscription: Subscription, held: Held) -> bool:
        """
        Keep something until it is told; False if its event was kept before.

        False as well where `MOST_UNJUDGED` changes wait already.
        """
        ...

    async def due(self, subscription: Subscription, before_us: int) -> Sequence[Held]:
        """Return what is held back, oldest first."""
        ...

    async def told(self, subscription: Subscription, events: Sequence[str]) -> None:
        """These are told, or not to be: their lines are forgotten, not their events."""
        ...


class Way(StrEnum):
    """Which way what is said goes, between the thread of a card and its record."""

    BOTH = "on"
    IN = "in"  # from the record into the thread
    OUT = "out"  # from the thread into the record
    NONE = "off"

    @property
    def outward(self) -> bool:
        return self in {Way.BOTH, Way.OUT}

    @property
    def inward(self) -> bool:
        return self in {Way.BOTH, Way.IN}


@dataclass(frozen=True, slots=True)
class ThreadChoice:
    """What a channel chose for the threads of cards, and since when."""

    way: Way
    since_us: int = 0


class LevelBook(Protocol):
    """
    What mentions show by themselves, per channel and system, and which way what is said
    goes between threads of cards and their records.
    """

    async def level(self, tenant: str, channel: Channel, system: System) -> Level: ...

    async def choose(
        self,
        tenant: str,
        channel: Channel,
        system: System | None,
        level: Level,
        by: str,
    ) -> None: ...

    async def threads(self, tenant: str) -> Mapping[Channel, ThreadChoice]:
        """Return what channels chose for threads, but those that chose nothing."""
        ...

    async def let_threads(
        self, tenant: str, channel: Channel, by: str, way: Way
    ) -> None:
        """Let what is said go this way from now on."""
        ...


@dataclass(frozen=True, slots=True)
class Carried:
    """
    A message that was carried from a channel into a record, by `address`, who said it.

    `deed` is the key of what added it, and `latest` of what changed it last. `seq` is
    the position in the log of what became of it last, since `at_us`, and `done` of what
    the record knows; with `gone` the message was deleted. `said_us` is when it was said.
    """

    tenant: str
    channel: Channel
    message: str
    ref: RecordRef
    person: str
    address: str
    deed: str
    latest: str
    seq: int
    done: int
    said_us: int
    at_us: int
    gone: bool = False


class CarriedBook(Protocol):
    """What was carried from channels into records. Raises `StoreUnavailable`."""

    async def keep(self, carried: Carried) -> None:
        """Keep what is about to be carried; what is kept already stays as it is."""
        ...

    async def became(
        self, tenant: str, channel: Channel, message: str, seq: int, *, gone: bool
    ) -> bool:
        """Note what became of a message; False if it was not carried, or is known."""
        ...

    async def due(self, tenant: str, before_us: int) -> Sequence[Carried]:
        """Return what the record does not know yet, and has been so for a while."""
        ...

    async def follows(self, carried: Carried, latest: str) -> None:
        """The record knows it as it was at `carried.seq`, by the deed `latest`."""
        ...

    async def later(self, carried: Carried, at_us: int) -> None:
        """It could not be told to the record now: count from then."""
        ...

    async def wrote(
        self, tenant: str, channel: Channel, ref: RecordRef, deed: str
    ) -> None:
        """Note that a deed is about to add to a record what was said in a channel."""
        ...

    async def written(
        self, tenant: str, ref: RecordRef, since_us: int
    ) -> Sequence[tuple[Channel, str, int]]:
        """Return from where, by which deeds and when something was added since."""
        ...

    async def sweep(self, before_us: int) -> int:
        """Forget what was said before a time; returns how many there were."""
        ...


class RemarkBook(Protocol):
    """Which remarks stand in threads. Raises `StoreUnavailable`."""

    async def plan(self, tenant: str, mark: str, channel: Channel) -> CardState:
        """Keep one that is to be posted; returns how far it is."""
        ...

    async def posting(self, tenant: str, mark: str) -> bool:
        """Note the intent to post; False if somebody else did, or it is posted."""
        ...

    async def posted(self, tenant: str, mark: str, message: str) -> None: ...

    async def unposted(self, tenant: str, mark: str) -> None:
        """It certainly was not sent: it is planned again."""
        ...

    async def sweep(self, before_us: int) -> int:
        """Forget those of before a time; returns how many there were."""
        ...


class ChangesBook(Protocol):
    """How far each system's changes were followed, and which events were heard."""

    async def position(self, tenant: str, system: System, instance: str) -> str: ...

    async def reached(
        self, tenant: str, system: System, instance: str, position: str
    ) -> None: ...

    async def first(self, tenant: str, event: str, now_us: int) -> bool:
        """Say whether an event is heard for the first time."""
        ...

    async def done(self, tenant: str, key: str) -> str | None:
        """Return the request id of a deed that was done, None if it never was."""
        ...

    async def begin(self, tenant: str, key: str, now_us: int) -> int:
        """
        Note the intent of a deed before it is written.

        Returns when an earlier try of it began, 0 if this is the first.
        """
        ...

    async def finish(self, tenant: str, key: str, request: str, made: str = "") -> None:
        """Note that a deed was done, and what it made (`bridge.records.ports.Done`)."""
        ...

    async def made(self, tenant: str, key: str) -> str:
        """Return what a deed made, empty if nothing is known of that."""
        ...

    async def undone(self, tenant: str, key: str) -> None:
        """It certainly was not written: the same deed may be begun again."""
        ...

    async def sweep(self, before_us: int) -> int:
        """Forget events and deeds of before a time; returns how many there were."""
        ...
