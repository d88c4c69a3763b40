"""Up to when each channel is known to be on record."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "watermark",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "channel", name="pk_watermark"),
    )


def downgrade() -> None:
    op.drop_table("watermark")
