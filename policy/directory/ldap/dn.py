"""
Names of entries (RFC 4514): taken apart, compared, and written so that nothing slips in.

Two spellings of a name are one name: `CN=Smith\\, Ana` and `cn = smith\\2C  ana`. What is
compared is never the text but its parts.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bridge.errors import BadInput
from policy.directory.ldap import ber

_ESCAPED = frozenset(' "#+,;<=>\\')
_SPECIAL = frozenset('\\"#+;')
_HEX = frozenset("0123456789abcdefABCDEF")
_SEPARATORS = frozenset(",;")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@")

# The types that RFC 4514 lets be written as either.
_BY_OID = {
    "2.5.4.3": "cn",
    "2.5.4.4": "sn",
    "2.5.4.6": "c",
    "2.5.4.7": "l",
    "2.5.4.8": "st",
    "2.5.4.9": "street",
    "2.5.4.10": "o",
    "2.5.4.11": "ou",
    "0.9.2342.19200300.100.1.1": "uid",
    "0.9.2342.19200300.100.1.25": "dc",
    "commonname": "cn",
    "surname": "sn",
    "countryname": "c",
    "localityname": "l",
    "stateorprovincename": "st",
    "streetaddress": "street",
    "organizationname": "o",
    "organizationalunitname": "ou",
    "userid": "uid",
    "domaincomponent": "dc",
}


@dataclass(frozen=True, slots=True)
class Dn:
    """
    One name, comparable: equal if a directory would find the same entry.

    `rdns` are its steps from the entry up, each written in one way only.
    """

    rdns: tuple[str, ...]

    @property
    def parent(self) -> "Dn":
        """The name one step up; that of nothing is nothing."""
        return Dn(self.rdns[1:])

    def parents(self) -> Iterator["Dn"]:
        """Go up, from the direct parent to the outermost."""
        for depth in range(1, len(self.rdns)):
            yield Dn(self.rdns[depth:])

    def within(self, base: "Dn") -> bool:
        """Whether the entry is the base or stands somewhere below it."""
        depth = len(base.rdns)
        return not depth or self.rdns[-depth:] == base.rdns


def dn(text: str) -> Dn:
    """Take a name apart. Raises BadInput if it is none."""
    return _parsed(text)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Dn:
    try:
        if _SPECIAL.isdisjoint(text) and text:
            return Dn(tuple([_plain_step(each) for each in text.split(",")]))
        return Dn(tuple(_rdn(each) for each in _steps(text)))
    except (ValueError, IndexError) as error:
        raise BadInput(f"not the name of a directory entry (DN): {text}") from error


@lru_cache(maxsize=65_536)
def _plain_step(text: str) -> str:
    """Read a step of one part without escapes; most steps stand in many names."""
    kind, equal, raw = text.partition("=")
    if not equal:
        raise ValueError("no value")
    return _rdn([(kind.strip(), raw)])


def _steps(text: str) -> list[list[tuple[str, str]]]:
    """Split a name into steps, and each step into its types and raw values."""
    if not text.strip():
        return []
    steps: list[list[tuple[str, str]]] = [[]]
    at = 0
    while True:
        equal = text.index("=", at)
        kind = text[at:equal].strip()
        raw, at = _raw_value(text, equal + 1)
        steps[-1].append((kind, raw))
        if at >= len(text):
            return steps
        if text[at] in _SEPARATORS:
            steps.append([])
        at += 1


def _raw_value(text: str, at: int) -> tuple[str, int]:
    """Return a value as it is written, and where what ends it stands."""
    start, quoted = at, False
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 2
            continue
        if character == '"':
            quoted = not quoted
        elif not quoted and character in ",;+":
            break
        at += 1
    if quoted or at > len(text):
        raise ValueError("unfinished")
    return text[start:at], at


def _rdn(parts: list[tuple[str, str]]) -> str:
    """Write one step in the one way it is compared in: sorted, folded, escaped."""
    return "+".join(sorted(f"{_type(kind)}={_folded(raw)}" for kind, raw in parts))


def _type(text: str) -> str:
    name = text.lower().removeprefix("oid.")
    if not name or not all(c.isascii() and (c.isalnum() or c in "-.") for c in name):
        raise ValueError("no type")
    return _BY_OID.get(name, name)


def _folded(raw: str) -> str:
    """Fold a value as directories compare it, and write it so that it splits nothing."""
    value = unicodedata.normalize("NFKC", _value(raw)).casefold()
    words = " ".join(unicodedata.normalize("NFKC", value).split())
    return "".join(
        c if c.isalnum() or c in " -_.@" else f"\\{ord(c):x};" for c in words
    )


def _value(raw: str) -> str:
    """Return what a written value means: escapes, quotes and hex undone."""
    text = _trimmed(raw)
    if text.startswith("#"):
        return _from_hex(text[1:])
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    value, at = bytearray(), 0
    while at < len(text):
        if text[at] != "\\":
            value += text[at].encode()
            at += 1
        elif len(pair := text[at + 1 : at + 3]) == 2 and _HEX.issuperset(pair):  # noqa: PLR2004
            value.append(int(pair, 16))
            at += 3
        else:
            value += text[at + 1].encode()
            at += 2
    return value.decode()


def _trimmed(raw: str) -> str:
    """Take spaces off both ends, but not one that is escaped."""
    text = raw.lstrip(" ")
    bare = text.rstrip(" ")
    lost = len(text) - len(bare)
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if lost and backslashes % 2 else bare


def _from_hex(digits: str) -> str:
    """Read `#04024869`: the value in BER, of which any kind of string is meant."""
    data = bytes.fromhex(digits)
    _, start, stop = ber.head(data, 0, len(data))
    if stop != len(data):
        raise ValueError("more than one value")
    return data[start:stop].decode()


def dn_value(value: str) -> str:
    """Write a value so that it can stand in a name and cannot be more than a value."""
    escaped = "".join(_escaped(character) for character in value)
    if escaped.startswith(" "):
        escaped = "\\" + escaped
    if escaped.endswith(" ") and len(value) > 1:
        escaped = escaped[:-1] + "\\ "
    return escaped


def _escaped(character: str) -> str:
    if character == " ":
        return character
    if character in _ESCAPED:
        return "\\" + character
    if ord(character) < 0x20 or character == "\x7f":  # noqa: PLR2004 - control characters
        return f"\\{ord(character):02x}"
    return character


def filter_value(value: str | bytes) -> str:
    """
    Write a value so that it can stand in a filter and cannot be more than a value.

    All but letters, digits and a few signs become `\\xx` (RFC 4515), so that no parser
    on the way has anything to interpret or trim.
    """
    data = value.encode() if isinstance(value, str) else value
    return "".join(
        chr(byte) if chr(byte) in _PLAIN else f"\\{byte:02x}" for byte in data
    )
