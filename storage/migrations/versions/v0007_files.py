"""Which of a message's files a delivery is about."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column(
        "outbox",
        sa.Column("file", sa.String(200), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("outbox", "file")
