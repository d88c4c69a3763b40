"""Which part of a copy stands where, and how much each may weigh."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_COLUMNS = (
    ("attempt", "part", sa.SmallInteger(), "0"),
    ("attempt", "budget", sa.Integer(), "0"),
    ("copy", "part", sa.SmallInteger(), "1"),
    ("copy", "parts", sa.SmallInteger(), "1"),
    ("copy", "budget", sa.Integer(), "0"),
)


def upgrade() -> None:
    for table, name, kind, default in _COLUMNS:
        op.add_column(
            table, sa.Column(name, kind, nullable=False, server_default=default)
        )


def downgrade() -> None:
    # What came before knows whole copies only, and would take each part for one.
    op.execute("DELETE FROM copy WHERE part > 1")
    for table, name, _, _ in reversed(_COLUMNS):
        op.drop_column(table, name)
