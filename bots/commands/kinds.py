"""What commands do, as far as doing them again is concerned."""

from bots.commands.records_find import KINDS
from bridge.unanswered import Kind

# These show something, or offer a button or a link that does something once it is
# pressed: they may be answered twice.
_SHOWING = frozenset(
    {
        "approvals",
        "connect",
        "dead",
        "do",
        "find",
        "help",
        "links",
        "reactions",
        "review",
        "search",
        "status",
        "subscriptions",
        "what-if",
        "why",
        *KINDS,
    }
)

# These change what is not in ATOM's log: whether they did, only a look there says.
_ELSEWHERE = frozenset({"channels", "disconnect", "sessions", "workspaces"})

# The words behind a command with which it shows something, where others change it.
_SHOWS_WITH = {
    "channels": {"groups", "list"},
    "hold": {"list"},
    "me": {"code"},
    "officers": {"list"},
    "policy": {"history", "show", "test"},
    "workspaces": {"list"},
}
_SHOWS_ALONE = frozenset(
    {
        "directory",
        "hold",
        "kept",
        "me",
        "members",
        "officers",
        "options",
        "policy",
        "records",
    }
    | {"runs", "workspaces"}
)


def kind_of(line: str) -> Kind:
    """Return what a typed line does. What is not known to show something changes it."""
    name, *words = line.lower().split() or ["help"]
    if name in _SHOWING or _shows(name, words):
        return Kind.READS
    return Kind.OUTSIDE if name in _ELSEWHERE else Kind.CHANGES


def _shows(name: str, words: list[str]) -> bool:
    if not words:
        return name in _SHOWS_ALONE
    match name:
        case "who" | "runs":
            return len(words) == 1
        case "link":
            return "dry-run" in words
        case "kept":
            return words[0] != "end"
        case "options":
            return not any("=" in word for word in words)
        case "members":
            return "agree" not in words
    return words[0] in _SHOWS_WITH.get(name, ())
