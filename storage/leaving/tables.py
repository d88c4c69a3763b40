"""The tables of rules for what may leave, and of what was held and let go."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from storage.schema import Id, metadata

dlp_rules = Table(
    "dlp_rules",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("actor", Id, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

dlp_release = Table(
    "dlp_release",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("link", Id, primary_key=True),
    Column("target", Id, primary_key=True),
    Column("message", Id, primary_key=True),
    Column("file", Id, primary_key=True),
    Column("version_us", BigInteger, primary_key=True),
    Column("actor", Id, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
