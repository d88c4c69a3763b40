"""From an entry to what was made from it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_MADE_FROM = sa.text("origin_seq IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_log_origin_seq",
        "log",
        ["tenant", "origin_seq"],
        sqlite_where=_MADE_FROM,
        postgresql_where=_MADE_FROM,
    )


def downgrade() -> None:
    op.drop_index("ix_log_origin_seq", "log")
