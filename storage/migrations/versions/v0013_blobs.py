"""Files' bytes as they were shared, and the work that keeping them takes."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_ID = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("tenant", _ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("place", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("key_ref", sa.String(120), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_blob"),
    )
    op.create_table(
        "blob_holder",
        sa.Column("tenant", _ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("platform", sa.String(10), nullable=False),
        sa.Column("conv", _ID, nullable=False),
        sa.Column("msg", _ID, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant", "name", "platform", "conv", "msg", name="pk_blob_holder"
        ),
    )
    op.create_index("ix_blob_holder_message", "blob_holder", ["tenant", "conv", "msg"])
    op.create_table(
        "blob_chunk",
        sa.Column("tenant", _ID, nullable=False),
        sa.Column("place", sa.String(32), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "place", "n", name="pk_blob_chunk"),
    )
    op.create_table(
        "file_work",
        sa.Column("tenant", _ID, nullable=False),
        sa.Column("platform", sa.String(10), nullable=False),
        sa.Column("conv", _ID, nullable=False),
        sa.Column("msg", _ID, nullable=False),
        sa.Column("team", _ID, nullable=False),
        sa.Column("thread", _ID, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint(
            "tenant", "platform", "conv", "msg", name="pk_file_work"
        ),
    )
    op.create_index("ix_file_work_due_us", "file_work", ["due_us"])


def downgrade() -> None:
    for table in ("file_work", "blob_chunk", "blob_holder", "blob"):
        op.drop_table(table)
