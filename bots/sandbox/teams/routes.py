"""Where the sandbox's Teams answers."""

from collections.abc import AsyncIterator

from aiohttp.web import Application, Request, Response, json_response

from bots.sandbox.http import Tasks
from bots.sandbox.teams.acts import Acts
from bots.sandbox.teams.changing import TeamChanges
from bots.sandbox.teams.connector import Connector
from bots.sandbox.teams.control import Control
from bots.sandbox.teams.delivery import Delivery
from bots.sandbox.teams.graph import Graph
from bots.sandbox.teams.graph_access import Access
from bots.sandbox.teams.graph_directory import GraphDirectory
from bots.sandbox.teams.graph_drive import GraphDrive
from bots.sandbox.teams.graph_members import GraphMembers
from bots.sandbox.teams.graph_notices import Notices
from bots.sandbox.teams.graph_people import GraphPeople
from bots.sandbox.teams.graph_routes import (
    directory_calls,
    drive_calls,
    limited,
    member_calls,
    message_calls,
    other_calls,
    team_calls,
    upload_calls,
)
from bots.sandbox.teams.graph_subscriptions import GraphSubscriptions
from bots.sandbox.teams.graph_teams import GraphTeams
from bots.sandbox.teams.keys import Keys
from bots.sandbox.teams.login import Login
from bots.sandbox.teams.owners import Owners
from bots.sandbox.teams.roster import Roster
from bots.sandbox.teams.serving import Handler, Named, served, thread_of
from bots.sandbox.teams.throttle import Throttle
from bots.sandbox.world import World

_OPENID = "/teams/openid"
_LOGIN = "/teams/login/{tenant}"
# A tenant's region is a part of its service URL; without one any tenant is meant.
_V3 = "/teams/connector{slash:/?}{region:[a-z]*}/v3"
_CONVERSATION = _V3 + "/conversations/{conversation}"
_ACTIVITY = _CONVERSATION + "/activities/{activity}"

Calls = list[tuple[str, str, str | Named, Handler]]


def add_routes(app: Application, world: World) -> None:
    """Let the server answer as Teams, its login and Graph."""
    keys, login, throttle = (
        Keys("connector", world.teams.now),
        Login(world),
        Throttle(world.teams),
    )
    delivery = Delivery(world, keys)
    connector = Connector(world, login, throttle)
    roster = Roster(world.teams, login, throttle, connector)
    changes = TeamChanges(world, delivery)
    graph_calls, notices = _graph_calls(world, login, throttle, changes)
    calls = [
        *_identity_calls(world, keys, login),
        *_connector_calls(connector),
        *_roster_calls(roster),
        *graph_calls,
    ]
    for method, path, name, handler in calls:
        app.router.add_route(method, path, served(world, name, handler))

    owners = Owners(world, delivery, changes)
    control = Control(world, keys, Acts(world, delivery), owners, notices)
    app.router.add_post("/sandbox/teams/act", control.act)
    app.router.add_post("/sandbox/teams/token", control.token)
    app.router.add_post("/sandbox/teams/keys", control.rotate)

    async def running(_: Application) -> AsyncIterator[None]:
        watching = Tasks()
        watching.spawn(notices.watch())
        yield
        await watching.close()
        await notices.close()
        await delivery.close()

    app.cleanup_ctx.append(running)


def _identity_calls(world: World, keys: Keys, login: Login) -> Calls:
    async def metadata(_: Request) -> Response:
        return json_response(
            {
                "issuer": world.teams.setting("issuer"),
                "authorization_endpoint": "https://invalid.botframework.com",
                "jwks_uri": f"{world.base_url}{_OPENID}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            }
        )

    async def published(_: Request) -> Response:
        return json_response(keys.published(world.teams.setting("endorsements")))

    discovery = "/.well-known/openid-configuration"
    return [
        ("GET", _OPENID + "/.well-known/openidconfiguration", "openid", metadata),
        ("GET", _OPENID + "/keys", "keys", published),
        ("GET", f"{_LOGIN}/v2.0{discovery}", "login.openid", login.metadata),
        ("GET", f"{_LOGIN}{discovery}", "login.openid", login.metadata),
        ("GET", f"{_LOGIN}/discovery/v2.0/keys", "login.keys", login.keys),
        ("POST", f"{_LOGIN}/oauth2/v2.0/token", "token", login.token),
    ]


def _connector_calls(connector: Connector) -> Calls:
    reaction = _ACTIVITY + "/reactions/{reaction}"
    return [
        ("POST", _V3 + "/conversations", "create", connector.create),
        ("POST", _CONVERSATION + "/activities", _posting, connector.post),
        ("POST", _ACTIVITY, _posting, connector.post),
        ("PUT", _ACTIVITY, "update", connector.update),
        ("DELETE", _ACTIVITY, "delete", connector.delete),
        ("PUT", reaction, "react", connector.react),
        ("DELETE", reaction, "unreact", connector.unreact),
    ]


def _roster_calls(roster: Roster) -> Calls:
    attachment = _V3 + "/attachments/{attachment}"
    return [
        ("GET", _CONVERSATION + "/pagedmembers", "members", roster.paged_members),
        ("GET", _CONVERSATION + "/members", "members", roster.members),
        ("GET", _CONVERSATION + "/members/{member}", "member", roster.member),
        ("GET", _V3 + "/teams/{team}", "team", roster.team),
        ("GET", _V3 + "/teams/{team}/conversations", "channels", roster.channels),
        ("GET", attachment, "attachment", roster.attachment),
        ("GET", attachment + "/views/{view}", "attachment", roster.attachment_view),
    ]


def _graph_calls(
    world: World, login: Login, throttle: Throttle, changes: TeamChanges
) -> tuple[Calls, Notices]:
    access = Access(world.teams, login)
    graph, drive = Graph(world, access), GraphDrive(world, access)
    notices = Notices(world, graph, login)
    counted = [
        *team_calls(GraphTeams(world, access, changes)),
        *member_calls(GraphMembers(world, access, changes)),
        *message_calls(graph),
        *directory_calls(GraphDirectory(world.teams, access)),
        *other_calls(
            GraphPeople(world.teams, access),
            GraphSubscriptions(world, access, notices),
        ),
        *drive_calls(drive),
    ]
    calls = [limited(access, throttle, call) for call in counted]
    return [*calls, *upload_calls(drive)], notices


def _posting(request: Request) -> str:
    _, root = thread_of(request.match_info["conversation"])
    return "reply" if root else "post"
