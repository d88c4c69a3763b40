"""How far each of an organisation's feeds was read."""

from sqlalchemy import BigInteger, Column, String, Table

from storage.schema import Id, metadata

# The time of the newest entry of which everything older is on record.
grid_cursor = Table(
    "grid_cursor",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("feed", String(40), primary_key=True),
    Column("us", BigInteger, nullable=False),
)
