"""
How entries get into the index, some hundred in one transaction.

A message is one row for each of its revisions, and a revision counts from its own
position in the log to the one that replaced it. So what was true at any size of the
log can be asked for later. What happened to a message as a whole (it was deleted, it
got a reaction, a copy of it stands elsewhere) is a mark, with positions as well.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from bridge.messages import EventKind
from storage.hot import Program, Rows, Statement
from storage.search.facts import Facts, Where, Who
from storage.search.tables import FOREVER, FORM, Tables

_POSITIONS = 16_000  # tsvector counts to 16,383 (PostgreSQL, "Limitations")
_OCCURRENCES = 250  # and keeps 256 places of one word
_BYTES = 900_000  # and is 1 MB at most

_BEGUN: Mapping[str, str] = {
    EventKind.REACTION_ADD: "reaction",
    EventKind.PIN_ADD: "pin",
    "dlp.finding": "dlp",
}
_ENDED: Mapping[str, str] = {
    EventKind.REACTION_REMOVE: "reaction",
    EventKind.PIN_REMOVE: "pin",
}


_Mark = tuple[int, str, str]  # a message, a kind, a value


@dataclass(slots=True)
class _Message:
    """What is known of one message so far; `seq` is the revision that counts."""

    message: int
    seq: int
    version_us: int
    sent_us: int
    deleted: bool = False
    edited: bool = False


@dataclass(slots=True)
class _Draft:
    tables: Tables
    who: Mapping[Who, int]
    places: Mapping[Where, int]
    known: dict[tuple[int, str], _Message]
    copied: dict[tuple[int, str], int]
    origins: dict[int, int]
    docs: dict[int, list[Any]] = field(default_factory=dict)
    words: list[tuple[int, str, str]] = field(default_factory=list)
    values: list[tuple[int, str, str]] = field(default_factory=list)
    marks: list[tuple[_Mark, int]] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)
    open_marks: dict[_Mark, list[int]] = field(default_factory=dict)
    former_ends: dict[_Mark, int] = field(default_factory=dict)
    replaced: list[tuple[int, int]] = field(default_factory=list)
    copies: list[tuple[int, str]] = field(default_factory=list)


# A very long text takes seconds to be put into words on a slow machine, and meanwhile
# only those who index wait.
_UNHURRIED = "SET LOCAL idle_in_transaction_session_timeout = '30s'"


def take_in(
    tables: Tables, tenant: str, batch: Sequence[Facts], after: int, upto: int
) -> Program[bool]:
    """
    Add the entries from position `after` up to, and without, `upto`.

    `batch` are those among them that matter. Returns False, and changes nothing, if
    the index does not end at `after`: another process adds to it.
    """
    if not tables.sqlite:
        yield Statement(_UNHURRIED)
    moved = yield Statement(
        "UPDATE search_state SET upto = :upto WHERE tenant = :tenant AND upto = :after "
        "RETURNING upto",
        {"tenant": tenant, "upto": upto, "after": after},
    )
    if not moved:
        if after:
            return False
        made = yield Statement(
            "INSERT INTO search_state (tenant, upto, form) VALUES (:tenant, :upto, "
            ":form) ON CONFLICT (tenant) DO NOTHING RETURNING upto",
            {"tenant": tenant, "upto": upto, "form": FORM},
        )
        if not made:
            return False
    gone = yield from _gone(tables, tenant, upto)
    batch = [facts for facts in batch if facts.seq not in gone]
    if batch:
        draft = yield from _known(tables, tenant, batch)
        for facts in batch:
            _add(draft, facts)
        yield from _written(draft, tenant)
    return True


def _gone(t: Tables, tenant: str, upto: int) -> Program[frozenset[int]]:
    """Return what was to be forgotten after it was read and before it got here."""
    rows = yield Statement(
        f"DELETE FROM {t.gone} WHERE {t.of(t.gone)}seq < :upto RETURNING seq",
        {"tenant": tenant, "upto": upto},
    )
    return frozenset(seq for (seq,) in rows)


def _known(tables: Tables, tenant: str, batch: Sequence[Facts]) -> Program[_Draft]:
    people = {facts.author for facts in batch if facts.says}
    people |= {who for facts in batch for who in facts.mentions}
    who = yield from _numbered(
        tables.who,
        "platform, id, name",
        tables,
        tenant,
        {(w.platform, w.id, w.name): w for w in people},
    )
    places = yield from _numbered(
        tables.place,
        "platform, team, conv",
        tables,
        tenant,
        {(w.platform, w.team, w.conv): w for w in {f.where for f in batch}},
    )
    spots = {(places[f.where], f.msg) for f in batch}
    draft = _Draft(tables, who, places, {}, {}, {})
    t, keys = tables, {"tenant": tenant, "keys": _json(spots)}
    for place, msg, message, seq, version_us, sent_us in (
        yield Statement(
            "SELECT d.place, d.msg, d.message, d.seq, d.version_us, d.sent_us "
            f"FROM {t.rows('keys', 'nt')} AS k CROSS JOIN {t.doc} d WHERE {t.of('d')}"
            f"d.place = k.a AND d.msg = k.b AND d.until_seq = {FOREVER}",
            keys,
        )
    ):
        draft.known[(place, msg)] = _Message(message, seq, version_us, sent_us)
    spoken = {f"{place}|{msg}": (place, msg) for place, msg in spots}
    for value, message in (
        yield Statement(
            f"SELECT m.value, m.message FROM {t.rows('keys', 't')} AS k CROSS JOIN "
            f"{t.mark} m WHERE {t.of('m')}m.kind = 'copied' AND m.value = k.a",
            {"tenant": tenant, "keys": _json([one] for one in spoken)},
        )
    ):
        draft.copied[spoken[value]] = message
    origins = {f.origin_seq for f in batch if f.etype == "bridge.delivered"} - {None}
    for seq, message in (
        yield Statement(
            f"SELECT d.seq, d.message FROM {t.rows('keys', 'n')} AS k CROSS JOIN "
            f"{t.doc} d WHERE {t.of('d')}d.seq = k.a",
            {"tenant": tenant, "keys": _json([one] for one in origins)},
        )
    ):
        draft.origins[seq] = message
    yield from _states(draft, tenant)
    return draft


def _states(draft: _Draft, tenant: str) -> Program[None]:
    t = draft.tables
    messages = {each.message: each for each in draft.known.values()}
    rows = yield Statement(
        f"SELECT m.message, m.kind FROM {t.rows('keys', 'n')} AS k CROSS JOIN {t.mark} "
        f"m WHERE {t.of('m')}m.message = k.a AND (m.kind = 'edited' OR "
        f"(m.kind = 'deleted' AND m.until_seq = {FOREVER}))",
        {"tenant": tenant, "keys": _json([one] for one in messages)},
    )
    for message, kind in rows:
        if kind == "deleted":
            messages[message].deleted = True
        else:
            messages[message].edited = True


def _numbered(
    table: str,
    columns: str,
    tables: Tables,
    tenant: str,
    wanted: Mapping[tuple[str, str, str], Any],
) -> Program[dict[Any, int]]:
    """Return the numbers of rows that may be new."""
    asked = {"tenant": tenant, "rows": _json(sorted(wanted))}
    source = tables.rows("rows", "ttt")
    one, two, three = columns.split(", ")
    yield Statement(
        f"INSERT INTO {table} ({tables.key}{columns}) SELECT {tables.key_value}a, b, c "
        f"FROM {source} AS s WHERE true ON CONFLICT DO NOTHING",
        asked,
    )
    rows: Rows = yield Statement(
        f"SELECT w.n, a, b, c FROM {source} AS s CROSS JOIN {table} w WHERE "
        f"{tables.of('w')}w.{one} = s.a AND w.{two} = s.b AND w.{three} = s.c",
        asked,
    )
    return {wanted[(a, b, c)]: n for n, a, b, c in rows}


def _add(draft: _Draft, facts: Facts) -> None:
    spot = (draft.places[facts.where], facts.msg)
    if facts.says and spot not in draft.copied:
        _revision(draft, facts, spot)
    if facts.etype == "bridge.delivered":
        _copy(draft, facts, spot)
        return
    known = draft.known.get(spot)
    message = known.message if known else draft.copied.get(spot)
    if message is not None:
        _mark(draft, facts, message, known)


def _mark(draft: _Draft, facts: Facts, message: int, known: _Message | None) -> None:
    if known and facts.etype in {
        EventKind.MESSAGE_DELETE,
        EventKind.MESSAGE_RESTORE,
    }:
        deleted = facts.etype == EventKind.MESSAGE_DELETE
        if deleted != known.deleted:
            known.deleted = deleted
            change = _begin if deleted else _end
            change(draft, (message, "deleted", ""), facts.seq)
    elif kind := _BEGUN.get(facts.etype):
        _begin(draft, (message, kind, facts.detail), facts.seq)
    elif facts.etype == "bridge.delete_applied":
        place = str(draft.places[facts.where])
        _end(draft, (message, "copy", place), facts.seq)
    elif kind := _ENDED.get(facts.etype):
        _end(draft, (message, kind, facts.detail), facts.seq)


def _revision(draft: _Draft, facts: Facts, spot: tuple[int, str]) -> None:
    known, until = draft.known.get(spot), FOREVER
    sent_us = known.sent_us if known else facts.sent_us
    if known is None:
        known = _Message(facts.seq, facts.seq, facts.version_us, sent_us)
        draft.known[spot] = known
    elif facts.version_us < known.version_us:
        until = facts.seq  # it came late: what replaced it is there already
    else:
        draft.replaced.append((known.seq, facts.seq))
        if known.seq in draft.docs:
            draft.docs[known.seq][8] = facts.seq
        known.seq, known.version_us = facts.seq, facts.version_us
    if (facts.rev or facts.etype == EventKind.MESSAGE_EDIT) and not known.edited:
        known.edited = True
        _begin(draft, (known.message, "edited", ""), facts.seq)
    draft.docs[facts.seq] = [
        facts.seq,
        known.message,
        spot[0],
        draft.who[facts.author],
        facts.msg,
        sent_us,
        facts.version_us,
        facts.flags,
        until,
        facts.eid,
        _huge(facts.words, facts.names),
    ]
    draft.origins[facts.seq] = known.message
    draft.words.append((facts.seq, " ".join(facts.words), " ".join(facts.names)))
    draft.values += [(facts.seq, kind, value) for kind, value in facts.values]
    draft.values += [
        (facts.seq, "mention", str(draft.who[who]))
        for who in dict.fromkeys(facts.mentions)
    ]


def _copy(draft: _Draft, facts: Facts, spot: tuple[int, str]) -> None:
    if facts.origin_seq is None or not facts.msg:
        return
    message = draft.origins.get(facts.origin_seq)
    if message is None:
        return
    if spot not in draft.copied:
        draft.copied[spot] = message
        _begin(draft, (message, "copied", f"{spot[0]}|{spot[1]}"), facts.seq)
        _begin(draft, (message, "copy", f"{spot[0]}"), facts.seq)
    if (own := draft.known.get(spot)) and own.message != message:
        # Its echo came in before its delivery was on record: it is no message.
        draft.copies.append(spot)
        del draft.known[spot]
        for seq, doc in list(draft.docs.items()):
            if doc[1] == own.message:
                del draft.docs[seq]
                draft.words = [each for each in draft.words if each[0] != seq]
                draft.values = [each for each in draft.values if each[0] != seq]


def _huge(words: Sequence[str], names: Sequence[str]) -> int:
    """
    Say whether PostgreSQL can keep the words: 0 with their places, 1 without, 2 not.
    """
    worst = 0
    for row in (words, names):
        if sum(len(word.encode()) + 4 for word in set(row)) > _BYTES:
            return 2
        if (
            len(row) > _POSITIONS
            or max(Counter(row).values(), default=0) > _OCCURRENCES
        ):
            worst = 1
    return worst


def _written(draft: _Draft, tenant: str) -> Program[None]:
    t, docs = draft.tables, list(draft.docs.values())
    if draft.copies:
        yield from _uncounted(draft, tenant)
    yield Statement(
        f"UPDATE {t.doc} SET until_seq = k.b FROM {t.rows('keys', 'nn')} AS k "
        f"WHERE {t.of(t.doc)}{t.doc}.seq = k.a AND {t.doc}.until_seq = {FOREVER}",
        {"tenant": tenant, "keys": _json(draft.replaced)},
    )
    columns = "seq, message, place, who, msg, sent_us, version_us, flags, until_seq, eid, huge"
    if t.sqlite:
        yield Statement(
            f"INSERT INTO {t.doc} ({columns}) SELECT a, b, c, d, e, f, g, h, i, j, k "
            f"FROM {t.rows('rows', 'nnnntnnnntn')} AS s",
            {"rows": _json(docs)},
        )
        yield Statement(
            f"INSERT INTO {t.text} (rowid, words, names) SELECT a, b, c "
            f"FROM {t.rows('rows', 'ntt')} AS s",
            {"rows": _json(draft.words)},
        )
    else:
        yield from _postgres_docs(draft, tenant, columns)
    yield Statement(
        f"INSERT INTO {t.value} ({t.key}seq, kind, value) SELECT {t.key_value}a, b, c "
        f"FROM {t.rows('rows', 'ntt')} AS s",
        {"tenant": tenant, "rows": _json(draft.values)},
    )
    yield from _marked(draft, tenant)


def _begin(draft: _Draft, mark: _Mark, seq: int) -> None:
    draft.open_marks.setdefault(mark, []).append(len(draft.marks))
    draft.marks.append((mark, seq))


def _end(draft: _Draft, mark: _Mark, seq: int) -> None:
    """End a mark, whether it began in this batch or is in the index already."""
    for n in draft.open_marks.pop(mark, ()):
        draft.ends[n] = seq
    draft.former_ends.setdefault(mark, seq)


def _marked(draft: _Draft, tenant: str) -> Program[None]:
    t = draft.tables
    ends = [(*mark, seq) for mark, seq in draft.former_ends.items()]
    marks = [
        (*mark, seq, draft.ends.get(n, FOREVER))
        for n, (mark, seq) in enumerate(draft.marks)
    ]
    if ends:
        yield Statement(
            f"UPDATE {t.mark} SET until_seq = k.d FROM {t.rows('rows', 'nttn')} AS k "
            f"WHERE {t.of(t.mark)}{t.mark}.message = k.a AND {t.mark}.kind = k.b "
            f"AND {t.mark}.value = k.c AND {t.mark}.until_seq = {FOREVER}",
            {"tenant": tenant, "rows": _json(ends)},
        )
    if marks:
        yield Statement(
            f"INSERT INTO {t.mark} ({t.key}message, kind, value, from_seq, until_seq) "
            f"SELECT {t.key_value}a, b, c, d, e FROM {t.rows('rows', 'nttnn')} AS s",
            {"tenant": tenant, "rows": _json(marks)},
        )


def _postgres_docs(draft: _Draft, tenant: str, columns: str) -> Program[None]:
    t = draft.tables
    texts = {seq: (words, names) for seq, words, names in draft.words}
    rows = [
        [*doc, *(vector(text, doc[10]) for text in texts[seq])]
        for seq, doc in draft.docs.items()
    ]
    yield Statement(
        f"INSERT INTO {t.doc} (tenant, {columns}, words, names) SELECT :tenant, a, b, "
        "c, d, e, f, g, h, i, j, k::integer, l::tsvector, m::tsvector "
        f"FROM {t.rows('rows', 'nnnntnnnntntt')} AS s",
        {"tenant": tenant, "rows": _json(rows)},
    )
    words = {w for _, text, names in draft.words for w in f"{text} {names}".split()}
    yield Statement(
        f"INSERT INTO {t.word} (tenant, word) SELECT :tenant, a FROM "
        f"{t.rows('rows', 't')} AS s ORDER BY a ON CONFLICT DO NOTHING",
        {"tenant": tenant, "rows": _json([word] for word in words)},
    )


def vector(text: str, huge: int) -> str:
    """Return words in PostgreSQL's notation of a tsvector."""
    places: dict[str, list[int]] = {}
    for n, word in enumerate(text.split(" ") if text else (), start=1):
        places.setdefault(word, []).append(n)
    if huge > 1:
        return ""
    if huge:
        return " ".join(f"'{word}'" for word in places)
    return " ".join(
        f"'{word}':{','.join(map(str, found))}" for word, found in places.items()
    )


