"""Archives from elsewhere are looked at before anything in them is read."""

import io
import stat
import struct
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BadInput
from storage.compliance.imports.archive import opened


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def refused(path: Path) -> str:
    said = told(path)
    assert said
    return said


def told(path: Path) -> str:
    """Read everything, and return the line that says why not."""
    try:
        with opened(path) as archive:
            for name in archive.names:
                archive.json(name)
    except BadInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "name",
    ["../x.json", "/etc/passwd", "a/../../x", "C:/x", "..\\x", "\\\\host\\x", "a/.."],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    assert "leads out" in refused(zipped(tmp_path / "a.zip", (name, b"[]")))


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("users.json")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16

    assert "is a link" in refused(zipped(tmp_path / "a.zip", (link, b"/etc/passwd")))


def test_bombs_are_refused(tmp_path: Path) -> None:
    bomb = ("channels.json", b"[" + b" " * 60_000_000 + b"]")

    assert "far more than it weighs" in refused(zipped(tmp_path / "a.zip", bomb))


def test_a_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("channels.json", b" " * 60_000_000))
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(mark) + offset
        data[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(data)

    assert "damaged" in refused(path)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(tmp_path / "a.zip", ("a.json", b"[]"), ("a.json", b"[1]"))

    assert "twice" in refused(path)


def test_entries_that_overlap_are_refused(tmp_path: Path) -> None:
    """Many names for the same bytes: each is small, together they are not."""
    path = zipped(tmp_path / "a.zip", ("a.json", b"[1]" * 5000), ("b.json", b"[]"))
    data = bytearray(path.read_bytes())
    size = data.index(b"PK\x01\x02")
    at = data.index(b"PK\x01\x02", size + 4) + 20
    data[at : at + 4] = struct.pack("<I", len(data))
    path.write_bytes(data)

    assert refused(path)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)

    assert "no zip file" in refused(tmp_path / "a.zip")
    assert "does not exist" in refused(tmp_path / "b.zip")


@pytest.mark.parametrize("text", [b"{", b"[" * 100_000, b"\xff\xfe", b"NaN2"])
def test_what_is_no_json_is_refused_in_a_line(tmp_path: Path, text: bytes) -> None:
    assert "is no JSON" in refused(zipped(tmp_path / "a.zip", ("a.json", text)))


def test_lone_halves_of_characters_are_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("a.json", b'["\\ud83d x"]'))

    with opened(path) as archive:
        assert archive.json("a.json") == ["\ud83d x"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_gets_past(data: st.DataObject) -> None:
    """Whatever byte is changed: it is refused in a line, or reads as JSON."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.json", b'[{"ts": "1.2"}]')
        archive.writestr("c.json", b"[]")
    whole = bytearray(stream.getvalue())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))

    with TemporaryDirectory() as folder:
        file = Path(folder) / "damaged.zip"
        file.write_bytes(whole)
        assert len(told(file).splitlines()) <= 1
