"""An export's zip is what Python's own module makes, byte for byte."""

import io
import zipfile
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from storage.compliance.export.archive import ZipWriter

NAMES = st.lists(
    st.text("abü😀 .-", min_size=1, max_size=9).map(lambda name: f"f/{name}x"),
    unique=True,
    max_size=5,
)
CHUNKS = st.lists(st.binary(max_size=40), max_size=4)


def with_the_library(files: Sequence[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path, data in files:
            info = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            with archive.open(info, "w", force_zip64=True) as target:
                target.write(data)
    return stream.getvalue()


@given(names=NAMES, data=st.data())
def test_it_is_what_the_library_writes(names: list[str], data: st.DataObject) -> None:
    files = [(name, data.draw(CHUNKS)) for name in names]
    stream = io.BytesIO()

    with ZipWriter(stream) as archive:
        told = [archive.add(name, chunks) for name, chunks in files]

    whole = [(name, b"".join(chunks)) for name, chunks in files]
    assert stream.getvalue() == with_the_library(whole)
    assert told == [(len(each), sha256(each).hexdigest()) for _, each in whole]


def test_more_files_than_two_bytes_count() -> None:
    files = [(f"proofs/{n}", b"%d" % n) for n in range(65_600)]
    stream = io.BytesIO()

    with ZipWriter(stream) as archive:
        for path, data in files:
            archive.add(path, [data])

    assert stream.getvalue() == with_the_library(files)
    with zipfile.ZipFile(stream) as read:
        assert read.read("proofs/65599") == b"65599"
        assert read.testzip() is None


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../x", "a\\b"])
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    with ZipWriter(io.BytesIO()) as archive, pytest.raises(BadInput):
        archive.add(path, [b""])
