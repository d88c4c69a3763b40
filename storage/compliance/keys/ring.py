"""
The keys of tenants' people: kept wrapped in the database, opened to be used.

A tenant's key-encryption key wraps them. It is somewhere else (`bridge.keys`), so a
copy of the database alone opens nothing.
"""

import asyncio
import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from secrets import token_bytes, token_hex

import orjson

from bridge.errors import BadInput
from bridge.keys import KeyEncryption, WrapBroken
from storage.compliance.keys.derived import PREFIX, TenantKey
from storage.compliance.keys.files import KeyFile
from storage.compliance.keys.items import KEY_BYTES, SealBroken, expand
from storage.compliance.keys.kept import Kept
from storage.hot import HotStore, Program, Row, Rows, Statement

ACTIVE, RETIRED, DESTROYED = "active", "retired", "destroyed"
NAMES = "#names"  # stands for a person, whom it never is: theirs are hexadecimal

_MOST_OPEN = 65_536
_FEW = 16
_AT_ONCE = 32  # questions to an HSM or a KMS


@dataclass(frozen=True, slots=True)
class Company:
    """
    What is known of a tenant's keys before anybody's is looked up.

    `names` makes people's names in the key table; `version` wraps new keys; `derived`
    says that some entries' keys come from the key file.
    """

    names: bytes = field(repr=False)
    version: int
    derived: bool

    def person(self, subject: str) -> str:
        """Return how the key table calls somebody."""
        text = subject.encode("utf-8", "replace")
        return hmac.digest(self.names, b"person|" + text, "sha256")[:16].hex()

    def secret(self, purpose: str) -> bytes:
        """Return a secret of the tenant's for some purpose other than sealing."""
        return expand(self.names, b"purpose|" + purpose.encode())


@dataclass(frozen=True, slots=True)
class Stored:
    """A subject key as its row has it; `wrapped` is None once it is destroyed."""

    version: int
    wrapped: bytes | None


@dataclass(slots=True)
class Keyring:
    """Opens subject keys, and remembers some of those that it opened."""

    store: HotStore
    kek: KeyEncryption
    _companies: dict[str, Company] = field(default_factory=dict, repr=False)
    _open: Kept[tuple[str, str], bytes] = field(
        default_factory=lambda: Kept(_MOST_OPEN), repr=False
    )
    _turns: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_AT_ONCE), repr=False
    )

    async def company(self, tenant: str) -> Company:
        """
        Return the tenant's own, which is made at its first use.

        Raises `BadInput` if it has no key-encryption key.
        """
        if tenant not in self._companies:
            if (found := await self._read(tenant)) is None:
                await self._begin(tenant)
                found = await self._read(tenant)
            if found is None:
                raise BadInput(f"the keys of {tenant} cannot be found")
            self._companies[tenant] = found
        return self._companies[tenant]

    async def secrets(
        self, tenant: str, refs: Iterable[str]
    ) -> Mapping[str, bytes | None]:
        """
        Return the subject keys under these references, None for each destroyed one.

        A key that is neither there nor known to be destroyed is left out.
        """
        wanted = set(refs)
        rows = await self.rows_of(tenant, wanted)
        found: dict[str, Stored | None] = dict.fromkeys(wanted)
        return await self.opened(tenant, found | rows)

    async def rows_of(self, tenant: str, refs: Iterable[str]) -> dict[str, Stored]:
        """Return what the key table has under these references."""
        wanted = sorted(set(refs))
        rows = await self.store.fetch(
            Statement(
                "SELECT ref, version, wrapped FROM subject_key WHERE tenant = :tenant "
                "AND ref IN (SELECT value FROM json_each(:refs))",
                {"tenant": tenant, "refs": orjson.dumps(wanted).decode()},
                postgres="SELECT ref, version, wrapped FROM subject_key "
                "WHERE tenant = :tenant AND ref = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:refs::text::jsonb)))",
                brief=len(wanted) <= _FEW,
            )
        )
        return {row[0]: stored(row[1:]) for row in rows}

    async def opened(
        self,
        tenant: str,
        found: Mapping[str, Stored | None],
        broken: bytes | None = None,
    ) -> dict[str, bytes | None]:
        """
        Open subject keys by their rows; None is a reference that has no row.

        One whose row was changed raises `SealBroken`, or is `broken` if that is given.
        """
        secrets: dict[str, bytes | None] = {}
        closed: dict[str, Stored] = {}
        for ref, row in found.items():
            if row is None:
                if (derived := self._derived(tenant, ref)) is not None:
                    secrets[ref] = derived
            elif row.wrapped is None:
                secrets[ref] = None
            elif known := self._open.get((tenant, ref)):
                secrets[ref] = known
            else:
                closed[ref] = row
        if closed:
            opened = await asyncio.gather(
                *(
                    self._unwrapped_or(broken, tenant, ref, row)
                    for ref, row in closed.items()
                )
            )
            secrets.update(zip(closed, opened, strict=True))
        return secrets

    async def _unwrapped_or(
        self, broken: bytes | None, tenant: str, ref: str, row: Stored
    ) -> bytes:
        try:
            return await self.unwrapped(tenant, ref, row)
        except SealBroken:
            if broken is None:
                raise
            return broken

    async def unwrapped(self, tenant: str, ref: str, row: Stored) -> bytes:
        """Open one key that is not destroyed. Raises `SealBroken`."""
        try:
            async with self._turns:
                secret = await self.kek.unwrap(
                    tenant, row.version, ref, row.wrapped or b""
                )
        except WrapBroken as error:
            raise SealBroken(str(error)) from error
        self._open.put((tenant, ref), secret)
        return secret

    async def wrapped(
        self, tenant: str, version: int, ref: str, secret: bytes
    ) -> bytes:
        """Encrypt a key under a version of the tenant's."""
        async with self._turns:
            return await self.kek.wrap(tenant, version, ref, secret)

    async def made(self, tenant: str, ref: str) -> bytes:
        """Make and keep a key under a new reference that belongs to nobody."""
        while True:
            version = (await self.company(tenant)).version
            secret = token_bytes(KEY_BYTES)
            row = {
                "tenant": tenant,
                "ref": ref,
                "version": version,
                "wrapped": await self.wrapped(tenant, version, ref, secret),
                "now": time.time_ns() // 1000,
            }
            if await self.store.run(partial(_kept, row)):
                return secret
            self.forget(tenant)

    async def drop(self, tenant: str, refs: Iterable[str]) -> None:
        """Destroy keys that no log entry is sealed with, and their rows with them."""
        delete = "DELETE FROM subject_key WHERE tenant = :tenant AND ref"
        statement = Statement(
            f"{delete} IN (SELECT value FROM json_each(:refs))",
            {"tenant": tenant, "refs": orjson.dumps(sorted(refs)).decode()},
            postgres=f"{delete} = ANY(ARRAY(SELECT "
            "jsonb_array_elements_text(:refs::text::jsonb)))",
        )
        await self.store.run(lambda: _one(statement))

    def of_file(self, tenant: str) -> TenantKey | None:
        """Return the key file's secret that earlier keys came from, if it is there."""
        if not isinstance(self.kek, KeyFile):
            return None
        if not self.kek.path(tenant).exists():
            return None
        return self.kek.load(tenant)

    def forget(self, tenant: str) -> None:
        """Keys were destroyed or rotated: nothing that is remembered counts any more."""
        self._companies.pop(tenant, None)
        self._open.clear()

    def _derived(self, tenant: str, ref: str) -> bytes | None:
        if not ref.startswith(PREFIX) or not isinstance(self.kek, KeyFile):
            return None
        return self.kek.load(tenant).subject(ref)

    async def _read(self, tenant: str) -> Company | None:
        versions = await self.store.fetch(
            Statement(
                "SELECT version, state, derived FROM tenant_kek "
                "WHERE tenant = :tenant ORDER BY version",
                {"tenant": tenant},
            )
        )
        names = await self.store.fetch(
            Statement(
                "SELECT ref, version, wrapped FROM subject_key WHERE tenant = :tenant "
                f"AND person = '{NAMES}' AND quarter = ''",
                {"tenant": tenant},
            )
        )
        active = [version for version, state, _ in versions if state == ACTIVE]
        if not (active and names):
            return None
        secret = await self.unwrapped(tenant, names[0][0], stored(names[0][1:]))
        return Company(secret, active[-1], any(derived for _, _, derived in versions))

    async def _begin(self, tenant: str) -> None:
        """Keep a first version and the names' secret, unless another process does."""
        versions = await self.kek.versions(tenant)
        if not versions and isinstance(self.kek, KeyFile):
            self.kek.load(tenant)  # says what is missing, and what to do
        if not versions:
            raise BadInput(f"company {tenant} has no key yet: run 'atom setup'")
        version, ref = versions[-1], f"n1:{token_hex(16)}"
        row = {
            "tenant": tenant,
            "version": version,
            "provider": self.kek.provider,
            "now": time.time_ns() // 1000,
            "ref": ref,
            "wrapped": await self.wrapped(tenant, version, ref, token_bytes(KEY_BYTES)),
        }
        await self.store.run(lambda: _begun(row))


