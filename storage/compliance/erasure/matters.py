"""
Matters: what a legal hold keeps readable of what was erased, and for whom.

The key of each held entry is wrapped under the matter's own key, which is a subject
key like any other and rotates with them. Destroying it ends the matter's reading.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.compliance import Duties, Duty, Officer
from storage.compliance.acts import Act, Acts
from storage.compliance.keys import ItemKey, Keyring, SealBroken
from storage.compliance.sealing import open_body
from storage.hot import Program, Statement
from storage.log_reader import LogEntry, LogReader
from storage.rows import canonical_body

_NONCE_BYTES = 12


def matter_ref(matter: str) -> str:
    """Return the reference of a matter's key."""
    return f"matter:{matter}"


@dataclass(frozen=True, slots=True)
class Matters:
    """Wraps keys of held entries, and opens what was wrapped."""

    ring: Keyring
    reader: LogReader

    async def keep(self, tenant: str, held: Mapping[int, Collection[str]]) -> int:
        """
        Wrap the keys of entries for the matters that hold them, and prove it.

        Every wrap is read back and must open its entry; otherwise `SealBroken` is
        raised. Returns how many entries are kept: what was disposed of has no content.
        """
        entries = [e for e in await self.reader.at(tenant, held) if not e.erased]
        items = await self.reader.items(tenant, entries)
        wraps: list[tuple[int, str, bytes]] = []
        for entry in entries:
            for matter in sorted(held[entry.seq]):
                secret = await self.ring.kept(tenant, matter_ref(matter))
                item = items[entry.seq].secret
                wraps.append((entry.seq, matter, _wrapped(tenant, secret, entry, item)))
        await self.ring.store.run(lambda: _stored(tenant, wraps))
        for matter in sorted({matter for _, matter, _ in wraps}):
            seqs = [seq for seq, each, _ in wraps if each == matter]
            await self._prove(tenant, matter, seqs)
        return len(entries)

    async def opened(
        self, tenant: str, matter: str, after: int, limit: int
    ) -> list[LogEntry]:
        """Return entries that are kept for a matter alone, opened, lowest first."""
        rows = await self.ring.store.fetch(
            Statement(
                "SELECT seq FROM item_key_wrap WHERE tenant = :tenant "
                "AND matter = :matter AND seq > :after ORDER BY seq LIMIT :limit",
                {"tenant": tenant, "matter": matter, "after": after, "limit": limit},
            )
        )
        return await self._opened(tenant, matter, [seq for (seq,) in rows])

    async def _prove(self, tenant: str, matter: str, seqs: Sequence[int]) -> None:
        opened = {e.seq: e for e in await self._opened(tenant, matter, seqs)}
        if missing := [seq for seq in seqs if seq not in opened]:
            raise SealBroken(f"entry {missing[0]} would be lost to matter {matter}")

    async def _opened(
        self, tenant: str, matter: str, seqs: Sequence[int]
    ) -> list[LogEntry]:
        ref = matter_ref(matter)
        secret = (await self.ring.secrets(tenant, [ref])).get(ref)
        if secret is None:
            return []
        wraps = await self._wraps(tenant, matter, seqs)
        opened = []
        for entry in await self.reader.sealed(tenant, [*wraps]):
            item = _unwrapped(tenant, secret, entry, wraps[entry.seq])
            body = orjson.loads(open_body(item, entry.row["ct"]))
            if item.commitment(canonical_body(body)) != entry.row["cmt"]:
                raise SealBroken(f"entry {entry.seq} is not what was committed to")
            opened.append(LogEntry(entry.row, body))
        return opened

    async def _wraps(
        self, tenant: str, matter: str, seqs: Sequence[int]
    ) -> dict[int, bytes]:
        select = (
            "SELECT seq, wrapped FROM item_key_wrap WHERE tenant = :tenant "
            "AND matter = :matter AND seq"
        )
        rows = await self.ring.store.fetch(
            Statement(
                f"{select} IN (SELECT value FROM json_each(:seqs))",
                {
                    "tenant": tenant,
                    "matter": matter,
                    "seqs": orjson.dumps([*seqs]).decode(),
                },
                postgres=f"{select} = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:seqs::text::jsonb)::bigint))",
            )
        )
        return {seq: bytes(wrapped) for seq, wrapped in rows}


@dataclass(frozen=True, slots=True)
class MatterReader:
    """Reads for a matter what was erased for everybody else. It goes on record."""

    matters: Matters
    duties: Duties
    acts: Acts

    async def entries(
        self, tenant: str, officer: Officer, matter: str, after: int, limit: int
    ) -> list[LogEntry]:
        """Return entries kept for the matter. Raises `Refused` without the duty."""
        await self.duties.require(tenant, officer, Duty.READ)
        found = await self.matters.opened(tenant, matter, after, limit)
        if found:
            seqs = [entry.seq for entry in found]
            detail = {"matter": matter, "seqs": seqs}
            text = f"read {len(seqs)} entries that matter {matter} keeps"
            await self.acts.note(Act(tenant, "item.view", officer.name, text, detail))
        return found


def _bound(tenant: str, entry: LogEntry) -> bytes:
    return f"{tenant}|{entry.seq}|{entry.row['eid']}".encode()


def _wrapped(tenant: str, secret: bytes, entry: LogEntry, item: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(secret).encrypt(nonce, item, _bound(tenant, entry))


def _unwrapped(tenant: str, secret: bytes, entry: LogEntry, wrapped: bytes) -> ItemKey:
    nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    try:
        return ItemKey(AESGCM(secret).decrypt(nonce, sealed, _bound(tenant, entry)))
    except InvalidTag as error:
        raise SealBroken(f"the kept key of entry {entry.seq} was changed") from error


def _stored(tenant: str, wraps: Sequence[tuple[int, str, bytes]]) -> Program[None]:
    for seq, matter, wrapped in wraps:
        row = {"tenant": tenant, "seq": seq, "matter": matter}
        # What an interrupted erasure wrapped is as good, and is proved like the rest.
        yield Statement(
            "INSERT INTO item_key_wrap (tenant, seq, matter, wrapped) VALUES "
            "(:tenant, :seq, :matter, :wrapped) ON CONFLICT DO NOTHING",
            row | {"wrapped": wrapped},
        )
        # So that retention keeps the entry's bytes, whoever its person was.
        yield Statement(
            "INSERT INTO hold_item (tenant, seq, hold) VALUES (:tenant, :seq, :matter) "
            "ON CONFLICT DO NOTHING",
            row,
        )
