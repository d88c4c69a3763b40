"""
The subject keys that a tenant's writer seals with.

A key is looked up, or made and wrapped, before the transaction that needs it, for that
may take asking an HSM. Within the transaction it only has to be sure of it: nobody may
have destroyed it since, or made the person another one. As long as nobody else appended
to the log nobody did, since both take a log entry; `doubt` says that somebody may have.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_bytes, token_hex
from typing import Any

import orjson

from storage.compliance.keys.company import ACTIVE, Company
from storage.compliance.keys.items import KEY_BYTES, actor_token
from storage.compliance.keys.kept import Kept
from storage.compliance.keys.ring import Keyring, stored
from storage.hot import Program, Row, Statement, Together

_MOST = 32_768
_FEW = 16


class KeysMoved(Exception):
    """A key was destroyed or rotated meanwhile; start over with what there is now."""


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """What somebody's entries of one quarter are sealed with, and their pseudonym."""

    ref: str
    secret: bytes = field(repr=False)
    token: bytes
    person: str
    quarter: str
    token_ref: str


@dataclass(slots=True)
class Supply:
    """
    The keys of one group commit, by subject.

    `unsure` have to be confirmed in the transaction; `fresh` are rows of keys that
    nobody has stored yet, by reference, wrapped under `version`. Nobody was to be
    erased later than `erased_us`; with unsure keys it is read in the transaction.
    """

    keys: dict[str, SubjectKey]
    unsure: set[str] = field(default_factory=set)
    fresh: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: int = 0
    erased_us: int = 0


