"""Fixtures of the end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import migrated_sqlite, migrated_template
from tests.servers import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database, which may have its tables already."""
    if request.param == "sqlite":
        yield migrated_sqlite(tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(migrated_template(server)) as url:
        yield url
