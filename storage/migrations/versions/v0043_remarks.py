"""What was said on records stands in threads, and what came from there does not."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

_ID = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "record_wrote",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("deed", sa.String(64), primary_key=True),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_wrote_ref", "record_wrote", ["tenant", "ref", "at_us"])
    op.create_index("ix_record_wrote_at", "record_wrote", ["at_us"])
    op.create_table(
        "record_remark",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("mark", _ID, primary_key=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("message", _ID, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_remark_at", "record_remark", ["at_us"])


def downgrade() -> None:
    op.drop_table("record_remark")
    op.drop_table("record_wrote")
