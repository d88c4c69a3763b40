"""
What the book knows accounts and contacts by, and what a search asks it for.

The book keeps no name and no address: it keeps keyed hashes of *clues*, which are made
here, and made alike of what a system tells and of what people ask. Two addresses are
the same only if mail to both goes to one mailbox for certain; nothing is taken for the
same because it looks alike. Names are for finding, so they are compared as readers do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import category, normalize
from urllib.parse import urlsplit

import idna

from bridge.errors import BadInput
from bridge.records.model import Fact, Record, RecordRef, System
from bridge.search.words import Elements, index_words

ACCOUNT, CONTACT = "account", "contact"

_LONGEST = 254  # characters of an address, as mail servers take them
_MOST_WORDS = 24
_LOWER = str.maketrans({chr(n): chr(n + 32) for n in range(ord("A"), ord("Z") + 1)})


class ClueKind(StrEnum):
    """What a clue is. The values are part of what is hashed."""

    MAIL = "mail"  # an e-mail address
    SITE = "site"  # the host of a web page, without www
    WORD = "word"  # a word of a name


@dataclass(frozen=True, slots=True, order=True)
class Clue:
    """Something to look a record up by, in plain: it is never kept or logged."""

    kind: ClueKind
    text: str


Clues = frozenset[Clue]


@dataclass(frozen=True, slots=True)
class Listed:
    """
    An account or a contact as a system lists it for the book.

    `rev` grows with every change; `account` is the one that a contact belongs to.
    """

    ref: RecordRef
    rev: int
    clues: Clues
    account: RecordRef | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """
    Part of a list. `gone` were deleted; `complete` says that there is nothing further
    now. `position` is where the next page begins.
    """

    listed: tuple[Listed, ...]
    gone: tuple[RecordRef, ...]
    position: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Chapter:
    """One kind of records of one system, in one company's book."""

    tenant: str
    system: System
    instance: str
    kind: str


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a chapter was read.

    Everything is read anew in *laps*: `lap` is the one under way, or the last one if it
    is `whole_lap`, the last that came to its end. Between laps only what changed is
    read, from the same `position` on. Times are microseconds UTC, 0 for never:
    `begun_us` of the lap, `whole_us` of the end of the last whole one, `read_us` when
    there was nothing further to read, `stirred_us` when the system last told of a
    change.
    """

    chapter: Chapter
    lap: int = 0
    whole_lap: int = 0
    position: str = ""
    begun_us: int = 0
    whole_us: int = 0
    read_us: int = 0
    stirred_us: int = 0

    @property
    def under_way(self) -> bool:
        """Whether a lap has begun and is not at its end."""
        return self.whole_lap < self.lap

    @property
    def since_us(self) -> int:
        """As of when the chapter is, or since when it is read for the first time."""
        return self.read_us or self.begun_us


@dataclass(frozen=True, slots=True)
class Figure:
    """How many records a chapter has, for operators: it counts what nobody may see."""

    progress: Progress
    many: int


def mailbox(text: str) -> str:
    """
    Return an e-mail address in the form in which it is compared, empty if it is none.

    Domains are compared as DNS does, so `BÜCHER.example` is `xn--bcher-kva.example`. Of
    the part before it only plain letters lose their case. What stands behind a plus
    sign stays: that it reaches the same person is a habit of some servers alone.
    """
    text = normalize("NFC", text.strip())
    local, at, domain = text.rpartition("@")
    host = hostname(domain)
    if not (at and local and host) or len(text) > _LONGEST or not _is_local(local):
        return ""
    return f"{normalize('NFC', local.translate(_LOWER))}@{host}"


def hostname(text: str) -> str:
    """Return a host's name as DNS has it, in plain letters; empty if it is none."""
    text = text.strip().removesuffix(".")
    if "." not in text:
        return ""
    try:
        host = idna.encode(text, uts46=True).decode("ascii").lower()
    except UnicodeError:
        return ""
    labels = host.split(".")
    return "" if len(labels) == 1 or labels[-1].isdecimal() else host


def site(text: str) -> str:
    """Return the host of a web page without `www`, empty if there is none."""
    text = text.strip()
    if "@" in text or any(category(c)[0] in "ZC" for c in text):
        return ""
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    host = hostname(host)
    bare = host.removeprefix("www.")
    return bare if "." in bare else host


def name_words(text: str) -> list[str]:
    """Return the words of a name, each once; an initial finds nobody."""
    return [word for word in dict.fromkeys(index_words(text)) if _tells(word)]


def clues(
    names: Iterable[str], addresses: Iterable[str] = (), sites: Iterable[str] = ()
) -> Clues:
    """Return everything that a record is known by."""
    words = [word for name in names for word in name_words(name)][:_MOST_WORDS]
    found = {Clue(ClueKind.WORD, word) for word in words}
    found |= {Clue(ClueKind.MAIL, m) for m in map(mailbox, addresses) if m}
    found |= {Clue(ClueKind.SITE, s) for s in map(site, sites) if s}
    return frozenset(found)


def asked(words: str) -> Clues:
    """
    Return what a search asks the book for: a record has to be known by all of it.

    An address and a page's host stand for themselves, everything else is words of a
    name. Nothing is asked for if that is none of them.
    """
    if mail := mailbox(words):
        return frozenset({Clue(ClueKind.MAIL, mail)})
    if host := site(words):
        return frozenset({Clue(ClueKind.SITE, host)})
    try:
        places = Elements.of(words).places[:_MOST_WORDS]
    except BadInput:
        return frozenset()
    whole = [place.text for place in places if not place.prefix]
    return frozenset(Clue(ClueKind.WORD, word) for word in whole if _tells(word))


def is_shown_by(record: Record, wanted: Clues, classes: frozenset[str]) -> bool:
    """
    Say whether what somebody sees of a record shows all clues, by these classes.

    The book knows fields that they may not see. A record that it found is theirs only
    if they could have found it by themselves, or the book would answer questions about
    what is kept from them.
    """
    visible = [fact for fact in record.facts if fact.cls in classes]
    title = record.title if record.title_cls in classes else ""
    return bool(wanted) and all(_shows(title, visible, clue) for clue in wanted)


def _shows(title: str, facts: Iterable[Fact], clue: Clue) -> bool:
    match clue.kind:
        case ClueKind.WORD:
            return clue.text in name_words(title)
        case ClueKind.MAIL:
            return any(mailbox(fact.text) == clue.text for fact in facts)
        case ClueKind.SITE:
            return any(site(fact.text) == clue.text for fact in facts)


def _tells(word: str) -> bool:
    return len(word) > 1 or not word.isascii()


def _is_local(text: str) -> bool:
    return "@" not in text and not any(category(c)[0] in "ZC" for c in text)
