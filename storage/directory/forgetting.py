"""
What a directory that ATOM keeps forgets with a person who is erased.

Only who is gone from every source is forgotten: of somebody who is still named, the
sources would tell it all again with the next reading. Ids stay, so that they are never
taken for somebody else's.
"""

import orjson

from bridge.directory.held import Life
from bridge.directory.model import Entry, Kind, Standing
from storage.directory.rows import entry_json
from storage.hot import Statement
from storage.rows import clean_id

_BLANK = orjson.dumps(
    entry_json(Entry(Kind.PERSON, "", "", standing=Standing.LEFT))
).decode()
_THERE = ", ".join(f"'{life}'" for life in Life if not life.gone)
# Whose the account is, as long as some source still names them.
_STILL_NAMED = (
    "SELECT named.person FROM directory_person AS named "
    "JOIN directory_entry AS entry ON entry.tenant = named.tenant "
    "AND entry.source = named.source AND entry.id = named.id "
    f"WHERE named.tenant = :tenant AND entry.life IN ({_THERE})"
)
_ACCOUNTS = (
    "FROM account_link WHERE tenant = :tenant AND platform = :platform "
    "AND user_id = :user_id"
)
_ENTRIES = (
    "UPDATE directory_entry SET body = :blank, why = '' "
    f"WHERE tenant = :tenant AND kind = '{Kind.PERSON}' AND life NOT IN ({_THERE}) "
    "AND EXISTS (SELECT 1 FROM directory_person AS whose "
    "WHERE whose.tenant = directory_entry.tenant "
    "AND whose.source = directory_entry.source AND whose.id = directory_entry.id "
    f"AND whose.person IN (SELECT person {_ACCOUNTS}) "
    f"AND whose.person NOT IN ({_STILL_NAMED}))"
)
_DEPARTURES = (
    "DELETE FROM departure WHERE tenant = :tenant AND user_id = :user_id "
    "AND channel LIKE :channels "
    f"AND EXISTS (SELECT 1 {_ACCOUNTS} AND person NOT IN ({_STILL_NAMED}))"
)
_PAST, _ENDED = (
    f"DELETE FROM {table} WHERE tenant = :tenant {which}"
    f"AND person IN (SELECT person {_ACCOUNTS}) AND person NOT IN ({_STILL_NAMED})"
    for table, which in (
        ("directory_past", ""),
        ("directory_grace", "AND until_us = 0 "),
    )
)
_LINKS = f"DELETE {_ACCOUNTS} AND person NOT IN ({_STILL_NAMED})"


def forgotten(tenant: str, platform: str, user: str) -> tuple[Statement, ...]:
    """Return what takes the owner of an account out of the directory that is kept."""
    given = {
        "tenant": tenant,
        "platform": platform,
        "user_id": clean_id(user),
    }
    return (
        Statement(_ENTRIES, {**given, "blank": _BLANK}),
        Statement(_DEPARTURES, {**given, "channels": f"{platform}:%"}),
        Statement(_PAST, given),
        Statement(_ENDED, given),
        Statement(_LINKS, given),
    )


def named(tenant: str, platform: str, user: str) -> Statement:
    """Return what finds a row if the directory's tables name an account."""
    given = {"tenant": tenant, "platform": platform, "user_id": clean_id(user)}
    return Statement(f"SELECT 1 {_ACCOUNTS} LIMIT 1", given)
