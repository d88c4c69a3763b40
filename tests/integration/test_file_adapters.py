"""Files over HTTP: whom a token is shown, and what each answer comes to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession, ClientTimeout, web

from bots.slack.clients import Clients
from bots.slack.file_source import SlackFiles
from bots.slack.file_target import SlackFileTarget
from bots.teams.connector import Connector
from bots.teams.drive import Drive
from bots.teams.file_source import TeamsFiles
from bots.teams.file_target import TeamsFileTarget
from bots.teams.graph import Graph
from bridge.errors import AtomError, NotGiven, NotSent, Refused, Throttled
from bridge.file_ports import FileSource, Parcel
from bridge.files import Fate, StaysBehind
from bridge.messages import File, Platform
from bridge.places import Place
from bridge.reactions import Spot
from tests.events import ALICE, FALCON, PROJECT
from tests.sandbox import serving
from tests.servers import free_port
from tests.teams_world import APP, GROUP, TENANT, FakePlaces, FakeTokens
from tests.unit.bridge.file_fakes import FakeKept

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
SLACK_SPOT = Spot(FALCON, "1700000000.000100")
TEAMS_SPOT = Spot(PROJECT, "1700000000123")
PARCEL = Parcel("mark", FALCON, "1700000000.000100", ALICE, Platform.TEAMS, "a.txt")


@dataclass
class Host:
    """A host that answers as told, and remembers which tokens it was shown."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "")
        self.asked.append((f"{request.method} {request.path}", token))
        await request.read()
        for path, answer in self.answers.items():
            if request.path.endswith(path):
                return await answer(request)
        return web.Response(status=404)

    def says(self, path: str, status: int = 200, **more: object) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, **more)  # type: ignore[arg-type]  # as given

        self.answers[path] = answer

    def tells(self, path: str, body: object) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.json_response(body)

        self.answers[path] = answer


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    made = Host()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    async with serving(app) as made.url:
        yield made


@pytest.fixture
async def stranger() -> AsyncIterator[Host]:
    made = Host()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    async with serving(app) as made.url:
        yield made


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=5)) as opened:
        yield opened


@pytest.fixture
def clients(host: Host, session: ClientSession) -> Clients:
    async def token(_team: str) -> str:
        return "xoxb-1"

    return Clients(f"{host.url}/api/", token, session)


@pytest.fixture
async def places(host: Host) -> FakePlaces:
    book = FakePlaces()
    await book.remember(
        Place(TENANT, PROJECT.team, "", f"{host.url}/amer/", group_id=GROUP)
    )
    return book


@pytest.fixture
def connector(session: ClientSession) -> Connector:
    return Connector(session, FakeTokens(), session.timeout)


@pytest.fixture
def graph(host: Host, session: ClientSession) -> Graph:
    return Graph(session, FakeTokens(), f"{host.url}/v1.0")


@pytest.fixture
def teams(connector: Connector, graph: Graph, places: FakePlaces) -> TeamsFiles:
    return TeamsFiles(connector, graph, places)


async def read(source: FileSource, spot: Spot, file: File) -> bytes:
    return b"".join([chunk async for chunk in source.read(spot, file)])


STATUSES: list[tuple[dict[str, object], type[AtomError]]] = [
    ({"status": 200, "text": "<html>", "content_type": "text/html"}, NotGiven),
    ({"status": 302, "headers": {"Location": "/login"}}, NotGiven),
    ({"status": 403}, NotGiven),
    ({"status": 404}, StaysBehind),
    ({"status": 429, "headers": {"Retry-After": "7"}}, Throttled),
    ({"status": 503}, NotGiven),
]


@pytest.mark.parametrize(("answer", "error"), STATUSES)
async def test_what_slack_gives_instead_of_a_file_is_never_taken_for_it(
    host: Host, clients: Clients, answer: dict[str, object], error: type[AtomError]
) -> None:
    host.says("/F1", **answer)  # type: ignore[arg-type]  # as given

    with pytest.raises(error):
        await read(
            SlackFiles(clients), SLACK_SPOT, File("F1", "a", url=f"{host.url}/F1")
        )


async def test_slack_gives_a_page_of_html_that_somebody_shared(
    host: Host, clients: Clients
) -> None:
    host.says("/F1", text="<p>", content_type="text/html")
    page = File("F1", "a.html", "text/html", url=f"{host.url}/F1")

    assert await read(SlackFiles(clients), SLACK_SPOT, page) == b"<p>"
    assert host.asked == [("GET /F1", "Bearer xoxb-1")]


async def test_a_file_kept_elsewhere_is_not_asked_for(
    clients: Clients, stranger: Host
) -> None:
    source, file = SlackFiles(clients), File("F1", "a", url=f"{stranger.url}/F1")

    with pytest.raises(StaysBehind) as looked:
        await source.look(SLACK_SPOT, file)
    with pytest.raises(StaysBehind):
        await read(source, SLACK_SPOT, file)

    assert looked.value.fate is Fate.ELSEWHERE
    assert stranger.asked == []


