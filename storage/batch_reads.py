"""What a group commit has to know before it writes anything."""

from collections.abc import Iterator, Sequence

import orjson

from bridge.unanswered import Claim
from storage.claims import claims_asked, claims_held
from storage.hot import Program, Statement, Together
from storage.just_captured import Told
from storage.months import since_us
from storage.rows import clean_id
from storage.writes import Fence, Write


def looked_up(
    tenant: str, writes: Sequence[Write], until_us: int
) -> Program[tuple[dict[str, int], frozenset[Fence | Claim], frozenset[Told]]]:
    """
    Return what the database knows of the writes' keys, rights and new messages:
    keys seen before, fences and claims that still hold, and messages it has heard of.
    The log's newest entry is of `until_us`.
    """
    keys = [key for write in writes for key in write.keys]
    fences = {write.fence for write in writes if write.fence}
    claims = {write.claim for write in writes if write.claim}
    messages = [
        (clean_id(write.entry.conv), clean_id(write.entry.msg))
        for write in writes
        if write.entry and write.queues_first
    ]
    asked = [
        (keys and _known(tenant, keys)),
        (fences and _owned(sorted({fence.shard for fence in fences}))),
        (messages and _heard_of(tenant, messages, until_us)),
        (claims and claims_asked(tenant, claims)),
    ]
    answers = iter(
        (yield Together([each for each in asked if each])) if any(asked) else ()
    )
    known, owned, heard_of, claimed = (next(answers) if each else () for each in asked)
    fenced = fences & {Fence(*row) for row in owned}
    told = {(conv, msg) for conv, msg in heard_of}
    standing = claims & claims_held(tenant, claimed)
    return dict(known), frozenset({*fenced, *standing}), frozenset(told)


def _known(tenant: str, keys: Sequence[str]) -> Statement:
    return Statement(
        "SELECT key, seq FROM seen WHERE tenant = :tenant "
        "AND key IN (SELECT value FROM json_each(:keys))",
        {"tenant": tenant, "keys": orjson.dumps([*keys]).decode()},
        # Row by row, or a planner that knows nothing of a young table yet reads
        # everything that the tenant ever saw.
        postgres="SELECT s.key, s.seq FROM "
        "jsonb_array_elements_text(:keys::text::jsonb) AS k(key) CROSS JOIN LATERAL "
        "(SELECT key, seq FROM seen WHERE tenant = :tenant AND key = k.key LIMIT 1) s",
    )


def _owned(shards: Sequence[int]) -> Statement:
    return Statement(
        "SELECT shard, owner, epoch FROM shard_owner WHERE shard IN "
        "(SELECT value FROM json_each(:shards))",
        {"shards": orjson.dumps([*shards]).decode()},
        # In one order everywhere, or two processes could wait for each other.
        postgres="SELECT shard, owner, epoch FROM shard_owner WHERE shard = ANY(ARRAY("
        "SELECT jsonb_array_elements_text(:shards::text::jsonb)::int)) "
        "ORDER BY shard FOR SHARE",
    )


def _heard_of(tenant: str, messages: Sequence[Told], until_us: int) -> Statement:
    """Ask which messages the log has something about: an edit may come in first."""
    return Statement(
        "SELECT DISTINCT l.conv, l.msg FROM json_each(:messages) AS m CROSS JOIN log l "
        "WHERE l.tenant = :tenant AND l.conv = json_extract(m.value, '$[0]') "
        "AND l.msg = json_extract(m.value, '$[1]') AND l.etype LIKE 'message.%'",
        {
            "tenant": tenant,
            "messages": orjson.dumps([*messages]).decode(),
            "since": min(since_us(msg) for _, msg in messages),
            "until": until_us,
        },
        postgres="SELECT l.conv, l.msg FROM "
        "jsonb_array_elements(:messages::text::jsonb) AS m(pair) CROSS JOIN LATERAL "
        "(SELECT conv, msg FROM log WHERE tenant = :tenant AND cap_us >= :since "
        "AND cap_us <= :until AND conv = m.pair->>0 AND msg = m.pair->>1 "
        "AND etype LIKE 'message.%' LIMIT 1) l",
    )


def latest(
    tenant: str, writes: Sequence[Write], until_us: int
) -> Program[dict[Told, tuple[int, int]]]:
    """Return the newest entry of each message that is revised: position, revision."""
    found: dict[Told, tuple[int, int]] = {}
    for conv, msg in _revised(writes):
        about = (
            "SELECT seq, rev FROM log WHERE tenant = :tenant AND conv = :conv "
            "AND msg = :msg AND etype LIKE 'message.%' "
        )
        # Not in the order of an index: PostgreSQL, as long as it has no statistics
        # of a young table, would read all of it backwards instead of few rows.
        newest = "ORDER BY seq + 0 DESC LIMIT 1"
        place = {"tenant": tenant, "conv": conv, "msg": msg, "until": until_us}
        rows = yield Statement(
            f"{about}{newest}",
            place | {"since": since_us(msg)},
            postgres=f"{about}AND cap_us >= :since AND cap_us <= :until {newest}",
        )
        if rows:
            found[(conv, msg)] = (rows[0][0], rows[0][1])
    return found


def _revised(writes: Sequence[Write]) -> Iterator[Told]:
    for write in writes:
        if write.entry and write.entry.revises:
            yield clean_id(write.entry.conv), clean_id(write.entry.msg)
