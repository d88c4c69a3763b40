"""
Saved questions to the log, each with a version: what is asked is part of the answer.

They read columns that stand in the leaves, never what people said, so whoever checks
the pack needs no key. A changed question gets a new version.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from storage.hot import Statement

MICRO = 1_000_000
SKEW_US = 300 * MICRO

_WITHIN = "tenant = :tenant AND seq < :size AND cap_us >= :since AND cap_us < :until"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pack is about: a company's first `size` entries, within a period."""

    tenant: str
    size: int
    since_us: int
    until_us: int

    @property
    def parameters(self) -> dict[str, object]:
        return {
            "tenant": self.tenant,
            "size": self.size,
            "since": self.since_us,
            "until": self.until_us,
        }


@dataclass(frozen=True, slots=True)
class Query:
    """
    Entries that meet a condition. `says` is what it looks for, in words.

    `where` is SQL that both databases take, without anything from outside in it.
    """

    name: str
    version: int
    says: str
    where: str

    @property
    def sql(self) -> str:
        """The very statement that is run, as the pack prints it."""
        return (
            "SELECT etype, outcome, count(*), min(seq), max(seq) FROM log "
            f"WHERE {_WITHIN} AND {self.where} GROUP BY etype, outcome"
        )

    def counted(self, scope: Scope) -> Statement:
        return Statement(self.sql, scope.parameters)

    def sampled(self, scope: Scope, offset: int) -> Statement:
        """Return the statement for the entry that follows `offset` others."""
        return Statement(
            "SELECT seq, etype, cap_us, leaf FROM log "
            f"WHERE {_WITHIN} AND {self.where} ORDER BY seq LIMIT 1 OFFSET :offset",
            {**scope.parameters, "offset": offset},
        )


def types(*patterns: str) -> str:
    """Return the condition that an entry is of one of these types; `x.*` is a family."""
    return f"({' OR '.join(_type(pattern) for pattern in patterns)})"


def _type(pattern: str) -> str:
    if pattern.endswith("*"):
        return f"etype LIKE '{pattern[:-1]}%'"
    return f"etype = '{pattern}'"


def _query(name: str, says: str, where: str, version: int = 1) -> Query:
    return Query(name, version, says, where)


_ALL = (
    _query("entries", "every entry", "seq >= 0"),
    _query("messages", "messages in all their revisions", types("message.*")),
    _query(
        "revisions",
        "edits, deletes and restores of messages, each with who and when",
        types("message.edit", "message.delete", "message.restore"),
    ),
    _query(
        "copies",
        "copies on the other platform, each naming the entry it was made from",
        "etype LIKE 'bridge.%' AND origin_seq IS NOT NULL",
    ),
    _query(
        "orphans",
        "copies whose entry does not commit to an earlier one's leaf",
        "etype LIKE 'bridge.%' AND origin_seq IS NOT NULL "
        "AND (origin_leaf IS NULL OR origin_seq >= seq)",
    ),
    _query("decisions", "policy decisions on messages", "outcome IN ('allow', 'deny')"),
    _query(
        "denials", "messages that policy kept back", "outcome = 'deny' AND msg <> ''"
    ),
    _query(
        "refusals", "what somebody tried without the right", types("access.refused")
    ),
    _query(
        "configuration",
        "changes of duties, links and settings",
        types("admin.*", "bridge.link", "bridge.unlink"),
    ),
    _query(
        "approvals", "second persons' words, asked, given, used", types("approval.*")
    ),
    _query(
        "uses",
        "searches, views, exports and holds by officers",
        types("search.*", "item.view", "export.*", "hold.*"),
    ),
    _query("exports", "exports and their hand-over", types("export.*")),
    _query("holds", "legal holds made, changed and released", types("hold.*")),
    _query("retention", "retention rules and disposals", types("retention.*")),
    _query(
        "disposals",
        "keys destroyed and items disposed of",
        types("retention.dispose", "erasure.shred", "key.destroy"),
    ),
    _query(
        "erasures", "erasure requests, deferrals and shreddings", types("erasure.*")
    ),
    _query("keys", "keys made, rotated and destroyed", types("key.*")),
    _query(
        "gaps",
        "times in which something may have been missed",
        types("gap.detected"),
    ),
    _query("filled", "gaps that were read again", types("gap.filled")),
    _query(
        "attested",
        "comparisons with the platforms' own history",
        types("recon.*"),
    ),
    _query(
        "late",
        "entries read later than they happened, marked as such",
        "via IN ('catchup', 'reconcile', 'backfill')",
    ),
    _query(
        "skewed",
        "events whose platform's time differs from ours by more than 300 s",
        f"via = 'push' AND platform <> 'atom' AND (src_us - cap_us > {SKEW_US} "
        f"OR cap_us - src_us > {SKEW_US})",
    ),
    _query("clock", "steps of ATOM's own clock", types("clock.step")),
    _query(
        "undelivered",
        "deliveries that were given up",
        types("bridge.failed", "admin.dead_letter"),
    ),
    _query(
        "subject_access",
        "packages for people who asked (Art. 15)",
        types("subject.access"),
    ),
    _query(
        "portability",
        "data handed over to be carried on (Art. 20)",
        types("subject.portability"),
    ),
    _query(
        "restrictions",
        "restrictions set and lifted (Art. 18)",
        types("subject.restrict", "subject.unrestrict"),
    ),
    _query(
        "notices", "recipients told of an erasure (Art. 19)", types("subject.notice")
    ),
    _query(
        "processing", "records of processing made (Art. 30)", types("processing.record")
    ),
    _query(
        "assessments",
        "impact assessments opened and closed (Art. 35)",
        types("assessment.*"),
    ),
    _query("scans", "what data-loss prevention found and did", types("dlp.*")),
)
QUERIES = {query.name: query for query in _ALL}


def query_texts(names: Iterable[str]) -> list[str]:
    """Return the statements of some queries, as they are printed."""
    return [QUERIES[name].sql for name in names]
