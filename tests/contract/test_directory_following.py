"""A change of a source is what decisions see, and one process after another reads it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from bots.following import Follower, Pace
from bots.syncing import Outcome, Rules, Sync
from bridge.directory.model import Reading, Standing
from bridge.directory.people import Precedence
from bridge.directory.pushed import PushSource
from bridge.directory.view import LiveDirectory
from bridge.messages import Person, Platform
from policy.directory.yaml_file import YamlFile
from storage.directory.stored import StoredDirectory
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.unit.bridge.directory.told import person

U1 = Person(Platform.SLACK, "U1")


def _sync(store: Store) -> Sync:
    clock = ticking_clock()
    view = LiveDirectory(clock)
    view.configure(TENANT, ("people",), Precedence())
    kept = StoredDirectory(store.database.hot, store.journal, clock)
    return Sync(TENANT, view, kept, Rules(), clock)


def _write(path: Path, **ana: object) -> None:
    told = {"id": "ana", "accounts": ["slack:T1/U1"], **ana}
    content = {"people": [told, {"id": "ben"}], "groups": {"fin": {"members": ["ben"]}}}
    path.write_text(yaml.safe_dump(content), "utf-8")


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def _running(follower: Follower) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(follower.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _follower(
    sync: Sync, path: Path, owner: str, seen: list[Outcome] | None = None
) -> Follower:
    outcomes = [] if seen is None else seen
    source = YamlFile("people", path, look=0.01)
    return Follower(sync, source, owner, Pace(retry=0.05, lease=60.0), outcomes.append)


def _ancestors(sync: Sync) -> frozenset[str]:
    subject = sync.view.subject(TENANT, U1, "T1")
    return subject.ancestors if subject else frozenset()


async def test_what_changes_in_the_file_is_what_decisions_see(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "people.yaml"
    _write(path)
    sync, other = _sync(store), _sync(store.another_process("two"))

    async with _running(_follower(sync, path, "one")):
        await _until(lambda: sync.view.subject(TENANT, U1, "T1") is not None)
        _write(path, groups=["fin"])
        await _until(lambda: "group:fin" in _ancestors(sync))
        await other.refresh()
        assert "group:fin" in _ancestors(other)

        _write(path, standing="disabled")
        await _until(lambda: "group:fin" not in _ancestors(sync))

    subject = sync.view.subject(TENANT, U1, "T1")
    assert subject is not None
    assert subject.standing is Standing.DISABLED


async def test_a_mistake_in_the_file_changes_nothing_until_it_is_mended(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "people.yaml"
    _write(path, groups=["fin"])
    sync, seen = _sync(store), list[Outcome]()

    async with _running(_follower(sync, path, "one", seen)):
        await _until(lambda: "group:fin" in _ancestors(sync))
        path.write_text("people:\n  - id: ana\n    gruops: []\n", "utf-8")
        await _until(lambda: any(o.problem for o in seen))
        assert "line 3: gruops is not known" in seen[-1].problem
        assert "group:fin" in _ancestors(sync)

        _write(path, title="Head", groups=["fin"])
        await _until(lambda: not seen[-1].problem)

    assert (await sync.store.followed(TENANT))["people"].problem == ""


async def test_a_second_process_takes_over_when_the_first_is_gone(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "people.yaml"
    _write(path)
    one, two = _sync(store), _sync(store.another_process("two"))
    first, second = list[Outcome](), list[Outcome]()
    pace = Pace(retry=0.05, lease=0.3)
    leader = Follower(
        one, YamlFile("people", path, look=0.01), "one", pace, first.append
    )
    standby = Follower(
        two, YamlFile("people", path, look=0.01), "two", pace, second.append
    )

    # The clock of these stores goes 0.3 s with each look at it: a lease soon ends.
    async with _running(leader):
        await _until(lambda: bool(first))
    async with _running(standby):
        await _until(lambda: bool(second))
        _write(path, groups=["fin"])
        await _until(lambda: "group:fin" in _ancestors(two))


async def test_a_source_that_pushes_does_not_grow_old_and_is_not_hurried(
    store: Store,
) -> None:
    sync, seen = _sync(store), list[Outcome]()
    source = PushSource("people")

    async with _running(Follower(sync, source, "one", Pace(retry=60), seen.append)):
        await _until(lambda: bool(seen))
        await sync.apply(Reading("people", whole=False, entries=(person("ana"),)))
        await asyncio.sleep(0.05)

    assert len(seen) == 1
    assert sync.view.age_seconds(TENANT) < 3_600