def _kept(row: Mapping[str, object]) -> Program[bool]:
    """Insert a key, unless its version is not the active one any more."""
    active = (
        "SELECT 1 FROM tenant_kek WHERE tenant = :tenant AND version = :version "
        f"AND state = '{ACTIVE}'"
    )
    kek = {name: row[name] for name in ("tenant", "version")}
    # Shared with others who insert; who retires the version waits for all of them.
    if not (yield Statement(active, kek, postgres=f"{active} FOR SHARE")):
        return False
    yield Statement(
        "INSERT INTO subject_key (tenant, ref, person, quarter, version, wrapped, "
        "created_us, destroyed_us) VALUES (:tenant, :ref, :ref, '', :version, "
        ":wrapped, :now, 0)",
        row,
    )
    return True


def _one(statement: Statement) -> Program[None]:
    yield statement


def _begun(row: Mapping[str, object]) -> Program[None]:
    rows: Rows = yield Statement(
        "SELECT size FROM head WHERE tenant = :tenant", {"tenant": row["tenant"]}
    )
    derived = int(bool(rows and rows[0][0]))
    kek = {name: row[name] for name in ("tenant", "version", "provider", "now")}
    yield Statement(
        "INSERT INTO tenant_kek (tenant, version, provider, state, derived, "
        f"created_us, changed_us) VALUES (:tenant, :version, :provider, '{ACTIVE}', "
        ":derived, :now, :now) ON CONFLICT DO NOTHING",
        kek | {"derived": derived},
    )
    names = {name: row[name] for name in ("tenant", "version", "ref", "wrapped", "now")}
    yield Statement(
        "INSERT INTO subject_key (tenant, ref, person, quarter, version, wrapped, "
        f"created_us, destroyed_us) VALUES (:tenant, :ref, '{NAMES}', '', :version, "
        ":wrapped, :now, 0) ON CONFLICT DO NOTHING",
        names,
    )


def stored(row: Row) -> Stored:
    """Read a version and what is wrapped under it."""
    version, wrapped = row
    return Stored(version, None if wrapped is None else bytes(wrapped))
