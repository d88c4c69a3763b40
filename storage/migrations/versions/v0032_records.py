"""Cards of business records, their buttons, and who wants to hear of what."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "record_card",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("card_id", sa.String(200), primary_key=True),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("thread", sa.String(200), nullable=False),
        sa.Column("message", sa.String(200), nullable=False),
        sa.Column("unfurl", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("standing", sa.String(20), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("rev_text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(200), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("shown_us", sa.BigInteger(), nullable=False),
        sa.Column("moved_us", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_record_card_place", "record_card", ["tenant", "place"], unique=True
    )
    op.create_index("ix_record_card_ref", "record_card", ["tenant", "ref"])
    op.create_index("ix_record_card_channel", "record_card", ["tenant", "channel"])
    op.create_index(
        "ix_record_card_state", "record_card", ["tenant", "state", "moved_us"]
    )
    op.create_table(
        "record_act",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("card_id", sa.String(200), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("superseded", sa.SmallInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_act_card", "record_act", ["tenant", "card_id"])
    op.create_index("ix_record_act_person", "record_act", ["tenant", "person"])
    op.create_index("ix_record_act_until", "record_act", ["until_us"])
    op.create_table(
        "record_act_use",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(200), primary_key=True),
        sa.Column("open", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "record_subscription",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "record_line",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("subscription", sa.String(200), primary_key=True),
        sa.Column("event", sa.String(64), primary_key=True),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("line", sa.LargeBinary()),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_line_at", "record_line", ["at_us"])
    op.create_table(
        "record_level",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("system", sa.String(20), primary_key=True),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("told_by", sa.String(200), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "record_position",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("system", sa.String(20), primary_key=True),
        sa.Column("instance", sa.String(200), primary_key=True),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "record_heard",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("event", sa.String(64), primary_key=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_heard_at", "record_heard", ["at_us"])
    op.create_table(
        "record_deed",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("deed", sa.String(64), primary_key=True),
        sa.Column("request", sa.Text()),
        sa.Column("begun_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_record_deed_begun", "record_deed", ["begun_us"])


def downgrade() -> None:
    op.drop_table("record_deed")
    op.drop_table("record_heard")
    op.drop_table("record_position")
    op.drop_table("record_level")
    op.drop_table("record_line")
    op.drop_table("record_subscription")
    op.drop_table("record_act_use")
    op.drop_table("record_act")
    op.drop_table("record_card")
