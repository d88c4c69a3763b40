"""
Queries in JQL, built of values that cannot become clauses.

Source: Atlassian, "Search syntax for text fields" and "Advanced search reference".
"""

import re
from collections.abc import Iterable

_WORDS = re.compile(r"\w+")
_MOST_WORDS = 10
_LONGEST_WORD = 60


def quoted(value: str) -> str:
    """Return a value as one string of JQL."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def one_of(field: str, values: Iterable[str]) -> str:
    """Return the clause that a field has one of some values."""
    return f"{field} in ({', '.join(quoted(each) for each in sorted(values))})"


def words_of(text: str) -> list[str]:
    """
    Return what to search for.

    Text searches have a syntax of their own inside the string; of it nothing is left,
    words such as OR included, which count in capitals only.
    """
    found = [word.casefold()[:_LONGEST_WORD] for word in _WORDS.findall(text)]
    return list(dict.fromkeys(found))[:_MOST_WORDS]


def about(words: Iterable[str], projects: Iterable[str]) -> str:
    """Return the query for issues that have words which begin like these."""
    text = quoted(" ".join(f"{word}*" for word in words))
    return f"{one_of('project', projects)} AND text ~ {text} ORDER BY updated DESC"


def changed_since(milliseconds: int, projects: Iterable[str]) -> str:
    """Return the query for what changed at or after a time, the oldest change first."""
    # Written as a number, the time is in no time zone; as a date, in the account's.
    return (
        f"{one_of('project', projects)} AND updated >= {int(milliseconds)} "
        "ORDER BY updated ASC"
    )


def just_made(project: str) -> str:
    """Return the query for what the asking account made lately in a project."""
    return (
        f"{one_of('project', [project])} AND reporter = currentUser() "
        "AND created >= -1d ORDER BY created DESC"
    )
