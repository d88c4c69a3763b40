"""The dead-letter list, and what was queued again from it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# What had died before there was a list. The time of the call whose answer was lost is
# that of the last intent.
_FILL = sa.text(
    "INSERT INTO dead_letter "
    "(tenant, seq, n, link, state, tries, reason, unknown_us, at_us) "
    "SELECT a.tenant, a.seq, a.n, a.link, a.state, a.tries, a.reason, "
    "CASE WHEN a.state = 'parked' THEN coalesce((SELECT max(i.at_us) FROM attempt i "
    "WHERE i.tenant = a.tenant AND i.seq = a.seq AND i.n = a.n "
    "AND i.state = 'intent'), a.at_us) ELSE 0 END, a.at_us "
    "FROM attempt a WHERE a.state IN ('dead', 'parked')"
)


def upgrade() -> None:
    op.create_table(
        "dead_letter",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("link", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unknown_us", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", "n", name="pk_dead_letter"),
    )
    op.create_index("ix_dead_letter_link", "dead_letter", ["tenant", "link"])
    op.create_table(
        "requeued",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("marker", sa.String(length=200), nullable=False),
        sa.Column("unknown_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", "n", name="pk_requeued"),
    )
    op.execute(_FILL)


def downgrade() -> None:
    op.drop_table("requeued")
    op.drop_table("dead_letter")
