"""Runs about joiners, movers and leavers."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "directory_run",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("happening", sa.String(20), nullable=False),
        sa.Column("version", sa.String(80), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("decided_us", sa.BigInteger(), nullable=False),
        sa.Column("claimed_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_directory_run_state", "directory_run", ["tenant", "state"])
    op.create_table(
        "directory_run_step",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("deed", sa.String(20), nullable=False),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("conv", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_directory_run_step_seat",
        "directory_run_step",
        ["tenant", "platform", "conv", "subject"],
    )


def downgrade() -> None:
    op.drop_table("directory_run_step")
    op.drop_table("directory_run")