@dataclass(slots=True)
class SubjectKeys:
    """One writer's memory of one tenant's subject keys, and of when people were erased."""

    ring: Keyring
    tenant: str
    erased_us: int = 0
    _belief: int = 0
    _kept: Kept[str, tuple[SubjectKey, int]] = field(
        default_factory=lambda: Kept(_MOST), repr=False
    )

    async def supply(self, subjects: Iterable[str], now_us: int) -> Supply:
        """Return keys for all of `subjects`. Raises `BadInput`, `StoreUnavailable`."""
        quarter, found = quarter_of(now_us), Supply({}, erased_us=self.erased_us)
        missing: list[str] = []
        for subject in subjects:
            if subject in found.keys:
                continue
            kept = self._kept.get(subject)
            if kept and kept[0].quarter == quarter:
                found.keys[subject] = kept[0]
                if kept[1] != self._belief:
                    found.unsure.add(subject)
            else:
                missing.append(subject)
        if missing:
            await self._find(found, [*dict.fromkeys(missing)], quarter, now_us)
        return found

    def has(self, subject: str, now_us: int) -> bool:
        """Whether a key is at hand, without asking anybody for it."""
        kept = self._kept.get(subject)
        return kept is not None and kept[0].quarter == quarter_of(now_us)

    def doubt(self) -> None:
        """Somebody else may have written to the log."""
        self._belief += 1

    def forget(self) -> None:
        """Keys were destroyed or rotated."""
        self._kept.clear()
        self.ring.forget(self.tenant)

    def committed(self, supply: Supply) -> None:
        """A transaction that used these keys, and confirmed the unsure, is written."""
        self.erased_us = supply.erased_us
        for subject in supply.unsure:
            self._kept.put(subject, (supply.keys[subject], self._belief))

    async def _find(
        self, found: Supply, subjects: Sequence[str], quarter: str, now_us: int
    ) -> None:
        company = await self.ring.company(self.tenant)
        people = {subject: company.person(subject) for subject in subjects}
        rows = await self.ring.store.fetch(
            _rows(self.tenant, people.values(), quarter, "version, wrapped")
        )
        known = {(row[0], row[1]): row[2:] for row in rows}
        made = await asyncio.gather(
            *(
                self._key(_Wanted(company, subject, person, quarter, now_us), known)
                for subject, person in people.items()
            )
        )
        found.version = company.version
        for subject, (key, fresh) in zip(people, made, strict=True):
            found.keys[subject] = key
            found.unsure.add(subject)
            found.fresh |= fresh

    async def _key(
        self, wanted: "_Wanted", known: Mapping[tuple[str, str], Row]
    ) -> tuple[SubjectKey, dict[str, dict[str, Any]]]:
        """Return somebody's key, with the rows of what had to be made for it."""
        fresh: dict[str, dict[str, Any]] = {}
        found: list[tuple[str, bytes]] = []
        for period in ("", wanted.quarter):
            if row := known.get((wanted.person, period)):
                ref, *kept = row
                opened = await self.ring.opened(self.tenant, {ref: stored(kept)})
                found.append((ref, opened[ref] or b""))
            else:
                ref, secret = await self._new(wanted, period)
                fresh[ref] = await self._row(wanted, period, ref, secret)
                found.append((ref, secret))
        (token_ref, token), (ref, secret) = found
        key = SubjectKey(
            ref, secret, actor_token(token), wanted.person, wanted.quarter, token_ref
        )
        return key, fresh

    async def _new(self, wanted: "_Wanted", period: str) -> tuple[str, bytes]:
        old = self.ring.of_file(self.tenant) if wanted.company.derived else None
        if old and not period:
            # Who was heard of before persons had keys keeps the pseudonym they had.
            ref = old.reference(wanted.subject)
            if ref not in await self.ring.rows_of(self.tenant, [ref]):
                return ref, old.subject(ref)
        return f"{period or 'person'}:{token_hex(16)}", token_bytes(KEY_BYTES)

    async def _row(
        self, wanted: "_Wanted", period: str, ref: str, secret: bytes
    ) -> dict[str, Any]:
        version = wanted.company.version
        return {
            "tenant": self.tenant,
            "ref": ref,
            "person": wanted.person,
            "quarter": period,
            "version": version,
            "wrapped": await self.ring.wrapped(self.tenant, version, ref, secret),
            "created_us": wanted.now_us,
            "destroyed_us": 0,
        }


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Whose key is wanted, for which quarter."""

    company: Company
    subject: str
    person: str
    quarter: str
    now_us: int


def confirmed(tenant: str, supply: Supply) -> Program[None]:
    """Raise `KeysMoved` unless the unsure keys are what they were thought to be."""
    if not supply.unsure:
        return
    keys = [supply.keys[subject] for subject in supply.unsure]
    quarter = keys[0].quarter
    wanted = {(key.person, quarter): key.ref for key in keys}
    wanted |= {(key.person, ""): key.token_ref for key in keys}
    for row in supply.fresh.values():
        wanted.pop((row["person"], row["quarter"]))
    found, versions, [[erased_us]] = yield Together(
        [
            _rows(tenant, (key.person for key in keys), quarter, ""),
            Statement(
                "SELECT version FROM tenant_kek WHERE tenant = :tenant "
                f"AND state = '{ACTIVE}' ORDER BY version DESC LIMIT 1",
                {"tenant": tenant},
            ),
            Statement(
                "SELECT COALESCE(MAX(requested_us), 0) FROM erasure "
                "WHERE tenant = :tenant AND person <> ''",
                {"tenant": tenant},
            ),
        ]
    )
    supply.erased_us = erased_us
    if {(person, period): ref for person, period, ref in found} != wanted:
        raise KeysMoved
    if supply.fresh and (not versions or versions[0][0] != supply.version):
        raise KeysMoved


def quarter_of(moment_us: int) -> str:
    """Return the quarter of a time in microseconds UTC, such as `2030Q1`."""
    moment = datetime.fromtimestamp(moment_us // 1_000_000, UTC)
    return f"{moment.year}Q{(moment.month + 2) // 3}"


def _rows(tenant: str, people: Iterable[str], quarter: str, more: str) -> Statement:
    wanted = [*people]
    columns = f"person, quarter, ref{', ' * bool(more)}{more}"
    select = f"SELECT {columns} FROM subject_key WHERE tenant = :tenant "
    return Statement(
        f"{select} AND quarter IN ('', :quarter) "
        "AND person IN (SELECT value FROM json_each(:people))",
        {
            "tenant": tenant,
            "quarter": quarter,
            "people": orjson.dumps(wanted).decode(),
        },
        postgres=f"{select} AND quarter IN ('', :quarter) AND person = "
        "ANY(ARRAY(SELECT jsonb_array_elements_text(:people::text::jsonb)))",
        brief=len(wanted) <= _FEW,
    )
