"""
Whose an account is: links between accounts on the platforms and people of the directory.

What a link rests on is its confidence. An address may be given to somebody else
tomorrow, so nothing is ever looked up by it again once a link stands.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from bridge.messages import Platform


class Confidence(IntEnum):
    """How sure it is that an account is somebody's."""

    NONE = 0  # a guess that nobody may rely on: it opens nothing
    ADDRESS = 1  # the same address, proven on both sides when they were compared
    PROVISIONED = 2  # the directory itself names the account's id
    PROVED = 3  # the person showed that both accounts are theirs


class How(StrEnum):
    """How a link was made, or came to be what it is."""

    ADDRESS = "address"
    PROVISIONED = "provisioned"
    CONFIRMED = "confirmed"  # by the person, with a code from the other side
    ADMIN = "admin"
    DENIED = "denied"  # the person said that it is not them
    CHANGED = "changed"  # the account has another address: it has to be asked again
    REFUSED = "refused"  # guests, strangers, an address that several claim


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """
    One account: the Slack workspace or Teams tenant that vouches for it, and its id.

    `account` may be empty where it is asked about and the id alone is known.
    """

    platform: Platform
    account: str
    user: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.account}/{self.user}"


@dataclass(frozen=True, slots=True)
class AccountLink:
    """
    That an account is a person's, `person` being the id that the directory has of them.

    `since_us` is when it came to be so (microseconds UTC), `by` who said so.
    """

    account: Account
    person: str
    confidence: Confidence
    how: How
    by: str = "atom"
    since_us: int = 0
