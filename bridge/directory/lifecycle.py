"""
Joiners, movers and leavers: what has to be done about somebody, and why, as steps.

Decisions follow the directory by themselves, message by message. What does not follow
by itself is what was given out before: seats in channels, sessions, duties, links. Here
is worked out what becomes of those, without doing any of it, so that it can be shown
before, done once, and taken back.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bridge.directory.accounts import Account, Confidence
from bridge.directory.model import Standing, Subject
from bridge.messages import Channel, Platform
from bridge.retention_words import day

_AT_WORK = frozenset({Standing.ACTIVE, Standing.LOCKED})
_SHOWN = 4  # names of groups in a reason


class Happening(StrEnum):
    """What happened to somebody."""

    JOINER = "joiner"
    RETURNER = "returner"  # was here before; gets what is theirs now, not what was
    MOVER = "mover"
    LEAVER = "leaver"
    CONVERSION = "conversion"  # the same human under another id, if somebody agrees


class Deed(StrEnum):
    """What can be done about it, in the order in which a run does it."""

    END_SESSIONS = "end sessions"
    REMOVE = "remove"
    REVOKE = "revoke"
    HAND_OVER = "hand over"
    ADD = "add"

    @property
    def reversible(self) -> bool:
        """Whether it can be taken back: whoever was signed out has to sign in again."""
        return self is not Deed.END_SESSIONS


_ORDER = list(Deed)


@dataclass(frozen=True, slots=True)
class Seat:
    """An account's place in a linked channel."""

    link: str
    channel: Channel
    account: Account


@dataclass(frozen=True, slots=True)
class Known:
    """
    An account that is somebody's, and how sure that is.

    `signs_in_as` is the platform's other id of it, by which sessions are ended, if the
    id under which it is in channels is not the one; empty if it is.
    """

    account: Account
    confidence: Confidence
    signs_in_as: str = ""

    @property
    def sessions_of(self) -> Account:
        """Return the account as it is named where people sign in."""
        return replace(self.account, user=self.signs_in_as or self.account.user)


@dataclass(frozen=True, slots=True)
class Holdings:
    """
    What somebody has, and might get.

    `seats` are where their accounts are; `chosen` are seats that they left by
    themselves. `open` are the linked channels in which the policy lets them be now.
    `links` they look after, with the account by which they do, and `duties` they have; `heir` is who takes over (ATOM's id
    of their manager), empty if there is nobody.
    """

    accounts: tuple[Known, ...] = ()
    seats: frozenset[Seat] = frozenset()
    chosen: frozenset[Seat] = frozenset()
    open: frozenset[Channel] = frozenset()
    links: tuple[tuple[str, Account], ...] = ()
    duties: tuple[str, ...] = ()
    heir: str = ""


@dataclass(frozen=True, slots=True)
class Actions:
    """
    What a company wants done.

    `rooms` are the links whose channels the people of a group, unit, department or role
    are added to, by `group:ID` and the like. Happenings in `asks` wait for an admin.
    """

    rooms: Mapping[str, frozenset[str]] = field(default_factory=dict)
    joiner: frozenset[Deed] = frozenset({Deed.ADD})
    mover: frozenset[Deed] = frozenset({Deed.REMOVE, Deed.ADD})
    leaver: frozenset[Deed] = frozenset(
        {Deed.END_SESSIONS, Deed.REMOVE, Deed.REVOKE, Deed.HAND_OVER}
    )
    asks: frozenset[Happening] = frozenset({Happening.CONVERSION})

    def of(self, happening: Happening) -> frozenset[Deed]:
        """Return what is done about a happening."""
        return {
            Happening.JOINER: self.joiner,
            Happening.RETURNER: self.joiner | self.mover & {Deed.REMOVE},
            Happening.MOVER: self.mover,
            Happening.LEAVER: self.leaver,
            Happening.CONVERSION: frozenset({Deed.HAND_OVER}),
        }[happening]


