"""
The index's own tables.

They are made when they are first needed and never migrated: an index of another form
is dropped and made anew from the log. SQLite has a set of tables for each company, in
a file of its own; PostgreSQL has one set, in tables that are not logged, so that no
word reaches the write-ahead log, a replica or a base backup.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s
from typing import Self

FORM = 2
"""Raised whenever the index would be made differently from the same log."""

FOREVER = 2**62

_DOC = (
    "seq BIGINT NOT NULL, message BIGINT NOT NULL, place BIGINT NOT NULL, "
    "who BIGINT NOT NULL, msg TEXT NOT NULL, sent_us BIGINT NOT NULL, "
    "version_us BIGINT NOT NULL, flags BIGINT NOT NULL, until_seq BIGINT NOT NULL, "
    "eid TEXT NOT NULL, huge INTEGER NOT NULL"
)
_VALUE = "seq BIGINT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL"
_MARK = (
    "message BIGINT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, "
    "from_seq BIGINT NOT NULL, until_seq BIGINT NOT NULL"
)
_WHO = "platform TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL"
_PLACE = "platform TEXT NOT NULL, team TEXT NOT NULL, conv TEXT NOT NULL"


@dataclass(frozen=True, slots=True)
class Tables:
    """
    What a company's tables are called in one database.

    `suffix` tells companies apart by their tables, as SQLite does; without one every
    table has a column `tenant`.
    """

    suffix: str = ""

    @classmethod
    def own(cls, tenant: str) -> Self:
        """Return the tables of one company."""
        return cls("_" + blake2s(tenant.encode(), digest_size=8).hexdigest())

    @property
    def sqlite(self) -> bool:
        return bool(self.suffix)

    def __getattr__(self, name: str) -> str:
        return f"search_{name}{self.suffix}"

    def of(self, alias: str) -> str:
        """Return the condition that rows are the company's, with AND after it."""
        return "" if self.suffix else f"{alias}.tenant = :tenant AND "

    @property
    def key(self) -> str:
        """Return the column that inserted rows begin with, if there is one."""
        return "" if self.suffix else "tenant, "

    @property
    def key_value(self) -> str:
        return "" if self.suffix else ":tenant, "

    def rows(self, name: str, kinds: str) -> str:
        """
        Return a table made of a parameter: JSON, an array of arrays.

        `kinds` has a letter a column: `n` for a number, `t` for a text. The columns
        are called `a`, `b`, `c` …
        """
        columns = []
        for n, kind in enumerate(kinds):
            letter = chr(ord("a") + n)
            if self.sqlite:
                columns.append(f"json_extract(value, '$[{n}]') AS {letter}")
            else:
                cast = "::bigint" if kind == "n" else ""
                columns.append(f"(value->>{n}){cast} AS {letter}")
        source = (
            f"json_each(:{name})"
            if self.sqlite
            else f"jsonb_array_elements(:{name}::text::jsonb)"
        )
        return f"(SELECT {', '.join(columns)} FROM {source} AS r)"


