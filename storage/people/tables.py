"""Tables of accounts and whose they are."""

from sqlalchemy import BigInteger, Column, SmallInteger, String, Table, Text

from storage.schema import Id, metadata

# Whose an account is. `address` is a keyed hash of the one it rested on, by which it is
# seen that it is another one now.
account_link = Table(
    "account_link",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("platform", String(20), primary_key=True),
    Column("account", Id, primary_key=True),
    Column("user_id", Id, primary_key=True),
    Column("person", Id, nullable=False),
    Column("confidence", SmallInteger, nullable=False),
    Column("how", String(20), nullable=False),
    Column("told_by", Id, nullable=False),
    Column("address", String(64), nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

# A code by which somebody shows that two accounts are theirs: used once, for minutes.
account_code = Table(
    "account_code",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("code_hash", String(64), primary_key=True),
    Column("platform", String(20), nullable=False),
    Column("account", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

# Why somebody is not in a linked channel any more.
departure = Table(
    "departure",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("user_id", Id, primary_key=True),
    Column("ended", String(20), nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
