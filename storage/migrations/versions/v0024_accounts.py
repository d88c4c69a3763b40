"""Whose the platforms' accounts are."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "account_link",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("platform", sa.String(20), primary_key=True),
        sa.Column("account", sa.String(200), primary_key=True),
        sa.Column("user_id", sa.String(200), primary_key=True),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("confidence", sa.SmallInteger(), nullable=False),
        sa.Column("how", sa.String(20), nullable=False),
        sa.Column("told_by", sa.String(200), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "account_code",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("user_id", sa.String(200), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("account_code")
    op.drop_table("account_link")
