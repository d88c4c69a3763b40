"""The stand-alone verifier says yes to what is true, and no to anything else."""

import ast
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.compliance import verify_atom
from storage.compliance.leaf import canonical
from storage.compliance.proofs.bundles import joined
from storage.compliance.proofs.checkpoints import signed
from storage.compliance.proofs.notes import SigningKey
from storage.compliance.proofs.signers import declared, key_text, restored_text
from storage.compliance.verify_atom import Bad, Folder, Key, Trust
from tests.unit.storage.verifier.made import (
    KEY,
    NEXT,
    WITNESS,
    Log,
    certificate,
    export,
)

VERIFIER = Path(verify_atom.__file__)
VECTORS = json.loads(
    (Path(__file__).parents[3] / "fixtures/merkle_vectors.json").read_text()
)
LOG = Log.of(9)
AGAIN = SigningKey("atom-log/acme/again", bytes(range(3, 35)))
VKEY = str(KEY.verifier)

Ask = Callable[..., tuple[int, str]]


def trust(*more: str) -> Trust:
    return Trust([Key.parse(VKEY), *map(Key.parse, more)])


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run the verifier as a person would; returns its exit code and what it said."""

    def asked(*arguments: object, key: str = VKEY) -> tuple[int, str]:
        code = verify_atom.main(["--key", key, *map(str, arguments)])
        return code, capsys.readouterr().out

    return asked


# RFC 8032 section 7.1: secret key, public key, message, signature.
RFC_8032 = """
9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
-
e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b

4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb
3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c
72
92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00

