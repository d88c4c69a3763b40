"""Requests of people, restrictions, and the register of impact assessments."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from storage.schema import Id, metadata

# What somebody asked for and until when it is due. `extended_us` is 0, or when it was
# told to them that it takes two months more.
subject_request = Table(
    "subject_request",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("extended_us", BigInteger, nullable=False),
    Column("answered_us", BigInteger, nullable=False),
)

# Whose entries are kept and not used (Art. 18). `author` is the id on the platform.
restriction = Table(
    "restriction",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("platform", String(10), primary_key=True),
    Column("author", Id, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("set_by", Id, nullable=False),
    Column("since_us", BigInteger, nullable=False),
)

# Each trigger of an impact assessment (Art. 35), once; `state` is open or closed.
assessment = Table(
    "assessment",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("trigger", String(20), nullable=False),
    Column("what", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("closed_by", Id, nullable=False),
    Column("closed_us", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
)
