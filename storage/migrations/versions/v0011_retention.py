"""Legal holds, retention rules, and what became of entries that were due."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_ID = sa.String(200)


def _key(name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.Column[Any]:
    return sa.Column(name, kind or _ID, primary_key=True, autoincrement=False)


def _col(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    big, text, small = sa.BigInteger(), sa.Text(), sa.SmallInteger()
    op.create_table("hold_barrier", _key("tenant"), _col("version", big))
    op.create_table(
        "legal_hold",
        _key("tenant"),
        _key("id"),
        _col("name", text),
        _col("created_by", text),
        _col("created_us", big),
        _col("released_by", text),
        _col("released_us", big),
        _col("until_us", big),
    )
    op.create_table(
        "hold_scope",
        _key("tenant"),
        _key("hold"),
        _key("n", sa.Integer()),
        _col("people", text),
        _col("channels", text),
        _col("query", text),
        _col("from_us", big),
        _col("to_us", big),
        _col("added_us", big),
    )
    op.create_table("hold_item", _key("tenant"), _key("seq", big), _key("hold"))
    op.create_table(
        "retention_rule",
        _key("tenant"),
        _key("id"),
        _key("version", sa.Integer()),
        _col("name", text),
        _col("kind", sa.String(10)),
        _col("value", text),
        _col("floor", small),
        sa.Column("keep_us", big),
        sa.Column("delete_us", big),
        _col("removed", small),
        _col("changed_by", text),
        _col("changed_us", big),
    )
    op.create_table(
        "item_label",
        _key("tenant"),
        _key("conv"),
        _key("msg"),
        _key("label"),
        _col("at_us", big),
    )
    _states()
    _indexes()


def _states() -> None:
    big, text = sa.BigInteger(), sa.Text()
    op.create_table(
        "item_state",
        _key("tenant"),
        _key("seq", big),
        _col("state", sa.String(20)),
        _col("cap_us", big),
        _col("due_us", big),
        _col("erasure_us", big),
        _col("at_us", big),
        _col("why", text),
    )
    op.create_index("ix_item_state_state", "item_state", ["tenant", "state", "seq"])
    op.create_table(
        "disposition",
        _key("tenant"),
        _key("seq", big),
        _col("at_us", big),
        _col("items", sa.Integer()),
        _col("ranges", text),
        _col("told", sa.SmallInteger()),
    )


def _indexes() -> None:
    replies, backdated = (
        sa.text("thread <> ''"),
        sa.text("via IN ('import', 'backfill')"),
    )
    op.create_index(
        "ix_log_reply",
        "log",
        ["tenant", "conv", "thread"],
        sqlite_where=replies,
        postgresql_where=replies,
    )
    op.create_index(
        "ix_log_backdated",
        "log",
        ["tenant", "src_us"],
        sqlite_where=backdated,
        postgresql_where=backdated,
    )


def downgrade() -> None:
    op.drop_index("ix_log_backdated", "log")
    op.drop_index("ix_log_reply", "log")
    for table in (
        "disposition",
        "item_state",
        "item_label",
        "retention_rule",
        "hold_item",
        "hold_scope",
        "legal_hold",
        "hold_barrier",
    ):
        op.drop_table(table)
