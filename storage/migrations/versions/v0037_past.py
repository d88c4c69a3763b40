"""What people were in by their own entries, or kept, and who says that it is over."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.create_table(
        "directory_past",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("person", sa.String(200), primary_key=True),
        sa.Column("how", sa.String(12), primary_key=True),
        sa.Column("kind", sa.String(12), primary_key=True),
        sa.Column("thing", sa.String(200), primary_key=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("told_by", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("directory_past")
