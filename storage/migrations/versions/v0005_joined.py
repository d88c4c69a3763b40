"""Links that grow: when a channel joined, and which link a code lets it into."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "link_channel",
        sa.Column("joined_us", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.add_column(
        "link_offer",
        sa.Column("link", sa.String(200), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("link_offer", "link")
    op.drop_column("link_channel", "joined_us")
