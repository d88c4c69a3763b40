"""Put together what searches, and what keeps its index up with the log."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.compliance import Duties
from storage.companies import StoredCompanies
from storage.compliance.acts import Acts
from storage.compliance.gdpr.restrictions import Restricted
from storage.database import Database
from storage.log_reader import LogReader
from storage.search.engine import Engine
from storage.search.index import SearchIndex, keeper_for
from storage.search.indexing import Indexing
from storage.search.matters import StoredMatters
from storage.search.officers import OfficerSearch
from storage.search.resolving import Names, Resolver, nameless


@dataclass(frozen=True, slots=True)
class Search:
    """Everything about searching that ways in may need."""

    index: SearchIndex
    indexing: Indexing
    engine: Engine
    officers: OfficerSearch

    def called(self, names: Names) -> None:
        """Let channels be asked for by what they are called."""
        self.engine.resolver.names = names


@asynccontextmanager
async def search_on(  # noqa: PLR0913, PLR0917 - what searching stands on
    database: Database,
    home: Path,
    reader: LogReader,
    companies: StoredCompanies,
    duties: Duties,
    acts: Acts,
    clock: Callable[[], int],
) -> AsyncIterator[Search]:
    """Build what searches on a database, and let go of the search file at the end."""
    index = SearchIndex(keeper_for(database, home))
    matters = StoredMatters(database.hot, clock)
    resolver = Resolver(index, nameless, matters, matters)
    engine = Engine(index, reader, resolver, Restricted(database.hot))

    async def tenants() -> list[str]:
        return [company.id for company in await companies.all()]

    try:
        yield Search(
            index,
            Indexing(index, reader, tenants),
            engine,
            OfficerSearch(engine, duties, acts, clock),
        )
    finally:
        await index.keeper.close()
