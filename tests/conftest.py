"""Fixtures that every kind of test may use."""

import gc
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import pytest
import scim2_client  # noqa: F401 - first: its models go through every module there is
import structlog

from storage import hot_postgres
from tests.clamd_server import ClamdServer, running_clamd
from tests.samba import Samba, running_samba, samba_template
from tests.servers import (
    Postgres,
    Redis,
    roomy_memory,
    running_postgres,
    running_redis,
)
from tests.slapd import Slapd, running_slapd
from tests.softhsm import SoftHsm, running_softhsm

# What takes longest: begun first, so that at the end no processor waits for another.
# A file that is not named begins after these.
LONGEST = (
    "integration/directory/test_active_directory_many.py",
    "unit/bots/records/test_ten_thousand.py",
    "contract/test_search_oracle.py",
    "e2e/test_records.py",
    "e2e/test_limits.py",
    "e2e/test_kills.py",
    "e2e/test_joined.py",
    "e2e/test_unanswered.py",
    "e2e/test_faults.py",
    "e2e/test_reactions.py",
    "e2e/test_access.py",
    "e2e/test_freezes.py",
    "e2e/test_page_demo.py",
    "e2e/test_catch_up.py",
    "e2e/test_scenarios.py",
    "e2e/test_leaving.py",
    "e2e/test_dead_letters.py",
    "e2e/test_page.py",
    "e2e/test_failover.py",
    "e2e/test_parts.py",
    "e2e/test_other_bots.py",
    "e2e/test_stateful.py",
    "e2e/test_lifecycle.py",
    "e2e/test_linking.py",
    "unit/bots/test_document_round_trips.py",
    "integration/test_purge_and_hold.py",
    "contract/test_directory_sources.py",
    "contract/test_policy_desk.py",
    "contract/test_exports.py",
    "integration/test_runs_follow_directory.py",
    "integration/test_key_kills.py",
)
_ENDED = 0.85  # of the others have begun when the last of those that wait begins
_WEIGHT = 10  # unit tests take as long as one with a database or a server


def pytest_configure() -> None:
    """
    Let temporary folders be in memory, where nobody says otherwise.

    Until everything is imported, nothing is garbage, and looking for it takes long.
    """
    gc.disable()
    if memory := roomy_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Begin with the longest files; the order of all others stays.

    End-to-end tests wait, for clocks and for other processes, and most others do not:
    they take turns, so that processors have something to do meanwhile. Each kind is
    spread over the whole run by how long it takes, as far as numbers of tests tell.
    """
    here = Path(__file__).parent
    places = {here / name: place for place, name in enumerate(LONGEST)}
    tests = Counter(item.path for item in items)
    files = sorted(tests, key=lambda file: places.get(file, len(places)))
    waiting = [file for file in files if file.is_relative_to(here / "e2e")]
    busy = [file for file in files if not file.is_relative_to(here / "e2e")]
    weights = {
        file: count if file.is_relative_to(here / "unit") else _WEIGHT * count
        for file, count in tests.items()
    }
    turns = _turns(busy, weights, 1.0) | _turns(waiting, weights, _ENDED)
    items.sort(key=lambda item: turns[item.path])


def _turns(
    files: Sequence[Path], weights: Mapping[Path, int], end: float
) -> dict[Path, float]:
    """Say for each file how much of its kind comes before, up to `end` for all."""
    before = accumulate((weights[file] for file in files), initial=0)
    whole = sum(weights[file] for file in files)
    return {file: end * some / whole for file, some in zip(files, before, strict=False)}


def pytest_collection_finish() -> None:
    """
    Nobody has to look at modules and tests again in search of garbage.

    What is garbage by now stays: to find it takes every worker seconds.
    """
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _time_to_connect() -> None:
    """A server that many tests share may take longer to let a test in."""
    hot_postgres._CONNECTING = 20.0


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running cluster, shared: take a database from it, and let it run."""
    with running_postgres(durable=False) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A running cluster for one test, which may stop, kill and start it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/atom.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A running Redis, shared: let it run."""
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_url(redis: Redis) -> str:
    """The URL of an empty Redis."""
    redis.forget()
    return redis.url


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A running Redis for one test, which may stop, kill and start it."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def clamd() -> Iterator[ClamdServer]:
    """A running virus scanner, shared: let it run."""
    with running_clamd() as server:
        yield server


@pytest.fixture
def own_clamd() -> Iterator[ClamdServer]:
    """A running virus scanner for one test, which may kill and start it."""
    with running_clamd() as server:
        yield server


@pytest.fixture(scope="session")
def softhsm() -> Iterator[SoftHsm]:
    """An HSM with one token, shared: label keys so that nobody else has them."""
    with running_softhsm() as made:
        yield made


@pytest.fixture(autouse=True)
def _plain_logging() -> None:
    """
    Log as usual, but without every variable of an exception: that takes seconds.

    A command that ran in this process before may have set up logging for its own.
    """
    structlog.reset_defaults()
    *before, _with_variables = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[*before, plain])


@pytest.fixture(scope="session")
def slapd() -> Iterator[Slapd]:
    """A running OpenLDAP, shared: read it, change nothing, let it run."""
    with running_slapd() as server:
        yield server


@pytest.fixture
def own_slapd() -> Iterator[Slapd]:
    """A running OpenLDAP for one test, which may change, stop and start it."""
    with running_slapd() as server:
        yield server


@pytest.fixture(scope="session")
def samba_domain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an Active Directory domain to run copies of; made once."""
    place = tmp_path_factory.getbasetemp()
    several = "PYTEST_XDIST_WORKER" in os.environ
    return samba_template(place.parent if several else place)


@pytest.fixture(scope="module")
def samba(samba_domain: Path) -> Iterator[Samba]:
    """A domain controller of the file's own: what one test does, the next one sees."""
    with running_samba(samba_domain) as server:
        yield server
