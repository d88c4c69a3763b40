"""What an admin may type about channels, read word by word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from bridge.errors import BadInput

CONFIRM, PRIVATE, SHARED = "confirm", "private", "shared"


class Verb(StrEnum):
    """What can be done with channels."""

    LIST = "list"
    CREATE = "create"
    RENAME = "rename"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    SHARE = "share"
    MOVE = "move"
    INVITE = "invite"
    REMOVE = "remove"
    GROUPS = "groups"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Form:
    """How many words follow a verb, what they are, and whether it takes two goes."""

    usage: str
    least: int
    most: int
    dangerous: bool = False


_MANY = 30
FORMS: Mapping[Verb, Form] = {
    Verb.LIST: Form("[WORKSPACE]", 0, 1),
    Verb.CREATE: Form("NAME WORKSPACE [private|shared]", 2, 2),
    Verb.RENAME: Form("CHANNEL NAME", 2, 2),
    Verb.ARCHIVE: Form("CHANNEL", 1, 1, dangerous=True),
    Verb.UNARCHIVE: Form("CHANNEL", 1, 1),
    Verb.SHARE: Form("CHANNEL WORKSPACE…", 2, _MANY),
    Verb.MOVE: Form("CHANNEL WORKSPACE", 2, 2, dangerous=True),
    Verb.INVITE: Form("CHANNEL PERSON…", 2, _MANY),
    Verb.REMOVE: Form("CHANNEL PERSON…", 2, _MANY),
    Verb.GROUPS: Form("CHANNEL", 1, 1),
    Verb.CONNECT: Form("CHANNEL GROUP", 2, 2),
    Verb.DISCONNECT: Form("CHANNEL GROUP", 2, 2),
    Verb.DELETE: Form("CHANNEL", 1, 1, dangerous=True),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """One line, understood. `words` are what follows the verb."""

    verb: Verb
    words: tuple[str, ...] = ()
    private: bool = False
    confirmed: bool = False
    shared: bool = False

    @property
    def line(self) -> str:
        """Return the line that means this wish."""
        kind = [PRIVATE] * self.private + [SHARED] * self.shared
        last = (*kind, *([CONFIRM] * self.confirmed))
        return " ".join((self.verb, *self.words, *last))


def wish(arguments: Sequence[str]) -> Wish:
    """Read what follows `channels`. Raises `BadInput`, saying what may be typed."""
    verb = _verb(arguments[0] if arguments else Verb.LIST)
    form, words = FORMS[verb], tuple(arguments[1:])
    confirmed = form.dangerous and _ends(words, CONFIRM, form)
    words = words[:-1] if confirmed else words
    private = verb is Verb.CREATE and _ends(words, PRIVATE, form)
    shared = verb is Verb.CREATE and _ends(words, SHARED, form)
    words = words[:-1] if private or shared else words
    if not form.least <= len(words) <= form.most:
        raise BadInput(f"Type `channels {verb} {form.usage}`.")
    return Wish(verb, words, private, confirmed, shared)


def _ends(words: Sequence[str], word: str, form: Form) -> bool:
    """Say whether the last word is one more than the form needs, and this one."""
    return len(words) > form.least and words[-1].lower() == word


def _verb(word: str) -> Verb:
    try:
        return Verb(word.lower())
    except ValueError:
        nearest = get_close_matches(word.lower(), list(Verb), n=1)
        known = f"did you mean `channels {nearest[0]}`?" if nearest else _all()
        raise BadInput(f"`channels` cannot do that: {known}") from None


def _all() -> str:
    return f"it knows {', '.join(Verb)}."
