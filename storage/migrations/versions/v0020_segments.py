"""Several messages may stand in one copy, and be brought there in one post."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_KEY = ["tenant", "target", "remote"]
_JOINED = ("attempt", "dead_letter", "requeued")


def upgrade() -> None:
    for table in _JOINED:
        op.add_column(
            table, sa.Column("joined", sa.Text(), nullable=False, server_default="")
        )
    if op.get_bind().dialect.name != "postgresql":
        return _copy_anew([*_columns(), _segment()], [*_KEY, "segment"])
    op.add_column("copy", _segment())
    op.drop_constraint("pk_copy", "copy", type_="primary")
    op.create_primary_key("pk_copy", "copy", [*_KEY, "segment"])
    return None


def downgrade() -> None:
    # What came before knows one message a copy: the first one speaks for it.
    op.execute(
        "DELETE FROM copy WHERE segment > (SELECT min(c.segment) FROM copy c WHERE "
        "c.tenant = copy.tenant AND c.target = copy.target AND c.remote = copy.remote)"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_copy", "copy", type_="primary")
        op.create_primary_key("pk_copy", "copy", _KEY)
        op.drop_column("copy", "segment")
    else:
        _copy_anew(_columns(), _KEY)
    for table in reversed(_JOINED):
        op.drop_column(table, "joined")


def _copy_anew(columns: list[sa.Column[Any]], key: list[str]) -> None:
    """Make the table anew: SQLite changes no primary key."""
    op.create_table("copy_new", *columns, sa.PrimaryKeyConstraint(*key, name="pk_copy"))
    names = ", ".join(column.name for column in _columns())
    op.execute(f"INSERT INTO copy_new ({names}) SELECT {names} FROM copy")
    op.drop_table("copy")
    op.rename_table("copy_new", "copy")
    op.create_index("ix_copy_source", "copy", ["tenant", "source", "message"])


def _segment() -> sa.Column[Any]:
    return sa.Column("segment", sa.SmallInteger(), nullable=False, server_default="0")


def _columns() -> list[sa.Column[Any]]:
    words = ("link", "message", "remote_thread")
    return [
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("remote", sa.String(200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        *(sa.Column(name, sa.String(200), nullable=False) for name in words),
        sa.Column("version_us", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False, server_default="1"),
        sa.Column("parts", sa.SmallInteger(), nullable=False, server_default="1"),
        sa.Column("budget", sa.Integer(), nullable=False, server_default="0"),
    ]
