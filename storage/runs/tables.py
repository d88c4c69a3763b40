"""Tables of runs about people of the directory, and of their steps."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from storage.schema import Id, metadata

# `claimed_us` is until when a process does the run's steps.
directory_run = Table(
    "directory_run",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("run_id", String(40), primary_key=True),
    Column("person", Id, nullable=False),
    Column("happening", String(20), nullable=False),
    Column("version", String(80), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("decided_by", Id, nullable=False),
    Column("decided_us", BigInteger, nullable=False),
    Column("claimed_us", BigInteger, nullable=False),
    Index("ix_directory_run_state", "tenant", "state"),
)

# The account and channel of a step stand apart, to tell who was put out by ATOM.
directory_run_step = Table(
    "directory_run_step",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("run_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("deed", String(20), nullable=False),
    Column("platform", String(20), nullable=False),
    Column("conv", Id, nullable=False),
    Column("subject", Id, nullable=False),
    Column("state", String(20), nullable=False),
    Column("note", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_directory_run_step_seat", "tenant", "platform", "conv", "subject"),
)

# How somebody stood when it was last looked at what becomes of them. The row without a
# person says that everybody there was at the beginning has one.
directory_stand = Table(
    "directory_stand",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("person", Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
