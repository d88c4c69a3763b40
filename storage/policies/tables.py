"""Versions of policies, previews of the next one, and what a policy's hash means."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from storage.schema import Id, metadata

# Never changed and never deleted: decisions of years ago are explained from them.
policy_version = Table(
    "policy_version",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("front", Text, nullable=False),
    Column("cedar", Text, nullable=False),
    Column("resolved", Text, nullable=False),
    Column("author", Id, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)

# What a hash in a decision stands for, ATOM's own policies included: these change with
# ATOM's versions, and a company that published nothing has a hash as well.
policy_body = Table(
    "policy_body",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

policy_preview = Table(
    "policy_preview",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("base", Integer, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("directory", String(200), nullable=False),
    Column("front", Text, nullable=False),
    Column("cedar", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("author", Id, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_policy_preview_at", "at_us"),
)
