"""Put together what hangs on who people are: accounts, and who is in linked channels."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

import structlog

from bots.commands.base import Command, Request
from bots.commands.kept import KeptCommand
from bots.commands.me import Me, Who
from bots.commands.members import MembersCommand
from bots.commands.names import channel_named
from bots.commands.runs import RunsCommand
from bots.confirming import Desk
from bots.core import Core, clock_us
from bots.introducing import LinkedPeople
from bots.keeping_members import Keeping
from bots.kept_desk import Desk as KeptOffice
from bots.owner_telling import OwnChat, OwnerTelling
from bots.refusal_telling import RefusalTelling
from bots.runs_desk import Desk as RunsOffice
from bots.runs_desk import RunTelling
from bots.slack.people import account as account_in
from bridge.cards import Button, Card, Section, Tone
from bridge.directory.accounts import Account, Confidence
from bridge.directory.links import named_accounts
from bridge.directory.model import Subject
from bridge.errors import AtomError, DeliveryFailed, StoreUnavailable
from bridge.identities import Identities, WhoIsWho
from bridge.keeping import Plan, Seats
from bridge.lifecycle import Consequence
from bridge.links import Link
from bridge.messages import Channel, Event, Person, Platform
from bridge.notices import Cause, Herald, Notice
from bridge.ports import Announcer, Rights
from bridge.relay import Followed
from storage.compliance.acts import Act
from storage.runs.stored import StoredRuns

log = structlog.get_logger()

_REFRESH = 0.5  # seconds until another process's changes of accounts are seen

Job = Callable[[], Coroutine[Any, Any, None]]


class Side(Protocol):
    """What a platform's side has for it."""

    @property
    def identities(self) -> Identities: ...

    @property
    def seats(self) -> Seats: ...

    @property
    def rights(self) -> Rights: ...

    @property
    def announcer(self) -> Announcer: ...

    @property
    def herald(self) -> Herald: ...


def keeping_members(core: Core, sides: Mapping[Platform, Side]) -> Keeping:
    """Build what keeps members to policy, and let it hear of what it hangs on."""
    core.introducer.identities.update({p: s.identities for p, s in sides.items()})
    sure = sure_accounts(core)

    def accounts(
        tenant: str, subject: Subject, platform: Platform
    ) -> Iterable[tuple[str, str]]:
        return [
            (one.account, one.user)
            for one in sure(tenant, subject.id)
            if one.platform is platform
        ]

    made = Keeping(
        core.policy,
        core.sources.view,
        core.links,
        {p: side.seats for p, side in sides.items()},
        core.departures,
        accounts,
        core.company_ids,
        _reporting(core, sides),
    )
    if core.sources.sync:
        core.sources.sync.on_change.append(made.stir)
    core.accounts.on_change.append(made.stir)
    core.links.on_change.append(made.stir)
    return made


def commands_about_people(
    core: Core,
    sides: Mapping[Platform, Side],
    keeping: Keeping,
    accounts: Callable[[Request], Awaitable[Sequence[Section]]] | None = None,
) -> tuple[Command, ...]:
    """
    Return the commands by which people and admins see and say who is who.

    `accounts` tells which accounts of business systems somebody has connected.
    """
    desk = Desk(core.introducer)
    rights = {p: side.rights for p, side in sides.items()}
    announcers = {p: side.announcer for p, side in sides.items()}
    return (
        Me(desk, accounts),
        Who(desk, rights),
        MembersCommand(keeping, core.links, rights, announcers),
        KeptCommand(KeptOffice(core.sources, core.duties)),
        *_runs(core),
    )


def _runs(core: Core) -> tuple[Command, ...]:
    """Return the command on runs, where runs are switched on."""
    if not core.settings.directory.runs.on:
        return ()
    runs = StoredRuns(core.database.hot, core.acts, clock_us)
    return (RunsCommand(RunsOffice(runs, core.duties, core.sources.view)),)


def jobs_about_people(
    core: Core,
    keeping: Keeping,
    announcers: Mapping[Platform, Announcer],
    chats: Mapping[Platform, OwnChat],
) -> Sequence[Job]:
    """Return what runs for ever, where a directory is configured."""
    if core.sources.sync is None:
        return ()

    async def see_others() -> None:
        while True:
            await asyncio.sleep(_REFRESH)
            try:
                if await core.accounts.refresh(core.sources.tenant):
                    keeping.stir()
            except StoreUnavailable as error:
                log.warning("accounts not read", reason=str(error))

    refusals = RefusalTelling(
        core.accounts,
        core.acts,
        announcers,
        core.sources.tenant,
        core.settings.directory.tell,
        clock_us,
    )
    owners = OwnerTelling(sure_accounts(core), core.acts, chats)
    core.introducer.on_refused.append(owners.refused)
    if not core.settings.directory.runs.on:
        return (see_others, keeping.run, refusals.run, owners.run)
    telling = RunTelling(
        StoredRuns(core.database.hot, core.acts, clock_us),
        core.acts,
        announcers,
        core.sources.tenant,
        core.settings.directory.tell,
    )
    return (see_others, keeping.run, refusals.run, owners.run, telling.run)


