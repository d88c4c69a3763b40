"""The tables of erasures, and of keys that a matter still has."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from storage.schema import Id, metadata

# An erasure and how far it is: requested, shredded (the keys are gone, and others may
# still have to forget), done. `keys` are the references of what was to be destroyed;
# `person` is a commitment that only whoever knows the person can open.
erasure = Table(
    "erasure",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("state", String(10), nullable=False),
    Column("officer", Id, nullable=False),
    Column("keys", Text, nullable=False),
    Column("requested_us", BigInteger, nullable=False),
    Column("shredded_us", BigInteger, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("held", Integer, nullable=False),
)

# The key of one entry, wrapped under a matter's: the entry is erased for everybody but
# whoever reads for the matter.
item_key_wrap = Table(
    "item_key_wrap",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("matter", Id, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
