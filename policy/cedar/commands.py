"""How much harm a chat command could do in the wrong hands."""

_SHOWS = 0
_CHANGES = 1
_SENSITIVE = 2

_SHOWING = frozenset(
    {"dead", "find", "help", "links", "me", "status", "what-if", "why"}
)
_GRAVE = frozenset(
    {
        "approve",
        "directory",
        "hold",
        "kept",
        "officers",
        "policy",
        "review",
        "sessions",
        "who",
    }
)


def sensitivity(name: str) -> int:
    """
    Return 0 for what only shows something, 1 for what changes something, 2 for what
    changes who may do what, or the record. A command that nobody knows changes things.
    """
    if name in _SHOWING:
        return _SHOWS
    return _SENSITIVE if name in _GRAVE else _CHANGES
