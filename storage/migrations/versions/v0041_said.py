"""What was carried from channels into records, so that edits follow."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"

_ID = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "record_said",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("message", _ID, primary_key=True),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("person", _ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("deed", sa.String(64), nullable=False),
        sa.Column("latest", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("said_us", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.SmallInteger(), nullable=False),
    )
    op.create_index("ix_record_said_ref", "record_said", ["tenant", "ref"])
    op.create_index("ix_record_said_person", "record_said", ["tenant", "person"])
    op.create_index("ix_record_said_at", "record_said", ["said_us"])


def downgrade() -> None:
    op.drop_table("record_said")
