"""
Buttons' tokens: what each stands for, and who used it.

A token is random and long, and only its hash is kept, so that whoever reads the
database can press no button.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.errors import BadInput, NotAllowed, NotFound
from bridge.records.books import IssuedAct, LeftAct, Outdated, UsedUp
from storage.hot import HotStore, Program, Statement, run_one
from storage.records.shapes import act_of, act_text, hashed, listed
from storage.rows import clean_id, clean_text

_BYTES = 24  # 192 bits
_SHORTEST = 22  # characters that 128 bits take
_LEASE_US = 2 * 60 * 1_000_000  # twice as long as anything is waited for


def new_token() -> str:
    """Return a token that nobody can guess: 192 bits, as 32 letters and digits."""
    return secrets.token_urlsafe(_BYTES)


@dataclass(frozen=True, slots=True)
class StoredActs:
    """
    Implements `bridge.records.books.ActBook`.

    After `lease_us` a claim of which nothing was heard is given out again.
    """

    store: HotStore
    clock: Callable[[], int]
    lease_us: int = _LEASE_US

    async def issue(self, acts: Sequence[IssuedAct]) -> None:
        if any(len(act.token) < _SHORTEST for act in acts):
            raise BadInput("a button's token has to be random, with at least 128 bits")
        await self.store.run(lambda: _issue(acts))

    async def look(self, tenant: str, token: str, now_us: int) -> IssuedAct:
        rows = await self.store.fetch(_of(tenant, token, brief=True))
        return _good(token, tenant, rows, now_us)

    async def claim(  # noqa: PLR0913 - who claims what, and for which deed
        self,
        tenant: str,
        token: str,
        person: str,
        now_us: int,
        *,
        address: str = "",
        deed: str = "",
    ) -> IssuedAct:
        use = _use(tenant, token, person) | {
            "now": now_us,
            "lost": now_us - self.lease_us,
            "address": clean_text(address),
            "deed": deed,
        }
        return await self.store.run(lambda: _claim(tenant, token, person, use))

    async def left(self, tenant: str, now_us: int) -> Sequence[LeftAct]:
        rows = await self.store.fetch(
            Statement(
                "SELECT u.digest, u.person, u.address, u.deed, u.at_us, "
                "a.what, a.card_id, a.person, a.until_us "
                "FROM record_act_use u JOIN record_act a "
                "ON a.tenant = u.tenant AND a.digest = u.digest "
                "WHERE u.tenant = :tenant AND u.open = 1 AND u.told = 0 "
                "AND u.address <> '' AND u.at_us < :lost ORDER BY u.at_us",
                {"tenant": tenant, "lost": now_us - self.lease_us},
            )
        )
        return [
            LeftAct(digest, act_of("", tenant, what), who, address, deed, int(at_us))
            for digest, who, address, deed, at_us, *what in rows
        ]

    async def left_told(self, left: LeftAct) -> None:
        await self._run(
            "UPDATE record_act_use SET told = 1 WHERE tenant = :tenant "
            "AND digest = :digest AND person = :person AND at_us = :at",
            {
                "tenant": left.act.tenant,
                "digest": left.id,
                "person": left.person,
                "at": left.at_us,
            },
        )

    async def concluded(
        self, tenant: str, token: str, person: str, outcome: str
    ) -> None:
        row = _use(tenant, token, person) | {"outcome": outcome, "now": self.clock()}
        await self._run(
            f"UPDATE record_act_use SET open = 0, outcome = :outcome, at_us = :now "
            f"WHERE {_USED}",
            row,
        )

    async def released(self, tenant: str, token: str, person: str) -> None:
        await self._run(
            f"DELETE FROM record_act_use WHERE {_USED} AND open = 1",
            _use(tenant, token, person),
        )

    async def revoke(self, tenant: str, person: str) -> int:
        return await self._run(
            "DELETE FROM record_act WHERE tenant = :tenant AND person = :person "
            "AND person <> '' RETURNING digest",
            {"tenant": tenant, "person": clean_id(person)},
        )

    async def sweep(self, before_us: int) -> int:
        def program() -> Program[int]:
            # What somebody used is told to whoever clicks again, as long as the
            # button is there.
            before = {"before": before_us}
            yield Statement(
                "DELETE FROM record_act_use WHERE EXISTS (SELECT 1 FROM record_act a "
                "WHERE a.tenant = record_act_use.tenant "
                "AND a.digest = record_act_use.digest AND a.until_us < :before)",
                before,
            )
            gone = yield Statement(
                "DELETE FROM record_act WHERE until_us < :before RETURNING digest",
                before,
            )
            return len(gone)

        return await self.store.run(program)

    async def _run(self, sql: str, row: dict[str, object]) -> int:
        return len(await run_one(self.store, Statement(sql, row)))


_USED = "tenant = :tenant AND digest = :digest AND person = :person"


def _issue(acts: Sequence[IssuedAct]) -> Program[None]:
    cards = {(act.tenant, act.card_id) for act in acts if act.card_id}
    for tenant in sorted({tenant for tenant, _ in cards}):
        update = "UPDATE record_act SET superseded = 1 WHERE tenant = :tenant AND"
        ids = sorted(card for whose, card in cards if whose == tenant)
        yield Statement(
            f"{update} card_id IN (SELECT value FROM json_each(:cards))",
            {"tenant": tenant, "cards": listed(ids)},
            postgres=f"{update} card_id = ANY(ARRAY(SELECT "
            "jsonb_array_elements_text(:cards::text::jsonb)))",
        )
    for act in acts:
        yield Statement(
            "INSERT INTO record_act (tenant, digest, card_id, person, what, "
            "superseded, until_us) VALUES (:tenant, :digest, :card, :person, :what, "
            "0, :until)",
            {
                "tenant": act.tenant,
                "digest": hashed(act.token),
                "card": clean_id(act.card_id),
                "person": clean_id(act.person),
                "what": act_text(act),
                "until": act.until_us,
            },
        )


def _claim(
    tenant: str, token: str, person: str, use: dict[str, object]
) -> Program[IssuedAct]:
    rows = yield _of(tenant, token)
    used = yield Statement(
        f"SELECT outcome FROM record_act_use WHERE {_USED} AND open = 0",
        _use(tenant, token, person),
    )
    if rows and used:
        # They hear what came of it, even if the card was drawn anew since.
        raise _used_up(str(used[0][0]))
    act = _good(token, tenant, rows, int(str(use["now"])))
    if act.person and act.person != person:
        raise NotAllowed("That button is somebody else's.")
    taken = yield Statement(
        "INSERT INTO record_act_use (tenant, digest, person, open, outcome, at_us, "
        "address, deed) VALUES (:tenant, :digest, :person, 1, '', :now, :address, "
        ":deed) ON CONFLICT (tenant, digest, person) DO UPDATE SET "
        "at_us = excluded.at_us, deed = excluded.deed, told = 0 "
        "WHERE record_act_use.open = 1 AND record_act_use.at_us < :lost "
        "RETURNING digest",
        use,
    )
    if not taken:
        raise _used_up("")
    return act


def _used_up(outcome: str) -> UsedUp:
    return UsedUp(outcome or "You have pressed that already: it is under way.", outcome)


def _good(
    token: str, tenant: str, rows: Sequence[Sequence[object]], now_us: int
) -> IssuedAct:
    if not rows:
        raise NotFound("That button is not known any more.")
    what, card_id, person, until_us, superseded = rows[0]
    act = act_of(token, tenant, (what, card_id, person, until_us))
    if superseded or act.until_us <= now_us:
        raise Outdated("That card is out of date.", act)
    return act


def _of(tenant: str, token: str, *, brief: bool = False) -> Statement:
    return Statement(
        "SELECT what, card_id, person, until_us, superseded FROM record_act "
        "WHERE tenant = :tenant AND digest = :digest",
        {"tenant": tenant, "digest": hashed(token)},
        brief=brief,
    )


def _use(tenant: str, token: str, person: str) -> dict[str, object]:
    return {"tenant": tenant, "digest": hashed(token), "person": clean_id(person)}