async def test_of_a_file_without_an_address_slack_is_asked(
    host: Host, clients: Clients
) -> None:
    told = {"id": "F1", "name": "a", "size": 3, "url_private": f"{host.url}/F1"}
    host.tells("/api/files.info", {"ok": True, "file": told})

    found = await SlackFiles(clients).look(SLACK_SPOT, File("F1", "a"))

    assert (found.url, found.size) == (f"{host.url}/F1", 3)


async def test_a_host_that_is_away_is_waited_for(clients: Clients) -> None:
    clients.api_url = f"http://127.0.0.1:{free_port()}/"
    file = File("F1", "a", url=f"{clients.api_url}F1")

    with pytest.raises(NotSent):
        await read(SlackFiles(clients), SLACK_SPOT, file)


async def test_no_bytes_are_sent_to_an_address_that_is_not_slacks(
    host: Host, clients: Clients, stranger: Host
) -> None:
    url = f"{stranger.url}/upload"
    host.tells(
        "/api/files.getUploadURLExternal",
        {"ok": True, "file_id": "F1", "upload_url": url},
    )

    with pytest.raises(Refused):
        await SlackFileTarget(clients).put(PARCEL, FakeKept(bytearray(b"abc")))

    assert stranger.asked == []


async def test_graph_may_lead_to_the_bytes_but_its_token_stays_behind(
    host: Host, teams: TeamsFiles
) -> None:
    item = {"name": "a.txt", "size": 3, "file": {"mimeType": "text/plain"}}
    host.tells("/driveItem", item)
    host.says("/content", 302, headers={"Location": f"{host.url}/bytes?key=1"})
    host.says("/bytes", body=b"abc")

    file = await teams.look(
        TEAMS_SPOT, File("7", "", url="https://acme.sharepoint.com/a.txt")
    )
    content = await read(teams, TEAMS_SPOT, file)

    assert (file.name, file.size, file.mime, content) == (
        "a.txt",
        3,
        "text/plain",
        b"abc",
    )
    assert host.asked[-1] == ("GET /bytes", "")
    assert all(token for _, token in host.asked[:-1])


async def test_graph_is_not_followed_to_a_stranger(
    host: Host, teams: TeamsFiles, stranger: Host
) -> None:
    host.tells("/driveItem", {"name": "a.txt", "size": 3})
    host.says("/content", 302, headers={"Location": f"{stranger.url}/bytes"})
    file = await teams.look(
        TEAMS_SPOT, File("7", "", url="https://acme.sharepoint.com/a.txt")
    )

    with pytest.raises(StaysBehind):
        await read(teams, TEAMS_SPOT, file)

    assert stranger.asked == []


async def test_a_picture_that_is_only_shown_in_teams_is_not_fetched(
    host: Host, teams: TeamsFiles, stranger: Host
) -> None:
    url = f"{stranger.url}/cat.gif"

    with pytest.raises(StaysBehind) as stays:
        await teams.look(TEAMS_SPOT, File(url, "cat", "image/*", url=url))

    assert stays.value.fate is Fate.ELSEWHERE
    assert (host.asked, stranger.asked) == ([], [])


async def test_what_graph_does_not_call_a_file_is_none(
    host: Host, teams: TeamsFiles
) -> None:
    card = {"id": "7", "contentType": "application/vnd.microsoft.card.adaptive"}
    host.tells(f"/messages/{TEAMS_SPOT.message}", {"attachments": [card]})

    with pytest.raises(StaysBehind) as stays:
        await teams.look(TEAMS_SPOT, File("7", ""))

    assert stays.value.fate is Fate.NO_FILE


async def test_without_the_right_to_read_files_a_person_decides(
    host: Host, teams: TeamsFiles
) -> None:
    host.says("/driveItem", 403)

    with pytest.raises(Refused):
        await teams.look(
            TEAMS_SPOT, File("7", "", url="https://acme.sharepoint.com/a.txt")
        )


async def test_no_bytes_are_sent_where_graph_does_not_keep_files(
    host: Host,
    connector: Connector,
    graph: Graph,
    places: FakePlaces,
    stranger: Host,
) -> None:
    folder = {"id": "01", "parentReference": {"driveId": "b!1"}}
    host.tells("/filesFolder", folder)
    host.tells("/createUploadSession", {"uploadUrl": f"{stranger.url}/up"})
    target = TeamsFileTarget(connector, graph, Drive(graph), places, APP)
    parcel = Parcel("mark", PROJECT, "17", ALICE, Platform.SLACK, "a.txt")

    with pytest.raises(Refused):
        await target.put(parcel, FakeKept(bytearray(b"abc")))

    assert stranger.asked == []
