"""Put together what is done with records: the desk, its commands, and what runs for it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from bots.commands.base import Command
from bots.commands.connect import Whisper
from bots.commands.records_admin import RecordsCommand
from bots.commands.records_do import Do
from bots.commands.records_find import Find, Lookup, commands_of_kinds
from bots.commands.records_follow import Follow, Subscriptions, Unfollow
from bots.commands.records_why import WhyNoCard
from bots.core import Core, clock_us
from bots.records.attesting import Attesting
from bots.records.bookkeeping import Bookkeepers
from bots.records.errands import TaskErrands
from bots.records.left_loop import LeftLoop
from bots.records.live_loop import LiveLoop
from bots.records.log_follower import LogFollower
from bots.records.places import Announcing, CopyPlaces, CopyThreads, ListedRooms
from bots.records.polling import Pace, Polling, Told
from bots.records.rerouting_side import admins_of, rerouting_loop, staff_of
from bridge.composing import Addresses
from bridge.keeping import Seats
from bridge.membership import Members
from bridge.messages import Channel, Person, Platform
from bridge.ports import Announcer, Rights
from bridge.records.acting import Acting
from bridge.records.admitting import Admitting
from bridge.records.amending import Amending, Words
from bridge.records.answering import Connecting
from bridge.records.books import (
    ActBook,
    CardBook,
    CarriedBook,
    ChangesBook,
    LevelBook,
    RemarkBook,
    SubscriptionBook,
)
from bridge.records.carrying import Carrying
from bridge.records.company_desk import Desk
from bridge.records.desk import Asker
from bridge.records.doing import Doing
from bridge.records.drawing import Drawing, Hosts
from bridge.records.entries import RecordLog
from bridge.records.floor import Floors
from bridge.records.left import Unfinished
from bridge.records.live import Live
from bridge.records.mentions import Mentions, Who
from bridge.records.orphans import Annotating, OrphanBook
from bridge.records.own_acts import OwnActs
from bridge.records.places import CardPlace
from bridge.records.planning import Planning
from bridge.records.ports import Accesses, Records, Turns
from bridge.records.posting import Posting
from bridge.records.reading import RoomReading
from bridge.records.recalling import Recalling
from bridge.records.remarking import Remarking
from bridge.records.rerouting import Rerouting, Wardens
from bridge.records.saga import Saga
from bridge.records.searching import Searching
from bridge.records.starting import Starting
from bridge.records.subscribing import Subscribing
from bridge.records.systems import Systems
from bridge.records.unshown import Unshown
from bridge.records.whose import Whose
from storage.ledger import brought
from storage.records.acts import new_token
from storage.records.contacts import StoredContacts
from storage.records.following import StoredFollowing

Job = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Books:
    """What is kept about records."""

    cards: CardBook
    acts: ActBook
    subscriptions: SubscriptionBook
    levels: LevelBook
    changes: ChangesBook
    log: RecordLog
    contacts: StoredContacts
    carried: CarriedBook
    orphans: OrphanBook
    remarks: RemarkBook


@dataclass(frozen=True, slots=True)
class Right:
    """
    Whose right is used: `who` names people, `connecting` offers them to connect,
    `whisper` answers them alone, and `turns` let one at a time write to a record.
    """

    accesses: Accesses
    who: Who
    connecting: Connecting
    whisper: Whisper
    turns: Turns | None = None


@dataclass(frozen=True, slots=True)
class Platforms:
    """What the platforms' sides have for records."""

    places: Mapping[Platform, CardPlace]
    members: Mapping[Platform, Members]
    seats: Mapping[Platform, Seats]
    announcers: Mapping[Platform, Announcer]
    rights: Mapping[Platform, Rights]
    addresses: Mapping[Platform, Addresses]


