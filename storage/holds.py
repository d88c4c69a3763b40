"""What keeps channels from carrying, and where they went: the statements for it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bridge.holds import Cause, Hold
from bridge.lifecycle import Consequence, Scope
from bridge.messages import Channel
from storage.hot import HotStore, Row, Statement
from storage.link_rows import NEWEST
from storage.rows import clean_text

# Events of a platform are compared by its own clock, but what ATOM found out by itself
# has ATOM's time, which may be ahead.
_SKEW_US = 60 * 1_000_000

_PLACE = (
    "INSERT INTO channel_hold (tenant, channel, cause, since_us, ended_us, told) "
    "SELECT DISTINCT c.tenant, c.channel, :cause, CAST(:at AS BIGINT), 0, 0 "
    "FROM link_channel c JOIN link l ON l.tenant = c.tenant AND l.id = c.link "
    "WHERE c.tenant = :tenant AND l.state <> 'removed' AND {scope} "
    "ON CONFLICT (tenant, channel, cause) DO UPDATE SET "
    "since_us = excluded.since_us, ended_us = 0, told = 0 "
    "WHERE channel_hold.ended_us > 0 AND channel_hold.ended_us < excluded.since_us"
)
_LIFT = (
    "UPDATE channel_hold SET ended_us = :at WHERE tenant = :tenant AND cause = :cause "
    "AND ended_us = 0 AND since_us <= :latest AND {scope}"
)
_TOUCH = (
    f"UPDATE link SET changed_us = {NEWEST} WHERE tenant = :tenant "
    "AND state <> 'removed' AND id IN "
    "(SELECT c.link FROM link_channel c WHERE c.tenant = :tenant AND {scope})"
)
_MOVE = (
    "INSERT INTO channel_address (tenant, address, channel, at_us) "
    "SELECT DISTINCT c.tenant, :address, c.channel, CAST(:at AS BIGINT) "
    "FROM link_channel c JOIN link l ON l.tenant = c.tenant AND l.id = c.link "
    "WHERE c.tenant = :tenant AND l.state <> 'removed' AND {scope} "
    "ON CONFLICT (tenant, address) DO UPDATE SET "
    "channel = excluded.channel, at_us = excluded.at_us"
)
_ONE = "{0} = :channel"
_MANY = "substr({0}, 1, length(:prefix)) = :prefix"
_UNTOLD = (
    "SELECT channel, cause, since_us, ended_us, told FROM channel_hold "
    "WHERE tenant = :tenant AND (told = 0 OR (told = 1 AND ended_us > 0)) "
    "ORDER BY since_us, channel, cause"
)


@dataclass(frozen=True, slots=True)
class News:
    """A hold that began or ended, and of which nobody was told yet."""

    hold: Hold
    ended_us: int
    told: int

    @property
    def over(self) -> bool:
        return self.ended_us > 0


def follow(tenant: str, consequence: Consequence, now_us: int) -> Iterator[Statement]:
    """Yield what an event's consequence changes, to be written with the event."""
    scope, where = _where(consequence.scope)
    given = {"tenant": tenant, "at": consequence.at_us, **where}
    for cause in sorted(consequence.placed):
        sql = _PLACE.format(scope=scope.format("c.channel"))
        yield Statement(sql, given | {"cause": cause})
    for cause in sorted(consequence.lifted):
        sql = _LIFT.format(scope=scope.format("channel"))
        latest = consequence.at_us + _SKEW_US
        yield Statement(sql, given | {"cause": cause, "latest": latest})
    if address := consequence.address:
        sql = _MOVE.format(scope=scope.format("c.channel"))
        yield Statement(sql, given | {"address": clean_text(str(address))})
    touched = {"now": now_us, "whose": tenant, "tenant": tenant, **where}
    yield Statement(_TOUCH.replace("{scope}", scope.format("c.channel")), touched)