c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7
fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025
af82
6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
"""


def vectors_of_the_rfc() -> list[tuple[bytes, bytes, bytes, bytes]]:
    found = []
    for block in RFC_8032.strip().split("\n\n"):
        seed, public, message, *signature = block.replace("-", "").split("\n")
        told = (seed, public, message, "".join(signature))
        found.append(tuple(map(bytes.fromhex, told)))
    return found  # type: ignore[return-value] # four each


@pytest.mark.parametrize("vector", vectors_of_the_rfc(), ids=["1", "2", "3"])
def test_ed25519_agrees_with_rfc_8032(
    vector: tuple[bytes, bytes, bytes, bytes],
) -> None:
    seed, public, message, signature = vector

    assert verify_atom.ed25519_verify(public, message, signature)
    assert Ed25519PrivateKey.from_private_bytes(seed).sign(message) == signature


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=60), st.integers(0, 767))
@settings(max_examples=25, deadline=None)
def test_ed25519_agrees_with_the_library(seed: bytes, message: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    whole = int.from_bytes(public + signature, "big") ^ 1 << bit
    flipped = whole.to_bytes(96, "big")

    assert verify_atom.ed25519_verify(public, message, signature)
    for key, proof in ((public, signature), (flipped[:32], flipped[32:])):
        assert verify_atom.ed25519_verify(key, message, proof) == by_library(
            key, message, proof
        )


def by_library(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_a_signature_with_a_second_form_is_refused() -> None:
    _, public, message, signature = vectors_of_the_rfc()[1]
    scalar = int.from_bytes(signature[32:], "little") + verify_atom.L

    other = signature[:32] + scalar.to_bytes(32, "little")

    assert not verify_atom.ed25519_verify(public, message, other)


def test_it_is_one_file_for_python_3_9_that_imports_nothing_else() -> None:
    tree = ast.parse(VERIFIER.read_text(), feature_version=(3, 9))
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported <= sys.stdlib_module_names
    assert not imported & {"socket", "ssl", "urllib", "http", "ctypes", "subprocess"}


def test_it_runs_alone_without_a_network(tmp_path: Path) -> None:
    export(tmp_path, LOG, {"a.json": b"{}", "b.eml": b"Hello"})
    blocked = (
        "import runpy, sys\n"
        "for name in ('socket', '_socket', 'ssl', '_ssl', 'urllib.request', 'http'):\n"
        "    sys.modules[name] = None\n"
        f"sys.argv = ['verify_atom.py', '--key', {VKEY!r}, 'export', {str(tmp_path)!r}]\n"
        f"runpy.run_path({str(VERIFIER)!r}, run_name='__main__')\n"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", blocked],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("OK  export: 5 files, 2 entries proved at size 9")


def test_it_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", VERIFIER, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    for word in (
        "checkpoint",
        "proof",
        "link",
        "certificate",
        "export",
        "log",
        "--key",
    ):
        assert word in done.stdout


def test_an_unreadable_file_is_another_answer_than_a_false_one(
    ask: Ask, tmp_path: Path
) -> None:
    assert ask("proof", tmp_path / "none.tlog-proof")[0] == 2
    (tmp_path / "x").write_text("x")
    assert ask("proof", tmp_path / "x") == (1, "BAD this is no tlog-proof@v1 file\n")


def test_the_published_proof_file_holds(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "p").write_text(VECTORS["tlog_proof_example"])
    vkey = VECTORS["checkpoint"]["vkey"]
    leaf = verify_atom.leaf_hash(b"512").hex()

    code, said = ask("proof", tmp_path / "p", "--leaf", leaf, key=vkey)

    assert (code, said[:17]) == (0, "OK  proof: entry ")
    other = verify_atom.leaf_hash(b"513").hex()
    assert ask("proof", tmp_path / "p", "--leaf", other, key=vkey)[0] == 1


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_published_proofs_are_judged_as_published(kind: str) -> None:
    good = VECTORS[kind] + VECTORS["big_tree"][kind]
    for case in good:
        judged(kind, case)
    for case in VECTORS["negative"]:
        if case["kind"] == kind:
            with pytest.raises(Bad):
                judged(kind, case)


def judged(kind: str, case: dict[str, str]) -> None:
    def bytes_of(name: str) -> bytes:
        return bytes.fromhex(case[name])

    proof = [bytes.fromhex(line) for line in case["proof"]]
    if kind == "inclusion":
        size, index = int(case["size"]), int(case["index"])
        root = bytes_of("root")
        verify_atom.verify_inclusion(index, size, bytes_of("leaf_hash"), proof, root)
    else:
        sizes = int(case["size1"]), int(case["size2"])
        roots = bytes_of("root1"), bytes_of("root2")
        verify_atom.verify_consistency(*sizes, *roots, proof)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_every_flipped_byte_of_a_proof_is_found(data: st.DataObject) -> None:
    proof = bytearray(PROOF)
    at = data.draw(st.integers(0, len(proof) - 1))
    proof[at] ^= data.draw(st.integers(1, 255))

    try:
        text = verify_atom.decoded(bytes(proof), "it")
        checkpoint, _ = verify_atom.Proof(text).verify(trust())
    except Bad:
        return
    # Only the line with the time may become somebody else's: then no time is known.
    assert at >= PROOF.rindex("\N{EM DASH}".encode())
    assert checkpoint.times == []


PROOF = LOG.proof(4, 7).encode()


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_flipped_byte_of_an_export_is_found(
    exported: dict[str, bytes], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(exported)))
    content = bytearray(exported[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(Bad):
        verify_atom.Export(trust(), Files({**exported, name: bytes(content)})).verify()


class Files(Folder):
    """An export in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def names(self) -> list[str]:
        return list(self.files)

    def chunks(self, name: str) -> "list[bytes]":  # type: ignore[override]
        return [self.files[name]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("export")
    return export(folder, Log.of(3), {"a.json": b'{"a":1}', "b.eml": b"Hello"})


def test_an_export_holds_as_a_zip_too(
    ask: Ask, exported: dict[str, bytes], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in exported.items():
            packed.writestr(name, content)

    code, said = ask("export", tmp_path / "e.zip")

    assert code == 0, said


@pytest.mark.parametrize("name", ["a.json", "proofs/0.tlog-proof", "checkpoint.note"])
def test_a_missing_file_is_found(exported: dict[str, bytes], name: str) -> None:
    left = {n: d for n, d in exported.items() if n != name}

    with pytest.raises(Bad, match="missing"):
        verify_atom.Export(trust(), Files(left)).verify()


@pytest.mark.parametrize("name", ["c.json", "../x", "/etc/passwd", "a\\b", "a//b"])
def test_a_file_that_nobody_named_is_found(
    exported: dict[str, bytes], name: str
) -> None:
    with pytest.raises(Bad, match=r"not in its manifest|no name"):
        verify_atom.Export(trust(), Files({**exported, name: b""})).verify()


def test_an_export_signed_by_a_stranger_is_refused(tmp_path: Path) -> None:
    files = export(tmp_path, Log(LOG.leaves, NEXT), {"a": b"1"})

    with pytest.raises(Bad, match="no key that you trust"):
        verify_atom.Export(trust(), Files(files)).verify()


def test_a_checkpoint_that_goes_on_from_an_older_one(ask: Ask, tmp_path: Path) -> None:
    old, new, proof = tmp_path / "old", tmp_path / "new", tmp_path / "proof"
    old.write_text(LOG.note(4))
    new.write_text(LOG.note(9))
    lines = [line.hex() for line in LOG.consistency(4, 9)]
    proof.write_text("\n".join(_base64(bytes.fromhex(line)) for line in lines))

    code, said = ask("checkpoint", new, "--old", old, "--proof", proof)

    assert code == 0
    assert "size 9 goes on from size 4" in said
    assert "signed 2030-03-17T17:46:40+00:00" in said
    assert ask("checkpoint", new, "--old", old)[0] == 1


@pytest.mark.parametrize("size", [4, 9])
def test_two_statements_that_conflict_are_both_shown(
    ask: Ask, tmp_path: Path, size: int
) -> None:
    old, new, proof = tmp_path / "old", tmp_path / "new", tmp_path / "proof"
    other = Log.of(9, word="another")
    old.write_text(LOG.note(size))
    new.write_text(other.note(9))
    lines = other.consistency(size, 9) if size < 9 else []
    proof.write_text("\n".join(map(_base64, lines)))

    code, said = ask("checkpoint", new, "--old", old, "--proof", proof)

    assert code == 1
    assert said.startswith("BAD CONFLICT")
    assert LOG.note(size) in said
    assert other.note(9) in said


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


def test_witnesses_are_counted(ask: Ask, tmp_path: Path) -> None:
    note = LOG.note(9)
    (tmp_path / "alone").write_text(note)
    seen = note + WITNESS.cosignature(LOG.checkpoint(9).text, 1_900_000_007)
    (tmp_path / "seen").write_text(seen)
    wanted = ("--witness", str(WITNESS.cosigner), "--quorum", "1", "checkpoint")

    assert ask(*wanted, tmp_path / "alone")[0] == 1
    code, said = ask(*wanted, tmp_path / "seen")

    assert code == 0
    assert "seen by witness.example/w1" in said


def test_a_new_key_is_trusted_through_the_old_one_and_only_from_its_size_on() -> None:
    note = NEXT.add_to(KEY.sign(key_text(KEY.verifier, NEXT.verifier, 5)))
    after = Log(LOG.leaves, NEXT)
    known = trust()

    with pytest.raises(Bad, match="no key that you trust"):
        known.checkpoint(after.note(7))
    known.follow(note)

    assert known.checkpoint(after.note(7)).size == 7
    assert known.checkpoint(LOG.note(4)).size == 4
    assert known.checkpoint(signed(LOG.checkpoint(5), 1, KEY, NEXT)).size == 5
    with pytest.raises(Bad, match="not valid for it"):
        known.checkpoint(LOG.note(6))
    with pytest.raises(Bad, match="not valid for it"):
        known.checkpoint(after.note(4))


def test_a_new_key_that_only_one_key_signed_is_not_trusted() -> None:
    text = key_text(KEY.verifier, NEXT.verifier, 5)

    for note in (KEY.sign(text), NEXT.sign(text)):
        with pytest.raises(Bad):
            trust().follow(note)


def test_a_certificate_of_erasure_holds(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "c").write_text(certificate())

    code, said = ask("certificate", tmp_path / "c")

    assert code == 0
    assert '"erased": 3' in said
    about = ("--salt", "5a17", "--person")
    assert ask("certificate", tmp_path / "c", *about, "slack|U1")[0] == 0
    assert ask("certificate", tmp_path / "c", *about, "slack|U2")[0] == 1
    (tmp_path / "c").write_text(certificate().replace('"erased":3', '"erased":4'))
    assert ask("certificate", tmp_path / "c")[0] == 1
    (tmp_path / "c").write_text(LOG.note(3))
    assert ask("certificate", tmp_path / "c")[0] == 1


def linked(**changed: object) -> dict[str, str]:
    origin = canonical({"seq": 0, "typ": "message.create", "conv": "C1", "msg": "1.2"})
    copy = {
        "seq": 1,
        "typ": "bridge.delivered",
        "out": "delivered",
        "conv": "19:x",
        "msg": "17",
        "oseq": 0,
        "oleaf": verify_atom.leaf_hash(origin).hex(),
    }
    log = Log([origin, canonical(copy | changed)])
    return {
        "kind": "atom-link-proof/v1",
        "origin": log.proof(0, 2),
        "copy": log.proof(1, 2),
    }


def test_a_copy_is_proved_to_be_one_of_what_was_said(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "link").write_text(json.dumps(linked()))

    code, said = ask("link", tmp_path / "link")

    assert code == 0
    assert "entry 0 (1.2 in C1) was delivered as 17 in 19:x by entry 1" in said


@pytest.mark.parametrize(
    "changed",
    [
        {"oleaf": "00" * 32},
        {"oseq": 1},
        {"typ": "message.create"},
        {"out": "parked"},
        {"seq": 0},
    ],
    ids=str,
)
def test_what_is_no_copy_of_it_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(Bad):
        verify_atom.check_link(trust(), linked(**changed))


def test_a_whole_log_is_read_from_its_tiles(ask: Ask, tmp_path: Path) -> None:
    log = Log.of(600)
    whole_log(tmp_path, log)

    code, said = ask("log", tmp_path)

    assert (code, said[:25]) == (0, "OK  log: every entry, siz")


def test_a_changed_or_missing_entry_of_a_whole_log_is_found(
    ask: Ask, tmp_path: Path
) -> None:
    whole_log(tmp_path, Log.of(600))
    part = tmp_path / "tile/entries/001"
    data = part.read_bytes()
    part.write_bytes(data.replace(b"entry", b"entri", 1))
    assert ask("log", tmp_path)[0] == 1
    part.unlink()

    code, said = ask("log", tmp_path)

    assert code == 1
    assert "missing" in said


# Where the entry about a restored backup stands in a log of 600, or -1: kept are 100,
# declared was at 300.
@pytest.mark.parametrize(
    ("seq", "code"), [(100, 0), (299, 0), (99, 1), (300, 1), (-1, 1)]
)
def test_a_restored_backup_has_to_be_told_of_by_an_entry(
    ask: Ask, tmp_path: Path, seq: int, code: int
) -> None:
    log = Log.of(600)
    log.key = AGAIN
    if seq >= 0:
        log.leaves[seq] = canonical({"seq": seq, "typ": "log.restored", "msg": ""})
    whole_log(tmp_path, log)
    keys = (KEY.verifier, AGAIN.verifier)
    text = restored_text(keys, 100, 300, Log.of(400).checkpoint(400))
    note = tmp_path / "restored.note"
    note.write_text(AGAIN.add_to(KEY.sign(text)))
    assert declared(note.read_text()) == (100, 300)

    found, said = ask("--key-note", note, "log", tmp_path)

    assert found == code
    assert ("no entry says so" in said) == bool(code)


def whole_log(folder: Path, log: Log) -> None:
    size = len(log.leaves)
    (folder / "tile/entries").mkdir(parents=True)
    (folder / "checkpoint").write_text(log.note(size))
    for first in range(0, size, 256):
        part = log.leaves[first : first + 256]
        name = f"{first // 256:03}" + (f".p/{len(part)}" if len(part) < 256 else "")
        path = folder / "tile/entries" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(joined(part))