@dataclass(frozen=True, slots=True)
class RecordsSide:
    """
    Everything that is done with records.

    `told` takes what a webhook says; `follower.committed` is to be told of commits.
    `following` says which process does what is done by one of them.
    """

    systems: Systems
    desk: Desk
    live: Live
    rooms: ListedRooms
    follower: LogFollower
    told: Told
    commands: tuple[Command, ...]
    no_card: WhyNoCard
    jobs: Sequence[Job]
    errands: TaskErrands
    following: StoredFollowing

    async def aclose(self) -> None:
        """Give up searches that nobody waits for any more."""
        await self.errands.aclose()


def records_side(  # noqa: PLR0913 - the parts of the whole
    core: Core,
    systems: Systems,
    books: Books,
    right: Right,
    platforms: Platforms,
    *,
    hosts: Hosts,
    pace: Pace,
    keeps: Callable[[Records], bool],
    wardens: Wardens,
) -> RecordsSide:
    """
    Build it. `hosts` are where systems have pages, `pace` how often to ask them, and
    `keeps` says which of them have their accounts and contacts in the book; `wardens`
    are who may hand approvals on.
    """
    who = _introduced(core, right.who)
    floors = Floors(core.policy, _version(core), monotonic)
    rooms = ListedRooms(core.links, platforms.members, platforms.seats, monotonic)
    drawing = Drawing(floors, rooms, books.acts, clock_us, new_token, hosts)
    staff = staff_of(core)
    annotating = Annotating(books.orphans, staff)
    reading = RoomReading(systems, right.accesses, annotating.annotated)
    threads = CopyThreads(core.copies)
    places, log = platforms.places, books.log
    live = Live(books.cards, reading, drawing, places, threads, log, clock_us)
    posting = Posting(
        books.cards, places, drawing, threads, reading, log, clock_us, live.knows
    )
    mentions = Mentions(
        systems,
        right.accesses,
        who,
        floors,
        books.levels,
        rooms,
        books.cards,
        posting,
        places,
        log,
        clock_us,
        new_token,
        live.stir,
        asyncio.sleep,
        again_us=int(core.settings.tuning.notice_cooldown * 1_000_000),
    )
    admitting = Admitting(systems, right.accesses, who, core.policy, log)
    subscribing = Subscribing(
        admitting,
        books.subscriptions,
        reading,
        floors,
        rooms,
        Announcing(platforms.announcers, places),
        log,
        clock_us,
        new_token,
    )
    own = OwnActs(
        admitting,
        drawing,
        posting,
        books.cards,
        rooms,
        log,
        clock_us,
        new_token,
        live.stir,
        subscribing.follow,
        right.connecting,
    )
    doing = Doing(admitting, books.changes, log, clock_us, live.stir, right.turns)
    acting = Acting(
        admitting,
        doing,
        drawing,
        books.acts,
        books.cards,
        own,
        clock_us,
        live.stir,
        right.connecting,
    )
    errands = TaskErrands()
    starting = Starting(
        admitting,
        drawing,
        acting,
        mentions.looked_at,
        errands,
        CopyPlaces(core.copies, platforms.addresses, partial(brought, core.log)),
        right.connecting,
    )
    recalling = Recalling(books.contacts, right.accesses, floors)
    searching = Searching(
        admitting, drawing, errands, reading, log, clock_us, recalling
    )
    attesting = Attesting(core.introducer, core.sources.view)
    whose = Whose(admitting, recalling, searching, drawing, errands, attesting.of, log)
    saga = Saga(admitting, doing, drawing, books.acts, clock_us)
    desk = Desk(
        acting,
        starting,
        searching,
        mentions,
        saga,
        drawing,
        books.cards,
        books.levels,
        log,
    )
    following = StoredFollowing(core.database.hot, clock_us)
    unfinished = Unfinished(admitting, books.acts, saga, own, places, log, clock_us)
    rerouting = Rerouting(
        admitting,
        staff,
        books.orphans,
        books.acts,
        books.changes,
        drawing,
        places,
        log,
        clock_us,
        live.stir,
        wardens,
        admins_of(core, platforms.announcers),
    )
    keepers = Bookkeepers(
        systems,
        right.accesses,
        books.contacts,
        following,
        core.owner,
        clock_us,
        keeps,
    )
    carrying = Carrying(
        admitting,
        doing,
        drawing,
        books.cards,
        threads,
        books.levels,
        places,
        log,
        books.carried,
        right.connecting,
    )
    amending = Amending(
        admitting,
        doing,
        carrying,
        books.carried,
        _words(core),
        clock_us,
        int(core.settings.tuning.thread_settle * 1_000_000),
    )
    remarking = Remarking(
        systems,
        right.accesses,
        reading,
        books.cards,
        threads,
        books.levels,
        floors,
        rooms,
        places,
        log,
        books.changes,
        books.carried,
        books.remarks,
        clock_us,
    )
    follower = LogFollower(
        core.log,
        following,
        core.company_ids,
        core.owner,
        mentions,
        live,
        subscribing,
        posting,
        _account_of(core),
        clock_us,
        monotonic,
        rooms.forget,
        stirs=keepers,
        carrying=carrying,
        amending=amending,
        remarking=remarking,
    )
    told = Told(log)

    async def polled() -> Sequence[tuple[str, Records]]:
        tenants = await core.company_ids()
        return [(tenant, each) for tenant in tenants for each in systems.of(tenant)]

    async def poll() -> None:
        await _poll_all(
            [
                Polling(
                    tenant,
                    each,
                    right.accesses,
                    books.changes,
                    following,
                    told,
                    core.owner,
                    pace(each),
                )
                for tenant, each in await polled()
            ]
        )

    async def keep_book() -> None:
        await keepers.run(await core.company_ids())

    _notice_rights(core, live)
    lookup = Lookup(searching, whose, right.whisper)
    return RecordsSide(
        systems,
        desk,
        live,
        rooms,
        follower,
        told,
        (
            Find(lookup),
            *commands_of_kinds(lookup, starting),
            Follow(subscribing, mentions),
            Unfollow(subscribing),
            Subscriptions(subscribing),
            Do(Planning(admitting, drawing, saga, mentions.looked_at)),
            RecordsCommand(
                admitting, books.levels, platforms.rights, books.contacts, clock_us
            ),
        ),
        WhyNoCard(Unshown(mentions), right.whisper),
        (
            LiveLoop(live).run,
            follower.run,
            poll,
            keep_book,
            LeftLoop(unfinished, following, core.company_ids, core.owner).run,
            rerouting_loop(core, rerouting, staff, following).run,
        ),
        errands,
        following,
    )


