"""Sign-ins at business systems that are under way: for ten minutes, and once."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from bridge.records.connections import Attempt, Identity, Stranger, Tokens, Wanted
from bridge.records.model import System
from storage.hot import HotStore, Program, Rows, Statement
from storage.records.sealing import CompanySeal
from storage.records.shapes import hashed
from storage.rows import clean_id, clean_text

_LASTS_US = 10 * 60 * 1_000_000
_MOST = 20  # browsers that may open one link
_BYTES = 32
_OVER = (
    "This sign-in is over, or was begun in another browser: ask for a new link in chat."
)


@dataclass(frozen=True, slots=True)
class StoredSignIns:
    """
    Implements `bridge.records.connections.SignInBook`.

    A secret begins with its company, since browsers bring nothing else along.
    """

    store: HotStore
    sealer: CompanySeal
    clock: Callable[[], int]

    async def begin(self, wanted: Wanted) -> str:
        link, now = _secret(wanted.tenant), self.clock()
        row = {
            "tenant": wanted.tenant,
            "digest": hashed(link),
            "person": clean_id(wanted.person),
            "place": clean_id(f"{wanted.system}:{wanted.instance}"),
            "what": clean_text(orjson.dumps(asdict(wanted)).decode()),
            "until": now + _LASTS_US,
            "now": now,
        }
        await self.store.run(lambda: _begin(row))
        return link

    async def open(self, link: str, browser: str) -> tuple[str, Attempt]:
        tenant = _tenant(link)
        state, verifier = _secret(tenant), secrets.token_urlsafe(_BYTES)
        row = await self._row(tenant, state, hashed(link), browser)
        row |= {"stage": "sent", "sealed": await self._sealed(row, {"v": verifier})}
        wanted = await self.store.run(lambda: _open(row))
        return state, Attempt(wanted, hashed(link), verifier)

    async def back(self, state: str, browser: str) -> Attempt:
        row = await self._row(_tenant(state), state, "", browser)
        link, wanted, sealed = await self.store.run(lambda: _take(row, "sent"))
        told = await self._opened(row | {"link": link}, sealed)
        return Attempt(wanted, link, told["v"])

    async def found(self, attempt: Attempt, browser: str) -> str:
        tenant = attempt.wanted.tenant
        secret = _secret(tenant)
        row = await self._row(tenant, secret, attempt.link, browser)
        told = {
            "tokens": asdict(attempt.tokens) if attempt.tokens else None,
            "identity": asdict(attempt.identity) if attempt.identity else None,
        }
        row |= {"stage": "found", "sealed": await self._sealed(row, told)}
        await self.store.run(lambda: _open(row))
        return secret

    async def agreed(self, secret: str, browser: str) -> Attempt:
        row = await self._row(_tenant(secret), secret, "", browser)
        link, wanted, sealed = await self.store.run(
            lambda: _take(row, "found", ends=True)
        )
        told = await self._opened(row | {"link": link}, sealed)
        return replace(
            Attempt(wanted, link),
            tokens=Tokens(**told["tokens"]),
            identity=Identity(**told["identity"]),
        )

    async def sweep(self) -> None:
        """Forget what is over."""
        now = {"now": self.clock()}

        def program() -> Program[None]:
            for table in ("record_attempt", "record_sign_in"):
                yield Statement(f"DELETE FROM {table} WHERE until_us < :now", now)

        await self.store.run(program)

    async def _row(
        self, tenant: str, secret: str, link: str, browser: str
    ) -> dict[str, Any]:
        now = self.clock()
        return {
            "tenant": tenant,
            "digest": hashed(secret),
            "link": link,
            "browser": hashed(browser),
            "until": now + _LASTS_US,
            "now": now,
        }

    async def _sealed(self, row: Mapping[str, Any], told: object) -> bytes:
        text = orjson.dumps(told).decode()
        return await self.sealer.seal(row["tenant"], text, _about(row))

    async def _opened(self, row: Mapping[str, Any], sealed: bytes) -> Any:
        text = await self.sealer.unseal(row["tenant"], sealed, _about(row))
        return orjson.loads(text)


def _begin(row: Mapping[str, Any]) -> Program[None]:
    """Keep a link; the person's earlier ones for the same are over."""
    mine = "tenant = :tenant AND person = :person AND place = :place"
    yield Statement(
        "DELETE FROM record_attempt WHERE tenant = :tenant AND link IN "
        f"(SELECT digest FROM record_sign_in WHERE {mine})",
        row,
    )
    yield Statement(f"DELETE FROM record_sign_in WHERE {mine}", row)
    yield Statement(
        "INSERT INTO record_sign_in (tenant, digest, person, place, what, until_us) "
        "VALUES (:tenant, :digest, :person, :place, :what, :until)",
        row,
    )


def _open(row: Mapping[str, Any]) -> Program[Wanted]:
    wanted = _live((yield _link(row)))
    many = yield Statement(
        "SELECT count(*) FROM record_attempt WHERE tenant = :tenant AND link = :link",
        row,
    )
    if many[0][0] >= _MOST:
        raise Stranger(_OVER)
    yield Statement(
        "INSERT INTO record_attempt (tenant, digest, link, browser, stage, sealed, "
        "until_us) VALUES (:tenant, :digest, :link, :browser, :stage, :sealed, "
        ":until)",
        row,
    )
    return wanted


def _take(
    row: Mapping[str, Any], stage: str, *, ends: bool = False
) -> Program[tuple[str, Wanted, bytes]]:
    """Use a secret up, in the browser that it was made for, and maybe its link."""
    found = yield Statement(
        "DELETE FROM record_attempt WHERE tenant = :tenant AND digest = :digest "
        "AND browser = :browser AND stage = :stage AND until_us >= :now "
        "RETURNING link, sealed",
        {**row, "stage": stage},
    )
    if not found:
        raise Stranger(_OVER)
    link, sealed = found[0]
    which = {**row, "link": link}
    wanted = _live((yield _link(which, ends=ends)))
    if ends:
        yield Statement(
            "DELETE FROM record_attempt WHERE tenant = :tenant AND link = :link", which
        )
    return str(link), wanted, bytes(sealed)


def _link(row: Mapping[str, Any], *, ends: bool = False) -> Statement:
    where = "WHERE tenant = :tenant AND digest = :link AND until_us >= :now"
    if ends:
        return Statement(f"DELETE FROM record_sign_in {where} RETURNING what", row)
    return Statement(f"SELECT what FROM record_sign_in {where}", row)


def _live(rows: Rows) -> Wanted:
    if not rows:
        raise Stranger(_OVER)
    what = orjson.loads(rows[0][0])
    return Wanted(**what | {"system": System(what["system"])})


def _secret(tenant: str) -> str:
    return f"{tenant}.{secrets.token_urlsafe(_BYTES)}"


def _tenant(secret: str) -> str:
    tenant, dot, rest = secret.rpartition(".")
    if not (tenant and dot and rest and secret.isprintable()):
        raise Stranger(_OVER)
    return tenant


def _about(row: Mapping[str, Any]) -> str:
    return f"sign-in|{row['tenant']}|{row['digest']}|{row['link']}"
