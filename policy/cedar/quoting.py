"""Names that people chose, as Cedar text in which nobody can say anything else."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """
    Return a text as a Cedar string literal.

    What has no escape of its own and is not printable ASCII is written by its number,
    so that no reader of policies is fooled by characters that look like others either.
    """
    return '"' + "".join(_escaped(c) for c in text) + '"'


def entity(kind: str, id_: str) -> str:
    """Return an entity's uid: `Atom::Group::"…"`."""
    return f"Atom::{kind}::{quoted(id_)}"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if " " <= character <= "~":
        return character
    return f"\\u{{{ord(character):x}}}"