async def _poll_all(systems: Sequence[Polling]) -> None:
    async with asyncio.TaskGroup() as group:
        for each in systems:
            group.create_task(each.run())


def _introduced(core: Core, who: Who) -> Who:
    """Let people be looked at first whom the directory does not know yet."""

    async def known(asker: Asker) -> str | None:
        person = await who(asker)
        if person is None and asker.channel is not None and core.sources.sync:
            await core.introducer.meet(asker.tenant, asker.person, asker.channel)
            person = await who(asker)
        return person

    return known


def _version(core: Core) -> Callable[[str], str]:
    """Return what names a company's policy and directory together."""

    def version(tenant: str) -> str:
        bundle = core.policies.engine.bundle(tenant)
        policy = bundle.hash if bundle else "default"
        return f"{policy}:{core.sources.view.version(tenant)}"

    return version


def _words(core: Core) -> Words:
    """Return what reads the words of a message as an entry of the log has them."""

    async def words(tenant: str, seq: int) -> str:
        found = await core.log.at(tenant, [seq])
        return str(found[0].body.get("text", "")) if found else ""

    return words


def _account_of(core: Core) -> Callable[[Person, Channel], Any]:
    async def account_of(person: Person, channel: Channel) -> str:
        account = await core.introducer.account_of(person, channel)
        return account.account if account else ""

    return account_of


def _notice_rights(core: Core, live: Live) -> None:
    """Let floors be looked at as soon as this process sees another directory."""
    if core.sources.sync:
        core.sources.sync.on_change.append(
            lambda tenant, _delta: live.rights_changed(tenant)
        )
