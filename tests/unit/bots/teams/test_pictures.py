"""What a picture says of itself in its first bytes."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from bots.teams.pictures import Picture, picture
from tests.e2e.files import png

_APP = b"\xff\xe0" + struct.pack(">H", 16) + bytes(14)


def jpeg(width: int, height: int, before: bytes = _APP, marker: int = 0xC0) -> bytes:
    frame = struct.pack(">BBHBHH", 0xFF, marker, 17, 8, height, width)
    return b"\xff\xd8" + before + frame + bytes(10)


def test_a_png_and_a_jpeg_tell_their_sizes() -> None:
    assert picture(png(300, 20)) == Picture("image/png", 300, 20)
    assert picture(jpeg(1024, 768)) == Picture("image/jpeg", 1024, 768)
    assert picture(jpeg(9, 8, marker=0xC2)) == Picture("image/jpeg", 9, 8)


def test_what_stands_before_a_jpegs_frame_is_passed_over() -> None:
    exif = b"\xff\xe1" + struct.pack(">H", 40_002) + bytes(40_000)
    filled = b"\xff\xff" + _APP[1:]

    assert picture(jpeg(5, 6, before=exif + _APP)) == Picture("image/jpeg", 5, 6)
    assert picture(jpeg(5, 6, before=filled)) == Picture("image/jpeg", 5, 6)


def test_tables_are_not_taken_for_a_frame() -> None:
    table = b"\xff\xc4" + struct.pack(">H", 20) + bytes(18)

    assert picture(jpeg(5, 6, before=table)) == Picture("image/jpeg", 5, 6)


def test_what_moves_and_what_is_no_picture_is_none() -> None:
    moving = png().replace(b"IDAT", b"acTL" + bytes(8) + b"IDAT", 1)

    for content in (moving, b"GIF89a" + bytes(20), b"", b"hello", b"\xff\xd8\xff"):
        assert picture(content) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_it(content: bytes) -> None:
    picture(b"\xff\xd8\xff" + content)
    picture(b"\x89PNG\r\n\x1a\n" + content)
