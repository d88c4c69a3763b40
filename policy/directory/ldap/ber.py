"""Tag, length and value, as LDAP writes everything (X.690, definite lengths only)."""

from collections.abc import Iterator

INTEGER = 0x02
BOOLEAN = 0x01
OCTETS = 0x04
ENUMERATED = 0x0A
SEQUENCE = 0x30
SET = 0x31

_LONG = 0x80


class NotBer(ValueError):
    """The bytes are no value in BER, or one that was cut."""


def head(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return the tag at a place, and where its value starts and stops."""
    if at + 2 > end:
        raise NotBer("cut in a head")
    tag, length, start = data[at], data[at + 1], at + 2
    if length >= _LONG:
        many = length - _LONG
        if not 1 <= many <= 4 or start + many > end:  # noqa: PLR2004 - 4 GB are enough
            raise NotBer("no definite length")
        length = int.from_bytes(data[start : start + many], "big")
        start += many
    if start + length > end:
        raise NotBer("cut in a value")
    return tag, start, start + length


def parts(
    data: bytes, at: int = 0, end: int | None = None
) -> Iterator[tuple[int, int, int]]:
    """Go through the values that follow one another up to `end`."""
    stop = len(data) if end is None else end
    while at < stop:
        tag, start, after = head(data, at, stop)
        yield tag, start, after
        at = after


def inside(data: bytes, tag: int) -> tuple[int, int]:
    """Return where the one value that `data` must be starts and stops."""
    found, start, stop = head(data, 0, len(data))
    if found != tag or stop != len(data):
        raise NotBer(f"expected {tag:#04x}")
    return start, stop


def size(data: bytes, at: int = 0) -> int | None:
    """Return how long the value that begins at `at` is, None if too little is there."""
    if len(data) < at + 2:
        return None
    length = data[at + 1]
    if length < _LONG:
        return 2 + length
    many = length - _LONG
    if not 1 <= many <= 4:  # noqa: PLR2004 - see head
        raise NotBer("no definite length")
    if len(data) < at + 2 + many:
        return None
    return 2 + many + int.from_bytes(data[at + 2 : at + 2 + many], "big")


def number(data: bytes, start: int, stop: int) -> int:
    """Read an INTEGER or an ENUMERATED."""
    if start == stop:
        raise NotBer("a number without digits")
    return int.from_bytes(data[start:stop], "big", signed=True)


def value(tag: int, body: bytes) -> bytes:
    """Write one value."""
    length = len(body)
    if length < _LONG:
        return bytes((tag, length)) + body
    size_of = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG | len(size_of))) + size_of + body


def integer(given: int, tag: int = INTEGER) -> bytes:
    """Write an INTEGER in as few bytes as hold its sign."""
    bits = (given if given >= 0 else ~given).bit_length()
    return value(tag, given.to_bytes(bits // 8 + 1, "big", signed=True))


def boolean(given: bool) -> bytes:  # noqa: FBT001 - it is the value
    return value(BOOLEAN, b"\xff" if given else b"\x00")


def sequence(*inner: bytes) -> bytes:
    return value(SEQUENCE, b"".join(inner))
