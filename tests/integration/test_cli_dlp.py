"""`atom dlp scan` reads lines and tells what is in them, but never repeats it."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from bots.core import core
from bots.settings import Settings
from tests.command_line import CommandLine

CARD = "4242 4242 4242 4242"


@pytest.fixture
def atom(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, capfd)


def _told(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def _typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    source = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr("sys.stdin", source)


def test_lines_come_in_and_findings_come_out(
    atom: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(monkeypatch, f"hello\ncard {CARD}\n")

    ran = atom.done("dlp", "scan")

    [told] = _told(ran.out)
    assert told.pop("hash")
    assert told == {
        "line": 2,
        "detector": "credit_card",
        "start": 5,
        "end": 24,
        "confidence": "high",
    }
    assert "4242" not in ran.out


def test_equal_values_of_a_company_have_equal_hashes(
    atom: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    atom.set_up()
    hashes = []
    for _ in range(2):
        _typed(monkeypatch, f"card {CARD}")
        hashes += [told["hash"] for told in _told(atom.done("dlp", "scan").out)]

    assert len(set(hashes)) == 1


def test_files_are_read_and_checked(atom: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text(f"one\npay {CARD}\n")

    ran = atom.run("dlp", "scan", "--check", str(file))

    assert ran.code == 1
    assert [told["line"] for told in _told(ran.out)] == [2]
    assert (
        atom.run("dlp", "scan", "--check", "--detector", "@secret", str(file)).code == 0
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--detector", "nonsense"], "there is no detector"),
        (["--confidence", "quite"], "is no confidence"),
        (["missing.txt"], "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    atom: CommandLine, arguments: list[str], said: str
) -> None:
    ran = atom.run("dlp", "scan", *arguments)

    assert ran.code == 1
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_detectors_are_listed(atom: CommandLine) -> None:
    listed = atom.done("dlp", "detectors", "--json").json

    assert {"detector": "iban", "group": "payment", "title": "IBAN"} in listed


def test_rules_are_checked_published_and_shown(
    atom: CommandLine, tmp_path: Path
) -> None:
    atom.set_up()
    file = tmp_path / "rules.yaml"
    file.write_text("patterns: [{name: project, pattern: 'PRJ-[0-9]{6}'}]\n")

    assert "0 rules" in atom.done("dlp", "check", str(file)).out
    assert "What holds as long as" in atom.done("dlp", "rules").out
    hash_ = atom.done("dlp", "what-if", str(file), "--json").json["hash"]
    done = atom.done("dlp", "publish", str(file), "--preview", hash_)
    assert "Version 1 holds now" in done.out

    shown = atom.done("dlp", "rules", "--json").json
    [listed] = atom.done("dlp", "rules", "--versions", "--json").json
    assert (shown["version"], shown["text"]) == (1, file.read_text())
    assert listed["hash"] == shown["hash"]
    assert atom.run("dlp", "rules", "--version", "9").code == 1


def test_a_scan_uses_the_detectors_of_rules(atom: CommandLine, tmp_path: Path) -> None:
    rules, text = tmp_path / "rules.yaml", tmp_path / "text.txt"
    rules.write_text("patterns: [{name: project, pattern: 'PRJ-[0-9]{6}'}]\n")
    text.write_text("see PRJ-123456\n")

    ran = atom.done("dlp", "scan", "--rules", str(rules), str(text))

    assert [told["detector"] for told in _told(ran.out)] == ["project"]


def test_wrong_rules_are_one_line_and_nothing_changes(
    atom: CommandLine, tmp_path: Path
) -> None:
    atom.set_up()
    file = tmp_path / "rules.yaml"
    file.write_text("patterns: [{name: project, pattern: '(?=x)'}]\n")

    ran = atom.run("dlp", "publish", str(file))

    assert ran.code == 1
    assert "patterns.project: the pattern is refused" in ran.err
    assert atom.done("dlp", "rules", "--versions", "--json").json == []


TESTED = """
rules: [{name: cards, detectors: [credit_card], do: block}]
tests:
  - {name: cards stay here, text: "4242 4242 4242 4242", expect: {do: %s}}
"""


def test_rules_whose_tests_fail_are_not_published(
    atom: CommandLine, tmp_path: Path
) -> None:
    atom.set_up()
    file = tmp_path / "rules.yaml"
    file.write_text(TESTED % "warn")

    tried = atom.run("dlp", "test", str(file))
    refused = atom.run("dlp", "publish", str(file))
    file.write_text(TESTED % "block")

    assert (tried.code, "block by cards" in tried.out) == (1, True)
    assert refused.err == "atom: test 'cards stay here' fails: block by cards\n"
    assert "cards stay here: passes" in atom.done("dlp", "test", str(file)).out
    unseen = atom.done("dlp", "publish", str(file), "--without-preview")
    assert "Version 1 holds" in unseen.out
    assert "cards stay here: passes" in atom.done("dlp", "test").out


def test_a_preview_is_void_once_other_rules_hold(
    atom: CommandLine, tmp_path: Path
) -> None:
    atom.set_up()
    file, lines, other = (tmp_path / n for n in ("r.yaml", "lines.txt", "other.yaml"))
    file.write_text(TESTED % "block")
    lines.write_text(f"hello\ncard {CARD}\n")
    other.write_text("version: 1\n")

    told = atom.done("dlp", "what-if", str(file), "--lines", str(lines)).out
    shown = atom.done("dlp", "what-if", str(file), "--json").json
    atom.done("dlp", "publish", str(other), "--without-preview")
    void = atom.run("dlp", "publish", str(file), "--preview", shown["hash"])
    again = atom.done("dlp", "what-if", str(file), "--json").json
    done = atom.done("dlp", "publish", str(file), "--preview", again["hash"])

    assert "2 that were warn would be block" in told
    assert CARD not in told
    assert void.code == 1
    assert "look again" in void.err
    assert "Version 2 holds" in done.out


def test_who_looked_at_nothing_has_to_say_so_and_it_is_on_record(
    atom: CommandLine, tmp_path: Path
) -> None:
    atom.set_up()
    file = tmp_path / "rules.yaml"
    file.write_text("exceptions: [{detectors: [credit_card], pattern: '.*'}]\n")

    shown = atom.done("dlp", "what-if", str(file)).out
    silent = atom.run("dlp", "publish", str(file))
    both = atom.run("dlp", "publish", str(file), "--preview", "x", "--without-preview")
    nothing = atom.done("dlp", "rules", "--versions", "--json").json
    said = atom.done("dlp", "publish", str(file), "--without-preview").out
    file.write_text(file.read_text() + "# a remark\n")
    remark = atom.done("dlp", "publish", str(file)).out

    assert "other exceptions" in shown
    assert silent.code == both.code == 1
    assert "--without-preview" in silent.err
    assert nothing == []
    assert "Version 1 holds now" in said
    assert "Version 2 holds now" in remark
    assert asyncio.run(_previews(atom.folder / "var")) == ["left out", "not needed"]


async def _previews(home: Path) -> list[str]:
    """Return what the log says was looked at before rules were published."""
    async with core(Settings(home=home), "tests") as built:
        entries = await built.log.entries("acme", -1, 99)
    return [
        entry.body["detail"]["preview"]
        for entry in entries
        if entry.etype == "admin.config" and "preview" in entry.body["detail"]
    ]
