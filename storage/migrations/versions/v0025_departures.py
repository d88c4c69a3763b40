"""Why people are not in linked channels any more."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "departure",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("user_id", sa.String(200), primary_key=True),
        sa.Column("ended", sa.String(20), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("departure")
