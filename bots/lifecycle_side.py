"""Put together what is done about joiners, movers and leavers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bots.core import Core, clock_us
from bots.directory_settings import RunSettings
from bots.hands import PlatformHands
from bots.keeping_members import Keeping
from bots.lifecycle import Lifecycle
from bots.managers import manager_of
from bridge.directory.accounts import Account, Confidence
from bridge.directory.lifecycle import Actions, Happening, Holdings, Known, Seat
from bridge.directory.links import named_accounts
from bridge.directory.model import Subject
from bridge.keeping import Ended
from bridge.links import Link, LinkState
from bridge.messages import Channel, Person, Platform
from bridge.presence import joining, may_be_in
from bridge.workspaces import Administration
from storage.compliance.membership.intervals import Membership
from storage.runs.stands import StoredStands
from storage.runs.stored import StoredRuns


def lifecycle(
    core: Core,
    keeping: Keeping,
    administrations: Mapping[Platform, Administration],
) -> Lifecycle | None:
    """Build it where runs are switched on and there is a directory."""
    settings = core.settings.directory.runs
    if not settings.on or core.sources.sync is None:
        return None
    runs = StoredRuns(core.database.hot, core.acts, clock_us)
    holder = Holder(core, runs)
    view = core.sources.view
    hands = PlatformHands(
        keeping,
        core.policy,
        administrations,
        core.links,
        core.duties,
        view.find,
        lambda tenant, person: [k.account for k in holder.accounts(tenant, person)],
    )
    made = Lifecycle(
        view,
        StoredStands(core.database.hot),
        runs,
        hands,
        actions_of(settings),
        holder.held,
        holder.linked,
        core.company_ids,
        holder.called,
        holder.proved,
        every=settings.every,
    )
    core.sources.sync.on_change.append(made.stir)
    core.accounts.on_change.append(made.stir)
    return made


def actions_of(settings: RunSettings) -> Actions:
    """Return the settings' wishes. A conversion always asks."""
    return Actions(
        rooms={one: frozenset(links) for one, links in settings.rooms.items()},
        joiner=frozenset(settings.joiner),
        mover=frozenset(settings.mover),
        leaver=frozenset(settings.leaver),
        asks=frozenset(settings.asks) | {Happening.CONVERSION},
    )


