"""The tables of keys: who has which, and under which version they are wrapped."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from storage.schema import Id, metadata

# The versions of a tenant's key-encryption key. One is active and wraps what is new;
# of a destroyed one nothing is left but this row. `derived` tells, at the first, that
# entries were there before it, whose keys come from the key file.
tenant_kek = Table(
    "tenant_kek",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("provider", String(20), nullable=False),
    Column("state", String(10), nullable=False),
    Column("derived", SmallInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

# A random key for every person and quarter, and one of no quarter that the person's
# pseudonym comes from. `person` is a keyed hash of who it is. Once a key is destroyed,
# its row keeps the reference alone: `wrapped` is NULL, and `person` the reference.
subject_key = Table(
    "subject_key",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("ref", String(120), primary_key=True),
    Column("person", String(120), nullable=False),
    Column("quarter", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("wrapped", LargeBinary),
    Column("created_us", BigInteger, nullable=False),
    Column("destroyed_us", BigInteger, nullable=False),
    UniqueConstraint("tenant", "person", "quarter"),
    Index("ix_subject_key_version", "tenant", "version"),
)
