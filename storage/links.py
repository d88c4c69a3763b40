"""Links and the offers that lead to them."""

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import Conflict, NotFound
from bridge.holds import Hold
from bridge.links import Link, LinkState, Offer, refuse_clash, refuse_growth
from bridge.messages import Channel, Platform
from bridge.options import LinkOptions
from bridge.ports import Receipt
from storage.asked_once import AskedOnce
from storage.compliance.keys import Keyring
from storage.holds import addresses, standing
from storage.hot import HotStore, Program, Statement
from storage.journal import Journal
from storage.link_rows import (
    insert,
    keep_offer,
    keep_options,
    keep_owner,
    see_offer,
    take_in,
    take_offer,
    take_out,
    touch,
    update,
)
from storage.writes import Entry, Write

_FRESH_US = 250_000
_TRIES = 5
_OFFER_US = 15 * 60 * 1_000_000
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that looks like another
_CODE_LENGTH = 8
_FEWEST = 2  # channels that make a link

_SELECT = (
    "SELECT l.id, l.state, l.created_by, l.created_us, l.options, c.channel, "
    "c.joined_us FROM link l "
    "JOIN link_channel c ON c.tenant = l.tenant AND c.link = l.id "
    "WHERE l.tenant = :tenant AND l.state <> 'removed' "
    "ORDER BY l.created_us, l.id, c.position"
)


@dataclass(slots=True)
class _Cached:
    version: tuple[int, int]
    checked_us: int
    links: tuple[Link, ...]
    by_channel: Mapping[Channel, tuple[Link, ...]]
    homes: Mapping[Channel, Channel]
    found_at: Mapping[Channel, Channel]


async def _everybody_may(_tenant: str, _channel: Channel) -> None:
    """The default threshold."""


