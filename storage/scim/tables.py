"""The SCIM server's tables."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
)

from storage.schema import Id, metadata

# One row a company: how many changes there were. Writing locks it, so that changes
# become visible in the order of their numbers.
scim_head = Table(
    "scim_head",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("change", BigInteger, nullable=False),
)

scim_resource = Table(
    "scim_resource",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("external", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
    Column("deleted", SmallInteger, nullable=False),
    Index("ix_scim_resource_number", "tenant", "kind", "deleted", "number"),
    Index("ix_scim_resource_change", "tenant", "change"),
    Index("ix_scim_resource_label", "tenant", "kind", "label"),
    Index("ix_scim_resource_external", "tenant", "kind", "external"),
)

# Names of which each is one living user's.
scim_name = Table(
    "scim_name",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("resource", Id, nullable=False),
)

scim_member = Table(
    "scim_member",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("grp", Id, primary_key=True),
    Column("member", Id, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("display", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Index("ix_scim_member_member", "tenant", "member"),
)

# A token is known by the hash of its secret alone.
scim_token = Table(
    "scim_token",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("tenant", Id, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_by", Id, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger, nullable=False),
    Column("used_us", BigInteger, nullable=False),
    Index("ix_scim_token_tenant", "tenant"),
)

# That an admin lets a group shrink once, although the circuit breaker would hold it.
scim_pass = Table(
    "scim_pass",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("grp", Id, primary_key=True),
    Column("until_us", BigInteger, nullable=False),
)
