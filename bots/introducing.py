"""
Get to know accounts: look at whom nobody knows yet, before the policy is asked.

A first look takes an answer of the platform, which is asked once however many messages
wait for it, and not for long. What it came to is on record; what it did not come to is
asked again later, or when the directory has changed.
"""

import asyncio
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Protocol

import structlog

from bridge.access import Asked, Decision
from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.directory.model import Kind, Standing, Subject
from bridge.errors import AtomError
from bridge.identities import Identities, Identity, WhoIsWho
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.places import PlaceBook
from bridge.ports import AccessPolicy
from policy.linking import Claim, Registry, claim, vouched
from storage.people.accounts import StoredAccounts

log = structlog.get_logger()

_PATIENCE = 3.0  # seconds that a message waits for a first look
_REST = 60.0
_MOST = 100_000
_PEOPLE = {PersonKind.USER, PersonKind.GUEST}
_OUTSIDERS = {PersonKind.GUEST, PersonKind.EXTERNAL}


class Registers(Protocol):
    """What is asked of the directory: who somebody is, and what people are called."""

    def configured(self, tenant: str) -> bool: ...

    def version(self, tenant: str) -> str: ...

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None: ...

    def find(self, tenant: str, subject: str) -> Subject | None: ...

    def named(self, tenant: str, kind: Kind, name: str) -> Sequence[str]: ...

    def gone_under(self, tenant: str, address: str) -> bool: ...

    def formerly(self, tenant: str, address: str) -> Sequence[str]: ...


@dataclass(slots=True)
class Introducer:
    """
    Looks at accounts. `identities` are those of the platforms switched on.

    `on_refused` hears of an account that has somebody's address, ATOM's id of them.
    """

    accounts: StoredAccounts
    directory: Registers
    places: PlaceBook
    identities: dict[Platform, Identities] = field(default_factory=dict)
    now: Callable[[], float] = monotonic
    on_refused: list[Callable[[str, Account, str], None]] = field(default_factory=list)
    _met: dict[tuple[str, Account], tuple[str, float]] = field(default_factory=dict)
    _looks: dict[tuple[str, Account], asyncio.Task[None]] = field(default_factory=dict)

    async def meet(self, tenant: str, person: Person, channel: Channel) -> None:
        """Find out whose an account is, if that can be told soon. Never raises."""
        account = await self.account_of(person, channel)
        if account is None or self.accounts.link_of(tenant, account):
            return
        key, version = (tenant, account), self.directory.version(tenant)
        seen, until = self._met.get(key, ("", 0.0))
        if seen == version and until > self.now():
            return
        task = self._looks.get(key)
        if task is None:
            task = asyncio.create_task(self._look(tenant, account, channel))
            self._looks[key] = task
            task.add_done_callback(lambda _: self._looks.pop(key, None))
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.shield(task)
        except TimeoutError:
            return
        self._remember(tenant, account, version)

    async def meet_all(
        self, tenant: str, users: Collection[str], channel: Channel
    ) -> None:
        """Find out whose accounts are that nobody knows yet, in one go. Never raises."""
        source = self.identities.get(channel.platform)
        one = await self.account_of(Person(channel.platform, ""), channel)
        if source is None or one is None:
            return
        version = self.directory.version(tenant)
        unknown: set[str] = set()
        for user in users:
            account = replace(one, user=user)
            seen, until = self._met.get((tenant, account), ("", 0.0))
            fresh = seen == version and until > self.now()
            if not fresh and not self.accounts.link_of(tenant, account):
                unknown.add(user)
        if not unknown:
            return
        registry = self._registry(tenant)
        for user, identity in (await source.described(channel, unknown)).items():
            account = replace(one, user=user)
            try:
                if found := claim(account, identity, registry):
                    await self._keep(tenant, found)
            except AtomError as error:
                log.info(
                    "account not known", platform=account.platform, reason=str(error)
                )
                continue
            self._remember(tenant, account, version)

    async def identity(self, account: Account, channel: Channel) -> Identity | None:
        """Return who an account is, as its platform describes it now."""
        source = self.identities.get(account.platform)
        if source is None:
            return None
        return (await source.described(channel, {account.user})).get(account.user)

    async def account_of(self, person: Person, channel: Channel) -> Account | None:
        """Return the account of somebody in a channel, if it is known whose that is."""
        if person.platform is not channel.platform:
            return None
        if channel.platform is Platform.SLACK:
            return Account(Platform.SLACK, channel.team, person.id)
        place = await self.places.find(channel)
        if place is None or not place.account:
            return None
        return Account(Platform.TEAMS, place.account, person.id)

    async def changed(self, tenant: str, account: Account, identity: Identity) -> None:
        """
        Take in that somebody's profile changed.

        What rests on an address that is another one now rests on nothing: the account
        is asked for again, and is never matched by the new address by itself. Where the
        directory names the account by its id, that is what counts, whatever the address.
        """
        known = self.accounts.link_of(tenant, account)
        if known is None or known.confidence is Confidence.NONE:
            return
        if known.how is How.PROVISIONED and identity.person.kind not in _OUTSIDERS:
            return
        if identity.person.kind in _OUTSIDERS:
            why = f"it is a {identity.person.kind} now"
        elif await self.accounts.rests_on(tenant, account, identity.addresses):
            return
        elif self._named_by_id(tenant, account, identity) == known.person:
            if known.how is How.ADDRESS:
                named = Confidence.PROVISIONED, How.PROVISIONED
                link = AccountLink(account, known.person, *named)
                text = f"the directory names {account}, which has another address now"
                await self.accounts.keep(tenant, link, text)
            return
        else:
            why = "it has another address now"
        doubt = AccountLink(account, known.person, Confidence.NONE, How.CHANGED)
        await self.accounts.keep(tenant, doubt, f"{account} has to be asked for: {why}")

    async def looked_at(
        self, tenant: str, vouching: str, people: Iterable[Identity]
    ) -> None:
        """Take in how a platform describes some accounts of a tenant. Never raises."""
        seen = {
            Account(one.person.platform, vouching, one.person.id): one
            for one in people
            if one.addresses
        }
        linked = {
            account: one
            for account, one in seen.items()
            if (link := self.accounts.link_of(tenant, account))
            and link.confidence > Confidence.NONE
        }
        try:
            held = {account: one.addresses for account, one in linked.items()}
            moved = await self.accounts.moved(tenant, held) if held else []
            for account, one in linked.items():
                if account in moved or one.person.kind in _OUTSIDERS:
                    await self.changed(tenant, account, one)
        except AtomError as error:
            log.warning("changed accounts not looked at", reason=str(error))

    def _named_by_id(self, tenant: str, account: Account, identity: Identity) -> str:
        found = self._registry(tenant).provisioned(account, identity)
        return found.id if found else ""

    def _remember(self, tenant: str, account: Account, version: str) -> None:
        if len(self._met) >= _MOST:
            self._met.clear()
        self._met[tenant, account] = (version, self.now() + _REST)

    async def _look(self, tenant: str, account: Account, channel: Channel) -> None:
        try:
            identity = await self.identity(account, channel)
            if identity is None:
                return
            found = claim(account, identity, self._registry(tenant))
            if found is not None:
                await self._keep(tenant, found)
        except AtomError as error:
            log.info("account not known", platform=account.platform, reason=str(error))

    async def _keep(self, tenant: str, found: Claim) -> None:
        await self.accounts.keep(tenant, found.link, found.text, found.address)
        if found.refused:
            # Somebody under another one's address: admins want to know.
            log.warning("account refused", account=str(found.link.account))
            for hears in self.on_refused if found.whose else ():
                hears(tenant, found.link.account, found.whose)

    def _registry(self, tenant: str) -> Registry:
        directory = self.directory

        def provisioned(account: Account, identity: Identity) -> Subject | None:
            ids = dict.fromkeys((identity.directory_id.lower(), identity.directory_id))
            for id_ in filter(None, ids):
                one = Person(account.platform, id_)
                if found := directory.subject(tenant, one, account.account):
                    return found
            return None

        def under(address: str) -> Sequence[Subject]:
            ids: Collection[str] = directory.named(tenant, Kind.PERSON, address)
            if ids:
                # The account may still be that of who was called so before.
                ids = dict.fromkeys((*ids, *directory.formerly(tenant, address)))
            found = [one for id_ in ids if (one := directory.find(tenant, id_))]
            if directory.gone_under(tenant, address):
                # Whose account it is may still be who left, whoever has it now.
                found.append(Subject("", "somebody who left", Standing.LEFT))
            return found

        return Registry(
            provisioned, under, lambda one: self.accounts.accounts(tenant, one)
        )