def _uncounted(draft: _Draft, tenant: str) -> Program[None]:
    t, keys = draft.tables, {"tenant": tenant, "keys": _json(draft.copies)}
    rows = yield Statement(
        f"SELECT d.seq FROM {t.rows('keys', 'nt')} AS k CROSS JOIN {t.doc} d "
        f"WHERE {t.of('d')}d.place = k.a AND d.msg = k.b",
        keys,
    )
    yield from forgotten(t, tenant, [seq for (seq,) in rows])


def forgotten(t: Tables, tenant: str, seqs: Iterable[int]) -> Program[int]:
    """Take entries out of the index. Returns how many were in it."""
    keys = {"tenant": tenant, "keys": _json([seq] for seq in seqs)}
    listed = f"(SELECT a FROM {t.rows('keys', 'n')} AS k)"
    whole = f"{t.of('d')}d.seq IN {listed}"
    # Whoever adds entries changes the same row: one of the two waits for the other.
    state = yield Statement(
        "UPDATE search_state SET upto = upto WHERE tenant = :tenant RETURNING upto",
        {"tenant": tenant},
    )
    yield Statement(
        f"INSERT INTO {t.gone} ({t.key}seq) SELECT {t.key_value}a FROM "
        f"{t.rows('keys', 'n')} AS k WHERE a >= :upto ON CONFLICT DO NOTHING",
        {**keys, "upto": state[0][0] if state else 0},
    )
    found = yield Statement(
        f"SELECT d.seq, d.message FROM {t.doc} d WHERE {whole}", keys
    )
    if not found:
        return 0
    if not t.sqlite:
        yield Statement(
            f"DELETE FROM {t.word} w WHERE w.tenant = :tenant AND w.word IN (SELECT "
            "unnest(tsvector_to_array(d.words || d.names)) FROM "
            f"{t.doc} d WHERE {whole})",
            keys,
        )
        # A word that is said elsewhere, too, is kept.
        yield Statement(
            f"INSERT INTO {t.word} (tenant, word) SELECT :tenant, v.word FROM (SELECT "
            "DISTINCT unnest(tsvector_to_array(d.words || d.names)) AS word FROM "
            f"{t.doc} d WHERE {whole}) v WHERE EXISTS (SELECT FROM {t.doc} o WHERE "
            "o.tenant = :tenant AND (o.words @@ quote_literal(v.word)::tsquery OR "
            f"o.names @@ quote_literal(v.word)::tsquery) AND NOT o.seq IN {listed}) "
            "ON CONFLICT DO NOTHING",
            keys,
        )
    else:
        yield Statement(f"DELETE FROM {t.text} WHERE rowid IN {listed}", keys)
    yield Statement(f"DELETE FROM {t.value} WHERE {t.of(t.value)}seq IN {listed}", keys)
    yield Statement(f"DELETE FROM {t.doc} WHERE {t.of(t.doc)}seq IN {listed}", keys)
    messages = {"tenant": tenant, "keys": _json({(row[1],) for row in found})}
    yield Statement(
        f"DELETE FROM {t.mark} WHERE {t.of(t.mark)}message IN {listed} AND NOT EXISTS "
        f"(SELECT 1 FROM {t.doc} d WHERE {t.of('d')}d.message = {t.mark}.message)",
        messages,
    )
    mentioned = (
        f"SELECT 1 FROM {t.value} v WHERE {t.of('v')}v.kind = 'mention' "
        f"AND v.value = CAST({t.who}.n AS TEXT)"
    )
    yield Statement(
        f"DELETE FROM {t.who} WHERE {t.of(t.who)}NOT EXISTS (SELECT 1 FROM {t.doc} d "
        f"WHERE {t.of('d')}d.who = {t.who}.n) AND NOT EXISTS ({mentioned})",
        {"tenant": tenant},
    )
    return len(found)


def _json(rows: Iterable[Any]) -> str:
    return orjson.dumps(list(rows)).decode()
