"""Which exports were made, and whom they were handed to."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from storage.schema import Id, metadata

# One row each time an export was made: the same question has the same id.
export = Table(
    "export",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("officer", Id, nullable=False),
    Column("approval", Id, nullable=False),
    Column("asked", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

# Every hand-over of an export, in the order in which they were told.
custody = Table(
    "custody",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("export", String(16), primary_key=True),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("officer", Id, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
)
