"""What was compared with the platforms' history, and what could not be."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from storage.schema import Id, metadata

# One row a comparison. `state` is `attested`, or `behind` for one that was broken
# off; `days` has counts by UTC day, and `seq` is where its attestation stands.
recon_window = Table(
    "recon_window",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("from_us", BigInteger, nullable=False),
    Column("to_us", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("filled", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("days", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
)
