"""Keys of persons' own, wrapped under versions of the company's key."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "tenant_kek",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("derived", sa.SmallInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "version", name="pk_tenant_kek"),
    )
    op.create_table(
        "subject_key",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("quarter", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("destroyed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "ref", name="pk_subject_key"),
        sa.UniqueConstraint(
            "tenant",
            "person",
            "quarter",
            name="uq_subject_key_tenant_person_quarter",
        ),
    )
    op.create_index("ix_subject_key_version", "subject_key", ["tenant", "version"])


def downgrade() -> None:
    op.drop_table("subject_key")
    op.drop_table("tenant_kek")
