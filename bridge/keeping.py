"""
Who is to be in a linked channel by the company's policy, and who is not.

Pure decisions. That somebody left by their own choice is theirs to have chosen, and is
told apart from a membership that ended because a right did: who lost it that way gets
it back with the right.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bridge.access import Decision
from bridge.messages import Channel, Person, PersonKind
from bridge.options import Members

# More than so many removals at once, and more than this share, wait for an admin.
_FEW = 3
_SHARE = 0.2
NEVER = {PersonKind.BOT, PersonKind.SYSTEM}


class Ended(StrEnum):
    """Why somebody is not in a channel any more."""

    SYNC = "sync"  # ATOM took them out, because the policy did not want them there
    CHOICE = "choice"  # they left, or somebody took them out
    SENT = "sent"  # ATOM took them out, because whoever let them in may not


class Seats(Protocol):
    """The people of one platform's channels, and how they come in and go."""

    async def people(self, channel: Channel) -> tuple[Person, ...]:
        """
        Return everybody who is in, all of them; whose kind is not known is left out.

        Raises `ServiceUnavailable` or `CannotTell`.
        """
        ...

    async def invite(self, channel: Channel, user: str) -> None:
        """Let somebody in; who is in already counts as let in. Raises `AtomError`."""
        ...

    async def remove(self, channel: Channel, user: str) -> None:
        """Take somebody out; who is not in counts as taken out. Raises `AtomError`."""
        ...


class Departures(Protocol):
    """Why memberships of linked channels ended."""

    async def ended(self, tenant: str, channel: Channel) -> Mapping[str, Ended]:
        """Return everybody who is known to have gone, by their platform's id."""
        ...

    async def note(
        self, tenant: str, channel: Channel, user: str, ended: Ended, text: str
    ) -> None:
        """Write down why somebody is about to go, or went. Raises `StoreUnavailable`."""
        ...

    async def back(self, tenant: str, channel: Channel, user: str, text: str) -> None:
        """Write down that somebody is in again."""
        ...


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody in a channel, and what the policy says about their being there."""

    person: Person
    decision: Decision


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is to be done in one channel, and what is only to be told.

    `wrong` are all who must not be there. `braked` says why the removals wait.
    """

    channel: Channel
    wrong: tuple[Seat, ...] = ()
    remove: tuple[Seat, ...] = ()
    invite: tuple[str, ...] = ()
    braked: str = ""

    @property
    def digest(self) -> str:
        """Names exactly these removals, for an admin to agree to."""
        told = "|".join(sorted(seat.person.id for seat in self.wrong))
        text = f"{self.channel}|{told}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a link's owners want, and the digest of removals that an admin agreed to."""

    members: Members
    agreed: str = ""


def plan(
    channel: Channel,
    seats: Iterable[Seat],
    belong: Iterable[str],
    ended: Mapping[str, Ended],
    wish: Wish,
) -> Plan:
    """
    Return what is to be done.

    `belong` are those whom the policy wants there, by the ids that they are invited
    under, and `ended` says why people went who are not there any more.
    """
    everybody = [seat for seat in seats if seat.person.kind not in NEVER]
    # What cannot be decided now is no reason to take anybody out.
    wrong = tuple(
        seat
        for seat in everybody
        if not (seat.decision.allowed or seat.decision.unsure)
    )
    found = Plan(channel, wrong)
    if wish.members not in {Members.REMOVE, Members.INVITE}:
        return found
    here = {seat.person.id for seat in everybody}
    invite = tuple(
        user
        for user in dict.fromkeys(belong)
        if user not in here and _comes(ended.get(user), wish.members)
    )
    many = len(wrong) > max(_FEW, _SHARE * len(everybody))
    if many and wish.agreed != found.digest:
        why = f"{len(wrong)} of {len(everybody)} people would be taken out"
        return Plan(channel, wrong, (), invite, why)
    return Plan(channel, wrong, wrong, invite)


def _comes(ended: Ended | None, wish: Members) -> bool:
    """Who left, or was sent back, is let be; whom a right put out comes back with it."""
    match ended:
        case Ended.CHOICE | Ended.SENT:
            return False
        case Ended.SYNC:
            return True
        case _:
            return wish is Members.INVITE
