"""What a deed in a business system made, so that it can be taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    made = sa.Column("made", sa.Text(), nullable=False, server_default="")
    op.add_column("record_deed", made)


def downgrade() -> None:
    op.drop_column("record_deed", "made")
