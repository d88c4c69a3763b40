"""
Rotating a company's key-encryption key: a new version, and what the old ones wrap.

Subject keys are wrapped again, while everybody goes on writing; entries and leaves are
not touched. Each page of them is a transaction, so a rotation that was cut short is
finished by the next one. A version that wraps nothing any more can be destroyed.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bridge.compliance import Approvals, Duties, Duty, Officer
from bridge.errors import Conflict
from storage.compliance.acts import Act, Acts
from storage.compliance.keys.company import (
    ACTIVE,
    DESTROYED,
    RETIRED,
    Version,
    is_active,
)
from storage.compliance.keys.earlier import Earlier
from storage.compliance.keys.ring import Keyring, Stored
from storage.hot import Program, Row, Statement

_PAGE = 200

Progress = Callable[[int, int], None]


def _quiet(_done: int, _all: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class Wraps:
    """A version, and how many keys are wrapped under it."""

    version: Version
    count: int


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """What officers do with key-encryption keys. Everything they do is on record."""

    ring: Keyring
    earlier: Earlier
    acts: Acts
    duties: Duties
    approvals: Approvals
    clock: Callable[[], int]

    async def status(self, tenant: str) -> list[Wraps]:
        """Return the company's versions, oldest first."""
        await self.ring.company(tenant)
        rows = await self.ring.store.fetch(
            Statement(
                "SELECT version, count(*) FROM subject_key WHERE tenant = :tenant "
                "AND destroyed_us = 0 GROUP BY version",
                {"tenant": tenant},
            )
        )
        counts: dict[int, int] = dict(tuple(row) for row in rows)
        versions = await self.ring.versions(tenant)
        return [Wraps(version, counts.get(version.number, 0)) for version in versions]

    async def rotate(
        self, tenant: str, officer: Officer, progress: Progress = _quiet
    ) -> int:
        """
        Wrap everything under a new version, and return it.

        If an earlier rotation was cut short, that one is finished instead.
        """
        await self.duties.require(tenant, officer, Duty.ERASE)
        found = await self.status(tenant)
        active = _active([wraps.version for wraps in found])
        if not any(w.count for w in found if w.version.state == RETIRED):
            active = await self._begun(tenant, officer, active)
        await self.finish(tenant, progress)
        return active

    async def finish(self, tenant: str, progress: Progress = _quiet) -> None:
        """Wrap everything under the active version that is not yet."""
        await self.earlier.keep(tenant)
        found = await self.status(tenant)
        everything = sum(wraps.count for wraps in found)
        done = sum(w.count for w in found if w.version.state == ACTIVE)
        while moved := await self._page(tenant):
            done += moved
            progress(min(done, everything), everything)
        progress(everything, everything)

    async def ask_to_destroy(self, tenant: str, officer: Officer) -> str:
        """Ask a second person for `destroy_old`, and return the approval's id."""
        await self.duties.require(tenant, officer, Duty.ERASE)
        versions = await self._unneeded(tenant)
        what = f"destroy version {_listed(versions)} of the key of {tenant}"
        digest = _digest(tenant, versions)
        return await self.approvals.ask(tenant, officer, what, digest)

    async def destroy_old(self, tenant: str, officer: Officer) -> list[int]:
        """
        Destroy the retired versions, and return them. Needs an approval.

        Raises `Conflict` as long as one of them wraps anything.
        """
        await self.duties.require(tenant, officer, Duty.ERASE)
        versions = await self._unneeded(tenant)
        await self.approvals.spend(tenant, officer, _digest(tenant, versions))
        for version in versions:
            await self._destroyed(tenant, officer, version)
        await self.destroy_again(tenant)
        return versions

    async def destroy_again(self, tenant: str) -> None:
        """Destroy what is on record as destroyed, and came back or was never gone."""
        for version in await self.ring.versions(tenant):
            if version.state == DESTROYED:
                kek = await self.ring.provider(tenant, version.number)
                await kek.destroy(tenant, version.number)

    async def _begun(self, tenant: str, officer: Officer, active: int) -> int:
        kek = self.ring.kek
        known = [version.number for version in await self.ring.versions(tenant)]
        version = max(known) + 1
        await kek.add(tenant, version)
        await kek.check(tenant, version)
        row = {
            "tenant": tenant,
            "version": version,
            "provider": kek.provider,
            "now": self.clock(),
        }
        await self.acts.note(
            Act(
                tenant,
                "key.rotate",
                officer.name,
                f"keys are wrapped under version {version} from now on",
                {"from": active, "to": version, "provider": kek.provider},
            ),
            (_retired(row), _inserted(row)),
            key=f"kek:{version}",
            rekeys=True,
        )
        return version

    async def _page(self, tenant: str) -> int:
        rows = await self.ring.store.fetch(
            Statement(
                "SELECT ref, version, wrapped FROM subject_key WHERE tenant = :tenant "
                "AND destroyed_us = 0 AND version IN (SELECT version FROM tenant_kek "
                f"WHERE tenant = :tenant AND state <> '{ACTIVE}') "
                "ORDER BY ref LIMIT :most",
                {"tenant": tenant, "most": _PAGE},
            )
        )
        if not rows:
            return 0
        target = _active(await self.ring.versions(tenant))
        wrapped = await asyncio.gather(*(self._again(tenant, r, target) for r in rows))
        await self.ring.store.run(lambda: _moved(tenant, target, rows, wrapped))
        return len(rows)

    async def _again(self, tenant: str, row: Row, target: int) -> bytes:
        ref, version, wrapped = row
        kept = Stored(version, bytes(wrapped))
        secret = await self.ring.unwrapped(tenant, ref, kept)
        return await self.ring.wrapped(tenant, target, ref, secret)

    async def _unneeded(self, tenant: str) -> list[int]:
        found = await self.status(tenant)
        retired = [wraps for wraps in found if wraps.version.state == RETIRED]
        if not retired:
            raise Conflict("there is no old version: rotate first")
        if left := sum(wraps.count for wraps in retired):
            raise Conflict(
                f"old versions still wrap {left} keys: "
                "run 'atom compliance keys rotate'"
            )
        if await self.earlier.left(tenant):
            raise Conflict(
                "entries of before still need the key file: "
                "run 'atom compliance keys rotate'"
            )
        return [wraps.version.number for wraps in retired]

    async def _destroyed(self, tenant: str, officer: Officer, version: int) -> None:
        given = {"tenant": tenant, "version": version, "now": self.clock()}
        change = Statement(
            f"UPDATE tenant_kek SET state = '{DESTROYED}', changed_us = :now "
            "WHERE tenant = :tenant AND version = :version "
            f"AND state = '{RETIRED}'",
            given,
        )
        await self.acts.note(
            Act(
                tenant,
                "key.destroy",
                officer.name,
                f"version {version} of the key is destroyed",
                {"version": version},
            ),
            (change,),
            key=f"kek-destroyed:{version}",
            rekeys=True,
            guard=lambda: _nothing_left(tenant, version),
        )


