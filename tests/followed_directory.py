"""A company's directory that follows OpenLDAP in this process, with its database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bots.directory_settings import DirectorySettings, SourceSettings
from bots.directory_side import DirectorySide, Means, directory_side
from bots.syncing import Outcome
from bridge.directory.model import Kind, Subject
from storage.compliance.keys import KeyFile
from storage.database import opened
from storage.database_url import database_url
from storage.directory.stored import StoredDirectory
from storage.migrate import upgrade
from tests.acme_ldif import BASE, PASSWORD, READER
from tests.contract.conftest import TENANT, assemble
from tests.slapd import Slapd


def now_us() -> int:
    return time.time_ns() // 1000


MEANS = Means(None, now_us)


@dataclass
class FollowedDirectory:
    """A directory that follows OpenLDAP, and what came of its readings."""

    side: DirectorySide
    outcomes: list[Outcome]

    @property
    def people(self) -> dict[str, Subject]:
        return {each.name: each for each in self.side.view.subjects(TENANT)}

    def at(self, path: str) -> Subject:
        """Return whoever stands at a DN."""
        view = self.side.view
        (found,) = [
            each
            for each in view.subjects(TENANT)
            if any(kept.entry.path == path for kept in view.entries(TENANT, each.id))
        ]
        return found

    def groups(self, path: str) -> set[str]:
        """Return the names of all groups that somebody is in, through others too."""
        view, who = self.side.view, self.at(path)
        kinds = (each.partition(":") for each in who.ancestors)
        named = (
            view.name_of(TENANT, Kind.GROUP, key) for k, _, key in kinds if k == "group"
        )
        return {name for name in named if name}

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not true():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def followed_directory(
    folder: Path, slapd: Slapd
) -> AsyncIterator[FollowedDirectory]:
    settings = DirectorySettings(
        sources=(source_settings(slapd, slapd.url),), retry=0.1
    )
    keys = KeyFile.under(folder)
    keys.create(TENANT)
    async with opened(database_url(f"sqlite:///{folder}/atom.db")) as database:
        await upgrade(database.engine)
        store = assemble(database, keys, "one")
        stored = StoredDirectory(database.hot, store.journal, now_us)
        side = await directory_side(settings, stored, [TENANT], "one")
        outcomes: list[Outcome] = []
        side.on_outcome.append(lambda _, outcome: outcomes.append(outcome))
        tasks = [asyncio.create_task(job()) for job in side.jobs(MEANS)]
        world = FollowedDirectory(side, outcomes)
        try:
            await world.until(lambda: outcomes)
            yield world
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def source_settings(slapd: Slapd, url: str) -> SourceSettings:
    return SourceSettings(
        name="ldap",
        kind="ldap",
        url=url,
        base=BASE,
        bind=READER,
        password=SecretStr(PASSWORD),
        ca=slapd.tls.ca,
        attributes={"slack_id": "carLicense"},
        options={"beat_seconds": 0.1, "answer_seconds": 5},
    )
