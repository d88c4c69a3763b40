"""
Who somebody is on the other platform: what is asked, and what an answer rests on.

A person has an account in Slack and one in Teams. That they are the same person's is
known from what the platforms vouch for, and never from what somebody calls themselves.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.messages import Channel, Person


@dataclass(frozen=True, slots=True)
class Identity:
    """
    Who one person is on one platform, as that describes them: an account of theirs.

    `addresses` are e-mail addresses and sign-in names, as `address` writes them, that
    the account answers to; `proven` are those in a domain that the platform has seen
    the company to own. `directory_id` is the same wherever the platform shows the same
    account. An inactive account is nobody's any more.
    """

    person: Person
    addresses: frozenset[str] = frozenset()
    proven: frozenset[str] = frozenset()
    directory_id: str = ""
    active: bool = True


class Identities(Protocol):
    """The accounts of one platform."""

    async def described(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Identity]:
        """
        Return the accounts behind ids in a channel; the unknown are left out.

        Cached. A platform that does not answer leaves everybody unknown.
        """
        ...

    async def holders(
        self, channel: Channel, addresses: Collection[str]
    ) -> Sequence[Identity]:
        """
        Return every account in the channel's workspace or team under the addresses.

        Guests and strangers are among them: two accounts under one address are
        nobody for certain. Cached, as `described` is.
        """
        ...


class WhoIsWho(Protocol):
    """Which accounts are the same person's."""

    async def counterparts(
        self, source: Channel, ids: Collection[str], target: Channel
    ) -> Mapping[str, Person]:
        """
        Return who the people are at the target, by id at the source.

        Whoever is not there for certain is left out: that is the answer for guests,
        bots, strangers, the deactivated, and for whom nothing is known of just now.
        """
        ...


def address(text: str) -> str:
    """
    Return an e-mail address or sign-in name in the form in which they are compared.

    Upper and lower case of plain letters are the same; nothing else is taken for the
    same, however alike it looks. What is no address is nothing.
    """
    text = text.strip()
    name, at, domain = text.rpartition("@")
    if not (at and name and domain and text.isprintable()) or " " in text:
        return ""
    return text.lower() if text.isascii() else text


def domain_of(of: str) -> str:
    """Return the domain of an address."""
    return of.rpartition("@")[2]
