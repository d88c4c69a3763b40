"""Requests of people, restrictions, and the register of impact assessments."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    name, moment = sa.String(200), sa.BigInteger()
    op.create_table(
        "subject_request",
        sa.Column("tenant", name, primary_key=True),
        sa.Column("id", name, primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("received_us", moment, nullable=False),
        sa.Column("due_us", moment, nullable=False),
        sa.Column("extended_us", moment, nullable=False),
        sa.Column("answered_us", moment, nullable=False),
    )
    op.create_table(
        "restriction",
        sa.Column("tenant", name, primary_key=True),
        sa.Column("platform", sa.String(10), primary_key=True),
        sa.Column("author", name, primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", name, nullable=False),
        sa.Column("since_us", moment, nullable=False),
    )
    op.create_table(
        "assessment",
        sa.Column("tenant", name, primary_key=True),
        sa.Column("id", name, primary_key=True),
        sa.Column("trigger", sa.String(20), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("opened_us", moment, nullable=False),
        sa.Column("closed_by", name, nullable=False),
        sa.Column("closed_us", moment, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    for table in ("assessment", "restriction", "subject_request"):
        op.drop_table(table)
