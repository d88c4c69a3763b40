"""Who is told of an act that was cut short, and whether they were."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    for column in (
        sa.Column("address", sa.Text(), nullable=False, server_default=""),
        sa.Column("deed", sa.String(64), nullable=False, server_default=""),
        sa.Column("told", sa.SmallInteger(), nullable=False, server_default="0"),
    ):
        op.add_column("record_act_use", column)


def downgrade() -> None:
    for name in ("told", "deed", "address"):
        op.drop_column("record_act_use", name)
