"""
What people wait for with business records: searches, and cards that follow a change.

ATOM runs as it does in production, between the sandboxes of Slack and Teams and the
stand-ins of four business systems, all over HTTP on this machine. Beside it stand bare
calls: one search after the other at the same stand-ins, one edit after the other at the
same sandbox. `python -m tests.load.records --messages 100`.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bots.demo_records import Systems, business_systems
from bots.records.connected import connected
from bots.sandbox.slack.seed import BOT_TOKEN
from bots.settings_records import RecordSettings
from bridge.records.model import RecordRef, System
from tests.e2e.at_work import at_work, said, slack_cards, teams_cards
from tests.e2e.test_linking import slack_answer
from tests.e2e.world import FALCON, World
from tests.stand_ins import Account, CountingBudget

_RUNS = 3
_CASE = "CS-00001026"
_SLOW = 9.0  # seconds
_APART = 1.2  # seconds; HubSpot takes five searches in one, and a find makes four
_WORDS = ("globex", "falcon", "login", "printer")


@dataclass(frozen=True)
class Waits:
    """How long something took, in milliseconds."""

    took: Sequence[float]

    @property
    def middle(self) -> float:
        return median(self.took)

    @property
    def longest(self) -> float:
        return max(self.took)


async def searches(here: World, suffix: str, apart: float = _APART) -> Waits:
    """
    Search for each word once, as somebody in Slack; no two searches are the same.

    They are made `apart` seconds from each other, as people search. With none between,
    what is measured is HubSpot's limit.
    """
    took = []
    for word in _WORDS:
        await asyncio.sleep(apart)
        begin = time.perf_counter()
        answer = await slack_answer(here, f"find {word}{suffix}", user="U04DANA")
        took.append((time.perf_counter() - begin) * 1e3)
        if "Salesforce" not in answer:
            raise SystemExit(f"no search was made: {answer[:200]}")
    return Waits(took)


async def bare_searches(systems: Systems) -> Waits:
    """Ask the same stand-ins for the same words, one after the other."""
    took = []
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
            took.append((time.perf_counter() - begin) * 1e3)
    return Waits(took)


async def finding(folder: Path) -> None:
    url = f"sqlite:///{folder}/atom.db"
    async with at_work(folder, url) as (here, systems):
        await searches(here, " warm")
        hasty = [await searches(here, f" hasty {n}", 0.0) for n in range(_RUNS)]
        well = [await searches(here, f" {n}") for n in range(_RUNS)]
        systems.servicenow.faults.order(
            {"match": "* /*", "kind": "delay", "arg": _SLOW, "times": 10_000}
        )
        slow = [await searches(here, f" slow {n}") for n in range(_RUNS)]
        systems.servicenow.faults.clear()
        bare = [await bare_searches(systems) for _ in range(_RUNS)]
    print(f"{'search, milliseconds':<44}{'median':>10}{'longest':>10}")
    for name, runs in (
        ("/atom find over four systems", well),
        ("the same without a pause: HubSpot's limit", hasty),
        (f"the same, one of them answers after {_SLOW:.0f} s", slow),
        ("one bare search after the other, all quick", bare),
    ):
        middle = median(run.middle for run in runs)
        longest = median(run.longest for run in runs)
        print(f"{name:<44}{middle:>10.0f}{longest:>10.0f}")


async def following(folder: Path, messages: int) -> None:
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
        for number in range(_RUNS):
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
        f"calls to Salesforce for {_RUNS} changes: {len(calls)}; one for each card "
        f"would be {_RUNS * stand}: {_RUNS * stand / max(1, len(calls)):.0f} times "
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


async def run(messages: int) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        await finding(Path(one))
        await following(Path(other), messages)
    await reading()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100)
    asyncio.run(run(parser.parse_args().messages))


if __name__ == "__main__":
    main()
