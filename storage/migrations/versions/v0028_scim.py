"""Users, groups and tokens of the SCIM server."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "scim_head",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("change", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "scim_resource",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("external", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("modified_us", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.SmallInteger(), nullable=False),
    )
    indexes = {
        "number": ["tenant", "kind", "deleted", "number"],
        "change": ["tenant", "change"],
        "label": ["tenant", "kind", "label"],
        "external": ["tenant", "kind", "external"],
    }
    for name, columns in indexes.items():
        op.create_index(f"ix_scim_resource_{name}", "scim_resource", columns)
    op.create_table(
        "scim_name",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("resource", sa.String(200), nullable=False),
    )
    op.create_table(
        "scim_member",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("grp", sa.String(200), primary_key=True),
        sa.Column("member", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("display", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
    )
    op.create_index("ix_scim_member_member", "scim_member", ["tenant", "member"])
    op.create_table(
        "scim_token",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_scim_token_tenant", "scim_token", ["tenant"])
    op.create_table(
        "scim_pass",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("grp", sa.String(200), primary_key=True),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    for name in ("pass", "token", "member", "name", "resource", "head"):
        op.drop_table(f"scim_{name}")
