"""`atom directory sync` against OpenLDAP, as an operator tries it first."""

from pathlib import Path

import pytest

from tests.acme_ldif import BASE, PASSWORD, READER
from tests.command_line import CommandLine
from tests.slapd import Slapd


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return made


def _asked(atom: CommandLine, slapd: Slapd, base: str) -> tuple[str, ...]:
    where = ("--ldap-server", slapd.url, "--base-dn", base, "--bind-dn", READER)
    return (*where, "--password-file", str(atom.folder / "password"))


def test_a_server_is_tried_without_any_settings(
    atom: CommandLine, slapd: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(slapd.tls.ca))
    asked = _asked(atom, slapd, BASE)

    dry = atom.done("directory", "sync", *asked, "--dry-run")

    assert "+ person" in dry.out
    assert "version 0" in dry.out


def test_the_certificates_to_trust_are_typed(
    atom: CommandLine, slapd: Slapd, tmp_path: Path
) -> None:
    asked = (*_asked(atom, slapd, BASE), "--dry-run", "--ca-file")

    trusted = atom.done("directory", "sync", *asked, str(slapd.tls.ca))
    missing = atom.run("directory", "sync", *asked, str(tmp_path / "none.pem"))

    assert "+ person" in trusted.out
    assert missing.code == 1
    assert "none.pem" in missing.out + missing.err
    assert "Traceback" not in missing.out + missing.err


@pytest.mark.parametrize(
    ("trusted", "base", "words"),
    [
        (False, BASE, "certificate is not trusted"),
        (True, f"o=acne,{BASE}", "nothing under this base DN"),
    ],
)
def test_what_is_wrong_is_one_line(
    atom: CommandLine,
    slapd: Slapd,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusted: bool,
    base: str,
    words: str,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(slapd.tls.ca))

    done = atom.run("directory", "sync", *_asked(atom, slapd, base), "--dry-run")

    assert words in done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert PASSWORD not in done.out + done.err
