"""Who was trusted with what, and which acts were approved."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from storage.schema import Id, metadata

# One row for each duty that somebody has now; the log tells who had it before.
duty = Table(
    "duty",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("officer", Id, primary_key=True),
    Column("duty", String(40), primary_key=True),
    Column("granted_by", Id, nullable=False),
    Column("granted_us", BigInteger, nullable=False),
)

# An act that somebody asked to do: `state` is asked, agreed, refused or spent.
approval = Table(
    "approval",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("act", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("asked_by", Id, nullable=False),
    Column("asked_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("decided_by", Id, nullable=False),
    Column("decided_us", BigInteger, nullable=False),
    Index("ix_approval_digest", "tenant", "digest"),
)

# What was configured when it was last looked at, as keyed hashes: what changed is told
# in the log, and no secret can be guessed from here.
watched = Table(
    "watched",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("name", Id, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
