"""What each link's owners chose for it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "link", sa.Column("options", sa.Text(), nullable=False, server_default="{}")
    )


def downgrade() -> None:
    op.drop_column("link", "options")
