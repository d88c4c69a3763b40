"""
Every table, once, for SQLite and PostgreSQL alike.

Times are microseconds UTC in 64-bit integers. `log`, `outbox` and `attempt` are only
ever appended to; PostgreSQL keeps them in monthly partitions by their last key column.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(200)

tenant = Table(
    "tenant",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("admin_email", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("platform", String(10), primary_key=True),
    Column("account", Id, primary_key=True),
    Column("tenant", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

# One row a tenant: the log's size and root, and the right edge of its tree.
head = Table(
    "head",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("last_us", BigInteger, nullable=False),
)

CHANGES = "etype IN ('message.edit', 'message.delete')"

log = Table(
    "log",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("eid", String(36), nullable=False),
    Column("etype", String(40), nullable=False),
    Column("platform", String(10), nullable=False),
    Column("team", Id, nullable=False),
    Column("conv", Id, nullable=False),
    Column("thread", Id, nullable=False),
    Column("msg", Id, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("version_us", BigInteger, nullable=False),
    Column("actor_tok", LargeBinary, nullable=False),
    Column("actor_kind", String(10), nullable=False),
    Column("src_us", BigInteger, nullable=False),
    Column("via", String(12), nullable=False),
    Column("link", Id),
    Column("outcome", String(12), nullable=False),
    Column("origin_seq", BigInteger),
    Column("origin_leaf", LargeBinary),
    Column("prev_seq", BigInteger),
    Column("ct", LargeBinary, nullable=False),
    Column("raw_ct", LargeBinary),
    Column("key_ref", String(120), nullable=False),
    Column("cmt", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("cap_us", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf_v", SmallInteger, nullable=False, server_default="1"),
    Column("raw_cmt", LargeBinary),
    Column("label", Text),
    Column("dlp", Text),
    Index("ix_log_message", "tenant", "conv", "msg"),
    Index(
        "ix_log_acts",
        "tenant",
        "seq",
        sqlite_where=text("platform = 'atom'"),
        postgresql_where=text("platform = 'atom'"),
    ),
    # How many messages of a channel were changed lately.
    Index(
        "ix_log_changes",
        "tenant",
        "conv",
        "seq",
        sqlite_where=text(CHANGES),
        postgresql_where=text(CHANGES),
    ),
    # What was made from an entry: its copies, for holds and erasure to follow.
    Index(
        "ix_log_origin_seq",
        "tenant",
        "origin_seq",
        sqlite_where=text("origin_seq IS NOT NULL"),
        postgresql_where=text("origin_seq IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (cap_us)",
)

# What came in already. Not partitioned: uniqueness must hold over all time kept here.
seen = Table(
    "seen",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_seen_at_us", "at_us"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", SmallInteger, primary_key=True, autoincrement=False),
    Column("shard", SmallInteger, nullable=False),
    Column("link", Id, nullable=False),
    Column("operation", String(10), nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("message", Id, nullable=False),
    Column("thread", Id, nullable=False),
    Column("version_us", BigInteger, nullable=False),
    Column("created_us", BigInteger, primary_key=True, autoincrement=False),
    Column("file", Id, nullable=False, server_default=""),
    Index("ix_outbox_shard", "shard", "tenant", "seq"),
    postgresql_partition_by="RANGE (created_us)",
)

attempt = Table(
    "attempt",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", SmallInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("shard", SmallInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("link", Id, nullable=False),
    Column("state", String(12), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("part", SmallInteger, nullable=False, server_default="0"),
    Column("budget", Integer, nullable=False, server_default="0"),
    Column("joined", Text, nullable=False, server_default=""),
    postgresql_partition_by="RANGE (at_us)",
)

# What a person has to decide on: deliveries that ended dead or parked, until somebody
# has them retried, replayed or dropped. Few rows, however long the log is.
dead_letter = Table(
    "dead_letter",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", SmallInteger, primary_key=True, autoincrement=False),
    Column("link", Id, nullable=False),
    Column("state", String(12), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("unknown_us", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("joined", Text, nullable=False, server_default=""),
    Index("ix_dead_letter_link", "tenant", "link"),
)

# Deliveries that an admin queued again, and which log entry they bring across.
requeued = Table(
    "requeued",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", SmallInteger, primary_key=True, autoincrement=False),
    Column("entry", BigInteger, nullable=False),
    Column("marker", Id, nullable=False),
    Column("unknown_us", BigInteger, nullable=False),
    Column("joined", Text, nullable=False, server_default=""),
)

shard_owner = Table(
    "shard_owner",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", Id, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
)

# Below this log position nothing of the shard is unfinished.
shard_low = Table(
    "shard_low",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("low", BigInteger, nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("id", Id, primary_key=True),
    Column("until_us", BigInteger, nullable=False),
)

# Commands on record that are not answered yet, by the key that the log knows them by.
unanswered = Table(
    "unanswered",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("account", Id, nullable=False),
    Column("owner", Id, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("stage", String(20), nullable=False),
    Column("effect", BigInteger, nullable=False),
    Column("asked_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
)

copy = Table(
    "copy",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("remote", Id, primary_key=True),
    # Several messages may stand in one copy, each as a segment of it.
    Column(
        "segment",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        server_default="0",
    ),
    Column("link", Id, nullable=False),
    Column("source", Text, nullable=False),
    Column("message", Id, nullable=False),
    Column("remote_thread", Id, nullable=False),
    Column("version_us", BigInteger, nullable=False),
    Column("deleted", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("part", SmallInteger, nullable=False, server_default="1"),
    Column("parts", SmallInteger, nullable=False, server_default="1"),
    Column("budget", Integer, nullable=False, server_default="0"),
    Index("ix_copy_source", "tenant", "source", "message"),
)

link = Table(
    "link",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("state", String(10), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    Column("options", Text, nullable=False, server_default="{}"),
)

link_channel = Table(
    "link_channel",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("link", Id, primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("channel", Text, nullable=False),
    Column("joined_us", BigInteger, nullable=False, server_default="0"),
    ForeignKeyConstraint(["tenant", "link"], ["link.tenant", "link.id"]),
    UniqueConstraint("tenant", "link", "channel"),
    Index("ix_link_channel_channel", "tenant", "channel"),
)

link_offer = Table(
    "link_offer",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("code_hash", String(64), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("link", Id, nullable=False, server_default=""),
)

# Histories that are still to be brought across a link, and how the others ended.
history = Table(
    "history",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("link", Id, nullable=False),
    Column("source", Text, nullable=False),
    Column("targets", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("lease_us", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
)

# Where a Teams channel is reached, as its last activity said.
place = Table(
    "place",
    metadata,
    Column("account", Id, primary_key=True),
    Column("team", Id, primary_key=True),
    Column("channel", Id, primary_key=True),
    Column("service_url", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("group_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

# What keeps a channel from carrying. `told` counts what its links' people were told:
# 1 that it began, 2 that it ended.
channel_hold = Table(
    "channel_hold",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("cause", String(20), primary_key=True),
    Column("since_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger, nullable=False),
    Column("told", SmallInteger, nullable=False),
)

# Under which addresses a channel was and is found; the newest row is where it is now.
# Everything else goes on to call it `channel`, the address it was linked under.
channel_address = Table(
    "channel_address",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# Up to when everything that happened in a channel is known to be on record.
watermark = Table(
    "watermark",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("us", BigInteger, nullable=False),
)

PARTITIONED = {"log": "cap_us", "outbox": "created_us", "attempt": "at_us"}
