"""
Tables of retention, holds and disposition.

Only what is not as usual has a row: an entry of the log that nothing was decided about
is active. Rules and scopes are never changed, they get an end.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from storage.schema import Id, log, metadata

# Raised by every change of a hold, in its transaction.
hold_barrier = Table(
    "hold_barrier",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

# `released_us` is 0 while it holds; after that it holds until `until_us`.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("released_by", Text, nullable=False),
    Column("released_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
)

# What a hold is about: every scope holds what it matches. Empty means any.
hold_scope = Table(
    "hold_scope",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("hold", Id, primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("people", Text, nullable=False),
    Column("channels", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("from_us", BigInteger, nullable=False),
    Column("to_us", BigInteger, nullable=False),
    Column("added_us", BigInteger, nullable=False),
)

# What holds keep of people whose keys were destroyed: a scope does not find it any more.
hold_item = Table(
    "hold_item",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("hold", Id, primary_key=True),
)

# Each change of a rule is a row of its own; the highest version counts. Periods are
# microseconds: -1 for ever, NULL not at all.
retention_rule = Table(
    "retention_rule",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("value", Text, nullable=False),
    Column("floor", SmallInteger, nullable=False),
    Column("keep_us", BigInteger),
    Column("delete_us", BigInteger),
    Column("removed", SmallInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

# The label a message has, whichever of its revisions is asked about.
item_label = Table(
    "item_label",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("conv", Id, primary_key=True),
    Column("msg", Id, primary_key=True),
    Column("label", Id, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
)

# Where an entry is on its way out. `erasure_us` is when erasure was asked for, or 0.
item_state = Table(
    "item_state",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(20), nullable=False),
    Column("cap_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("erasure_us", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Index("ix_item_state_state", "tenant", "state", "seq"),
)

# What went, and by which entry of the log: the disposition log's own index. `told` is
# 1 when whatever was made from the texts, such as the search index, forgot them too.
disposition = Table(
    "disposition",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("items", Integer, nullable=False),
    Column("ranges", Text, nullable=False),
    Column("told", SmallInteger, nullable=False),
)

# Replies are found by their root, and what is older than its capture by when it was
# said: few entries are in these, so the rest costs nothing.
Index(
    "ix_log_reply",
    log.c.tenant,
    log.c.conv,
    log.c.thread,
    sqlite_where=text("thread <> ''"),
    postgresql_where=text("thread <> ''"),
)
Index(
    "ix_log_backdated",
    log.c.tenant,
    log.c.src_us,
    sqlite_where=text("via IN ('import', 'backfill')"),
    postgresql_where=text("via IN ('import', 'backfill')"),
)
