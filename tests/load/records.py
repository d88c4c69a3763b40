"""
What business records cost, and what people wait for: cards drawn, searches, and cards
that follow a change.

ATOM runs as it does in production, between the sandboxes of Slack and Teams and the
stand-ins of five business systems, all over HTTP on this machine. Beside it stand bare
calls: one search after the other at the same stand-ins, one edit after the other at the
same sandbox. `python -m tests.load.records`; `--quick` does each once.
"""

import argparse
import asyncio
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from bots.demo_records import Systems, business_systems
from bots.records.connected import connected
from bots.sandbox.slack.seed import BOT_TOKEN
from bots.settings_records import RecordSettings
from bridge.records.model import RecordRef, System
from tests.e2e.at_work import at_work, said, slack_cards, teams_cards
from tests.e2e.test_linking import slack_answer
from tests.e2e.world import FALCON, World
from tests.load import cards
from tests.stand_ins import Account, CountingBudget

_RUNS = 3
_CASE = "CS-00001026"
_SLOW = 9.0  # seconds
_APART = 1.2  # seconds; HubSpot takes five searches in one, and a find makes four
_WORDS = (
    "globex",
    "renewal",
    "login",
    "printer",
    "frank",
    "analyst",
    "crash",
    "memory",
)
_PEOPLE = ("U04DANA", "U01ALICE", "U02BOB")  # one for each run
_ASKED = tuple(each.shown for each in System)


@dataclass
class Waits:
    """How long searches took, in milliseconds, and what the first of them said."""

    took: list[float] = field(default_factory=list)
    said: str = ""

    def row(self, name: str) -> str:
        p95 = quantiles(self.took, n=20, method="inclusive")[-1]
        figures = (median(self.took), p95, max(self.took))
        return f"{name:<52}" + "".join(f"{figure:>9,.0f}" for figure in figures)


async def searches(here: World, runs: int, apart: float = _APART) -> Waits:
    """
    Let so many people search for each word, in an ATOM that knows no answer yet.

    They are made `apart` seconds from each other, as people search. With none between,
    what is measured is HubSpot's limit.
    """
    await here.kill()
    await here.start()
    await slack_answer(here, "find something else", user=_PEOPLE[0])
    waits = Waits()
    for person in _PEOPLE[:runs]:
        for word in _WORDS:
            await asyncio.sleep(apart)
            begin = time.perf_counter()
            answer = await slack_answer(here, f"find {word}", user=person)
            waits.took.append((time.perf_counter() - begin) * 1e3)
            waits.said = waits.said or answer
            if missing := [name for name in _ASKED if f"{name}: " not in answer]:
                raise SystemExit(f"{', '.join(missing)} not asked: {answer[:300]}")
    return waits


def status_line(waits: Waits) -> str:
    """Return what an answer says of each system."""
    told = (re.search(rf"{name}: ([\w ]+)", waits.said) for name in _ASKED)
    return " · ".join(found[0] for found in told if found)


async def bare_searches(systems: Systems) -> Waits:
    """Ask the same stand-ins for the same words, one after the other."""
    waits = Waits()
    async with AsyncExitStack() as stack:
        told = {
            ("acme", System(name), name): RecordSettings.model_validate(table)
            for name, table in systems.settings().items()
        }
        made = connected(stack, told, lambda _tenant: CountingBudget())
        for word in _WORDS:
            await asyncio.sleep(_APART)
            begin = time.perf_counter()
            for each in made.of("acme"):
                access = Account(systems.all[each.system], "dana")
                await each.find(access, word, 8)
            waits.took.append((time.perf_counter() - begin) * 1e3)
    return waits


async def finding(folder: Path, runs: int) -> None:
    url = f"sqlite:///{folder}/atom.db"
    async with at_work(folder, url) as (here, systems):
        hasty = await searches(here, runs, 0.0)
        well = await searches(here, runs)
        systems.servicenow.faults.order(
            {"match": "* /*", "kind": "delay", "arg": _SLOW, "times": 10_000}
        )
        slow = await searches(here, runs)
        systems.servicenow.faults.clear()
        bare = await bare_searches(systems)
    head = f"search, milliseconds ({len(well.took)} of a row)"
    print(f"\n{head:<52}" + "".join(f"{name:>9}" for name in ("p50", "p95", "max")))
    print(well.row(f"/atom find over {len(_ASKED)} systems"))
    print(slow.row(f"the same, one of them answers after {_SLOW:.0f} s"))
    print(hasty.row("the same without a pause: HubSpot's limit"))
    print(bare.row("one bare search after the other, all quick"))
    for name, waits in (("quick", well), ("slow", slow)):
        print(f"for {_WORDS[0]}, {name}: {status_line(waits)}")


