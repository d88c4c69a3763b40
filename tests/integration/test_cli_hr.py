"""Workers out of HR's files at the command line: what would change is shown first."""

from pathlib import Path

import pytest

from tests.command_line import CommandLine

_HEAD = "worker_id,name,department,manager_id,hire_date,last_day\n"
_ROWS = "".join(f"{n},Worker {n},Finance,1,2020-01-01,\n" for n in range(1, 41))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "workers.csv"
    path.write_text(_HEAD + _ROWS, "utf-8")
    return path


@pytest.fixture
def atom(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    with (tmp_path / "atom.toml").open("a") as settings:
        settings.write(
            "\n[[directory.sources]]\n"
            'name = "hr"\nkind = "hr-csv"\n'
            f'path = "{file}"\n'
            'options = { zone = "Europe/Berlin" }\n'
        )
    return made


def test_a_dry_run_shows_the_difference_and_changes_nothing(
    atom: CommandLine, file: Path
) -> None:
    shown = atom.done("directory", "sync", "--dry-run")
    assert "40" in shown.out
    assert "Worker 7" in shown.out
    assert atom.done("users", "list", "--json").json == []

    atom.done("directory", "sync")
    people = atom.done("users", "list", "--json").json
    assert len(people) == 40

    file.write_text(
        _HEAD
        + _ROWS.replace(
            "7,Worker 7,Finance,1,2020-01-01,",
            "7,Worker 7,Legal,1,2020-01-01,2020-02-01",
            1,
        ),
        "utf-8",
    )
    difference = atom.done("directory", "sync", "--dry-run").out
    assert "Worker 7" in difference
    assert "Worker 8" not in difference


def test_a_file_that_was_cut_off_removes_nobody_and_says_why(
    atom: CommandLine, file: Path
) -> None:
    atom.done("directory", "sync")
    file.write_text(_HEAD + "".join(_ROWS.splitlines(keepends=True)[:20]), "utf-8")

    ran = atom.run("directory", "sync")

    assert ran.code == 1
    assert "20 workers' lines where there were 40" in ran.err
    assert len(atom.done("users", "list", "--json").json) == 40