@dataclass(frozen=True, slots=True)
class Step:
    """
    One thing to be done, to an account or for a person, and why in one line.

    `target` is the channel of a seat, the link or the duty; `heir` who gets it.
    """

    deed: Deed
    why: str
    account: Account | None = None
    channel: Channel | None = None
    target: str = ""
    heir: str = ""

    @property
    def reversible(self) -> bool:
        return self.deed.reversible

    @property
    def text(self) -> str:
        """What is done, for people."""
        whose = str(self.account) if self.account else ""
        match self.deed:
            case Deed.ADD | Deed.REMOVE:
                way = "to" if self.deed is Deed.ADD else "from"
                return f"{self.deed} {whose} {way} {self.channel}"
            case Deed.END_SESSIONS:
                return f"sign {whose} out everywhere"
            case Deed.REVOKE:
                return f"take back {self.target}"
            case Deed.HAND_OVER:
                return f"hand {self.target} over to {self.heir or 'an admin'}"

    def opposite(self) -> "Step | None":
        """Return what takes it back, None if nothing does."""
        turned = {Deed.ADD: Deed.REMOVE, Deed.REMOVE: Deed.ADD}
        if not self.reversible:
            return None
        return Step(
            turned.get(self.deed, self.deed),
            f"taken back: {self.why}",
            self.account,
            self.channel,
            self.target,
            self.heir,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is to be done about one happening, shown before it is.

    `notes` say what is left alone or kept, and why. `digest` names exactly these steps
    about exactly this person in exactly this state of the directory: who agrees to it
    agrees to nothing else.
    """

    tenant: str
    person: str
    name: str
    happening: Happening
    version: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    asks: bool = False

    @property
    def digest(self) -> str:
        told = {
            "tenant": self.tenant,
            "person": self.person,
            "happening": self.happening,
            "version": self.version,
            "steps": [step_data(step) for step in self.steps],
        }
        if self.notes:
            told["notes"] = list(self.notes)
        text = json.dumps(told, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def happening(old: Subject | None, new: Subject | None) -> Happening | None:
    """
    Return what happened to somebody between two states of the directory.

    Somebody whom it does not name any more has left; being locked out after wrong
    passwords is not leaving.
    """
    was, is_ = _at_work(old), _at_work(new)
    if was and not is_:
        return Happening.LEAVER
    if is_ and not was:
        known = old is not None and old.standing is not Standing.PENDING
        return Happening.RETURNER if known else Happening.JOINER
    if is_ and old is not None and new is not None and _moved(old, new):
        return Happening.MOVER
    return None


def late(subject: Subject | None) -> Happening | None:
    """
    Return as what an account is taken of which it is known only now whose it is.

    How they stand now says it, whatever there was in between.
    """
    if _at_work(subject):
        return Happening.JOINER
    if subject is not None and subject.standing is Standing.PENDING:
        return None
    return Happening.LEAVER


def converted(left: Mapping[str, str], came: Mapping[str, str]) -> dict[str, str]:
    """
    Return who came under another id, by who left: the same human, as HR says.

    Both are people's ids with the human's. An id that is several people's, on either
    side, says nothing.
    """
    before, after = _by_human(left), _by_human(came)
    return {
        before[human][0]: after[human][0]
        for human in sorted(before.keys() & after.keys())
        if len(before[human]) == len(after[human]) == 1
    }


@dataclass(frozen=True, slots=True)
class Case:
    """
    One happening with all that is known about it.

    `linked` are the channels of each link; `called` gives the names of groups, units,
    departments and roles for the reasons.
    """

    what: Happening
    old: Subject | None
    new: Subject | None
    holdings: Holdings
    linked: Mapping[str, Sequence[Channel]] = field(default_factory=dict)
    called: Callable[[str], str] = str

    def about(self, known: Collection[str]) -> "Case":
        """Return the case of those accounts alone that are not known yet."""
        held = self.holdings
        new = tuple(k for k in held.accounts if str(k.account) not in known)
        mine = {one.account for one in new}
        short = {f"{one.platform}:{one.user}" for one in mine}
        names = {str(one) for one in mine} | short
        return replace(
            self,
            holdings=replace(
                held,
                accounts=new,
                seats=frozenset(s for s in held.seats if s.account in mine),
                chosen=frozenset(s for s in held.chosen if s.account in mine),
                links=tuple(each for each in held.links if each[1] in mine),
                duties=tuple(d for d in held.duties if d.rpartition(" ")[0] in names),
            ),
        )

    @property
    def reason(self) -> str:
        """Why something is taken from somebody, in one line."""
        if self.what is Happening.LEAVER:
            if self.new is None:
                return "is not in the directory any more"
            return f"is {self.new.standing}"
        if self.what is Happening.CONVERSION:
            return "is hired under another id"
        if self.old is None or self.new is None:
            return "the policy does not let them be there"
        gone = self.old.ancestors - self.new.ancestors
        lost = sorted(self.called(one) for one in gone)
        if gone and gone <= {grace.ancestor for grace in self.old.kept}:
            return f"may keep {_few(lost)} no longer"
        if not lost:
            return "the policy does not let them be there any more"
        return f"left {_few(lost)}"


def planned(case: Case, actions: Actions) -> tuple[list[Step], list[str]]:
    """
    Return the steps about somebody, in their order, and what is left alone and why.

    The same facts give the same steps.
    """
    deeds = actions.of(case.what)
    steps: list[Step] = []
    notes: list[str] = [*_graces(case)]
    if Deed.END_SESSIONS in deeds:
        steps += _sessions(case)
    if Deed.REMOVE in deeds:
        steps += _removals(case)
    if Deed.REVOKE in deeds:
        duties = case.holdings.duties
        steps += [Step(Deed.REVOKE, case.reason, target=duty) for duty in duties]
    if Deed.HAND_OVER in deeds:
        steps += _handing_over(case, notes)
    if Deed.ADD in deeds and case.new is not None:
        steps += _additions(case, case.new, actions, notes)
    return sorted(dict.fromkeys(steps), key=_order), sorted(set(notes))


def _at_work(subject: Subject | None) -> bool:
    return subject is not None and subject.standing in _AT_WORK


def _moved(old: Subject, new: Subject) -> bool:
    """Whether what rights hang on is another."""
    return _hangs_on(old) != _hangs_on(new)


def _hangs_on(subject: Subject) -> tuple[object, ...]:
    kept = frozenset(grace.ancestor for grace in subject.kept)
    about = (subject.department, subject.unit, subject.guest, subject.clearance)
    return (subject.ancestors, kept, *about)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _graces(case: Case) -> Iterator[str]:
    """Say what somebody keeps of what they left, and what has become of that."""
    before = {grace.ancestor: grace for grace in case.old.kept} if case.old else {}
    now = {grace.ancestor: grace for grace in case.new.kept} if case.new else {}
    for ancestor, grace in now.items():
        if before.get(ancestor) != grace:
            yield f"{case.called(ancestor)} is kept until {day(grace.until_us)}"
    for ancestor in before.keys() - now.keys():
        inside = case.new is not None and ancestor in case.new.ancestors
        word = "is theirs again" if inside else "is kept no longer"
        yield f"{case.called(ancestor)} {word}"


def _by_human(people: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for person, human in people.items():
        if human:
            found.setdefault(human, []).append(person)
    return found


def _sessions(case: Case) -> Iterator[Step]:
    """Whose account is only guessed to be theirs is not signed out for it."""
    sure = (k for k in case.holdings.accounts if k.confidence > Confidence.NONE)
    for account in dict.fromkeys(known.sessions_of for known in sure):
        yield Step(Deed.END_SESSIONS, case.reason, account)


def _removals(case: Case) -> Iterator[Step]:
    for seat in case.holdings.seats:
        allowed = seat.channel in case.holdings.open
        if case.what is Happening.LEAVER or not allowed:
            place = seat.channel
            yield Step(Deed.REMOVE, case.reason, seat.account, place, seat.link)


def _handing_over(case: Case, notes: list[str]) -> Iterator[Step]:
    for link, account in case.holdings.links:
        if not case.holdings.heir:
            notes.append(f"link {link} has nobody to take it over: an admin has to")
            continue
        heir = case.holdings.heir
        yield Step(Deed.HAND_OVER, case.reason, account, target=link, heir=heir)


def _additions(
    case: Case, new: Subject, actions: Actions, notes: list[str]
) -> Iterator[Step]:
    """Add somebody where their groups belong, if policy lets them and they stayed."""
    inside = {(seat.channel, seat.account) for seat in case.holdings.seats}
    chose = {(seat.channel, seat.account) for seat in case.holdings.chosen}
    kept = {grace.ancestor for grace in new.kept}
    for ancestor in sorted((new.ancestors - kept) & actions.rooms.keys()):
        for link in sorted(actions.rooms[ancestor]):
            for channel, account in _places(case.linked.get(link, ()), case.holdings):
                if (channel, account) in inside:
                    continue
                if channel not in case.holdings.open:
                    notes.append(f"{channel}: the policy does not let them in")
                elif (channel, account) in chose:
                    notes.append(f"{channel}: they left it by their own choice")
                else:
                    why = f"is in {case.called(ancestor)}"
                    yield Step(Deed.ADD, why, account, channel, link)


def _places(
    channels: Sequence[Channel], holdings: Holdings
) -> Iterator[tuple[Channel, Account]]:
    for channel in channels:
        for known in holdings.accounts:
            sure = known.confidence > Confidence.NONE
            if sure and known.account.platform is channel.platform:
                yield channel, known.account


def _order(step: Step) -> tuple[Any, ...]:
    deed = _ORDER.index(step.deed)
    return (deed, str(step.channel or ""), str(step.account), step.target, step.why)


def step_data(step: Step) -> dict[str, Any]:
    """Return a step for programs and for the store."""
    account = step.account
    told = [account.platform, account.account, account.user] if account else []
    return {
        "deed": str(step.deed),
        "why": step.why,
        "account": [str(one) for one in told],
        "channel": str(step.channel or ""),
        "target": step.target,
        "heir": step.heir,
    }


def step_from(data: Mapping[str, Any]) -> Step:
    """Read what `step_data` wrote."""
    account, channel = data["account"], data["channel"]
    return Step(
        Deed(data["deed"]),
        data["why"],
        Account(Platform(account[0]), account[1], account[2]) if account else None,
        Channel.parse(channel) if channel else None,
        data["target"],
        data["heir"],
    )
