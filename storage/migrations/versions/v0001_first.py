"""The log, the outbox, links and installs."""

import sqlalchemy as sa
from alembic import op
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore

from storage.migrate import make_partitions

revision = "0001"
down_revision = None

_SHARDS = 256


def upgrade() -> None:
    _create_tables()
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        make_partitions(connection)
    _slack_tables().create_all(connection)
    owners = sa.table(
        "shard_owner", *map(sa.column, ("shard", "owner", "epoch", "lease_until_us"))
    )
    op.bulk_insert(
        owners,
        [
            {"shard": shard, "owner": "", "epoch": 0, "lease_until_us": 0}
            for shard in range(_SHARDS)
        ],
    )


def downgrade() -> None:
    _slack_tables().drop_all(op.get_bind())
    _drop_tables()


def _slack_tables() -> sa.MetaData:
    """What slack_sdk keeps its installs in; it has no migrations of its own."""
    tables = sa.MetaData()
    SQLAlchemyInstallationStore.build_installations_table(tables, "slack_installations")
    SQLAlchemyInstallationStore.build_bots_table(tables, "slack_bots")
    SQLAlchemyOAuthStateStore.build_oauth_states_table(tables, "slack_oauth_states")
    return tables


def _create_tables() -> None:
    op.create_table(
        "account",
        sa.Column("platform", sa.String(length=10), nullable=False),
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "account", name="pk_account"),
    )
    op.create_table(
        "attempt",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant", "seq", "n", "attempt", "at_us", name="pk_attempt"
        ),
        postgresql_partition_by="RANGE (at_us)",
    )
    op.create_table(
        "copy",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("remote", sa.String(length=200), nullable=False),
        sa.Column("link", sa.String(length=200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("remote_thread", sa.String(length=200), nullable=False),
        sa.Column("version_us", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "target", "remote", name="pk_copy"),
    )
    op.create_index(
        "ix_copy_source", "copy", ["tenant", "source", "message"], unique=False
    )
    op.create_table(
        "head",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_head"),
    )
    op.create_table(
        "link",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_link"),
    )
    op.create_table(
        "link_offer",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "code_hash", name="pk_link_offer"),
    )
    op.create_table(
        "log",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("eid", sa.String(length=36), nullable=False),
        sa.Column("etype", sa.String(length=40), nullable=False),
        sa.Column("platform", sa.String(length=10), nullable=False),
        sa.Column("team", sa.String(length=200), nullable=False),
        sa.Column("conv", sa.String(length=200), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=False),
        sa.Column("msg", sa.String(length=200), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("version_us", sa.BigInteger(), nullable=False),
        sa.Column("actor_tok", sa.LargeBinary(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("src_us", sa.BigInteger(), nullable=False),
        sa.Column("via", sa.String(length=12), nullable=False),
        sa.Column("link", sa.String(length=200), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("origin_seq", sa.BigInteger(), nullable=True),
        sa.Column("origin_leaf", sa.LargeBinary(), nullable=True),
        sa.Column("prev_seq", sa.BigInteger(), nullable=True),
        sa.Column("ct", sa.LargeBinary(), nullable=False),
        sa.Column("raw_ct", sa.LargeBinary(), nullable=True),
        sa.Column("key_ref", sa.String(length=120), nullable=False),
        sa.Column("cmt", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("cap_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", "cap_us", name="pk_log"),
        postgresql_partition_by="RANGE (cap_us)",
    )
    op.create_index("ix_log_message", "log", ["tenant", "conv", "msg"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("link", sa.String(length=200), nullable=False),
        sa.Column("operation", sa.String(length=10), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=False),
        sa.Column("version_us", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", "n", "created_us", name="pk_outbox"),
        postgresql_partition_by="RANGE (created_us)",
    )
    op.create_index(
        "ix_outbox_shard", "outbox", ["shard", "tenant", "seq"], unique=False
    )
    op.create_table(
        "place",
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("team", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("service_url", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("group_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "team", "channel", name="pk_place"),
    )
    op.create_table(
        "seen",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_seen"),
    )
    op.create_index("ix_seen_at_us", "seen", ["at_us"], unique=False)
    op.create_table(
        "shard_low",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "shard", name="pk_shard_low"),
    )
    op.create_table(
        "shard_owner",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lease_until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", name="pk_shard_owner"),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("admin_email", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenant"),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )
    op.create_table(
        "link_channel",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("link", sa.String(length=200), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "link"], ["link.tenant", "link.id"], name="fk_link_channel_link"
        ),
        sa.PrimaryKeyConstraint("tenant", "link", "position", name="pk_link_channel"),
        sa.UniqueConstraint(
            "tenant", "link", "channel", name="uq_link_channel_tenant_link_channel"
        ),
    )
    op.create_index(
        "ix_link_channel_channel", "link_channel", ["tenant", "channel"], unique=False
    )


def _drop_tables() -> None:
    op.drop_index("ix_link_channel_channel", table_name="link_channel")
    op.drop_table("link_channel")
    op.drop_table("worker")
    op.drop_table("tenant")
    op.drop_table("shard_owner")
    op.drop_table("shard_low")
    op.drop_index("ix_seen_at_us", table_name="seen")
    op.drop_table("seen")
    op.drop_table("place")
    op.drop_index("ix_outbox_shard", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("ix_log_message", table_name="log")
    op.drop_table("log")
    op.drop_table("link_offer")
    op.drop_table("link")
    op.drop_table("head")
    op.drop_index("ix_copy_source", table_name="copy")
    op.drop_table("copy")
    op.drop_table("attempt")
    op.drop_table("account")
