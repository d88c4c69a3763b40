"""Where ATOM's log goes: all to the terminal, or to a file but for what is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bots.logs import configure_logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("human", [True, False], ids=["readable", "json"])
def test_with_a_file_the_terminal_shows_only_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, human: bool
) -> None:
    file = tmp_path / "atom.log"
    configure_logging(human=human, file=file)
    log = structlog.get_logger()

    log.info("serving", port=8080)
    log.warning("too many echoes", channel="C1")

    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "too many echoes" in shown
    kept = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [(each["event"], each["level"]) for each in kept] == [
        ("serving", "info"),
        ("too many echoes", "warning"),
    ]


def test_an_exception_is_in_the_file_without_its_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "atom.log"
    configure_logging(human=True, file=file)

    try:
        int("what somebody said")
    except ValueError:
        structlog.get_logger().exception("a page failed")

    for told in (file.read_text("utf-8"), capsys.readouterr().err):
        assert "a page failed" in told
        assert "ValueError" in told
        assert "what somebody said" not in told


def test_a_file_that_cannot_be_written_breaks_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(human=False, file=tmp_path / "nowhere" / "atom.log")

    structlog.get_logger().error("the disk is full")

    assert "the disk is full" in capsys.readouterr().err


def test_without_a_file_all_of_it_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(human=False)

    structlog.get_logger().info("serving")

    assert json.loads(capsys.readouterr().err)["event"] == "serving"
