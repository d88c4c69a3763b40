"""The tables of what is kept about business records. None holds a record's values."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from storage.schema import Id, metadata

# A card in a channel. `place` is the hash of its record, channel and cause, by which
# it is the only one; `moved_us` says since when it is in its state.
record_card = Table(
    "record_card",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("card_id", Id, primary_key=True),
    Column("place", String(64), nullable=False),
    Column("ref", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("level", String(20), nullable=False),
    Column("thread", Id, nullable=False),
    Column("message", Id, nullable=False),
    Column("unfurl", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("standing", String(20), nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("rev_text", Text, nullable=False),
    Column("digest", Id, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("shown_us", BigInteger, nullable=False),
    Column("moved_us", BigInteger, nullable=False),
    Index("ix_record_card_place", "tenant", "place", unique=True),
    Index("ix_record_card_ref", "tenant", "ref"),
    Index("ix_record_card_channel", "tenant", "channel"),
    Index("ix_record_card_state", "tenant", "state", "moved_us"),
)

# A button. It is known by the hash of its token alone.
record_act = Table(
    "record_act",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("card_id", Id, nullable=False),
    Column("person", Id, nullable=False),
    Column("what", Text, nullable=False),
    Column("superseded", SmallInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Index("ix_record_act_card", "tenant", "card_id"),
    Index("ix_record_act_person", "tenant", "person"),
    Index("ix_record_act_until", "until_us"),
)

# That somebody used a button, and what came of it; open as long as nothing has. `address`
# is where they are told of it if nothing comes, `deed` what it would be done by, and
# `told` says that they were.
record_act_use = Table(
    "record_act_use",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("person", Id, primary_key=True),
    Column("open", SmallInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("deed", String(64), nullable=False, server_default=""),
    Column("told", SmallInteger, nullable=False, server_default="0"),
)

record_subscription = Table(
    "record_subscription",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("person", Id, nullable=False),
    Column("what", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
)

# A line that waits for a digest, sealed, or a change that is `unjudged`; once it is told
# only its event is kept, so that it is not told again.
record_line = Table(
    "record_line",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("subscription", Id, primary_key=True),
    Column("event", String(64), primary_key=True),
    Column("ref", Text, nullable=False),
    Column("line", LargeBinary),
    Column("at_us", BigInteger, nullable=False),
    Column("unjudged", SmallInteger, nullable=False, server_default="0"),
    Index("ix_record_line_at", "at_us"),
)

# `system` is empty for all that have no row of their own.
record_level = Table(
    "record_level",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("level", String(20), nullable=False),
    Column("told_by", Id, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# How far a system's changes were followed.
record_position = Table(
    "record_position",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("instance", Id, primary_key=True),
    Column("position", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

record_heard = Table(
    "record_heard",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("event", String(64), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_record_heard_at", "at_us"),
)

# A write to a business system: noted before it is made, and with its request after.
record_deed = Table(
    "record_deed",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("deed", String(64), primary_key=True),
    Column("request", Text),
    Column("begun_us", BigInteger, nullable=False),
    Column("made", Text, nullable=False, server_default=""),
    Index("ix_record_deed_begun", "begun_us"),
)

# A message that was carried into a record. What it says is in the log, at `seq`; the
# record knows it as it was at `done`.
record_said = Table(
    "record_said",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("message", Id, primary_key=True),
    Column("ref", Text, nullable=False),
    Column("person", Id, nullable=False),
    Column("address", Text, nullable=False),
    Column("deed", String(64), nullable=False),
    Column("latest", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("said_us", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("gone", SmallInteger, nullable=False),
    Index("ix_record_said_ref", "tenant", "ref"),
    Index("ix_record_said_person", "tenant", "person"),
    Index("ix_record_said_at", "said_us"),
)

# A deed that adds to a record what was said in a channel: it does not come back there.
record_wrote = Table(
    "record_wrote",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("deed", String(64), primary_key=True),
    Column("ref", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_record_wrote_ref", "tenant", "ref", "at_us"),
    Index("ix_record_wrote_at", "at_us"),
)

# What was said on a record and stands in a thread, or is about to, by a hash of it.
record_remark = Table(
    "record_remark",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("mark", Id, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("message", Id, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_record_remark_at", "at_us"),
)

# Somebody's account of a business system. What opens it is sealed with a key of its
# own, which is destroyed with it. `renewer` has the right to renew it until then.
record_account = Table(
    "record_account",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("person", Id, primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("instance", Id, primary_key=True),
    Column("key_ref", Id, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("broken", SmallInteger, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("renewer", Id, nullable=False),
    Column("renew_until_us", BigInteger, nullable=False),
)

# A link by which somebody connects an account, and the browsers that opened it. Both
# are known by the hashes of their secrets alone.
record_sign_in = Table(
    "record_sign_in",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("person", Id, nullable=False),
    Column("place", Id, nullable=False),
    Column("what", Text, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Index("ix_record_sign_in_person", "tenant", "person"),
)

record_attempt = Table(
    "record_attempt",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("link", String(64), nullable=False),
    Column("browser", String(64), nullable=False),
    Column("stage", String(10), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Index("ix_record_attempt_link", "tenant", "link"),
)

# How far a kind of records was read into the book of accounts and contacts.
record_chapter = Table(
    "record_chapter",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("instance", Id, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("lap", BigInteger, nullable=False),
    Column("whole_lap", BigInteger, nullable=False),
    Column("position", Text, nullable=False),
    Column("begun_us", BigInteger, nullable=False),
    Column("whole_us", BigInteger, nullable=False),
    Column("read_us", BigInteger, nullable=False),
    Column("stirred_us", BigInteger, nullable=False),
)

# An account or a contact in the book: ids alone. `mark` is the hash of its clues, and
# `lap` the last reading of everything that saw it.
record_known = Table(
    "record_known",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("instance", Id, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("id", Id, primary_key=True),
    Column("account", Id, nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("mark", String(64), nullable=False),
    Column("lap", BigInteger, nullable=False),
)

# What a record is looked up by, as a keyed hash: an address, a host, a word of a name.
record_clue = Table(
    "record_clue",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("instance", Id, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("clue", String(64), primary_key=True),
    Column("id", Id, primary_key=True),
    Index("ix_record_clue_id", "tenant", "system", "instance", "kind", "id"),
)

# The address of somebody who was erased, as a keyed hash: who bears it is not taken in.
record_erased = Table(
    "record_erased",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("clue", String(64), primary_key=True),
)

# An approval that waits for somebody who left. `person` is who left and `heir` who is to
# decide, by ATOM's ids of them; `approval` and `approver` are the system's own.
record_orphan = Table(
    "record_orphan",
    metadata,
    Column("tenant", Id, primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("instance", Id, primary_key=True),
    Column("approval", Id, primary_key=True),
    Column("ref", Text, nullable=False),
    Column("approver", Id, nullable=False),
    Column("person", Id, nullable=False),
    Column("heir", Id, nullable=False),
    Column("deputy", SmallInteger, nullable=False),
    Column("told", SmallInteger, nullable=False),
    Column("found_us", BigInteger, nullable=False),
    Index("ix_record_orphan_ref", "tenant", "ref"),
)
