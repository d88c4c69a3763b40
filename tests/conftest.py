"""Fixtures that every kind of test may use."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
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


def pytest_configure() -> None:
    """
    Let temporary folders be in memory, where nobody says otherwise.

    Until everything is imported, nothing is garbage, and looking for it takes long.
    """
    gc.disable()
    if memory := roomy_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


def pytest_collection_finish() -> None:
    """Nobody has to look at modules and tests again in search of garbage."""
    gc.collect()
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
def _logging_as_it_was() -> Iterator[None]:
    """A command that ran in this process may have set up logging for its own."""
    yield
    structlog.reset_defaults()


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