@dataclass(frozen=True, slots=True)
class Introducing:
    """
    Implements `bridge.ports.AccessPolicy`: whom nobody knows is looked at first.

    Whoever is known costs one look into memory.
    """

    policy: AccessPolicy
    introducer: Introducer

    async def decide(self, asked: Asked) -> Decision:
        directory, person = self.introducer.directory, asked.person
        if (
            asked.channel is not None
            and person.kind in _PEOPLE
            and person.id
            and directory.configured(asked.tenant)
            and directory.subject(asked.tenant, person, asked.account) is None
        ):
            await self.introducer.meet(asked.tenant, person, asked.channel)
        return await self.policy.decide(asked)


@dataclass(frozen=True, slots=True)
class LinkedPeople:
    """
    Implements `bridge.identities.WhoIsWho`: who is linked for sure goes first.

    Of everybody else `others` tells, by the addresses that platforms vouch for.
    """

    introducer: Introducer
    tenant_of: Callable[[Channel], Awaitable[str | None]]
    others: WhoIsWho

    async def counterparts(
        self, source: Channel, ids: Collection[str], target: Channel
    ) -> Mapping[str, Person]:
        found: dict[str, Person] = {}
        tenant = await self.tenant_of(source)
        if tenant and self.introducer.directory.configured(tenant):
            for id_ in ids:
                if there := await self._linked(tenant, source, id_, target):
                    found[id_] = there
        rest = [id_ for id_ in ids if id_ not in found]
        if not rest:
            return found
        return found | dict(await self.others.counterparts(source, rest, target))

    async def _linked(
        self, tenant: str, source: Channel, id_: str, target: Channel
    ) -> Person | None:
        accounts = self.introducer.accounts
        one = await self.introducer.account_of(Person(source.platform, id_), source)
        known = accounts.link_of(tenant, one) if one else None
        if known is None or known.confidence < Confidence.ADDRESS:
            return None
        there = [
            link.account
            for link in accounts.accounts(tenant, known.person)
            if link.account.platform is target.platform
            and link.confidence >= Confidence.ADDRESS
        ]
        if len(there) != 1:
            return None
        identity = await self.introducer.identity(there[0], target)
        if identity is None or not identity.active:
            return None
        if identity.person.kind is not PersonKind.USER:
            return None
        return identity.person


def may_be_linked(identity: Identity | None) -> bool:
    """Whether an account can be anybody's at all: guests and strangers cannot."""
    return (
        identity is not None
        and identity.active
        and identity.person.kind is PersonKind.USER
    )


def address_of(identity: Identity | None) -> str:
    """Return the address that a link may rest on, if there is one."""
    return min(vouched(identity), default="") if identity else ""
