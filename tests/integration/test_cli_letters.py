"""Dead letters from the command line."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bots.core import Core, core
from bots.settings import Settings
from bridge.access import Decision
from bridge.delivery import AttemptState, Operation
from bridge.links import Link
from bridge.ports import Commitment, Outcome
from bridge.relay import planned
from tests.command_line import CommandLine
from tests.events import FALCON, PROJECT, message
from tests.patient import patient

_YES = Decision(allowed=True, rule="default", policy="p1", directory="none")

Die = Callable[[AttemptState, str], None]


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    return atom


@pytest.fixture
def link(atom: CommandLine, tmp_path: Path) -> Link:
    async def add() -> Link:
        async with core(_settings(tmp_path), "test") as built:
            return await built.links.add("acme", (FALCON, PROJECT), "test")

    return asyncio.run(add())


@pytest.fixture
def die(tmp_path: Path, link: Link) -> Die:
    """Let a message end on the list, by how it ended and its ts."""

    async def end(state: AttemptState, ts: str) -> None:
        async with core(_settings(tmp_path), "test") as built:
            await _end(built, link, state, ts)

    return lambda state, ts: asyncio.run(end(state, ts))


def _settings(folder: Path) -> Settings:
    return patient(folder / "var")


async def _end(built: Core, link: Link, state: AttemptState, ts: str) -> None:
    event = message(ts=ts, text="xyzzy")
    wanted = tuple(planned("acme", event, Operation.POST, FALCON, [link]))
    await built.journal.append(Commitment("acme", event, (_YES,), wanted))
    await built.shards.seize()
    leases = {lease.shard: lease for lease in await built.shards.claim(256)}
    sizes = dict(await built.queue.sizes())
    found = await built.queue.unfinished(range(256), sizes)
    [delivery] = [each for each in found if each.message == ts]
    lease = leases[delivery.shard]
    history = await built.ledger.history(delivery)
    noted = await built.ledger.intend(delivery, lease)
    await built.ledger.conclude(noted, lease, Outcome(state, "no_such"), history)


def test_letters_are_listed_without_what_they_say(
    atom: CommandLine, link: Link, die: Die
) -> None:
    assert "nothing waits" in atom.done("dead").out

    die(AttemptState.DEAD, "17.1")

    [letter] = atom.done("dead", "--json").json
    assert (letter["link"], letter["reason"]) == (link.id, "no_such")
    assert (letter["unknown"], letter["operation"]) == (False, "post")
    table = atom.done("dead").out
    assert letter["letter"] in table
    assert "xyzzy" not in table


@pytest.mark.parametrize("line", [("retry",), ("drop", "all"), ("retry", "--anyway")])
def test_letters_are_decided_on_once(
    atom: CommandLine, link: Link, die: Die, line: tuple[str, ...]
) -> None:
    die(AttemptState.DEAD, "17.1")
    words = (*line, link.id) if "--anyway" in line else line

    atom.done(*words)

    assert atom.done("dead", "--json").json == []
    again = atom.run(*words)
    assert (again.code, "no dead letters" in again.err) == (1, True)


def test_sending_anyway_has_to_be_said_of_something(
    atom: CommandLine, die: Die
) -> None:
    die(AttemptState.PARKED, "17.1")

    ran = atom.run("retry", "--anyway")

    assert (ran.code, "a second copy may appear" in ran.err) == (1, True)
    [letter] = atom.done("dead", "--json").json
    looked_up = atom.done("retry", letter["letter"]).out
    assert "looked up first" in looked_up
    assert "--anyway" in looked_up


def test_what_was_dropped_can_be_replayed(
    atom: CommandLine, link: Link, die: Die
) -> None:
    die(AttemptState.DROPPED, "17.1")

    assert "1 missing" in atom.done("replay", link.id, "2h").out

    assert "1 left alone" in atom.done("replay", link.id).out
    entry = atom.done("log", "show", "--last", "1", "--json").json[-1]
    assert (entry["type"], entry["author"][:9]) == ("admin.dead_letter", "operator:")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (("retry", "9.9"), "no dead letter 9.9"),
        (("replay", "L-none"), "There is no link L-none"),
        (("replay", "LINK", "tomorrow"), "is no time"),
        (("drop",), "Missing argument"),
    ],
)
def test_bad_input_is_one_line(
    atom: CommandLine, link: Link, line: tuple[str, ...], why: str
) -> None:
    ran = atom.run(*(link.id if word == "LINK" else word for word in line))

    assert ran.code in {1, 2}
    assert why in ran.err
    assert len(ran.err.strip().splitlines()) == 1
