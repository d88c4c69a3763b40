"""
What is inside of files that hold other files: archives, compressed files, mail.

How much is unpacked is limited, and how deep. Whatever could not be read makes the whole
one that is `partial`: a password on an archive is no way past the rules.
"""

import email
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from email.policy import default
from pathlib import PurePath
from typing import NamedTuple

from policy.dlp.office import MOST_UNPACKED, require_small

MOST_MEMBERS = 1_000
DEEPEST = 3


class Member(NamedTuple):
    """A file within a file; None stands for bytes that cannot be had."""

    name: str
    data: bytes | None


def zipped(data: bytes) -> Iterator[Member]:
    """Yield what is in a ZIP archive. Raises `ValueError` if it holds too much."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        require_small(archive)
        files = [each for each in archive.infolist() if not each.is_dir()]
        for each in files[:MOST_MEMBERS]:
            sealed = each.flag_bits & 1
            yield Member(each.filename, None if sealed else _unzipped(archive, each))
        if len(files) > MOST_MEMBERS:
            raise ValueError


def taped(data: bytes) -> Iterator[Member]:
    """Yield what is in a TAR archive, compressed or not."""
    room = MOST_UNPACKED
    with tarfile.open(fileobj=io.BytesIO(_inflated(data))) as archive:
        for number, each in enumerate(archive):
            if number >= MOST_MEMBERS or each.size > room:
                raise ValueError
            if not each.isfile():
                continue
            room -= each.size
            file = archive.extractfile(each)
            yield Member(each.name, file.read() if file else None)


def gzipped(data: bytes) -> Iterator[Member]:
    """Yield the one file that gzip compressed; an archive's files if it is one."""
    plain = _inflated(data)
    if tarfile.is_tarfile(io.BytesIO(plain)):
        yield from taped(plain)
    else:
        yield Member("", plain)


def mailed(data: bytes) -> Iterator[Member]:
    """Yield a mail's head, its bodies and what is attached (RFC 5322, RFC 2045)."""
    mail = email.message_from_bytes(data, policy=default)
    head = "\n".join(f"{name}: {value}" for name, value in mail.items())
    yield Member("head.txt", head.encode("utf-8", "replace"))
    for number, part in enumerate(mail.walk()):
        if number >= MOST_MEMBERS:
            raise ValueError
        if part.is_multipart():
            continue
        said = part.get_payload(decode=True)
        name = part.get_filename() or ("" if _is_text(part.get_content_type()) else "?")
        yield Member(name, said if isinstance(said, bytes) else None)


def text_in(
    members: Callable[[bytes], Iterator[Member]],
    data: bytes,
    read: Callable[[str, bytes], tuple[str, bool]],
) -> Iterator[str]:
    """
    Yield the names and the texts of a file's files.

    `read` returns a file's text and whether that is all there is in it. Raises
    `ValueError` in the end if not everything was read.
    """
    whole = True
    for name, held in members(data):
        if name:
            yield PurePath(name).name
        if held is None:
            whole = False
            continue
        text, all_of_it = read(name, held)
        whole = whole and all_of_it
        yield text
    if not whole:
        raise ValueError


def _unzipped(archive: zipfile.ZipFile, each: zipfile.ZipInfo) -> bytes | None:
    try:
        with archive.open(each) as file:
            # Its head may say less than there is.
            return file.read(each.file_size)
    except (NotImplementedError, RuntimeError, zipfile.BadZipFile):
        return None  # a way of packing that Python does not know, or damage


def _inflated(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    with gzip.open(io.BytesIO(data)) as file:
        plain = file.read(MOST_UNPACKED + 1)
    if len(plain) > MOST_UNPACKED:
        raise ValueError
    return plain


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind == "message/rfc822"
