"""What scim2-tester finds when it goes through the server over HTTP."""

import asyncio

from scim2_tester import Status, check_server

from tests.scim_client import RequestsClient, ScimServer


async def test_the_tester_finds_nothing_but_success(server: ScimServer) -> None:
    client = RequestsClient(server.base, server.token)

    results = await asyncio.to_thread(check_server, client)

    others = [
        (each.status.name, each.title, each.reason)
        for each in results
        if each.status is not Status.SUCCESS
    ]
    assert others == []
    assert len(results) > 100