def sqlite_tables(tables: Tables) -> Sequence[str]:
    """Return the statements that make a company's tables in SQLite."""
    t = tables
    return (
        f"CREATE TABLE IF NOT EXISTS {t.doc} ({_DOC}, PRIMARY KEY (seq))".replace(
            "seq BIGINT NOT NULL, message", "seq INTEGER NOT NULL, message"
        ),
        (
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {t.text} USING fts5("
            "words, names, tokenize=\"ascii tokenchars '+'\", columnsize=0)"
        ),
        f"INSERT INTO {t.text}({t.text}, rank) VALUES ('secure-delete', 1)",
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {t.words} USING fts5vocab({t.text}, row)",
        (
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {t.spots} "
            f"USING fts5vocab({t.text}, instance)"
        ),
        f"CREATE TABLE IF NOT EXISTS {t.value} ({_VALUE})",
        f"CREATE TABLE IF NOT EXISTS {t.mark} ({_MARK})",
        f"CREATE TABLE IF NOT EXISTS {t.gone} (seq INTEGER PRIMARY KEY)",
        (
            f"CREATE TABLE IF NOT EXISTS {t.who} (n INTEGER PRIMARY KEY, {_WHO}, "
            "UNIQUE (platform, id, name))"
        ),
        (
            f"CREATE TABLE IF NOT EXISTS {t.place} (n INTEGER PRIMARY KEY, {_PLACE}, "
            "UNIQUE (platform, team, conv))"
        ),
        *_indexes(t, ""),
    )


def postgres_tables() -> Sequence[str]:
    """Return the statements that make everybody's tables in PostgreSQL."""
    t, made = Tables(), "CREATE UNLOGGED TABLE IF NOT EXISTS"
    return (
        (
            f"{made} {t.doc} (tenant TEXT NOT NULL, {_DOC}, words TSVECTOR NOT NULL, "
            "names TSVECTOR NOT NULL, PRIMARY KEY (tenant, seq))"
        ),
        f"{made} {t.value} (tenant TEXT NOT NULL, {_VALUE})",
        f"{made} {t.mark} (tenant TEXT NOT NULL, {_MARK})",
        f"{made} {t.gone} (tenant TEXT, seq BIGINT, PRIMARY KEY (tenant, seq))",
        (
            f"{made} {t.who} (tenant TEXT NOT NULL, n BIGINT GENERATED ALWAYS AS IDENTITY, "
            f"{_WHO}, PRIMARY KEY (tenant, n), UNIQUE (tenant, platform, id, name))"
        ),
        (
            f"{made} {t.place} (tenant TEXT NOT NULL, "
            f"n BIGINT GENERATED ALWAYS AS IDENTITY, {_PLACE}, PRIMARY KEY (tenant, n), "
            "UNIQUE (tenant, platform, team, conv))"
        ),
        (
            f'{made} {t.word} (tenant TEXT NOT NULL, word TEXT COLLATE "C" NOT NULL, '
            "PRIMARY KEY (tenant, word))"
        ),
        (
            f"{made} search_state (tenant TEXT PRIMARY KEY, upto BIGINT NOT NULL, "
            "form INTEGER NOT NULL)"
        ),
        (
            f"CREATE INDEX IF NOT EXISTS ix_{t.doc}_words ON {t.doc} USING gin (words) "
            "WITH (gin_pending_list_limit = 16384)"
        ),
        (
            f"CREATE INDEX IF NOT EXISTS ix_{t.doc}_names ON {t.doc} USING gin (names) "
            "WITH (gin_pending_list_limit = 16384)"
        ),
        *_indexes(t, "tenant, "),
        # Which kind a value is of follows from the value. Without knowing that, the
        # planner takes what there are thousands of for a handful. No value is in it.
        (
            f"CREATE STATISTICS IF NOT EXISTS {t.value}_kinds (dependencies) "
            f"ON kind, value FROM {t.value}"
        ),
        # Statistics hold the commonest values, in a catalog that is logged: of what
        # people said and are called there are none.
        *(
            f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0"
            for table, column in (
                (t.doc, "words"),
                (t.doc, "names"),
                (t.word, "word"),
                (t.who, "name"),
                (t.who, "id"),
            )
        ),
    )


def _indexes(t: Tables, key: str) -> Sequence[str]:
    made = "CREATE INDEX IF NOT EXISTS ix_"
    return (
        f"{made}{t.doc}_msg ON {t.doc} ({key}place, msg)",
        f"{made}{t.doc}_sent ON {t.doc} ({key}sent_us)",
        f"{made}{t.doc}_who ON {t.doc} ({key}who, sent_us)",
        f"{made}{t.doc}_message ON {t.doc} ({key}message)",
        # Of the revisions that were replaced; there are few.
        (
            f"{made}{t.doc}_former ON {t.doc} ({key}seq, until_seq) "
            f"WHERE until_seq < {FOREVER}"
        ),
        f"{made}{t.doc}_huge ON {t.doc} ({key}seq) WHERE huge > 0",
        f"{made}{t.value}_value ON {t.value} ({key}kind, value, seq)",
        f"{made}{t.value}_seq ON {t.value} ({key}seq)",
        # All that is asked of a mark, so that its row need not be looked at.
        (
            f"{made}{t.mark}_value ON {t.mark} "
            f"({key}kind, value, message, from_seq, until_seq)"
        ),
        f"{made}{t.mark}_message ON {t.mark} ({key}message, kind)",
    )
