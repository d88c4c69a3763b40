"""What the sandbox's server answers for the page, without a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.sandbox import Sandbox, running_sandbox
from tests.servers import free_port


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


async def _get(url: str) -> tuple[int, dict[str, str], str]:
    async with ClientSession() as session, session.get(url) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, headers, await answer.text()


async def test_the_page_runs_nothing_but_its_own_files(sandbox: Sandbox) -> None:
    status, headers, html = await _get(f"{sandbox.base}/")

    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", html)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)


async def test_every_file_that_the_page_names_is_there(sandbox: Sandbox) -> None:
    _status, _headers, html = await _get(f"{sandbox.base}/")

    named = set(re.findall(r"(?:src|href)=\"(/page/[^\"#]+)", html))
    assert "/page/app.js" in named
    for path in named:
        status, headers, _body = await _get(f"{sandbox.base}{path}")
        assert status == 200, path
        assert headers["x-content-type-options"] == "nosniff"


async def test_every_icon_that_is_used_is_drawn(sandbox: Sandbox) -> None:
    _status, _headers, sprite = await _get(f"{sandbox.base}/page/icons.svg")
    folder = Path(__file__).parents[3] / "bots/sandbox/page"
    sources = [*folder.glob("static/*.js"), *folder.glob("templates/*.html")]
    text = "\n".join(source.read_text() for source in sources)

    used = set(re.findall(r"\bicon\(\"(\w+)\"", text))
    used |= set(re.findall(r"\bicon: \"(\w+)\"", text))
    assert used
    assert used <= set(re.findall(r"<symbol id=\"(\w+)\"", sprite))


async def test_the_log_of_no_atom_is_unavailable(sandbox: Sandbox) -> None:
    await sandbox.set({"atom_url": ""})

    status, _headers, _body = await _get(f"{sandbox.base}/sandbox/log?after=-1")

    assert status == 503


@pytest.mark.parametrize("path", ["/sandbox/log", "/sandbox/log/changes"])
async def test_an_atom_that_does_not_answer_is_a_bad_gateway(
    sandbox: Sandbox, path: str
) -> None:
    await sandbox.set({"atom_url": f"http://127.0.0.1:{free_port()}"})

    status, _headers, body = await _get(f"{sandbox.base}{path}?after=-1")

    assert status == 502
    assert "does not answer" in body


async def test_a_position_that_is_no_number_is_refused(sandbox: Sandbox) -> None:
    await sandbox.set({"atom_url": "http://127.0.0.1:1"})

    status, _headers, _body = await _get(f"{sandbox.base}/sandbox/log?after=x")

    assert status == 400
