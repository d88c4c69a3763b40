"""Signed notes, against published ones and against every flipped byte."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from storage.compliance.proofs.notes import (
    NoteRefused,
    SigningKey,
    VerifierKey,
    opened,
    split,
)
from storage.compliance.proofs.signing_keys import SigningKeys

VECTORS = json.loads(
    (Path(__file__).parents[3] / "fixtures/merkle_vectors.json").read_text()
)
GIVEN = VECTORS["checkpoint"]
KEY = SigningKey(GIVEN["origin"], bytes.fromhex(GIVEN["seed"]))
NOTE = KEY.sign("one\n\ntwo\n")


def test_the_key_is_the_published_one() -> None:
    assert KEY.verifier.id.hex() == GIVEN["key_id"]
    assert str(KEY.verifier) == GIVEN["vkey"]
    assert VerifierKey.parse(GIVEN["vkey"]) == KEY.verifier


@pytest.mark.parametrize("vector", GIVEN["checkpoints"])
def test_signing_gives_the_published_note(vector: dict[str, str]) -> None:
    assert KEY.sign(vector["text"]) == vector["note"]


def test_a_note_of_somebody_else_opens() -> None:
    vector = GIVEN["c2sp_published_example"]

    note = opened(vector["note"], [VerifierKey.parse(vector["vkey"])])

    assert note.text == "This is an example message.\n"


def test_a_note_of_nobody_known_is_refused() -> None:
    stranger = SigningKey(KEY.name, bytes(32)).verifier

    with pytest.raises(NoteRefused, match="nobody"):
        opened(NOTE, [stranger])


def test_a_known_signer_is_found_among_others() -> None:
    other = SigningKey("other.example", bytes(32))

    both = other.add_to(NOTE)

    assert len(split(both).signatures) == 2
    assert len(opened(both, [KEY.verifier]).signatures) == 1
    assert len(opened(both, [KEY.verifier, other.verifier]).signatures) == 2


def test_a_witness_signs_the_time_as_well() -> None:
    witness = SigningKey("witness.example", bytes(range(32)))
    note = NOTE + witness.cosignature("one\n\ntwo\n", 1_900_000_000)

    [seen] = opened(note, [witness.cosigner]).signatures

    assert seen.time == 1_900_000_000
    with pytest.raises(NoteRefused):
        opened(note, [witness.verifier])


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_a_note_with_any_byte_changed_is_refused(at: int, change: int) -> None:
    data = bytearray(NOTE.encode())
    data[at] ^= change
    try:
        changed = data.decode()
    except UnicodeDecodeError:
        return

    with pytest.raises(NoteRefused):
        opened(changed, [KEY.verifier])


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "nul\0\n", "\r\n"])
def test_what_is_no_text_of_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(BadInput):
        KEY.sign(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        GIVEN["vkey"].replace("+079528ee+", "+079528ef+"),
        GIVEN["vkey"].replace("+AddamA", "+BddamA"),
        GIVEN["vkey"] + "=",
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        VerifierKey.parse(text)


def test_a_signing_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    keys = SigningKeys.under(tmp_path)

    first = keys.current("acme")

    assert keys.current("acme") == first
    assert keys.current("acme-2") != first
    assert keys.path("acme", 1).stat().st_mode & 0o777 == 0o600
    assert first.seed.hex() not in repr(first)


def test_the_next_version_signs_under_the_same_name(tmp_path: Path) -> None:
    keys = SigningKeys.under(tmp_path)
    first = keys.current("acme")

    second = keys.add("acme")

    assert keys.current("acme") == second
    assert second.name == first.name
    assert second.seed != first.seed


def test_a_signing_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    keys = SigningKeys.under(tmp_path)
    keys.current("acme")
    keys.path("acme", 1).chmod(0o640)

    with pytest.raises(BadInput, match="chmod 600"):
        keys.current("acme")
