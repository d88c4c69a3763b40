"""What people keep for some days of what they left."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "directory_grace",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("person", sa.String(200), primary_key=True),
        sa.Column("ancestor", sa.String(220), primary_key=True),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_directory_grace_version", "directory_grace", ["tenant", "version"]
    )


def downgrade() -> None:
    op.drop_table("directory_grace")
