"""Edits and deletions of a channel are found without reading what else was said."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    changes = sa.text("etype IN ('message.edit', 'message.delete')")
    op.create_index(
        "ix_log_changes",
        "log",
        ["tenant", "conv", "seq"],
        sqlite_where=changes,
        postgresql_where=changes,
    )


def downgrade() -> None:
    op.drop_index("ix_log_changes", "log")
