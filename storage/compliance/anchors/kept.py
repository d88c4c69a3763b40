"""Which anchors a company chose, and what each of them gave."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.anchors import Evidence, Shown
from storage.compliance.proofs.notes import with_lines
from storage.hot import HotStore, Program, Statement


@dataclass(frozen=True, slots=True)
class Chosen:
    """
    An anchor that was chosen.

    `address` is `slack:TEAM/CHANNEL`, `teams:TEAM/CHANNEL`, `witness:URL` or
    `tsa:URL`; `detail` is a witness's vkey or an authority's certificates (PEM).
    """

    address: str
    detail: str

    @property
    def kind(self) -> str:
        return self.address.partition(":")[0]

    @property
    def where(self) -> str:
        return self.address.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Last:
    """How it went the last time: the size that was shown, when, and what failed."""

    size: int
    at_us: int
    fault: str


@dataclass(frozen=True, slots=True)
class StoredAnchors:
    """Anchors in the database."""

    store: HotStore
    clock: Callable[[], int]

    async def all(self, tenant: str) -> list[Chosen]:
        rows = await self.store.fetch(
            Statement(
                "SELECT address, detail FROM anchor WHERE tenant = :tenant "
                "ORDER BY address",
                {"tenant": tenant},
            )
        )
        return [Chosen(address, detail) for address, detail in rows]

    async def last(self, tenant: str, address: str) -> Last | None:
        rows = await self.store.fetch(
            Statement(
                "SELECT size, at_us, fault FROM anchored WHERE tenant = :tenant "
                "AND address = :address ORDER BY at_us DESC LIMIT 1",
                {"tenant": tenant, "address": address},
            )
        )
        return Last(*rows[0]) if rows else None

    async def token(self, tenant: str, address: str, size: int) -> tuple[str, bytes]:
        """Return the newest evidence for a size, with what it is about; or nothing."""
        rows = await self.store.fetch(
            Statement(
                "SELECT note, evidence FROM anchored WHERE tenant = :tenant "
                "AND address = :address AND size = :size AND fault = '' "
                "ORDER BY at_us DESC LIMIT 1",
                {"tenant": tenant, "address": address, "size": size},
            )
        )
        return (rows[0][0], bytes(rows[0][1])) if rows else ("", b"")

    async def keep(
        self, address: str, shown: Shown, evidence: Evidence, fault: str = ""
    ) -> None:
        """Write down how it went, and put a witness's lines below the checkpoint."""
        parameters = {
            "tenant": shown.tenant,
            "address": address,
            "size": shown.size,
            "at_us": self.clock(),
            "note": shown.plain,
            "evidence": evidence.token,
            "fault": fault,
        }

        def kept() -> Program[None]:
            yield Statement(
                "INSERT INTO anchored (tenant, address, size, at_us, note, evidence, "
                "fault) VALUES (:tenant, :address, :size, :at_us, :note, :evidence, "
                ":fault) ON CONFLICT DO NOTHING",
                parameters,
            )
            if not evidence.lines:
                return
            where = {"tenant": shown.tenant, "size": shown.size}
            found = yield Statement(
                "SELECT note FROM checkpoint WHERE tenant = :tenant AND size = :size",
                where,
            )
            if found:
                note = with_lines(found[0][0], evidence.lines)
                yield Statement(
                    "UPDATE checkpoint SET note = :note "
                    "WHERE tenant = :tenant AND size = :size",
                    {**where, "note": note},
                )

        await self.store.run(kept)


def chosen(tenant: str, anchor: Chosen, now_us: int) -> Statement:
    return Statement(
        "INSERT INTO anchor (tenant, address, detail, added_us) VALUES "
        "(:tenant, :address, :detail, :now) ON CONFLICT (tenant, address) DO UPDATE "
        "SET detail = excluded.detail",
        {
            "tenant": tenant,
            "address": anchor.address,
            "detail": anchor.detail,
            "now": now_us,
        },
    )


def dropped(tenant: str, address: str) -> Statement:
    return Statement(
        "DELETE FROM anchor WHERE tenant = :tenant AND address = :address",
        {"tenant": tenant, "address": address},
    )
