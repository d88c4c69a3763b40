"""How people stood when it was last looked at what becomes of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bridge.directory.model import Grace, Standing, Subject
from storage.hot import HotStore, Program, Statement
from storage.rows import clean_id

_AT_ONCE = 500  # rows in one transaction
_EVERYBODY = ""  # the person of the row that says that there is a beginning
_INSERT = (
    "INSERT INTO directory_stand (tenant, person, version, body) "
    "VALUES (:tenant, :person, :version, :body) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Stand:
    """
    Somebody as they stood, None if they were not there.

    `human` is HR's id of them. `version` counts how often it has changed. `accounts`
    are theirs as far as they were known, None where that was not looked at yet.
    """

    subject: Subject | None
    human: str = ""
    version: int = 0
    accounts: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class StoredStands:
    """Every company's people as they stood. Raises `StoreUnavailable`."""

    store: HotStore

    async def all(self, tenant: str) -> dict[str, Stand] | None:
        """Return everybody by ATOM's id of them, None if nobody was looked at yet."""
        rows = await self.store.fetch(
            Statement(
                "SELECT person, version, body FROM directory_stand "
                "WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        found = {str(person): _read(person, v, body) for person, v, body in rows}
        begun = found.pop(_EVERYBODY, None)
        return None if begun is None else found

    async def begin(self, tenant: str, stands: Mapping[str, Stand]) -> None:
        """
        Take everybody as they stand now for known, without anything being done.

        The last row is the one that says so: what broke off is begun again.
        """
        rows = [_row(tenant, person, stand) for person, stand in stands.items()]
        for start in range(0, len(rows), _AT_ONCE):
            await self.store.run(partial(_written, rows[start : start + _AT_ONCE]))
        beginning = _row(tenant, _EVERYBODY, Stand(None))
        await self.store.run(lambda: _written([beginning]))

    async def keep(self, tenant: str, stands: Mapping[str, Stand]) -> None:
        """Write down how some stand, where nobody else has done so meanwhile."""
        changes = [moved(tenant, person, stand) for person, stand in stands.items()]
        for start in range(0, len(changes), _AT_ONCE):
            await self.store.run(partial(_each, changes[start : start + _AT_ONCE]))


def moved(tenant: str, person: str, stand: Stand) -> Statement:
    """Return what writes down how somebody stands after what was known before."""
    return Statement(
        f"{_INSERT.removesuffix(' DO NOTHING')} (tenant, person) DO UPDATE SET "
        "version = excluded.version, body = excluded.body "
        "WHERE directory_stand.version < excluded.version",
        _row(tenant, person, stand),
    )


def _row(tenant: str, person: str, stand: Stand) -> dict[str, object]:
    return {
        "tenant": tenant,
        "person": clean_id(person),
        "version": stand.version,
        "body": json.dumps(_told(stand), ensure_ascii=False),
    }


def _told(stand: Stand) -> dict[str, object]:
    subject = stand.subject
    told: dict[str, object] = {"human": stand.human}
    if stand.accounts is not None:
        told["accounts"] = sorted(stand.accounts)
    if subject is None:
        return told
    return told | {
        "name": subject.name,
        "standing": str(subject.standing),
        "guest": subject.guest,
        "department": subject.department,
        "unit": subject.unit,
        "clearance": subject.clearance,
        "ancestors": sorted(subject.ancestors),
        "kept": [[g.ancestor, g.since_us, g.until_us] for g in subject.kept],
    }


def _read(person: object, version: object, body: object) -> Stand:
    told = json.loads(str(body))
    accounts = frozenset(told["accounts"]) if "accounts" in told else None
    if "standing" not in told:
        return Stand(None, told["human"], int(str(version)), accounts)
    subject = Subject(
        id=str(person),
        name=told["name"],
        standing=Standing(told["standing"]),
        guest=told["guest"],
        department=told["department"],
        unit=told["unit"],
        clearance=told["clearance"],
        ancestors=frozenset(told["ancestors"]),
        kept=tuple(Grace(*each) for each in told.get("kept", ())),
    )
    return Stand(subject, told["human"], int(str(version)), accounts)


def _written(rows: Sequence[Mapping[str, object]]) -> Program[None]:
    yield from _inserts(rows)


def _inserts(rows: Sequence[Mapping[str, object]]) -> Iterator[Statement]:
    return (Statement(_INSERT, row) for row in rows)


def _each(statements: Sequence[Statement]) -> Program[None]:
    yield from (statement for statement in statements)
