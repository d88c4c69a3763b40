"""What is known of kept files, and the work that keeping them still takes."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from storage.schema import Id, metadata

# A file's bytes, however often it was shared. `name` is a keyed hash of the content,
# and `place` says where the sealed bytes are.
blob = Table(
    "blob",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("place", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("key_ref", String(120), nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# Which messages a blob belongs to: it lives as long as one of them does.
blob_holder = Table(
    "blob_holder",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("platform", String(10), primary_key=True),
    Column("conv", Id, primary_key=True),
    Column("msg", Id, primary_key=True),
    Index("ix_blob_holder_message", "tenant", "conv", "msg"),
)

# Sealed bytes, where several processes share the database and no disk.
blob_chunk = Table(
    "blob_chunk",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("place", String(32), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# Messages with files. `due_us` is when to look at one again, empty if all is done;
# `generation` counts what happened to it.
file_work = Table(
    "file_work",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("platform", String(10), primary_key=True),
    Column("conv", Id, primary_key=True),
    Column("msg", Id, primary_key=True),
    Column("team", Id, nullable=False),
    Column("thread", Id, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("due_us", BigInteger),
    Index("ix_file_work_due_us", "due_us"),
)
