"""Which company a command line is about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.core import Core, core
from bots.settings_sources import read_settings
from bridge.errors import BadInput, NotFound
from storage.companies import StoredCompanies


@asynccontextmanager
async def company_core(wanted: str) -> AsyncIterator[tuple[Core, str]]:
    """Open what needs no platform, for a company."""
    async with core(read_settings(), "command-line") as built:
        yield built, await company_id(built.companies, wanted)


async def company_id(companies: StoredCompanies, wanted: str) -> str:
    """Return the company that is meant. Raises `BadInput` if that is not clear."""
    ids = [company.id for company in await companies.all()]
    if not ids:
        raise BadInput("No company is set up yet: run 'atom setup'.")
    if wanted and wanted not in ids:
        raise NotFound(f"There is no company {wanted}.")
    if not wanted and len(ids) > 1:
        raise BadInput(f"There are several companies: add --company {ids[0]} or so.")
    return wanted or ids[0]
