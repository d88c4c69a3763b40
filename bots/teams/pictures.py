"""Tell a picture's kind and size from its first bytes, as far as Teams shows it."""

from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# A JPEG's frame headers, by their markers; three of the range mean something else.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xDA)})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that does not move, with its size in pixels."""

    mime: str
    width: int
    height: int


def picture(content: bytes) -> Picture | None:
    """Return what a PNG or JPEG says of itself, or None for anything else."""
    if content.startswith(_PNG) and content[12:16] == b"IHDR":
        # `acTL` before the picture's data makes it an animated one.
        if b"acTL" in content.partition(b"IDAT")[0]:
            return None
        width, height = content[16:20], content[20:24]
        return Picture("image/png", _number(width), _number(height))
    return _jpeg(content) if content.startswith(_JPEG) else None


def _jpeg(content: bytes) -> Picture | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - a marker
        marker = content[at + 1]
        if marker in _FRAMES:
            height, width = content[at + 5 : at + 7], content[at + 7 : at + 9]
            return Picture("image/jpeg", _number(width), _number(height))
        plain = marker in _WITHOUT_LENGTH or marker == 0xFF  # noqa: PLR2004 - filling
        step = 1 if marker == 0xFF else 2  # noqa: PLR2004 - filling
        at += step if plain else 2 + _number(content[at + 2 : at + 4])
    return None


def _number(field: bytes) -> int:
    return int.from_bytes(field, "big")
