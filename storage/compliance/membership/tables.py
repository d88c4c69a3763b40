"""Intervals of membership."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from storage.schema import Id, metadata

# From when until when somebody was in a conversation; `to_us` is empty while they are.
# The entry that says so has the same conversation and time.
membership = Table(
    "membership",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("platform", String(10), primary_key=True),
    Column("conv", Id, primary_key=True),
    Column("subject", Id, primary_key=True),
    Column("from_us", BigInteger, primary_key=True, autoincrement=False),
    Column("to_us", BigInteger),
    Index("ix_membership_subject", "tenant", "platform", "subject"),
)
