"""Which exports were made, and whom they were handed to."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    name, digest = sa.String(200), sa.String(64)
    op.create_table(
        "export",
        sa.Column("tenant", name, primary_key=True),
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("at_us", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("officer", name, nullable=False),
        sa.Column("approval", name, nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", digest, nullable=False),
    )
    op.create_table(
        "custody",
        sa.Column("tenant", name, primary_key=True),
        sa.Column("export", sa.String(16), primary_key=True),
        sa.Column("at_us", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("officer", name, nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("sha256", digest, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("custody")
    op.drop_table("export")