def _active(versions: Sequence[Version]) -> int:
    return next(v.number for v in reversed(versions) if v.state == ACTIVE)


def _nothing_left(tenant: str, version: int) -> Program[None]:
    rows = yield Statement(
        "SELECT 1 FROM subject_key WHERE tenant = :tenant AND version = :version "
        "LIMIT 1",
        {"tenant": tenant, "version": version},
    )
    if rows:
        raise Conflict(f"version {version} wraps keys again: rotate first")


def _moved(
    tenant: str, target: int, rows: Sequence[Row], wrapped: Sequence[bytes]
) -> Program[None]:
    """Store what was wrapped again, where nothing happened to it meanwhile."""
    if not (yield is_active(tenant, target)):
        return
    for (ref, version, before), after in zip(rows, wrapped, strict=True):
        yield Statement(
            "UPDATE subject_key SET version = :target, wrapped = :after "
            "WHERE tenant = :tenant AND ref = :ref AND version = :version "
            "AND wrapped = :before",
            {
                "tenant": tenant,
                "ref": ref,
                "target": target,
                "after": after,
                "version": version,
                "before": bytes(before),
            },
        )


def _retired(row: Mapping[str, object]) -> Statement:
    given = {name: row[name] for name in ("tenant", "now")}
    return Statement(
        f"UPDATE tenant_kek SET state = '{RETIRED}', changed_us = :now "
        f"WHERE tenant = :tenant AND state = '{ACTIVE}'",
        given,
    )


def _inserted(row: Mapping[str, object]) -> Statement:
    return Statement(
        "INSERT INTO tenant_kek (tenant, version, provider, state, derived, "
        f"created_us, changed_us) VALUES (:tenant, :version, :provider, '{ACTIVE}', 0, "
        ":now, :now)",
        row,
    )


def _listed(versions: Sequence[int]) -> str:
    return ", ".join(map(str, versions))


def _digest(tenant: str, versions: Sequence[int]) -> str:
    told = f"key.destroy|{tenant}|{_listed(versions)}"
    return sha256(told.encode()).hexdigest()
