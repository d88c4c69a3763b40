"""What scim2-tester finds when it goes through the server over HTTP."""

import asyncio
from pathlib import Path

from pydantic import SecretStr
from scim2_tester import Status, check_server

from bots.settings import Settings
from tests.scim_client import RequestsClient, scim_server


async def test_the_tester_finds_nothing_but_success(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(database_url))
    async with scim_server(tmp_path, settings) as server:
        client = RequestsClient(server.base, server.token)
        results = await asyncio.to_thread(check_server, client)

    others = [
        (each.status.name, each.title, each.reason)
        for each in results
        if each.status is not Status.SUCCESS
    ]
    assert others == []
    assert len(results) > 100
