"""
Do what a run says: seats by the platforms' own rights, the rest by those of admin apps.

Everything is looked at again before it is done. Between plan and deed the directory may
have changed its mind, and the policy is what counts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bridge.access import Decision
from bridge.compliance import Duty, Officer
from bridge.directory.accounts import Account
from bridge.directory.lifecycle import Deed, Step
from bridge.directory.model import Standing, Subject
from bridge.directory.runs import StepState
from bridge.errors import BadInput, CannotTell, NotAllowed, NotFound, ServiceUnavailable
from bridge.links import Link
from bridge.messages import Channel, Person, Platform
from bridge.ports import AccessPolicy
from bridge.presence import joining, may_be_in
from bridge.workspaces import Administration

_AT_WORK = frozenset({Standing.ACTIVE, Standing.LOCKED})


class Seating(Protocol):
    """Lets people into channels and puts them out, on record as ATOM's doing."""

    async def put_out(
        self, tenant: str, channel: Channel, user: str, why: str
    ) -> None: ...

    async def let_in(
        self, tenant: str, channel: Channel, user: str, why: str
    ) -> None: ...


class Owning(Protocol):
    """Links and who looks after them."""

    async def all(self, tenant: str) -> Iterable[Link]: ...

    async def hand_over(self, link: Link, owner: str, actor: str) -> Link: ...


class Trusting(Protocol):
    """Who has duties."""

    async def strip(self, tenant: str, officer: Officer, duty: Duty) -> bool: ...


@dataclass(frozen=True, slots=True)
class PlatformHands:
    """
    Implements `bridge.directory.runs.Hands`.

    `find` returns somebody by ATOM's id of them, `accounts` their accounts, the surest
    first.
    """

    seating: Seating
    policy: AccessPolicy
    administrations: Mapping[Platform, Administration]
    links: Owning
    duties: Trusting
    find: Callable[[str, str], Subject | None]
    accounts: Callable[[str, str], Iterable[Account]]

    async def do(self, tenant: str, person: str, step: Step) -> StepState:
        match step.deed:
            case Deed.ADD:
                await self._let_in(tenant, step)
                return StepState.DONE
            case Deed.REMOVE:
                return await self._put_out(tenant, person, step)
            case Deed.END_SESSIONS:
                return await self._sign_out(tenant, person, step)
            case Deed.REVOKE:
                officer, _, duty = step.target.rpartition(" ")
                taken = await self.duties.strip(tenant, Officer(officer), Duty(duty))
                return StepState.DONE if taken else StepState.NEEDLESS
            case Deed.HAND_OVER:
                heirs = [str(one) for one in self.accounts(tenant, step.heir)]
                return await self._hand_over(tenant, step, _owners(heirs))

    async def undo(self, tenant: str, step: Step) -> None:
        match step.deed:
            case Deed.ADD:
                await self._let_in(tenant, step)
            case Deed.REMOVE:
                account, channel = _seat(step)
                await self.seating.put_out(tenant, channel, account.user, step.why)
            case Deed.HAND_OVER:
                await self._hand_over(tenant, step, _owners([str(step.account or "")]))
            case Deed.REVOKE:
                raise CannotTell("a duty is given again by an officer who may")
            case Deed.END_SESSIONS:
                raise CannotTell("whoever was signed out signs in again")

    async def _let_in(self, tenant: str, step: Step) -> None:
        account, channel = _seat(step)
        decision = await self._may_be_there(tenant, account, channel, step.target)
        if decision.unsure:
            raise ServiceUnavailable("the policy cannot be asked now")
        if not decision.allowed:
            raise NotAllowed(f"the policy does not let them in ({decision.rule})")
        await self.seating.let_in(tenant, channel, account.user, step.why)

    async def _put_out(self, tenant: str, person: str, step: Step) -> StepState:
        account, channel = _seat(step)
        decision = await self._may_be_there(tenant, account, channel, step.target)
        if decision.unsure:
            raise ServiceUnavailable("the policy cannot be asked now")
        if decision.allowed and self._at_work(tenant, person):
            return StepState.NEEDLESS
        await self.seating.put_out(tenant, channel, account.user, step.why)
        return StepState.DONE

    async def _sign_out(self, tenant: str, person: str, step: Step) -> StepState:
        if self._at_work(tenant, person):
            return StepState.NEEDLESS
        if step.account is None:
            raise BadInput("the step names no account")
        platform = step.account.platform
        administration = self.administrations.get(platform)
        if administration is None or administration.sessions is None:
            raise CannotTell(
                f"no admin app is set up for {platform.title()}, so nobody can be "
                "signed out there"
            )
        await administration.sessions.reset(Person(platform, step.account.user))
        return StepState.DONE

    async def _hand_over(
        self, tenant: str, step: Step, owners: Iterable[str]
    ) -> StepState:
        """Give a link to an owner on one of its platforms."""
        known = {link.id: link for link in await self.links.all(tenant)}
        link = known.get(step.target)
        if link is None:
            return StepState.NEEDLESS
        platforms = {str(channel.platform) for channel in link.channels}
        for owner in owners:
            if owner.partition(":")[0] in platforms:
                if link.created_by == owner:
                    return StepState.NEEDLESS
                await self.links.hand_over(link, owner, "atom")
                return StepState.DONE
        raise NotFound("whoever is to take it over has no account on its platforms")

    async def _may_be_there(
        self, tenant: str, account: Account, channel: Channel, link: str
    ) -> Decision:
        person = Person(account.platform, account.user)
        known = {each.id: each for each in await self.links.all(tenant)}
        others = known[link].others(channel) if link in known else ()
        asked = joining(tenant, person, channel, link, account.account)
        return await may_be_in(self.policy, asked, others)

    def _at_work(self, tenant: str, person: str) -> bool:
        subject = self.find(tenant, person)
        return subject is not None and subject.standing in _AT_WORK


def _seat(step: Step) -> tuple[Account, Channel]:
    if step.account is None or step.channel is None:
        raise BadInput("the step names no seat")
    return step.account, step.channel


def _owners(accounts: Iterable[str]) -> list[str]:
    """Return accounts as links name who made them: `slack:U1`, without the workspace."""
    found = []
    for account in accounts:
        platform, _, rest = account.partition(":")
        user = rest.rpartition("/")[2]
        if user:
            found.append(f"{platform}:{user}")
    return found
