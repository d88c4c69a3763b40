"""Edits and deletions of a channel are found without reading what else was said."""

from storage.migrations.indexes import drop_index, make_index

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    make_index(
        "ix_log_changes",
        "log",
        ("tenant", "conv", "seq"),
        "etype IN ('message.edit', 'message.delete')",
    )


def downgrade() -> None:
    drop_index("ix_log_changes", "log")