@dataclass(slots=True)
class StoredLinks:
    """
    Implements `bridge.ports.LinkBook`.

    Links are read for every message, so they are cached; a change made by another
    process is noticed within a quarter of a second, and every delivery looks again.
    `threshold` is asked before a channel becomes part of a link, and raises why it
    may not.
    """

    store: HotStore
    journal: Journal
    keys: Keyring
    clock: Callable[[], int]
    on_change: list[Callable[[str], None]] = field(default_factory=list)
    threshold: Callable[[str, Channel], Awaitable[None]] = _everybody_may
    _cache: dict[str, _Cached] = field(default_factory=dict)
    _rounds: dict[str, int] = field(default_factory=dict)
    _checks: AskedOnce[str, _Cached] = field(init=False)

    def __post_init__(self) -> None:
        self._checks = AskedOnce(self._checked)

    async def of(self, tenant: str, channel: Channel) -> Sequence[Link]:
        return (await self._current(tenant)).by_channel.get(channel, ())

    async def all(self, tenant: str) -> Sequence[Link]:
        return (await self._current(tenant)).links

    async def home(self, tenant: str, channel: Channel) -> Channel:
        current = await self._current(tenant)
        if channel in current.by_channel or not current.homes:
            return channel
        return current.homes.get(_place(channel), channel)

    async def moved(self, tenant: str, team: str) -> Mapping[str, str]:
        """Return the ids that channels linked in a Slack workspace have now, by ours."""
        found_at = (await self._current(tenant)).found_at
        return {old.id: new.id for old, new in found_at.items() if old.team == team}

    async def refresh(self, tenant: str) -> None:
        """Read the links again: what is known of their channels has changed."""
        known = self._cache.get(tenant)
        self._forget(tenant)
        links = {link.id for link in known.links} if known else set()
        for link in links | {link.id for link in await self.all(tenant)}:
            for listener in self.on_change:
                listener(link)

    async def add(self, tenant: str, channels: Sequence[Channel], actor: str) -> Link:
        channels = [await self.home(tenant, channel) for channel in channels]
        for channel in channels:
            await self.threshold(tenant, channel)
        for _ in range(_TRIES):
            self._forget(tenant)
            current = await self._current(tenant)
            refuse_clash(channels, current.links)
            link = Link(
                tenant,
                f"L{secrets.token_hex(5)}",
                tuple(channels),
                LinkState.ACTIVE,
                actor,
                self.clock(),
            )
            # Whoever else read the same links and was quicker has used this key.
            key = _key(current)
            receipt = await self._write(link, "linked", actor, insert(link), key)
            if not receipt.duplicate:
                return _with(link, await standing(self.store, tenant))
        raise _busy()

    async def change(self, link: Link, state: LinkState, actor: str) -> Link:
        wanted = replace(link, state=state)
        await self._write(wanted, str(state), actor, (update(wanted, self.clock()),))
        return wanted.settled()

    async def join(self, link: Link, channel: Channel, actor: str) -> Link:
        channel = await self.home(link.tenant, channel)
        await self.threshold(link.tenant, channel)
        for _ in range(_TRIES):
            known, key = await self._anew(link)
            refuse_growth(known, channel, (await self._current(link.tenant)).links)
            now = self.clock()
            grown = replace(
                known,
                channels=(*known.channels, channel),
                joined={**known.joined, channel: now},
            )
            rows = (take_in(grown, channel, now), touch(grown, now))
            receipt = await self._write(grown, f"{channel} joined:", actor, rows, key)
            if not receipt.duplicate:
                return grown
        raise _busy()

    async def leave(self, link: Link, channel: Channel, actor: str) -> Link:
        for _ in range(_TRIES):
            known, key = await self._anew(link)
            if channel not in known.channels:
                raise NotFound("That channel is not in the link any more.")
            now, left = self.clock(), known.others(channel)
            if len(left) < _FEWEST:
                return await self.change(known, LinkState.REMOVED, actor)
            shrunk = replace(known, channels=left)
            rows = (take_out(shrunk, channel), touch(shrunk, now))
            receipt = await self._write(shrunk, f"{channel} left:", actor, rows, key)
            if not receipt.duplicate:
                return shrunk
        raise _busy()

    async def choose(self, link: Link, options: LinkOptions, actor: str) -> Link:
        changed = replace(link, options=options).settled()
        said = " ".join(f"{name}={value}" for name, value in options.as_dict().items())
        rows = (keep_options(changed, self.clock()),)
        await self._write(changed, f"options {said}:", actor, rows)
        return changed

    async def hand_over(self, link: Link, owner: str, actor: str) -> Link:
        """Let somebody else look after a link, as if they had made it."""
        changed = replace(link, created_by=owner)
        rows = (keep_owner(changed, self.clock()),)
        await self._write(changed, f"handed over to {owner}:", actor, rows)
        return changed

    async def offer(self, tenant: str, offer: Offer, actor: str) -> str:
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        now = self.clock()
        row = {
            "tenant": tenant,
            "code_hash": await self._hash(tenant, code),
            "channel": str(offer.channel),
            "link": offer.link,
            "actor": actor,
            "expires_us": now + _OFFER_US,
            "now": now,
        }
        await self.store.run(lambda: keep_offer(row))
        return f"{code[:4]}-{code[4:]}"

    async def offered(self, tenant: str, code: str) -> Offer:
        return await self._offer(tenant, code, see_offer)

    async def take_offer(self, tenant: str, code: str) -> Offer:
        return await self._offer(tenant, code, take_offer)

    async def _offer(
        self,
        tenant: str,
        code: str,
        program: Callable[[Mapping[str, object]], Program[Offer | None]],
    ) -> Offer:
        plain = code.replace("-", "").strip().upper()
        wanted = {
            "tenant": tenant,
            "code_hash": await self._hash(tenant, plain),
            "now": self.clock(),
        }
        offer = await self.store.run(lambda: program(wanted))
        if offer is None:
            raise NotFound(
                "That code is unknown, used already or older than 15 minutes: "
                "ask the other side for a new one."
            )
        return offer

    async def _anew(self, link: Link) -> tuple[Link, str]:
        """Return a link as it is now, and a key that only one change of it can use."""
        self._cache.pop(link.tenant, None)
        current = await self._current(link.tenant)
        for known in current.links:
            if known.id == link.id:
                return known, _key(current)
        raise Conflict(f"Link {link.id} has ended.")

    async def _hash(self, tenant: str, code: str) -> str:
        # Keyed: forty bits could be guessed from a plain hash in a stolen database.
        secret = (await self.keys.company(tenant)).secret("link-offer")
        return hmac.digest(secret, code.encode(), "sha256").hex()

    async def _write(
        self,
        link: Link,
        change: str,
        actor: str,
        rows: Sequence[Statement],
        key: str = "",
    ) -> Receipt:
        entry = Entry(
            etype="bridge.link",
            platform="atom",
            subject=f"atom|{actor}",
            src_us=self.clock(),
            body={
                "change": change,
                "text": f"{change} {' and '.join(str(c) for c in link.channels)}",
                "channels": [str(channel) for channel in link.channels],
                "author": {"id": actor, "name": actor, "avatar": ""},
            },
            via="self",
            link=link.id,
        )
        keys = (key,) if key else ()
        receipt = await self.journal.write(
            Write(link.tenant, keys=keys, entry=entry, changes=tuple(rows))
        )
        self._forget(link.tenant)
        for listener in self.on_change:
            listener(link.id)
        return receipt

    async def _current(self, tenant: str) -> _Cached:
        cached, now = self._cache.get(tenant), self.clock()
        if cached and 0 <= now - cached.checked_us < _FRESH_US:
            return cached
        return await self._checks.get(tenant)

    async def _checked(self, tenant: str) -> _Cached:
        cached, now = self._cache.get(tenant), self.clock()
        round_ = self._rounds.get(tenant, 0)
        version = await self._version(tenant)
        if cached and cached.version == version:
            cached.checked_us = now
            return cached
        if cached:
            for link in cached.links:
                for listener in self.on_change:
                    listener(link.id)
        fresh = await self._load(tenant, version, now)
        if self._rounds.get(tenant, 0) == round_:
            # Otherwise something changed meanwhile, and what was read may be older.
            self._cache[tenant] = fresh
        return fresh

    def _forget(self, tenant: str) -> None:
        self._rounds[tenant] = self._rounds.get(tenant, 0) + 1
        self._cache.pop(tenant, None)
        self._checks.forget(tenant)

    async def _version(self, tenant: str) -> tuple[int, int]:
        rows = await self.store.fetch(
            Statement(
                "SELECT coalesce(max(changed_us), 0), count(*) FROM link "
                "WHERE tenant = :tenant",
                {"tenant": tenant},
                brief=True,
            )
        )
        return rows[0][0], rows[0][1]

    async def _load(self, tenant: str, version: tuple[int, int], now: int) -> _Cached:
        rows = await self.store.fetch(Statement(_SELECT, {"tenant": tenant}))
        holds = await standing(self.store, tenant)
        found: dict[str, Link] = {}
        for id_, state, actor, created, options, address, joined_us in rows:
            link = found.get(id_) or Link(
                tenant,
                id_,
                (),
                LinkState(state),
                actor,
                created,
                LinkOptions.read(json.loads(options)),
            )
            channel = Channel.parse(address)
            joined = {**link.joined, channel: joined_us} if joined_us else link.joined
            channels = (*link.channels, channel)
            found[id_] = replace(link, channels=channels, joined=joined)
        links = tuple(_with(link, holds) for link in found.values())
        by_channel: dict[Channel, tuple[Link, ...]] = {}
        for link in links:
            for channel in link.channels:
                by_channel[channel] = (*by_channel.get(channel, ()), link)
        homes = {_place(channel): channel for channel in by_channel}
        found_at = {}
        for address, channel in await addresses(self.store, tenant):
            if channel in by_channel:
                homes.setdefault(_place(address), channel)
                found_at[channel] = address
        return _Cached(version, now, links, by_channel, homes, found_at)


def _with(link: Link, holds: Mapping[Channel, tuple[Hold, ...]]) -> Link:
    kept = tuple(hold for c in link.channels for hold in holds.get(c, ()))
    return replace(link, holds=kept).settled()


def _place(channel: Channel) -> Channel:
    """Return a channel's address without what may differ from event to event."""
    if channel.platform is Platform.SLACK:
        # Its id is the same in every workspace that sees it.
        return replace(channel, team="")
    return channel


def _key(current: _Cached) -> str:
    return "links:{}.{}".format(*current.version)


def _busy() -> Conflict:
    return Conflict("Others are changing links at the same time: try again.")
