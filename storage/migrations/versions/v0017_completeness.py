"""What was compared with the platforms' history."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_COUNTS = ("shown", "held", "missing", "filled", "lost")


def upgrade() -> None:
    op.create_table(
        "recon_window",
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("to_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "channel", "at_us", name="pk_recon_window"),
    )


def downgrade() -> None:
    op.drop_table("recon_window")
