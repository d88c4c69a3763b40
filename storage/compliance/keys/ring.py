"""
The keys of tenants' people: kept wrapped in the database, opened to be used.

A tenant's key-encryption key wraps them. It is somewhere else (`bridge.keys`), so a
copy of the database alone opens nothing.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from secrets import token_bytes, token_hex

import orjson

from bridge.errors import BadInput
from bridge.keys import KeyEncryption, WrapBroken
from storage.compliance.keys.company import (
    ACTIVE,
    Company,
    Version,
    begun,
    kept,
    names_of,
    one,
    versions_of,
)
from storage.compliance.keys.derived import PREFIX, TenantKey
from storage.compliance.keys.files import KeyFile
from storage.compliance.keys.items import KEY_BYTES, SealBroken
from storage.compliance.keys.kept import Kept
from storage.hot import HotStore, Row, Statement

_MOST_OPEN = 65_536
_FEW = 16
_AT_ONCE = 32  # questions to an HSM or a KMS


@dataclass(frozen=True, slots=True)
class Stored:
    """A subject key as its row has it; `wrapped` is None once it is destroyed."""

    version: int
    wrapped: bytes | None


@dataclass(slots=True)
class Keyring:
    """
    Opens subject keys, and remembers some of those that it opened.

    New versions are made at `kek`; `others` still have what was made there before.
    """

    store: HotStore
    kek: KeyEncryption
    others: tuple[KeyEncryption, ...] = ()
    _providers: dict[tuple[str, int], str] = field(default_factory=dict, repr=False)
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
        kek = await self._of(tenant, row.version)
        try:
            async with self._turns:
                secret = await kek.unwrap(tenant, row.version, ref, row.wrapped or b"")
        except WrapBroken as error:
            raise SealBroken(str(error)) from error
        self._open.put((tenant, ref), secret)
        return secret

    async def wrapped(
        self, tenant: str, version: int, ref: str, secret: bytes
    ) -> bytes:
        """Encrypt a key under a version of the tenant's."""
        kek = await self._of(tenant, version)
        async with self._turns:
            return await kek.wrap(tenant, version, ref, secret)

    async def begin(self, tenant: str) -> bool:
        """Make a company's first version. Returns False if it has one."""
        if await self.versions(tenant) or await self.kek.versions(tenant):
            return False
        return await self.kek.add(tenant, 1)

    async def check(self, tenant: str) -> None:
        """Make sure that the company's keys can be used. Raises `BadInput`."""
        active = [v for v in await self.versions(tenant) if v.state == ACTIVE]
        if active:
            kek = await self._of(tenant, active[-1].number)
            await kek.check(tenant, active[-1].number)
        else:
            await self.kek.check(tenant, (await self._first(tenant)))

    async def versions(self, tenant: str) -> list[Version]:
        """Return the versions of the company's key-encryption key, oldest first."""
        rows = await self.store.fetch(versions_of(tenant))
        return [
            Version(number, provider, state, bool(derived))
            for number, provider, state, derived in rows
        ]

    async def provider(self, tenant: str, version: int) -> KeyEncryption:
        """Return the adapter that has a version. Raises `BadInput` if it is not set."""
        return await self._of(tenant, version)

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
            if await self.store.run(partial(kept, row)):
                return secret
            self.forget(tenant)

    async def kept(self, tenant: str, ref: str) -> bytes:
        """Return the key of a fixed name, which is made at its first use."""
        known = await self.secrets(tenant, [ref])
        while (secret := known.get(ref)) is None:
            if ref in known:
                raise SealBroken(f"key {ref} was destroyed")
            await self.made(tenant, ref)
            known = await self.secrets(tenant, [ref])
        return secret

    async def drop(self, tenant: str, refs: Iterable[str]) -> None:
        """Destroy keys that no log entry is sealed with, and their rows with them."""
        delete = "DELETE FROM subject_key WHERE tenant = :tenant AND ref"
        statement = Statement(
            f"{delete} IN (SELECT value FROM json_each(:refs))",
            {"tenant": tenant, "refs": orjson.dumps(sorted(refs)).decode()},
            postgres=f"{delete} = ANY(ARRAY(SELECT "
            "jsonb_array_elements_text(:refs::text::jsonb)))",
        )
        await self.store.run(lambda: one(statement))

    def of_file(self, tenant: str) -> TenantKey | None:
        """Return the key file's secret that earlier keys came from, if it is there."""
        for kek in (self.kek, *self.others):
            if isinstance(kek, KeyFile) and kek.path(tenant).exists():
                return kek.load(tenant)
        return None

    def forget(self, tenant: str) -> None:
        """Keys were destroyed or rotated: nothing that is remembered counts any more."""
        self._companies.pop(tenant, None)
        self._open.clear()

    def _derived(self, tenant: str, ref: str) -> bytes | None:
        if not ref.startswith(PREFIX):
            return None
        for kek in (self.kek, *self.others):
            if isinstance(kek, KeyFile):
                return kek.load(tenant).subject(ref)
        return None

    async def _of(self, tenant: str, version: int) -> KeyEncryption:
        if (tenant, version) not in self._providers:
            for known in await self.versions(tenant):
                self._providers[tenant, known.number] = known.provider
        name = self._providers.get((tenant, version), self.kek.provider)
        for kek in (self.kek, *self.others):
            if kek.provider == name:
                return kek
        raise BadInput(
            f"version {version} of {tenant}'s key is at '{name}', which is not set up"
        )

    async def _first(self, tenant: str) -> int:
        if made := await self.kek.versions(tenant):
            return made[-1]
        await self.kek.check(tenant, 1)  # says what is missing, and what to do
        raise BadInput(f"company {tenant} has no key yet: run 'atom setup'")

    async def _read(self, tenant: str) -> Company | None:
        versions = await self.versions(tenant)
        names = await self.store.fetch(names_of(tenant))
        active = [version.number for version in versions if version.state == ACTIVE]
        if not (active and names):
            return None
        secret = await self.unwrapped(tenant, names[0][0], stored(names[0][1:]))
        return Company(secret, active[-1], any(v.derived for v in versions))

    async def _begin(self, tenant: str) -> None:
        """Keep a first version and the names' secret, unless another process does."""
        version, ref = await self._first(tenant), f"n1:{token_hex(16)}"
        row = {
            "tenant": tenant,
            "version": version,
            "provider": self.kek.provider,
            "now": time.time_ns() // 1000,
            "ref": ref,
            "wrapped": await self.wrapped(tenant, version, ref, token_bytes(KEY_BYTES)),
        }
        await self.store.run(lambda: begun(row))


def stored(row: Row) -> Stored:
    """Read a version and what is wrapped under it."""
    version, wrapped = row
    return Stored(version, None if wrapped is None else bytes(wrapped))