def found(
    tenant: str, channel: Channel, causes: Collection[Cause], now_us: int
) -> Iterator[Statement]:
    """Yield what makes exactly these causes stand for a channel, linked or not yet."""
    given = {"tenant": tenant, "channel": str(channel), "now": now_us}
    for cause in Cause:
        if cause in causes:
            yield _placed(given | {"cause": cause})
        else:
            yield _lifted(given | {"cause": cause})
    yield touched(tenant, channel, now_us)


def one(
    tenant: str, channel: Channel, cause: Cause, now_us: int
) -> Iterator[Statement]:
    """Yield what makes one more cause stand for a channel."""
    given = {"tenant": tenant, "channel": str(channel), "now": now_us}
    yield _placed(given | {"cause": cause})
    yield touched(tenant, channel, now_us)


def touched(tenant: str, channel: Channel, now_us: int) -> Statement:
    """Return what lets every process read a channel's links again."""
    return Statement(
        _TOUCH.replace("{scope}", _ONE.format("c.channel")),
        {"now": now_us, "whose": tenant, "tenant": tenant, "channel": str(channel)},
    )


def noted(tenant: str, news: News) -> Statement:
    """Return what marks a piece of news as told."""
    told = 2 if news.over else 1
    return Statement(
        "UPDATE channel_hold SET told = :told WHERE tenant = :tenant "
        "AND channel = :channel AND cause = :cause AND since_us = :since",
        {
            "told": told,
            "tenant": tenant,
            "channel": str(news.hold.channel),
            "cause": news.hold.cause,
            "since": news.hold.since_us,
        },
    )


async def standing(store: HotStore, tenant: str) -> dict[Channel, tuple[Hold, ...]]:
    """Return what keeps channels from carrying now."""
    rows = await store.fetch(
        Statement(
            "SELECT channel, cause, since_us FROM channel_hold "
            "WHERE tenant = :tenant AND ended_us = 0 ORDER BY since_us, cause",
            {"tenant": tenant},
        )
    )
    found_: dict[Channel, tuple[Hold, ...]] = {}
    for row in rows:
        hold = _hold(row)
        found_[hold.channel] = (*found_.get(hold.channel, ()), hold)
    return found_


async def addresses(store: HotStore, tenant: str) -> list[tuple[Channel, Channel]]:
    """Return every address that a channel moved to, and its first; oldest first."""
    rows = await store.fetch(
        Statement(
            "SELECT address, channel FROM channel_address WHERE tenant = :tenant "
            "ORDER BY at_us",
            {"tenant": tenant},
        )
    )
    return [(Channel.parse(address), Channel.parse(first)) for address, first in rows]


async def untold(store: HotStore, tenant: str) -> list[News]:
    """Return what people were not told yet, oldest first."""
    rows = await store.fetch(Statement(_UNTOLD, {"tenant": tenant}))
    return [News(_hold(row), row[3], row[4]) for row in rows]


def _placed(given: dict[str, object]) -> Statement:
    return Statement(
        "INSERT INTO channel_hold (tenant, channel, cause, since_us, ended_us, told) "
        "VALUES (:tenant, :channel, :cause, :now, 0, 0) "
        "ON CONFLICT (tenant, channel, cause) DO UPDATE SET "
        "since_us = excluded.since_us, ended_us = 0, told = 0 "
        "WHERE channel_hold.ended_us > 0",
        given,
    )


def _lifted(given: dict[str, object]) -> Statement:
    return Statement(
        "UPDATE channel_hold SET ended_us = :now WHERE tenant = :tenant "
        "AND channel = :channel AND cause = :cause AND ended_us = 0",
        given,
    )


def _where(scope: Scope) -> tuple[str, dict[str, str]]:
    """Return the SQL that names a scope's channels, and its parameters."""
    if scope.channel:
        channel = Channel(scope.platform, scope.team, scope.channel)
        return _ONE, {"channel": clean_text(str(channel))}
    return _MANY, {"prefix": clean_text(f"{scope.platform}:{scope.team}/")}


def _hold(row: Row) -> Hold:
    return Hold(Channel.parse(row[0]), Cause(row[1]), row[2])
