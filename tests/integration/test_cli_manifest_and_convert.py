"""`atom manifest build` and `atom convert`."""

import json
from io import BytesIO, TextIOWrapper
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from tests.command_line import CommandLine, Ran

URL = "https://atom.acme.example"
APP = "6F2D0F8A-0d0e-4f0e-9d51-2f6b7c1f1a02"


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, capsys)


def test_both_manifests_are_written_ready_to_upload(atom: CommandLine) -> None:
    line = ("manifest", "build", "--url", f"{URL}/", "--teams-app-id", APP)

    ran = atom.done(*line, "--out", "out")

    as_yaml = yaml.safe_load((atom.folder / "out/slack.yaml").read_text())
    as_json = json.loads((atom.folder / "out/slack.json").read_text())
    with ZipFile(atom.folder / "out/teams.zip") as package:
        teams = json.loads(package.read("manifest.json"))
    assert as_yaml == as_json
    assert as_json["features"]["slash_commands"][0]["url"] == f"{URL}/slack/events"
    assert teams["bots"][0]["botId"] == APP.lower()
    assert f"{URL}/api/messages" in ran.out


def test_the_same_line_writes_the_same_bytes(atom: CommandLine) -> None:
    line = ("manifest", "build", "--url", URL, "--teams-app-id", APP)

    atom.done(*line, "--out", "one")
    atom.done(*line, "--out", "two")

    for name in ("slack.yaml", "slack.json", "teams.zip"):
        one, two = (atom.folder / out / name for out in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_without_a_teams_app_only_slacks_is_written(atom: CommandLine) -> None:
    ran = atom.done("manifest", "build", "--url", URL)

    assert {p.name for p in (atom.folder / "dist").iterdir()} == {
        "slack.yaml",
        "slack.json",
        "slack_admin.yaml",
        "slack_admin.json",
    }
    assert "--teams-app-id" in ran.out


def test_the_app_id_of_the_settings_is_used(atom: CommandLine) -> None:
    atom.variables |= {
        "ATOM_TEAMS_APP_ID": APP,
        "ATOM_TEAMS_APP_PASSWORD": "p",
        "ATOM_TEAMS_TENANT_ID": APP,
    }

    atom.done("manifest", "build", "--url", URL)

    assert (atom.folder / "dist/teams.zip").exists()


def test_socket_mode_needs_no_address_of_ours(atom: CommandLine) -> None:
    atom.done("manifest", "build", "--url", URL, "--socket-mode")

    manifest = json.loads((atom.folder / "dist/slack.json").read_text())
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in manifest["settings"]["event_subscriptions"]


@pytest.mark.parametrize(
    "options",
    [
        ("--url", "http://atom.acme.example"),
        ("--url", "atom.acme.example"),
        ("--url", "https://"),
        ("--url", "https://u:p@atom.acme.example"),
        ("--url", "https://atom.acme.example/?x=1"),
        ("--url", 'https://atom.acme.example/"'),
        ("--url", URL, "--teams-app-id", "atom"),
    ],
)
def test_what_cannot_be_built_is_refused_and_nothing_is_written(
    atom: CommandLine, options: tuple[str, ...]
) -> None:
    ran = atom.run("manifest", "build", *options)

    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert list(atom.folder.iterdir()) == []


def converted(
    atom: CommandLine, monkeypatch: pytest.MonkeyPatch, direction: str, *lines: bytes
) -> Ran:
    typed = TextIOWrapper(BytesIO(b"\n".join(lines) + b"\n"))
    monkeypatch.setattr("sys.stdin", typed)
    return atom.run("convert", direction)


def test_each_line_is_converted_on_its_own(
    atom: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = b'{"input": {"text": "hi *there*"}, "context": {}}'

    ran = converted(atom, monkeypatch, "slack-to-teams", line, b"", line)

    results = [json.loads(result) for result in ran.out.splitlines()]
    assert ran.code == 0
    assert results[0]["text"] == "hi <strong>there</strong>"
    assert results[0] == results[1]


@pytest.mark.parametrize("direction", ["slack-to-teams", "teams-to-slack"])
@pytest.mark.parametrize(
    "bad", [b"{", b"[]", b"7", b"{}", b'{"input": 1}', b"\xff", b"[" * 100_000]
)
def test_a_bad_line_is_an_error_in_its_place_and_the_rest_goes_on(
    atom: CommandLine, monkeypatch: pytest.MonkeyPatch, direction: str, bad: bytes
) -> None:
    good = b'{"input": {"text": "hi"}, "context": {}}'

    ran = converted(atom, monkeypatch, direction, good, bad, good)

    results = [json.loads(result) for result in ran.out.splitlines()]
    assert ran.code == 1
    assert ["error" in result for result in results] == [False, True, False]


def test_half_an_emoji_is_text_like_any_other(
    atom: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = b'{"input": {"text": "a\\ud83d"}, "context": {}}'

    ran = converted(atom, monkeypatch, "slack-to-teams", line)

    assert ran.code == 0
    assert json.loads(ran.out)["text"].startswith("a")


def test_an_unknown_direction_is_refused(
    atom: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = converted(atom, monkeypatch, "sideways", b"{}")

    assert ran.code == 1
    assert "slack-to-teams" in ran.err
