"""Approvals that wait for people who left, and who is to decide in their place."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "record_orphan",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("system", sa.String(20), primary_key=True),
        sa.Column("instance", sa.String(200), primary_key=True),
        sa.Column("approval", sa.String(200), primary_key=True),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("approver", sa.String(200), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("heir", sa.String(200), nullable=False),
        sa.Column("deputy", sa.SmallInteger(), nullable=False),
        sa.Column("told", sa.SmallInteger(), nullable=False),
        sa.Column("found_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_orphan_ref", "record_orphan", ["tenant", "ref"])


def downgrade() -> None:
    op.drop_table("record_orphan")
