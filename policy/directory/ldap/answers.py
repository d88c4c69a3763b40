"""
What a directory answers to a search, read from the wire.

ldap3 decodes answers only after the last of them came, and formats each by the schema.
A live change feed has no last answer, and 20,000 entries should not be held twice, so
the four answers a search can get (RFC 4511, 4.5.2 and 4.13) are read here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from policy.directory.ldap import ber

_CONTROLS = 0xA0
_REFERRAL = 0xA3

Attributes = Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """
    One entry: its DN, and values by attribute name in lower case, options included.

    `controls` are the values of the controls that came with it, by OID.
    """

    dn: str
    attributes: Attributes
    controls: Mapping[str, bytes] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return the first value of an attribute as text, empty if there is none."""
        values = self.attributes.get(name.lower(), ())
        return values[0].decode(errors="replace") if values else ""

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.attributes.get(name.lower(), ())
        return tuple(each.decode(errors="replace") for each in values)


@dataclass(frozen=True, slots=True)
class Referral:
    """A part of the tree that another server holds. It is never asked."""

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Something said between entries (an intermediate response)."""

    oid: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a search, and how it went: `code` 0 is success."""

    code: int
    message: str = ""
    matched: str = ""
    referrals: tuple[str, ...] = ()
    controls: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the server says unasked, above all that it hangs up (message id 0)."""

    code: int
    message: str


Answer = Found | Referral | Told | Done | Notice


def answer(message: bytes) -> tuple[int, Answer]:
    """Read one LDAPMessage: whom it answers, and what. Raises NotBer."""
    at, end = ber.inside(message, ber.SEQUENCE)
    tag, start, stop = ber.head(message, at, end)
    if tag != ber.INTEGER:
        raise ber.NotBer("no message id")
    number = ber.number(message, start, stop)
    tag, start, after = ber.head(message, stop, end)
    controls = _controls(message, after, end) if after < end else {}
    try:
        return number, _operation(message, tag, start, after, controls)
    except UnicodeDecodeError as error:
        raise ber.NotBer("text that is not UTF-8") from error


def _operation(
    message: bytes, tag: int, start: int, stop: int, controls: Mapping[str, bytes]
) -> Answer:
    match tag:
        case 0x64:  # SearchResultEntry
            return _found(message, start, stop, controls)
        case 0x65:  # SearchResultDone
            return _done(message, start, stop, controls)
        case 0x73:  # SearchResultReference
            urls = ber.parts(message, start, stop)
            return Referral(tuple(message[a:b].decode() for _, a, b in urls))
        case 0x79:  # IntermediateResponse
            return _told(message, start, stop)
        case 0x78:  # ExtendedResponse
            done = _done(message, start, stop, controls)
            return Notice(done.code, done.message)
        case _:
            raise ber.NotBer(f"an answer of kind {tag:#04x}")


def _found(
    message: bytes, start: int, stop: int, controls: Mapping[str, bytes]
) -> Found:
    tag, a, b = ber.head(message, start, stop)
    if tag != ber.OCTETS:
        raise ber.NotBer("an entry without a name")
    dn = message[a:b].decode()
    _, start, stop = ber.head(message, b, stop)
    attributes: dict[str, tuple[bytes, ...]] = {}
    for _, one, one_end in ber.parts(message, start, stop):
        _, a, b = ber.head(message, one, one_end)
        _, c, d = ber.head(message, b, one_end)
        name = message[a:b].decode().lower()
        values = tuple([message[x:y] for _, x, y in ber.parts(message, c, d)])
        attributes[name] = values
    return Found(dn, attributes, controls)


def _done(message: bytes, start: int, stop: int, controls: Mapping[str, bytes]) -> Done:
    tag, a, b = ber.head(message, start, stop)
    if tag != ber.ENUMERATED:
        raise ber.NotBer("a result without a code")
    _, c, d = ber.head(message, b, stop)
    _, e, f = ber.head(message, d, stop)
    rest = ber.parts(message, f, stop)
    urls = tuple(
        message[x:y].decode()
        for tag, x0, y0 in rest
        if tag == _REFERRAL
        for _, x, y in ber.parts(message, x0, y0)
    )
    text = message[e:f].decode(errors="replace")
    code = ber.number(message, a, b)
    return Done(code, text, message[c:d].decode(errors="replace"), urls, controls)


def _told(message: bytes, start: int, stop: int) -> Told:
    oid, value = "", b""
    for tag, a, b in ber.parts(message, start, stop):
        if tag == 0x80:  # noqa: PLR2004 - responseName [0]
            oid = message[a:b].decode()
        elif tag == 0x81:  # noqa: PLR2004 - responseValue [1]
            value = message[a:b]
    return Told(oid, value)


def _controls(message: bytes, at: int, end: int) -> dict[str, bytes]:
    tag, start, stop = ber.head(message, at, end)
    if tag != _CONTROLS:
        return {}
    found: dict[str, bytes] = {}
    for _, one, one_end in ber.parts(message, start, stop):
        fields = list(ber.parts(message, one, one_end))
        if not fields:
            raise ber.NotBer("a control without a name")
        oid = message[fields[0][1] : fields[0][2]].decode(errors="replace")
        values = [message[a:b] for tag, a, b in fields[1:] if tag == ber.OCTETS]
        found[oid] = values[0] if values else b""
    return found
