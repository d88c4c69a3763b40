"""A channel's files, put there and shared through Graph."""

from base64 import urlsafe_b64encode

import pytest
from aiohttp import ClientSession

from tests.sandbox import Sandbox
from tests.sandbox_graph import GraphClient, graph_client
from tests.sandbox_teams import FALCON, GROUP, Answered

STEP = 320 * 1024


@pytest.fixture
async def graph(sandbox: Sandbox) -> GraphClient:
    await sandbox.set({"teams.throttles": False})
    return await graph_client(sandbox, "Files.ReadWrite.All")


async def folder(graph: GraphClient) -> str:
    """Return the path of the channel's folder."""
    found = (await graph.get(f"teams/{GROUP}/channels/{FALCON}/filesFolder")).body
    return f"drives/{found['parentReference']['driveId']}/items/{found['id']}"


async def put(url: str, content: bytes, token: str = "", span: str = "") -> Answered:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Content-Range": f"bytes {span}"} if span else {}
    async with (
        ClientSession() as session,
        session.put(url, data=content, headers=headers) as answer,
    ):
        return Answered(answer.status, await answer.json(), {})


async def upload(
    graph: GraphClient, name: str, content: bytes, more: str = ""
) -> Answered:
    url = f"{graph.base}/{await folder(graph)}:/{name}:/content{more}"
    return await put(url, content, graph.token)


async def test_a_small_file_lies_where_it_was_put(graph: GraphClient) -> None:
    made = await upload(graph, "a b.txt", b"hello")

    drive = (await folder(graph)).partition("/items/")[0]
    shown = await graph.get(f"{drive}/items/{made.body['id']}")
    content = await graph.get(f"{drive}/items/{made.body['id']}/content")
    assert (made.status, shown.body["name"], content.body) == (201, "a b.txt", b"hello")
    assert shown.body["size"] == 5


async def test_a_file_of_the_same_name_is_replaced_renamed_or_refused(
    graph: GraphClient,
) -> None:
    first = await upload(graph, "a.txt", b"one")
    rule = "?@microsoft.graph.conflictBehavior="

    replaced = await upload(graph, "a.txt", b"two")
    renamed = await upload(graph, "a.txt", b"three", f"{rule}rename")
    refused = await upload(graph, "a.txt", b"four", f"{rule}fail")

    assert (replaced.status, replaced.body["id"]) == (200, first.body["id"])
    assert (renamed.status, renamed.body["name"]) == (201, "a 1.txt")
    assert (refused.status, refused.body["error"]["code"]) == (409, "nameAlreadyExists")


async def test_a_large_file_goes_up_in_parts(graph: GraphClient) -> None:
    content = bytes(range(256)) * (STEP // 256) + b"the end"
    whole = len(content)
    path = f"{await folder(graph)}:/big.bin:/createUploadSession"
    session = (await graph.post(path)).body
    url = session["uploadUrl"]

    first = await put(url, content[:STEP], span=f"0-{STEP - 1}/{whole}")
    last = await put(url, content[STEP:], span=f"{STEP}-{whole - 1}/{whole}")

    assert session["nextExpectedRanges"] == ["0-"]
    assert (first.status, first.body["nextExpectedRanges"]) == (202, [f"{STEP}-"])
    assert (last.status, last.body["size"]) == (201, whole)
    got = await graph.get(last.body["@microsoft.graph.downloadUrl"])
    assert got.body == content


@pytest.mark.parametrize(
    ("span", "size", "status"),
    [
        ("", 10, 400),
        ("0-9/20", 10, 400),  # no multiple of 320 KiB, and not the last part
        ("0-8/9", 10, 400),
        ("10-19/20", 10, 416),
    ],
)
async def test_parts_that_do_not_fit_are_refused(
    graph: GraphClient, span: str, size: int, status: int
) -> None:
    path = f"{await folder(graph)}:/odd.bin:/createUploadSession"
    url = (await graph.post(path)).body["uploadUrl"]

    assert (await put(url, b"x" * size, span=span)).status == status


async def test_a_file_that_is_too_large_for_one_go_is_refused(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    await sandbox.set({"teams.graph_small_upload": 4})

    assert (await upload(graph, "a.txt", b"12345")).status == 413


async def test_a_link_leads_to_the_file(graph: GraphClient) -> None:
    made = (await upload(graph, "a.txt", b"hello")).body
    drive = (await folder(graph)).partition("/items/")[0]

    linked = await graph.post(
        f"{drive}/items/{made['id']}/createLink", {"type": "view"}
    )

    url = linked.body["link"]["webUrl"]
    share = "u!" + urlsafe_b64encode(url.encode()).decode().rstrip("=")
    content = await graph.get(f"shares/{share}/driveItem/content")
    shown = await graph.get(f"shares/{share}/driveItem")
    assert (linked.status, content.body, shown.body["id"]) == (
        201,
        b"hello",
        made["id"],
    )


async def test_reading_is_granted_and_writing_is_not(sandbox: Sandbox) -> None:
    graph = await graph_client(sandbox, "Group.Selected")

    path = await folder(graph)
    refused = await put(f"{graph.base}/{path}:/a.txt:/content", b"x", graph.token)

    assert refused.status == 403


async def test_whoever_may_read_a_file_is_led_to_its_bytes_without_a_token(
    graph: GraphClient,
) -> None:
    made = (await upload(graph, "a.txt", b"hello")).body
    drive = (await folder(graph)).partition("/items/")[0]
    url = f"{graph.base}/{drive}/items/{made['id']}/content"
    headers = {"Authorization": f"Bearer {graph.token}"}

    async with ClientSession() as session:
        async with session.get(url, headers=headers, allow_redirects=False) as led:
            where = led.headers["Location"]
        async with session.get(where) as answer:
            content = await answer.read()

    assert (led.status, content) == (302, b"hello")


async def test_a_file_is_found_by_its_name_and_deleted(graph: GraphClient) -> None:
    made = (await upload(graph, "a.txt", b"hello")).body
    named = f"{await folder(graph)}:/a.txt"
    drive = named.partition("/items/")[0]

    found = await graph.get(named)
    gone = await graph.delete(f"{drive}/items/{made['id']}")

    assert (found.body["id"], gone.status) == (made["id"], 204)
    assert (await graph.get(named)).status == 404
