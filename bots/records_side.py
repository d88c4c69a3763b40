"""Put together what is done with records, if any business system is configured."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Protocol

from bots.connecting_side import ConnectingSide
from bots.core import Core
from bots.records.connected import connected, hosts_of
from bots.records.side import Books, Platforms, RecordsSide, Right, records_side
from bridge.composing import Addresses
from bridge.keeping import Seats
from bridge.membership import Members
from bridge.messages import Platform
from bridge.ports import Announcer, Rights
from bridge.records.model import System
from bridge.records.places import CardPlace
from bridge.records.ports import Records


class Side(Protocol):
    """What a platform's side has for it."""

    @property
    def cards(self) -> CardPlace: ...

    @property
    def members(self) -> Members: ...

    @property
    def seats(self) -> Seats: ...

    @property
    def announcer(self) -> Announcer: ...

    @property
    def rights(self) -> Rights: ...

    @property
    def addresses(self) -> Addresses: ...


def records_of(
    stack: AsyncExitStack,
    core: Core,
    connecting: ConnectingSide,
    sides: Mapping[Platform, Side],
) -> RecordsSide | None:
    """Return it, None without business systems. Raises `BadInput` as settings do."""
    if not connecting.systems:
        return None
    places = {platform: side.cards for platform, side in sides.items()}
    hosts = hosts_of(connecting.systems)

    def pace(records: Records) -> float:
        found = connecting.settings_of(records.system, records.instance)
        return found.poll if found else 0.0

    def keeps(records: Records) -> bool:
        found = connecting.settings_of(records.system, records.instance)
        return found is not None and found.book

    def wardens(system: System, instance: str) -> Sequence[str]:
        found = connecting.settings_of(system, instance)
        return found.approval_admins if found else ()

    kept = connecting.books
    made = records_side(
        core,
        connected(stack, connecting.systems, connecting.budget),
        Books(
            kept.cards,
            kept.acts,
            kept.subscriptions,
            kept.levels,
            kept.changes,
            kept.log,
            kept.contacts,
            kept.carried,
            kept.orphans,
            kept.remarks,
        ),
        Right(
            connecting.accesses,
            connecting.who,
            connecting.offer,
            connecting.whisper,
            connecting.turns,
        ),
        Platforms(
            places,
            {platform: side.members for platform, side in sides.items()},
            {platform: side.seats for platform, side in sides.items()},
            {platform: side.announcer for platform, side in sides.items()},
            {platform: side.rights for platform, side in sides.items()},
            {platform: side.addresses for platform, side in sides.items()},
        ),
        hosts=lambda tenant: hosts.get(tenant, frozenset()),
        pace=pace,
        keeps=keeps,
        wardens=wardens,
    )
    stack.push_async_callback(made.aclose)
    return made
