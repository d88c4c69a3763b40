"""
What sources of a directory told, version by version.

Nothing is ever deleted: what is gone keeps its row, so that its id is never taken for
somebody else's. Whoever holds version 7 in memory reads the rows of versions above 7.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from storage.schema import Id, metadata

_Name = String(80)

directory_state = Table(
    "directory_state",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

# `cursor` is where to read on: it moves in the transaction that keeps what was read.
# `heard_us` is when the source was last known to be up to date, `whole_us` when all of
# it was last read, `problem` what is wrong with it now. The
# process `owner` reads it until `until_us`.
directory_source = Table(
    "directory_source",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("source", _Name, primary_key=True),
    Column("cursor", LargeBinary, nullable=False),
    Column("heard_us", BigInteger, nullable=False),
    Column("whole_us", BigInteger, nullable=False),
    Column("tried_us", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("owner", Id, nullable=False),
    Column("until_us", BigInteger, nullable=False),
)

directory_entry = Table(
    "directory_entry",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("source", _Name, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("body", Text, nullable=False),
    Column("life", String(12), nullable=False),
    Column("missed", Integer, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_directory_entry_version", "tenant", "version"),
)

# Who is in what, and why who was in it is not any more.
directory_member = Table(
    "directory_member",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("source", _Name, primary_key=True),
    Column("grp", Id, primary_key=True),
    Column("member", Id, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_directory_member_version", "tenant", "version"),
)

directory_person = Table(
    "directory_person",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("source", _Name, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("person", Id, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_directory_person_version", "tenant", "version"),
)

# What somebody left and keeps until a moment, `group:ID` and the like; 0 if no more.
directory_grace = Table(
    "directory_grace",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("person", Id, primary_key=True),
    Column("ancestor", String(220), primary_key=True),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_directory_grace_version", "tenant", "version"),
)

# What somebody is in no more of what their own entries said, or kept: `how` is left or
# cut, `kind` empty where the directory says what the id is, `told_by` who said so.
directory_past = Table(
    "directory_past",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("person", Id, primary_key=True),
    Column("how", String(12), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("thing", Id, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("told_by", Id, nullable=False),
)

# Changes that wait for somebody's word. `state` is waiting or refused.
directory_frozen = Table(
    "directory_frozen",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("source", _Name, primary_key=True),
    Column("sort", String(12), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("changes", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    Column("told_us", BigInteger, nullable=False),
)
