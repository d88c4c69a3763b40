"""People's own accounts of business systems, and how they are connected."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "record_account",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("person", sa.String(200), primary_key=True),
        sa.Column("system", sa.String(20), primary_key=True),
        sa.Column("instance", sa.String(200), primary_key=True),
        sa.Column("key_ref", sa.String(200), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("broken", sa.SmallInteger(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("renewer", sa.String(200), nullable=False),
        sa.Column("renew_until_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "record_sign_in",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_sign_in_person", "record_sign_in", ["tenant", "person"])
    op.create_table(
        "record_attempt",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("link", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_attempt_link", "record_attempt", ["tenant", "link"])


def downgrade() -> None:
    op.drop_table("record_attempt")
    op.drop_table("record_sign_in")
    op.drop_table("record_account")