async def following(folder: Path, messages: int, runs: int) -> None:
    url = f"sqlite:///{folder}/atom.db"
    async with at_work(folder, url) as (here, systems):
        org = systems.salesforce
        for number in range(messages):
            await here.slack("post", text=f"{_CASE} again, {number}", typed=True)
        await here.until(
            lambda s: len(slack_cards(s)) == len(teams_cards(s)) == messages, 900
        )
        await here.quiet()
        before = len(org.journal.all())
        took = []
        for number in range(runs):
            subject = f"Crash after the update, seen {number} times"
            user, case = org.users["bob"], org.ids["crash"]
            begin = time.perf_counter()
            org.rows.update(user, "Case", case, {"Subject": subject})
            while True:
                state = await here.state()
                cards = [*slack_cards(state), *teams_cards(state)]
                if all(subject in said(card) for card in cards):
                    break
                await asyncio.sleep(0.1)
            took.append(time.perf_counter() - begin)
            await asyncio.sleep(3)
        calls = [
            each.call
            for each in org.journal.all()[before:]
            if "cometd" not in each.call and "/updated" not in each.call
        ]
        bare = await bare_edits(here, slack_cards(await here.state()))
    stand = 2 * messages
    print(
        f"\n{stand} cards of one record follow a change in "
        f"{median(took):.1f} s ({min(took):.1f} to {max(took):.1f}), what was changed "
        "to be heard of included"
    )
    print(
        f"{messages} bare edits in Slack, one after the other: {bare:.1f} s\n"
        f"calls to Salesforce for {runs} changes: {len(calls)}; one for each card "
        f"would be {runs * stand}: {runs * stand / max(1, len(calls)):.0f} times "
        "as many"
    )


async def bare_edits(here: World, cards: Sequence[object]) -> float:
    begin = time.perf_counter()
    for card in cards:
        assert isinstance(card, dict)
        body = {"channel": FALCON.id, "ts": card["ts"], "text": "bare"}
        async with here.session.post(
            f"{here.base}/slack/api/chat.update",
            json=body,
            headers={"Authorization": f"Bearer {BOT_TOKEN}"},
        ) as answer:
            if not (await answer.json())["ok"]:
                raise SystemExit("the sandbox refused an edit")
    return time.perf_counter() - begin


async def reading() -> None:
    """Count the calls that reading many records takes, and one for each."""
    async with business_systems() as systems, AsyncExitStack() as stack:
        told = {
            ("acme", System(name), name): RecordSettings.model_validate(table)
            for name, table in systems.settings().items()
        }
        made = connected(stack, told, lambda _tenant: CountingBudget())
        print(f"\n{'calls to read records':<28}{'records':>9}{'calls':>7}{'ratio':>7}")
        for each in made.of("acme"):
            stand_in = systems.all[each.system]
            access = Account(stand_in, "alice")
            found: list[RecordRef] = []
            for word in _WORDS:
                found += [record.ref for record in await each.find(access, word, 20)]
            refs = list(dict.fromkeys(found))
            before = len(stand_in.journal.all())
            await each.read(access, refs)
            calls = len(stand_in.journal.all()) - before
            ratio = len(refs) / max(1, calls)
            print(f"{each.system.shown:<28}{len(refs):>9}{calls:>7}{ratio:>7.1f}")


async def run(messages: int, runs: int) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        await finding(Path(one), runs)
        await following(Path(other), messages, runs)
    await reading()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--messages", type=int, default=100, help="each has a card on either platform"
    )
    parser.add_argument("--quick", action="store_true", help="everything once")
    chosen = parser.parse_args()
    cards.tables()
    asyncio.run(run(chosen.messages, 1 if chosen.quick else _RUNS))


if __name__ == "__main__":
    main()
