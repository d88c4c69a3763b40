"""Commands that are captured and not answered yet."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.create_table(
        "unanswered",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("effect", sa.BigInteger(), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("unanswered")