def sure_accounts(core: Core) -> Callable[[str, str], Iterable[Account]]:
    """Return what knows somebody's accounts: named by the directory, or linked."""

    def accounts(tenant: str, person: str) -> Iterable[Account]:
        found = [*named_accounts(core.sources.view.attributes(tenant, person))]
        links = core.accounts.accounts(tenant, person)
        found += [each.account for each in links if each.confidence > Confidence.NONE]
        return dict.fromkeys(found)

    return accounts


def following(dormancy: Followed, keeping: Keeping) -> Followed:
    """Tell both what follows for channels from an event."""

    async def followed(
        tenant: str, event: Event, follows: Sequence[Consequence]
    ) -> None:
        if follows:
            await dormancy(tenant, event, follows)
        try:
            await keeping.followed(tenant, event)
        except AtomError as error:
            log.warning("a member's move not followed", reason=str(error))

    return followed


def linked_first(core: Core) -> Callable[[WhoIsWho], WhoIsWho]:
    """Return what lets people be called who are linked, whatever their addresses."""

    async def tenant_of(channel: Channel) -> str | None:
        account = channel.team
        if channel.platform is Platform.TEAMS:
            place = await core.places.find(channel)
            account = place.account if place else ""
        return await core.companies.tenant_of(channel.platform, account)

    def linked(others: WhoIsWho) -> WhoIsWho:
        if core.sources.sync is None:
            return others
        return LinkedPeople(core.introducer, tenant_of, others)

    return linked


def profiles(
    core: Core, forget: Callable[[str, str], None]
) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """Return what is to hear of changed profiles in Slack."""

    async def changed(team: str, user: Mapping[str, Any]) -> None:
        identity = account_in(user, team)
        forget(team, identity.person.id)
        if core.directory is None:
            return
        tenant = await core.companies.tenant_of(Platform.SLACK, team)
        if tenant is None:
            return
        account = Account(Platform.SLACK, team, identity.person.id)
        await core.introducer.changed(tenant, account, identity)

    return changed


def _reporting(
    core: Core, sides: Mapping[Platform, Side]
) -> Callable[[Link, Plan], Awaitable[None]]:
    """Return what tells a link's owner, once, who is there against the policy."""
    announcers = {p: side.announcer for p, side in sides.items()}

    async def report(link: Link, found: Plan) -> None:
        channel, many = found.channel, len(found.wrong)
        text = f"{many} in {channel} against the policy"
        act = Act(
            link.tenant,
            "member.report",
            "atom",
            f"{text}{f', and it waits: {found.braked}' if found.braked else ''}",
            {
                "link": link.id,
                "members": [seat.person.id for seat in found.wrong],
                "rules": sorted({seat.decision.rule for seat in found.wrong}),
            },
            team=channel.team,
            conv=channel.id,
        )
        key = f"members:{link.id}:{found.digest}:{bool(found.braked)}"
        if (await core.acts.note(act, key=key)).duplicate:
            return
        name = await channel_named(announcers, channel)
        verb = "is" if many == 1 else "are"
        said = f"{many} {verb} in {name} against the company's policy."
        if found.braked:
            said += f" Nobody is taken out yet: {found.braked}."
        await _tell_owner(link, said, sides)

    return report


async def _tell_owner(link: Link, said: str, sides: Mapping[Platform, Side]) -> None:
    """Tell who made the link; if that was no person, whoever reads along hears less."""
    platform, _, user = link.created_by.partition(":")
    place = next((c for c in link.channels if c.platform == platform), None)
    try:
        if place is not None and place.platform in sides and user:
            owner = Person(place.platform, user)
            notice = Notice(link.tenant, owner, place, "", "", Cause.OWNER)
            text = f"{said} `members {link.id}` shows who."
            await sides[place.platform].herald.whisper(notice, text)
            return
        button = Button("Show members", f"members {link.id}")
        card = Card("Members against the policy", said, Tone.WARNING, (), (button,))
        for channel in link.channels[:1]:
            if channel.platform in sides:
                await sides[channel.platform].announcer.announce(channel, card)
    except DeliveryFailed as error:
        log.warning("owner not told of members", link=link.id, reason=str(error))
