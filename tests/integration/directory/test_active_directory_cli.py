"""`atom users sync --source active-directory`, against a Samba domain controller."""

import re
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.samba import Samba
from tests.samba_world import FINANCE, PASSWORD, SYNC


@pytest.fixture
def atom(
    samba: Samba, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """A company whose settings name the domain."""
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    with (tmp_path / "atom.toml").open("a") as settings:
        settings.write(
            "\n[[directory.sources]]\n"
            'name = "ad"\n'
            'kind = "active-directory"\n'
            f'url = "{samba.url}"\n'
            f'bind = "{SYNC}"\n'
            f'password = "{PASSWORD}"\n'
            f'ca = "{samba.authority}"\n'
        )
    return made


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    atom: CommandLine,
) -> None:
    told = atom.done(
        *("users", "sync", "--source", "active-directory", "--dry-run", "--json")
    )
    people = atom.done("users", "list", "--json")

    (outcome,) = told.json
    assert outcome["complete"]
    assert any("Ana Ruiz" in each["text"] for each in outcome["changes"])
    assert people.json == []


def test_a_sync_knows_everybody_and_the_next_one_what_changed(
    atom: CommandLine, samba: Samba
) -> None:
    atom.done("users", "sync", "--source", "active-directory")
    first = {each["name"]: each for each in atom.done("users", "list", "--json").json}

    with samba.admin() as admin:
        dn = admin.person("new hire", FINANCE)
        admin.put_in(admin.dn_of("Finance"), dn)
    told = atom.done("directory", "sync", "--source", "ad", "--json")
    inside = atom.done("users", "list", "--in", "Finance", "--json")

    assert first["fay"]["standing"] == "disabled"
    assert first["gil"]["standing"] == "expired"
    (outcome,) = told.json
    assert {each["what"] for each in outcome["changes"]} == {"add", "join"}
    assert "new hire" in {each["name"] for each in inside.json}


def test_what_is_wrong_is_one_line(atom: CommandLine, samba: Samba) -> None:
    settings = atom.folder / "atom.toml"
    settings.write_text(re.sub(r'"Sync-.*"', '"wrong"', settings.read_text()))

    ran = atom.run("users", "sync", "--source", "active-directory")

    assert ran.code != 0
    assert "the password is wrong" in ran.err
    assert "Traceback" not in ran.err
    assert '"wrong"' not in ran.err


def test_a_server_can_be_typed(
    samba: Samba, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    atom = CommandLine(tmp_path, capsys, {"SSL_CERT_FILE": str(samba.authority)})
    atom.set_up()
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)

    told = atom.done(
        *("directory", "sync", "--ldap-server", samba.url, "--base-dn", FINANCE),
        *("--bind-dn", SYNC, "--password-file", str(secret)),
        *("--kind", "active-directory", "--dry-run", "--json"),
    )

    (outcome,) = told.json
    assert any("Ana Ruiz" in each["text"] for each in outcome["changes"])
    assert not any("dan" in each["text"] for each in outcome["changes"])
