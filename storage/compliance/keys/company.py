"""What a company has before anybody in it has a key, and the statements for it."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.compliance.keys.items import expand
from storage.hot import Program, Rows, Statement

ACTIVE, RETIRED, DESTROYED = "active", "retired", "destroyed"
NAMES = "#names"  # stands for a person, whom it never is: theirs are hexadecimal


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
class Version:
    """A version of a company's key-encryption key, and whose adapter has it."""

    number: int
    provider: str
    state: str
    derived: bool


def versions_of(tenant: str) -> Statement:
    """Ask for a company's versions, oldest first."""
    return Statement(
        "SELECT version, provider, state, derived FROM tenant_kek "
        "WHERE tenant = :tenant ORDER BY version",
        {"tenant": tenant},
        brief=True,
    )


def names_of(tenant: str) -> Statement:
    """Ask for the key that the names of people in the key table are made with."""
    return Statement(
        "SELECT ref, version, wrapped FROM subject_key WHERE tenant = :tenant "
        f"AND person = '{NAMES}' AND quarter = ''",
        {"tenant": tenant},
        brief=True,
    )


def kept(row: Mapping[str, object]) -> Program[bool]:
    """Insert a key, unless its version is not the active one any more."""
    if not (yield is_active(str(row["tenant"]), int(str(row["version"])))):
        return False
    yield Statement(
        "INSERT INTO subject_key (tenant, ref, person, quarter, version, wrapped, "
        "created_us, destroyed_us) VALUES (:tenant, :ref, :ref, '', :version, "
        ":wrapped, :now, 0) ON CONFLICT DO NOTHING",
        row,
    )
    return True


def one(statement: Statement) -> Program[None]:
    yield statement


def begun(row: Mapping[str, object]) -> Program[None]:
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


def is_active(tenant: str, version: int) -> Statement:
    """
    Ask for a row if new keys are wrapped under this version.

    It is shared with others who insert; who retires the version waits for them all.
    """
    sql = (
        "SELECT 1 FROM tenant_kek WHERE tenant = :tenant AND version = :version "
        f"AND state = '{ACTIVE}'"
    )
    return Statement(
        sql, {"tenant": tenant, "version": version}, postgres=f"{sql} FOR SHARE"
    )
