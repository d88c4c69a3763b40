"""Where Teams channels are reached, kept across restarts."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bridge.messages import Channel
from bridge.places import Place
from storage.hot import HotStore, Program, Statement
from storage.rows import clean_id, clean_text

_COLUMNS = "account, team, channel, service_url, name, group_id, kind"
_FIND = (
    f"SELECT {_COLUMNS} FROM place WHERE team = :team AND channel IN (:channel, '') "
    "ORDER BY channel DESC"
)
_NEWEST = (
    f"SELECT {_COLUMNS} FROM place WHERE account = :account AND service_url <> '' "
    "ORDER BY updated_us DESC LIMIT 1"
)
_KNOWN_US = 60_000_000  # for so long another process may have heard of a new name
_FRESH_US = 5_000_000  # for so long another process may have heard what is missing


@dataclass(slots=True)
class StoredPlaces:
    """
    Implements `bridge.places.PlaceBook`. Most activities say nothing new.

    What a channel takes from its team may change without a word about the channel, so
    that is looked up again after a while, and not for every message: after a minute,
    and after some seconds as long as something is missing that may be told by then.
    """

    store: HotStore
    clock: Callable[[], int]
    _known: dict[tuple[str, str], Place] = field(default_factory=dict)
    _merged: dict[tuple[str, str], tuple[Place, int]] = field(default_factory=dict)
    _fresh_until: int = 0

    async def remember(self, place: Place) -> None:
        place = _storable(place)
        key = (place.team, place.channel)
        known = self._remembered.get(key)
        if known and known.updated(place) == known:
            return
        self._known[key] = await self.store.run(lambda: self._keep(place))
        self._merged.clear()

    async def find(self, channel: Channel) -> Place | None:
        key = (channel.team, channel.id)
        known = self._remembered.get(key)
        if known and known.service_url and known.group_id:
            return known
        merged, until = self._merged.get(key, (None, 0))
        if merged is None or self.clock() >= until:
            merged = await self._look_up(channel)
            if merged:
                whole = merged.service_url and merged.group_id
                lasts = _KNOWN_US if whole else _FRESH_US
                self._merged[key] = (merged, self.clock() + lasts)
        return merged

    async def of_account(self, account: str) -> Place | None:
        rows = await self.store.fetch(
            Statement(_NEWEST, {"account": clean_id(account)}, brief=True)
        )
        return Place(*rows[0]) if rows else None

    async def _look_up(self, channel: Channel) -> Place | None:
        rows = await self.store.fetch(
            Statement(_FIND, {"team": channel.team, "channel": channel.id}, brief=True)
        )
        places = [Place(*row) for row in rows]
        team = next((p for p in places if not p.channel), None)
        own = next((p for p in places if p.channel), None)
        if own is None and team is None:
            return None
        if own is None and team is not None:
            if not channel.id:  # the team itself was meant
                return team
            return replace(team, channel=channel.id, name="", kind="")
        if own is not None and team is not None:
            whole = replace(
                own,
                service_url=own.service_url or team.service_url,
                group_id=own.group_id or team.group_id,
                account=own.account or team.account,
            )
            if whole == own:
                self._known[(channel.team, channel.id)] = own
            return whole
        return own

    @property
    def _remembered(self) -> dict[tuple[str, str], Place]:
        """What is known and young: another process may have heard of a new name."""
        now = self.clock()
        if now >= self._fresh_until:
            self._known.clear()
            self._fresh_until = now + _KNOWN_US
        return self._known

    def _keep(self, place: Place) -> Program[Place]:
        rows = yield Statement(
            f"SELECT {_COLUMNS} FROM place WHERE account = :account AND team = :team "
            "AND channel = :channel",
            {"account": place.account, "team": place.team, "channel": place.channel},
        )
        merged = Place(*rows[0]).updated(place) if rows else place
        yield Statement(
            f"INSERT INTO place ({_COLUMNS}, updated_us) VALUES (:account, :team, "
            ":channel, :service_url, :name, :group_id, :kind, :now) "
            "ON CONFLICT (account, team, channel) DO UPDATE SET "
            "service_url = excluded.service_url, name = excluded.name, "
            "group_id = excluded.group_id, kind = excluded.kind, "
            "updated_us = excluded.updated_us",
            {
                "account": merged.account,
                "team": merged.team,
                "channel": merged.channel,
                "service_url": merged.service_url,
                "name": merged.name,
                "group_id": merged.group_id,
                "kind": merged.kind,
                "now": self.clock(),
            },
        )
        return merged


def _storable(place: Place) -> Place:
    return Place(
        clean_id(place.account),
        clean_id(place.team),
        clean_id(place.channel),
        clean_text(place.service_url),
        clean_text(place.name),
        clean_id(place.group_id),
        clean_id(place.kind)[:20],
    )
