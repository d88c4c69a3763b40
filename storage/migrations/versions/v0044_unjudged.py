"""Changes that could not be judged are kept until their system answers."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.add_column(
        "record_line",
        sa.Column("unjudged", sa.SmallInteger(), nullable=False, server_default="0"),
    )


def downgrade() -> None:
    op.drop_column("record_line", "unjudged")