class Holder:
    """Finds out what somebody has, and might get."""

    def __init__(self, core: Core, runs: StoredRuns) -> None:
        self._core = core
        self._runs = runs

    def accounts(self, tenant: str, person: str) -> list[Known]:
        """Return somebody's accounts, the surest first."""
        view = self._core.sources.view
        links = self._core.accounts.accounts(tenant, person)
        known = {link.account: link.confidence for link in links}
        for account in named_accounts(view.attributes(tenant, person)):
            known.setdefault(account, Confidence.PROVISIONED)
        found = [Known(account, sure) for account, sure in known.items()]
        return sorted(found, key=lambda one: (-one.confidence, one.account))

    def proved(self, tenant: str, person: str) -> list[Account]:
        """Return somebody's accounts that links name, guesses left out."""
        links = self._core.accounts.accounts(tenant, person)
        return [link.account for link in links if link.confidence > Confidence.NONE]

    async def linked(self, tenant: str) -> Mapping[str, Sequence[Channel]]:
        """Return the channels of each link that stands."""
        return {link.id: link.channels for link in await self._links(tenant)}

    async def held(self, tenant: str, person: str, new: Subject | None) -> Holdings:
        """Return what somebody has, and where the policy lets them be now."""
        links = await self._links(tenant)
        there = await self._meet(tenant, links)
        accounts = [
            await self._named(known, there) for known in self.accounts(tenant, person)
        ]
        seats, chosen = set[Seat](), set[Seat]()
        for known in accounts:
            inside, left = await self._seats(tenant, known.account, links)
            seats |= inside
            chosen |= left
        return Holdings(
            tuple(accounts),
            frozenset(seats),
            frozenset(chosen),
            await self._open(tenant, accounts, links) if new else frozenset(),
            _made_by(links, accounts),
            await self._duties(tenant, accounts),
            manager_of(self._core.sources.view, tenant, person),
        )

    def called(self, ancestor: str) -> str:
        """Return the name of a group, unit, department or role."""
        kind, _, wanted = ancestor.partition(":")
        for kept in self._core.sources.view.things(self._core.sources.tenant):
            if kept.entry.id == wanted and kept.entry.kind == kind:
                return kept.entry.name
        return wanted

    async def _meet(
        self, tenant: str, links: Iterable[Link]
    ) -> Mapping[Channel, frozenset[str]]:
        """
        Have everybody known who is in a linked channel of Teams; return who that is.

        A directory names accounts by their ids in Entra, and channels by ids of their
        own. Which are the same nobody knows of somebody who never said anything.
        """
        members = Membership(self._core.database.hot, self._core.acts, clock_us)
        there = {}
        for channel in {c for link in links for c in link.channels}:
            if channel.platform is Platform.TEAMS:
                found = await members.visible_to(tenant, channel, clock_us())
                there[channel] = frozenset(found)
                await self._core.introducer.meet_all(tenant, found, channel)
        return there

    async def _named(
        self, known: Known, there: Mapping[Channel, frozenset[str]]
    ) -> Known:
        """Add under which id an account of Teams signs in, where that can be told."""
        account, introducer = known.account, self._core.introducer
        for channel, users in there.items():
            if account.platform is channel.platform and account.user in users:
                identity = await introducer.identity(account, channel)
                if identity is not None and identity.directory_id:
                    return replace(known, signs_in_as=identity.directory_id)
        return known

    async def _links(self, tenant: str) -> list[Link]:
        links = await self._core.links.all(tenant)
        return [link for link in links if link.state is not LinkState.REMOVED]

    async def _seats(
        self, tenant: str, account: Account, links: Iterable[Link]
    ) -> tuple[frozenset[Seat], frozenset[Seat]]:
        channels = {c: link.id for link in links for c in link.channels}
        inside, left = await self._runs.seats(tenant, account, channels)
        chosen = set(left)
        for seat in left:
            ended = await self._core.departures.ended(tenant, seat.channel)
            # ATOM puts people out to keep members to policy, too.
            if ended.get(account.user) is Ended.SYNC:
                chosen.discard(seat)
        return inside, frozenset(chosen)

    async def _open(
        self, tenant: str, accounts: Iterable[Known], links: Iterable[Link]
    ) -> frozenset[Channel]:
        found = set()
        for link in links:
            for channel in link.channels:
                for known in accounts:
                    account = known.account
                    if account.platform is not channel.platform:
                        continue
                    person = Person(account.platform, account.user)
                    decision = await may_be_in(
                        self._core.policy,
                        joining(tenant, person, channel, link.id, account.account),
                        link.others(channel),
                    )
                    # What cannot be decided now takes nobody out.
                    if decision.allowed or decision.unsure:
                        found.add(channel)
        return frozenset(found)

    async def _duties(self, tenant: str, accounts: Iterable[Known]) -> tuple[str, ...]:
        """Return duties as `OFFICER DUTY`; officers in chat are named by accounts."""
        names = {str(known.account) for known in accounts}
        held = await self._core.duties.all(tenant)
        return tuple(
            f"{trust.officer.name} {trust.duty}"
            for trust in held
            if trust.officer.name in names
        )


def _made_by(
    links: Iterable[Link], accounts: Iterable[Known]
) -> tuple[tuple[str, Account], ...]:
    owners = {_short(known.account): known.account for known in accounts}
    return tuple(
        (link.id, owners[link.created_by])
        for link in links
        if link.created_by in owners
    )


def _short(account: Account) -> str:
    """Return an account as links and duties name who it is: `slack:U1`."""
    return f"{account.platform}:{account.user}"
