"""
Files' bytes, content-addressed: equal files of a company are kept once.

A blob's name is a keyed hash of its content: it tells nobody without the company's
secret whether a certain file is among them. The content's own SHA-256 stands only in
sealed bodies. Every blob has a key of its own, and every chunk is sealed for its place
in the file, so that none can be swapped, repeated or left out.
"""

import hashlib
import hmac
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import count

import orjson

from bridge.errors import NotFound
from bridge.file_ports import Kept
from storage.compliance.blobs.shelves import CHUNK, BlobShelf
from storage.compliance.keys import ItemKey, Keyring, SealBroken
from storage.compliance.keys.company import Company
from storage.hot import HotStore, Program, Row, Statement

_DAY_US = 24 * 3600 * 1_000_000
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Blob:
    """One file's bytes as they are kept. `size` is in bytes, before sealing."""

    tenant: str
    name: str
    place: str
    size: int
    chunks: int
    key_ref: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Blobs:
    """
    Keeps blobs as long as a message holds them.

    Bytes go first and under a new place each time; the row that names the place
    comes with the log entry, or not at all. So whatever breaks in between leaves
    bytes that nobody names, which `sweep` removes a day later.
    """

    store: HotStore
    keys: Keyring
    shelf: BlobShelf
    clock: Callable[[], int]

    async def put(self, tenant: str, kept: Kept) -> Blob:
        """Seal a file's bytes and keep them, for now without anybody who holds them."""
        name = _name(await self.keys.company(tenant), kept.sha256)
        chunks = max(-(-kept.size // CHUNK), 1)
        place = uuid.uuid4().hex
        blob = Blob(
            tenant, name, place, kept.size, chunks, _reference(place), kept.sha256
        )
        secret = await self.keys.made(tenant, blob.key_ref)
        sealed = _sealed(ItemKey.of(secret, name), kept, chunks)
        await self.shelf.write(tenant, blob.place, sealed)
        return blob

    def held(
        self, blob: Blob, platform: str, conv: str, msg: str
    ) -> tuple[Statement, ...]:
        """Return what makes a message hold a blob, in its entry's transaction."""
        return (
            Statement(
                "INSERT INTO blob (tenant, name, place, size, chunks, key_ref, at_us) "
                "VALUES (:tenant, :name, :place, :size, :chunks, :key_ref, :at_us) "
                # The update locks a row that a sweep may be about to remove.
                "ON CONFLICT (tenant, name) DO UPDATE SET at_us = excluded.at_us",
                {
                    "tenant": blob.tenant,
                    "name": blob.name,
                    "place": blob.place,
                    "size": blob.size,
                    "chunks": blob.chunks,
                    "key_ref": blob.key_ref,
                    "at_us": self.clock(),
                },
            ),
            Statement(
                "INSERT INTO blob_holder (tenant, name, platform, conv, msg) VALUES "
                "(:tenant, :name, :platform, :conv, :msg) ON CONFLICT DO NOTHING",
                {
                    "tenant": blob.tenant,
                    "name": blob.name,
                    "platform": platform,
                    "conv": conv,
                    "msg": msg,
                },
            ),
        )

    async def settle(self, blob: Blob) -> None:
        """Remove the bytes again if equal ones were there already."""
        row = await self._row(blob.tenant, blob.name)
        if row is None or row[0] != blob.place:
            await self._remove(blob.tenant, [blob.place])

    async def read(self, tenant: str, name: str) -> AsyncIterator[bytes]:
        """
        Yield a blob's bytes.

        Raises `NotFound` if it is not kept, or not any more, and `SealBroken` if it
        is not what was kept.
        """
        row = await self._row(tenant, name)
        if row is None:
            raise NotFound("the file is not kept, or not any more")
        place, size, chunks, reference = row
        secrets = await self.keys.secrets(tenant, [reference])
        if (secret := secrets.get(reference)) is None:
            raise SealBroken("the key of the file is missing")
        key = ItemKey.of(secret, name)
        numbers, done, digest = count(), 0, hashlib.sha256()
        async for sealed in self.shelf.read(tenant, place):
            n = next(numbers)
            chunk = key.open(sealed, _purpose(n, chunks))
            done += len(chunk)
            digest.update(chunk)
            yield chunk
        if next(numbers) != chunks or done != size:
            raise SealBroken("a part of the file is missing")
        if _name(await self.keys.company(tenant), digest.hexdigest()) != name:
            raise SealBroken("the file is not the one that was kept")

    def released(
        self, tenant: str, platform: str, conv: str, msg: str
    ) -> tuple[Statement, ...]:
        """Return what makes a message hold its files no more; then `sweep`."""
        parameters = {
            "tenant": tenant,
            "platform": platform,
            "conv": conv,
            "msg": msg,
        }
        where = (
            "WHERE tenant = :tenant AND platform = :platform AND conv = :conv "
            "AND msg = :msg"
        )
        return (
            Statement(f"DELETE FROM blob_holder {where}", parameters),
            Statement(f"DELETE FROM file_work {where}", parameters),
        )

    async def sweep(self, tenant: str) -> int:
        """Remove the blobs that nobody holds, and bytes nobody names; return how many."""
        swept = 0
        while places := await self.store.run(lambda: _unheld(tenant)):
            await self._remove(tenant, places)
            swept += len(places)
        old = await self.shelf.places(tenant, self.clock() - _DAY_US)
        for first in range(0, len(old), _AT_ONCE):
            some = old[first : first + _AT_ONCE]
            named = await self._named(tenant, some)
            await self._remove(tenant, [p for p in some if p not in named])
        return swept

    async def _remove(self, tenant: str, places: Sequence[str]) -> None:
        """Remove bytes, and the keys without which their remains are noise."""
        await self.shelf.remove(tenant, places)
        await self.keys.drop(tenant, [_reference(place) for place in places])

    async def _row(self, tenant: str, name: str) -> Row | None:
        rows = await self.store.fetch(
            Statement(
                "SELECT place, size, chunks, key_ref FROM blob "
                "WHERE tenant = :tenant AND name = :name",
                {"tenant": tenant, "name": name},
            )
        )
        return rows[0] if rows else None

    async def _named(self, tenant: str, places: Sequence[str]) -> set[str]:
        rows = await self.store.fetch(
            Statement(
                "SELECT place FROM blob WHERE tenant = :tenant "
                "AND place IN (SELECT value FROM json_each(:places))",
                {"tenant": tenant, "places": orjson.dumps([*places]).decode()},
                postgres="SELECT place FROM blob WHERE tenant = :tenant "
                "AND place = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:places::text::jsonb)))",
            )
        )
        return {place for (place,) in rows}


def _unheld(tenant: str) -> Program[list[str]]:
    free = (
        "SELECT b.name FROM blob b WHERE b.tenant = :tenant AND NOT EXISTS "
        "(SELECT 1 FROM blob_holder h WHERE h.tenant = b.tenant AND h.name = b.name) "
        f"LIMIT {_AT_ONCE}"
    )
    locked = yield Statement(
        free, {"tenant": tenant}, postgres=f"{free} FOR UPDATE OF b"
    )
    places = []
    for (name,) in locked:
        # Asked again now that the row is locked: somebody may hold it meanwhile.
        gone = yield Statement(
            "DELETE FROM blob WHERE tenant = :tenant AND name = :name AND NOT EXISTS "
            "(SELECT 1 FROM blob_holder h WHERE h.tenant = :tenant AND h.name = :name) "
            "RETURNING place",
            {"tenant": tenant, "name": name},
        )
        places += [place for (place,) in gone]
    return places


async def _sealed(key: ItemKey, kept: Kept, chunks: int) -> AsyncIterator[bytes]:
    buffer, n = bytearray(), 0
    async for piece in kept.chunks():
        buffer += piece
        while len(buffer) >= CHUNK and n < chunks - 1:
            yield key.seal(bytes(buffer[:CHUNK]), _purpose(n, chunks))
            del buffer[:CHUNK]
            n += 1
    yield key.seal(bytes(buffer), _purpose(n, chunks))


def _purpose(n: int, chunks: int) -> bytes:
    """Seal each chunk for its place, and the last one as the last."""
    return b"atom/blob/v1|%d|%d" % (n, n == chunks - 1)


def _reference(place: str) -> str:
    return f"blob:{place}"


def _name(company: Company, sha256: str) -> str:
    names = company.secret("blobs")
    return hmac.digest(names, bytes.fromhex(sha256), "sha256").hex()
