"""
People's own accounts of business systems, and how ATOM may speak with them.

A write to a business system runs with the right of the person who asked for it. They
give it once, by signing in at the system itself (OAuth 2.0, RFC 6749, with PKCE, RFC
7636), and take it back when they like; who leaves loses it by themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.errors import NotAllowed
from bridge.records.model import System

UNKNOWN = 0  # when tokens of a system run out that does not say so


@dataclass(frozen=True, slots=True)
class Connection:
    """
    That a person connected an account: `person` is their key, `name` what the system
    calls the account, `remote` the system's own id of it. A `broken` one has to be
    connected again: the system takes its tokens no more.
    """

    tenant: str
    person: str
    system: System
    instance: str
    name: str = ""
    remote: str = ""
    since_us: int = 0
    broken: bool = False

    @property
    def where(self) -> str:
        return f"{self.system}:{self.instance}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """
    What an account is spoken with. `expires_us` is in microseconds UTC since 1970,
    `UNKNOWN` where the system does not say; `site` is where the system wants to be
    asked, if it says so.
    """

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_us: int = UNKNOWN
    site: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A connection with its tokens; `version` grows each time that they are renewed."""

    connection: Connection
    tokens: Tokens
    version: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose tokens these are, as the system says: `name` for people, `email` if told."""

    remote: str
    name: str
    email: str = ""


class ConnectionBook(Protocol):
    """People's accounts and their tokens, sealed. Raises `StoreUnavailable`."""

    async def keep(self, connection: Connection, tokens: Tokens, actor: str) -> None:
        """Keep an account in place of what the person had there before, on record."""
        ...

    async def of(self, tenant: str, person: str) -> Sequence[Connection]: ...

    async def get(
        self, tenant: str, person: str, system: System, instance: str
    ) -> Held | None: ...

    async def people(self, tenant: str) -> Sequence[str]:
        """Return the keys of all who have connected anything."""
        ...

    async def renewing(self, held: Held, owner: str, until_us: int) -> bool:
        """
        Take the right to renew these tokens; False if somebody else has it, or they are
        renewed already. It ends at `until_us`, should its owner die.
        """
        ...

    async def renewed(self, held: Held, owner: str, tokens: Tokens) -> bool:
        """Keep new tokens; False if others are kept meanwhile, and these are not."""
        ...

    async def not_renewed(self, held: Held, owner: str, *, broken: bool) -> None:
        """Give the right back: for now, or because the system takes them no more."""
        ...

    async def remove(
        self, connection: Connection, actor: str, why: str
    ) -> Tokens | None:
        """Forget an account, on record; returns its tokens, to be revoked."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    That a person wants to connect an account. `actor` is who they are in chat, and
    `shown` what they are called there.
    """

    tenant: str
    person: str
    actor: str
    shown: str
    system: System
    instance: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One browser on its way through a sign-in; `link` names which of them it is."""

    wanted: Wanted
    link: str
    verifier: str = field(default="", repr=False)
    identity: Identity | None = None
    tokens: Tokens | None = None


class Stranger(NotAllowed):
    """The sign-in is unknown, over, used up, or was begun in another browser."""


class SignInBook(Protocol):
    """
    Sign-ins that are under way. All of them end after ten minutes, and once.

    Programs that look at links before people do open them as well: a link can be opened
    often, and by whoever has it, but only one sign-in of it is ever finished.
    """

    async def begin(self, wanted: Wanted) -> str:
        """Return a link's secret, to be given to that person alone."""
        ...

    async def open(self, link: str, browser: str) -> tuple[str, Attempt]:
        """Return a new state for the system and PKCE's verifier. Raises `Stranger`."""
        ...

    async def back(self, state: str, browser: str) -> Attempt:
        """Return what a state was made for, and use it up. Raises `Stranger`."""
        ...

    async def found(self, attempt: Attempt, browser: str) -> str:
        """Keep who signed in until they agree; returns the secret of the agreement."""
        ...

    async def agreed(self, secret: str, browser: str) -> Attempt:
        """End the link, and return whose account it is. Raises `Stranger`."""
        ...


class RefreshRefused(NotAllowed):
    """
    The system does not renew these tokens any more: connect again.

    Not `sure` where a system says the same of ATOM's own id and secret: once those are
    right the tokens may be good again.
    """

    def __init__(self, reason: str, *, sure: bool = True) -> None:
        super().__init__(reason)
        self.sure = sure


class SignIn(Protocol):
    """
    How one instance of a system lets people in.

    Raises `ServiceUnavailable` when it cannot be asked, `NotAllowed` when it says no.
    """

    @property
    def system(self) -> System: ...

    @property
    def instance(self) -> str: ...

    def address(self, state: str, verifier: str) -> str:
        """Return where a person's browser has to go. Pure."""
        ...

    async def exchange(self, code: str, verifier: str) -> tuple[Tokens, Identity]:
        """Turn what the browser brought into tokens, and ask whose they are."""
        ...

    async def renew(self, tokens: Tokens) -> Tokens:
        """Raises `RefreshRefused` for good, `ServiceUnavailable` for now."""
        ...

    async def revoke(self, tokens: Tokens) -> None:
        """Have the system forget tokens; what it does not know is revoked."""
        ...


class Integration(Protocol):
    """
    The integration's own account of one instance, which reads and never writes.

    Raises `ServiceUnavailable` when it cannot be asked, `NotAllowed` when it says no.
    """

    @property
    def system(self) -> System: ...

    @property
    def instance(self) -> str: ...

    async def tokens(self) -> Tokens:
        """Return new tokens; where they are configured, the same again."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What one person has connected, and what else there is to connect."""

    connected: Sequence[Connection]
    others: Sequence[tuple[System, str]]
    called: Mapping[tuple[System, str], str] = field(default_factory=dict)


class ConnectionDesk(Protocol):
    """How people connect their accounts, as commands see it."""

    async def standing(self, tenant: str, person: str) -> Standing: ...

    async def link(self, wanted: Wanted) -> str:
        """Return an address to open within ten minutes. Raises `NotFound`."""
        ...

    async def disconnect(
        self, tenant: str, person: str, actor: str, system: System, instance: str
    ) -> Connection:
        """Forget an account and have it revoked. Raises `NotFound`."""
        ...
