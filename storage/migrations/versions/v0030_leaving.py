"""Rules for what may leave, and what was held and let go."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "dlp_rules",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "dlp_release",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("link", sa.String(200), primary_key=True),
        sa.Column("target", sa.String(200), primary_key=True),
        sa.Column("message", sa.String(200), primary_key=True),
        sa.Column("file", sa.String(200), primary_key=True),
        sa.Column("version_us", sa.BigInteger(), primary_key=True),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("dlp_release")
    op.drop_table("dlp_rules")
