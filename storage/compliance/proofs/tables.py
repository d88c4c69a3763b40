"""The tables of tiles, checkpoints, signing keys and anchors."""

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from storage.schema import Id, metadata

# How far the tiles go; always behind the head, and moved by compare-and-set.
tree_state = Table(
    "tree_state",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("size", BigInteger, nullable=False),
)

# Up to 256 hashes in a row (c2sp.org/tlog-tiles). A partial one is widened in place:
# what it held stays where it was.
tile = Table(
    "tile",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("width", SmallInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

# The leaves' own bytes, packed. Pieces of a bundle become one row when it is full.
bundle = Table(
    "bundle",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("width", SmallInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# Public keys, and the notes with which each vouches for the next.
signing_key = Table(
    "signing_key",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    Column("vkey", Text, nullable=False),
    Column("from_size", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# Where checkpoints are to be shown: witnesses, time-stamping authorities, channels.
anchor = Table(
    "anchor",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("detail", Text, nullable=False),
    Column("added_us", BigInteger, nullable=False),
)

# What came of it, each time; `evidence` is what the other side gave.
anchored = Table(
    "anchored",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("fault", Text, nullable=False),
)
