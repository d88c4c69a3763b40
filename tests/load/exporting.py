"""
How long exports take.

    python -m tests.load.exporting [--messages 100000] [--formats native,csv] [--runs 3]

fills a database once, then exports all of it in each format alone and in all together.
An export reads the log, opens every entry, proves each, and packs the zip.
"""

import argparse
import asyncio
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from storage.compliance.export.making import Maker, Result
from storage.compliance.export.parts import FORMATS
from storage.compliance.export.question import Question
from storage.compliance.export.spool import Spool
from storage.compliance.keys import KeyFile, Keyring
from storage.crew import Crew
from storage.database import opened
from storage.database_url import database_url
from storage.journal import Journal
from storage.log_reader import LogReader
from storage.migrate import upgrade
from tests.exports import everything, maker, unwatched
from tests.load.corpus import TENANT, Corpus, fill
from tests.load.machine import description

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Run:
    """One export: how long it took and cost in seconds, and what came out."""

    seconds: float
    processor: float
    result: Result


def main() -> None:
    options = _options()
    print(*description(), sep="\n")
    asyncio.run(_measured(options.messages, options.formats.split(","), options.runs))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--formats", default=",".join([*FORMATS, "all"]))
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


async def _measured(messages: int, formats: Sequence[str], runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        keys = KeyFile.under(home)
        keys.create(TENANT)
        async with opened(database_url(f"sqlite:///{home}/atom.db")) as database:
            await upgrade(database.engine)
            ring = Keyring(database.hot, keys)
            journal = Journal(database.hot, ring, lambda: time.time_ns() // 1000)
            await fill(journal, Corpus(messages, 7).happenings())
            reader = LogReader(database.hot, ring, Crew(nice=0))
            size = (await reader.head(TENANT)).size
            made = await maker(database.hot, reader, home)
            print(f"\n{messages} messages, {size} entries")
            print(
                f"{'format':10} {'median':>8} {'least':>8} {'most':>8} {'CPU':>8} "
                f"{'zip':>9} {'messages/s':>11}"
            )
            for name in formats:
                names = tuple(FORMATS) if name == "all" else (name,)
                question = Question(TENANT, size, tuple(sorted(names)))
                found = [await _run(made, question, home) for _ in range(runs)]
                _print(name, messages, found)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"most memory: {peak:.0f} MiB")


async def _run(made: Maker, question: Question, home: Path) -> Run:
    spool = Spool(home / "work")
    begun, spent = time.monotonic(), _processor()
    out = home / "out.zip"
    result = await made.make(spool, question, everything, out, unwatched)
    seconds, processor = time.monotonic() - begun, _processor() - spent
    spool.close()
    shutil.rmtree(home / "work")
    return Run(seconds, processor, result)


def _processor() -> float:
    """Return the seconds of CPU that this process and those who helped it took."""
    helped = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + helped.ru_utime + helped.ru_stime


def _print(name: str, messages: int, runs: Sequence[Run]) -> None:
    seconds = [run.seconds for run in runs]
    size = runs[0].result.size / _MEGABYTE
    spent = median(run.processor for run in runs)
    figures = f"{median(seconds):7.1f}s {min(seconds):7.1f}s {max(seconds):7.1f}s"
    figures = f"{figures} {spent:7.1f}s"
    print(
        f"{name:10} {figures} {size:6.0f} MB {messages / median(seconds):11,.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
