"""What an admin may choose for a link, and what is refused."""

import pytest

from bridge.errors import BadInput
from bridge.options import Bots, Files, LinkOptions


def test_words_change_what_they_name_and_nothing_else() -> None:
    options = LinkOptions().said(["files=link", "file_mb=20", "Bots=Digest"])

    assert options == LinkOptions(files=Files.LINK, file_mb=20, bots=Bots.DIGEST)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("files", "name=value"),
        ("files=nowhere", "copy, link, block"),
        ("file_mb=-1", "whole number"),
        ("file_mb=99999", "at most 10000"),
        ("file_mb=²", "whole number"),
        ("colour=red", "files, file_mb, bots, pings, deletes"),
    ],
)
def test_what_cannot_be_chosen_says_what_can(word: str, hint: str) -> None:
    with pytest.raises(BadInput, match=hint):
        LinkOptions().said([word])


def test_options_are_read_as_they_were_written() -> None:
    options = LinkOptions().said(["files=block", "pings=ping", "deletes=mark"])

    assert LinkOptions.read(options.as_dict()) == options


def test_what_another_version_wrote_is_passed_over() -> None:
    stored = {"files": "carrier pigeon", "bots": "relay", "colour": "red"}

    assert LinkOptions.read(stored) == LinkOptions(bots=Bots.RELAY)
