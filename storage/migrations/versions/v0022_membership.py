"""Who was in which conversation at what time, and how far organisations were read."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_ID = sa.String(200)
_KEY = ("tenant", "platform", "conv", "subject", "from_us")


def upgrade() -> None:
    op.create_table(
        "membership",
        sa.Column("tenant", _ID, nullable=False),
        sa.Column("platform", sa.String(10), nullable=False),
        sa.Column("conv", _ID, nullable=False),
        sa.Column("subject", _ID, nullable=False),
        sa.Column("from_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint(*_KEY, name="pk_membership"),
    )
    op.create_index(
        "ix_membership_subject", "membership", ["tenant", "platform", "subject"]
    )
    op.create_table(
        "grid_cursor",
        sa.Column("tenant", _ID, nullable=False),
        sa.Column("feed", sa.String(40), nullable=False),
        sa.Column("us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "feed", name="pk_grid_cursor"),
    )


def downgrade() -> None:
    op.drop_table("grid_cursor")
    op.drop_table("membership")
