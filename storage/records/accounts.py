"""
People's own accounts of business systems, each sealed with a key of its own.

The key is wrapped as all keys are (`storage.compliance.keys`) and belongs to nobody in
the key table; letting go of an account destroys it, so that no backup of the database
opens the tokens again once its own copy of the key has run out.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bridge.records.connections import Connection, Held, Tokens
from bridge.records.entries import connected, disconnected
from bridge.records.model import System
from storage.compliance.keys import Keyring
from storage.hot import HotStore, Row, Statement, run_one
from storage.records.log import StoredRecordLog
from storage.records.sealing import seal, unseal
from storage.rows import clean_id

_KEY = (
    "tenant = :tenant AND person = :person AND system = :system "
    "AND instance = :instance"
)
_COLUMNS = "person, system, instance, key_ref, sealed, version, broken, since_us"


@dataclass(frozen=True, slots=True)
class StoredConnections:
    """Implements `bridge.records.connections.ConnectionBook`."""

    store: HotStore
    keys: Keyring
    log: StoredRecordLog
    clock: Callable[[], int]

    async def keep(self, connection: Connection, tokens: Tokens, actor: str) -> None:
        known = await self._rows(connection.tenant, _of(connection))
        ref = known[0][3] if known else f"account:{secrets.token_hex(16)}"
        tenant = connection.tenant
        key = await (self.keys.kept if known else self.keys.made)(tenant, ref)
        row = _of(connection) | {
            "key_ref": ref,
            "sealed": seal(key, _text(connection, tokens), _about(connection)),
            "since_us": connection.since_us or self.clock(),
        }
        change = Statement(
            "INSERT INTO record_account (tenant, person, system, instance, key_ref, "
            "sealed, version, broken, since_us, renewer, renew_until_us) VALUES "
            "(:tenant, :person, :system, :instance, :key_ref, :sealed, 1, 0, "
            ":since_us, '', 0) ON CONFLICT (tenant, person, system, instance) "
            "DO UPDATE SET key_ref = excluded.key_ref, sealed = excluded.sealed, "
            "version = record_account.version + 1, broken = 0, "
            "since_us = excluded.since_us, renewer = '', renew_until_us = 0",
            row,
        )
        await self.log.note(connected(connection, actor), (change,))

    async def of(self, tenant: str, person: str) -> Sequence[Connection]:
        rows = await self._rows(tenant, {"tenant": tenant, "person": clean_id(person)})
        return [held.connection for held in await self._opened(tenant, rows)]

    async def get(
        self, tenant: str, person: str, system: System, instance: str
    ) -> Held | None:
        wanted = Connection(tenant, person, system, instance)
        held = await self._opened(tenant, await self._rows(tenant, _of(wanted)))
        return held[0] if held else None

    async def people(self, tenant: str) -> Sequence[str]:
        rows = await self.store.fetch(
            Statement(
                "SELECT DISTINCT person FROM record_account WHERE tenant = :tenant "
                "ORDER BY person",
                {"tenant": tenant},
            )
        )
        return [str(row[0]) for row in rows]

    async def renewing(self, held: Held, owner: str, until_us: int) -> bool:
        return await self._changed(
            held,
            "renewer = :owner, renew_until_us = :until",
            "broken = 0 AND renew_until_us < :now",
            owner=clean_id(owner),
            until=until_us,
            now=self.clock(),
        )

    async def renewed(self, held: Held, owner: str, tokens: Tokens) -> bool:
        ref = (await self._rows(held.connection.tenant, _of(held.connection)))[:1]
        if not ref:
            return False
        key = await self.keys.kept(held.connection.tenant, ref[0][3])
        text = _text(held.connection, tokens)
        return await self._changed(
            held,
            "sealed = :sealed, version = version + 1, renewer = '', renew_until_us = 0",
            "renewer = :owner AND key_ref = :key_ref",
            owner=clean_id(owner),
            sealed=seal(key, text, _about(held.connection)),
            key_ref=ref[0][3],
        )

    async def not_renewed(self, held: Held, owner: str, *, broken: bool) -> None:
        change = "renewer = '', renew_until_us = 0"
        await self._changed(
            held,
            f"{change}, broken = 1" if broken else change,
            "renewer = :owner",
            owner=clean_id(owner),
        )

    async def remove(
        self, connection: Connection, actor: str, why: str
    ) -> Tokens | None:
        rows = await self._rows(connection.tenant, _of(connection))
        if not rows:
            return None
        held = await self._opened(connection.tenant, rows)
        known = held[0].connection if held else connection
        delete = Statement(f"DELETE FROM record_account WHERE {_KEY}", _of(connection))
        await self.log.note(disconnected(known, actor, why), (delete,))
        await self.keys.drop(connection.tenant, [rows[0][3]])
        return held[0].tokens if held else None

    async def _rows(self, tenant: str, wanted: dict[str, object]) -> Sequence[Row]:
        where = " AND ".join(f"{name} = :{name}" for name in wanted)
        return await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM record_account WHERE {where} "
                "ORDER BY system, instance",
                {**wanted, "tenant": tenant},
                brief=True,
            )
        )

    async def _opened(self, tenant: str, rows: Sequence[Row]) -> list[Held]:
        found = await self.keys.secrets(tenant, [row[3] for row in rows])
        return [_held(tenant, row, key) for row in rows if (key := found.get(row[3]))]

    async def _changed(
        self, held: Held, change: str, when: str, **given: object
    ) -> bool:
        row = _of(held.connection) | {"version": held.version, **given}
        sql = (
            f"UPDATE record_account SET {change} WHERE {_KEY} "
            f"AND version = :version AND {when} RETURNING person"
        )

        return bool(await run_one(self.store, Statement(sql, row)))


def _held(tenant: str, row: Row, key: bytes) -> Held:
    person, system, instance, _, sealed, version, broken, since_us = row
    bare = Connection(tenant, person, System(system), instance)
    what: dict[str, Any] = orjson.loads(unseal(key, bytes(sealed), _about(bare)))
    connection = Connection(
        tenant,
        person,
        bare.system,
        instance,
        what["name"],
        what["remote"],
        int(since_us),
        bool(broken),
    )
    tokens = Tokens(what["access"], what["refresh"], what["expires_us"], what["site"])
    return Held(connection, tokens, int(version))


def _text(connection: Connection, tokens: Tokens) -> bytes:
    return orjson.dumps(
        {
            "name": connection.name,
            "remote": connection.remote,
            "access": tokens.access,
            "refresh": tokens.refresh,
            "expires_us": tokens.expires_us,
            "site": tokens.site,
        }
    )


def _of(connection: Connection) -> dict[str, object]:
    return {
        "tenant": connection.tenant,
        "person": clean_id(connection.person),
        "system": str(connection.system),
        "instance": clean_id(connection.instance),
    }


def _about(connection: Connection) -> str:
    return "|".join(("account", *map(str, _of(connection).values())))
