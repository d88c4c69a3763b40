"""Who was trusted with what on the record, and which acts were approved."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    name = sa.String(200)
    op.create_table(
        "duty",
        sa.Column("tenant", name, primary_key=True),
        sa.Column("officer", name, primary_key=True),
        sa.Column("duty", sa.String(40), primary_key=True),
        sa.Column("granted_by", name, nullable=False),
        sa.Column("granted_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "approval",
        sa.Column("tenant", name, primary_key=True),
        sa.Column("id", name, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("asked_by", name, nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", name, nullable=False),
        sa.Column("decided_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_approval_digest", "approval", ["tenant", "digest"])


def downgrade() -> None:
    op.drop_table("approval")
    op.drop_table("duty")
