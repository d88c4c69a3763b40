"""The company's directory."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_ID = sa.String(200)
_NAME = sa.String(80)
_BIG = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "directory_state",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("version", _BIG, nullable=False),
        sa.Column("changed_us", _BIG, nullable=False),
    )
    op.create_table(
        "directory_source",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("source", _NAME, primary_key=True),
        sa.Column("cursor", sa.LargeBinary(), nullable=False),
        sa.Column("heard_us", _BIG, nullable=False),
        sa.Column("whole_us", _BIG, nullable=False),
        sa.Column("tried_us", _BIG, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("owner", _ID, nullable=False),
        sa.Column("until_us", _BIG, nullable=False),
    )
    op.create_table(
        "directory_entry",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("source", _NAME, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("life", sa.String(12), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("since_us", _BIG, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("version", _BIG, nullable=False),
    )
    op.create_table(
        "directory_member",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("source", _NAME, primary_key=True),
        sa.Column("grp", _ID, primary_key=True),
        sa.Column("member", _ID, primary_key=True),
        sa.Column("at_us", _BIG, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("version", _BIG, nullable=False),
    )
    op.create_table(
        "directory_person",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("source", _NAME, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("person", _ID, nullable=False),
        sa.Column("version", _BIG, nullable=False),
    )
    for table in ("entry", "member", "person"):
        name = f"directory_{table}"
        op.create_index(f"ix_{name}_version", name, ["tenant", "version"])
    op.create_table(
        "directory_frozen",
        sa.Column("tenant", _ID, primary_key=True),
        sa.Column("source", _NAME, primary_key=True),
        sa.Column("sort", sa.String(12), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("since_us", _BIG, nullable=False),
        sa.Column("seen_us", _BIG, nullable=False),
        sa.Column("told_us", _BIG, nullable=False),
    )


def downgrade() -> None:
    for table in ("frozen", "person", "member", "entry", "source", "state"):
        op.drop_table(f"directory_{table}")
