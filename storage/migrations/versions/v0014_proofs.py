"""Tiles of the tree, checkpoints and who saw them; leaves that hold more."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_LOG: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("raw_cmt", sa.LargeBinary()),
    ("label", sa.Text()),
    ("dlp", sa.Text()),
)
_TABLES = (
    "tree_state",
    "tile",
    "bundle",
    "checkpoint",
    "signing_key",
    "anchor",
    "anchored",
)


def _key(name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.Column[Any]:
    return sa.Column(
        name, kind or sa.String(200), primary_key=True, autoincrement=False
    )


def _col(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    big, text, small = sa.BigInteger(), sa.Text(), sa.SmallInteger()
    binary = sa.LargeBinary()
    op.add_column("log", sa.Column("leaf_v", small, nullable=False, server_default="1"))
    for name, kind in _LOG:
        op.add_column("log", sa.Column(name, kind, nullable=True))
    op.create_table("tree_state", _key("tenant"), _col("size", big))
    op.create_table(
        "tile",
        _key("tenant"),
        _key("level", small),
        _key("idx", big),
        _col("width", small),
        _col("data", binary),
    )
    op.create_table(
        "bundle",
        _key("tenant"),
        _key("first", big),
        _col("width", small),
        _col("data", binary),
    )
    op.create_table(
        "checkpoint",
        _key("tenant"),
        _key("size", big),
        _col("root", binary),
        _col("note", text),
        _col("at_us", big),
    )
    op.create_table(
        "signing_key",
        _key("tenant"),
        _key("version", small),
        _col("vkey", text),
        _col("from_size", big),
        _col("note", text),
        _col("at_us", big),
    )
    op.create_table(
        "anchor",
        _key("tenant"),
        _key("address", text),
        _col("detail", text),
        _col("added_us", big),
    )
    op.create_table(
        "anchored",
        _key("tenant"),
        _key("address", text),
        _key("size", big),
        _key("at_us", big),
        _col("note", text),
        _col("evidence", binary),
        _col("fault", text),
    )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    for name, _ in reversed(_LOG):
        op.drop_column("log", name)
    op.drop_column("log", "leaf_v")
