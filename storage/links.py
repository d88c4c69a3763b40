"""Links and the offers that lead to them."""

import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import Conflict, NotFound
from bridge.links import Link, LinkState, refuse_clash
from bridge.messages import Channel
from bridge.options import LinkOptions
from bridge.ports import Receipt
from storage.compliance.keys import KeyFile
from storage.hot import HotStore, Program, Statement
from storage.journal import Journal
from storage.writes import Entry, Write

_FRESH_US = 250_000
_TRIES = 5
# Later than every earlier change, whatever this process's clock says: others notice
# a change by it.
_NEWEST = (
    "(SELECT CASE WHEN coalesce(max(m.changed_us), 0) >= :now "
    "THEN max(m.changed_us) + 1 ELSE :now END FROM link m WHERE m.tenant = :whose)"
)
_OFFER_US = 15 * 60 * 1_000_000
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that looks like another
_CODE_LENGTH = 8

_SELECT = (
    "SELECT l.id, l.state, l.created_by, l.created_us, l.options, c.channel FROM link l "
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


@dataclass(slots=True)
class StoredLinks:
    """
    Implements `bridge.ports.LinkBook`.

    Links are read for every message, so they are cached; a change made by another
    process is noticed within a quarter of a second, and every delivery looks again.
    """

    store: HotStore
    journal: Journal
    keys: KeyFile
    clock: Callable[[], int]
    on_change: list[Callable[[str], None]] = field(default_factory=list)
    _cache: dict[str, _Cached] = field(default_factory=dict)

    async def of(self, tenant: str, channel: Channel) -> Sequence[Link]:
        return (await self._current(tenant)).by_channel.get(channel, ())

    async def all(self, tenant: str) -> Sequence[Link]:
        return (await self._current(tenant)).links

    async def add(self, tenant: str, channels: Sequence[Channel], actor: str) -> Link:
        for _ in range(_TRIES):
            self._cache.pop(tenant, None)
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
            key = "links:{}.{}".format(*current.version)
            receipt = await self._write(link, "linked", actor, _insert(link), key)
            if not receipt.duplicate:
                return link
        raise Conflict("Others are changing links at the same time: try again.")

    async def change(self, link: Link, state: LinkState, actor: str) -> Link:
        changed = replace(link, state=state)
        await self._write(changed, str(state), actor, (_update(changed, self.clock()),))
        return changed

    async def choose(self, link: Link, options: LinkOptions, actor: str) -> Link:
        changed = replace(link, options=options)
        said = " ".join(f"{name}={value}" for name, value in options.as_dict().items())
        rows = (_keep_options(changed, self.clock()),)
        await self._write(changed, f"options {said}:", actor, rows)
        return changed

    async def offer(self, tenant: str, channel: Channel, actor: str) -> str:
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        now = self.clock()
        offer = {
            "tenant": tenant,
            "code_hash": self._hash(tenant, code),
            "channel": str(channel),
            "actor": actor,
            "expires_us": now + _OFFER_US,
            "now": now,
        }
        await self.store.run(lambda: _keep_offer(offer))
        return f"{code[:4]}-{code[4:]}"

    async def take_offer(self, tenant: str, code: str) -> Channel:
        plain = code.replace("-", "").strip().upper()
        taken = {
            "tenant": tenant,
            "code_hash": self._hash(tenant, plain),
            "now": self.clock(),
        }
        address = await self.store.run(lambda: _take_offer(taken))
        if address is None:
            raise NotFound(
                "That code is unknown, used already or older than 15 minutes: "
                "ask the other side for a new one."
            )
        return Channel.parse(address)

    def _hash(self, tenant: str, code: str) -> str:
        # Keyed: forty bits could be guessed from a plain hash in a stolen database.
        secret = self.keys.load(tenant).secret
        return hmac.digest(secret, b"link-offer|" + code.encode(), "sha256").hex()

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
        self._cache.pop(link.tenant, None)
        for listener in self.on_change:
            listener(link.id)
        return receipt

    async def _current(self, tenant: str) -> _Cached:
        cached, now = self._cache.get(tenant), self.clock()
        if cached and 0 <= now - cached.checked_us < _FRESH_US:
            return cached
        version = await self._version(tenant)
        if cached and cached.version == version:
            cached.checked_us = now
            return cached
        if cached:
            for link in cached.links:
                for listener in self.on_change:
                    listener(link.id)
        self._cache[tenant] = fresh = await self._load(tenant, version, now)
        return fresh

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
        found: dict[str, Link] = {}
        for id_, state, actor, created, options, address in rows:
            link = found.get(id_) or Link(
                tenant,
                id_,
                (),
                LinkState(state),
                actor,
                created,
                LinkOptions.read(json.loads(options)),
            )
            channels = (*link.channels, Channel.parse(address))
            found[id_] = replace(link, channels=channels)
        by_channel: dict[Channel, tuple[Link, ...]] = {}
        for link in found.values():
            for channel in link.channels:
                by_channel[channel] = (*by_channel.get(channel, ()), link)
        return _Cached(version, now, tuple(found.values()), by_channel)


def _insert(link: Link) -> tuple[Statement, ...]:
    row = Statement(
        "INSERT INTO link (tenant, id, state, created_by, created_us, changed_us) "
        f"VALUES (:tenant, :id, :state, :actor, :created, {_NEWEST})",
        {
            "tenant": link.tenant,
            "id": link.id,
            "state": str(link.state),
            "actor": link.created_by,
            "created": link.created_us,
            "now": link.created_us,
            "whose": link.tenant,
        },
    )
    channels = (
        Statement(
            "INSERT INTO link_channel (tenant, link, position, channel) "
            "VALUES (:tenant, :link, :position, :channel)",
            {
                "tenant": link.tenant,
                "link": link.id,
                "position": position,
                "channel": str(channel),
            },
        )
        for position, channel in enumerate(link.channels)
    )
    return (row, *channels)


def _update(link: Link, now_us: int) -> Statement:
    return Statement(
        f"UPDATE link SET state = :state, changed_us = {_NEWEST} "
        "WHERE tenant = :tenant AND id = :id",
        {
            "state": str(link.state),
            "now": now_us,
            "whose": link.tenant,
            "tenant": link.tenant,
            "id": link.id,
        },
    )


def _keep_options(link: Link, now_us: int) -> Statement:
    return Statement(
        f"UPDATE link SET options = :options, changed_us = {_NEWEST} "
        "WHERE tenant = :tenant AND id = :id",
        {
            "options": json.dumps(link.options.as_dict()),
            "now": now_us,
            "whose": link.tenant,
            "tenant": link.tenant,
            "id": link.id,
        },
    )


def _keep_offer(offer: Mapping[str, object]) -> Program[None]:
    yield Statement(
        "DELETE FROM link_offer WHERE expires_us < :now", {"now": offer["now"]}
    )
    yield Statement(
        "INSERT INTO link_offer (tenant, code_hash, channel, actor, expires_us) "
        "VALUES (:tenant, :code_hash, :channel, :actor, :expires_us)",
        offer,
    )


def _take_offer(taken: Mapping[str, object]) -> Program[str | None]:
    rows = yield Statement(
        "DELETE FROM link_offer WHERE tenant = :tenant AND code_hash = :code_hash "
        "AND expires_us >= :now RETURNING channel",
        taken,
    )
    return rows[0][0] if rows else None
