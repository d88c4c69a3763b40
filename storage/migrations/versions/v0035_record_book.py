"""The book of accounts and contacts: ids, and keyed hashes of what finds them."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.create_table(
        "record_chapter",
        *_of_chapter(),
        sa.Column("lap", sa.BigInteger(), nullable=False),
        sa.Column("whole_lap", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("begun_us", sa.BigInteger(), nullable=False),
        sa.Column("whole_us", sa.BigInteger(), nullable=False),
        sa.Column("read_us", sa.BigInteger(), nullable=False),
        sa.Column("stirred_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "record_known",
        *_of_chapter(),
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("lap", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "record_clue",
        *_of_chapter(),
        sa.Column("clue", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(200), primary_key=True),
    )
    op.create_index(
        "ix_record_clue_id",
        "record_clue",
        ["tenant", "system", "instance", "kind", "id"],
    )
    op.create_index("ix_record_clue_clue", "record_clue", ["tenant", "clue"])
    op.create_table(
        "record_erased",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("clue", sa.String(64), primary_key=True),
    )


def downgrade() -> None:
    for table in ("record_erased", "record_clue", "record_known", "record_chapter"):
        op.drop_table(table)


def _of_chapter() -> tuple[sa.Column[str], ...]:
    return (
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("system", sa.String(20), primary_key=True),
        sa.Column("instance", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(40), primary_key=True),
    )
