"""Where the sandbox's Teams answers."""

from collections.abc import AsyncIterator

from aiohttp.web import Application, Request, Response, json_response

from bots.sandbox.teams.acts import Acts
from bots.sandbox.teams.connector import Connector
from bots.sandbox.teams.control import Control
from bots.sandbox.teams.delivery import Delivery
from bots.sandbox.teams.graph import Graph
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
_GRAPH = "/teams/graph/v1.0"
_CHANNEL = _GRAPH + "/teams/{team}/channels/{channel}"

Calls = list[tuple[str, str, str | Named, Handler]]


def add_routes(app: Application, world: World) -> None:
    """Let the server answer as Teams, its login and Graph."""
    keys, login, throttle = Keys("connector"), Login(world), Throttle(world.teams)
    delivery = Delivery(world, keys)
    connector = Connector(world, login, throttle)
    roster = Roster(world.teams, login, throttle, connector)
    calls = [
        *_identity_calls(world, keys, login),
        *_connector_calls(connector),
        *_roster_calls(roster),
        *_graph_calls(Graph(world, login)),
    ]
    for method, path, name, handler in calls:
        app.router.add_route(method, path, served(world, name, handler))

    control = Control(world, keys, Acts(world, delivery), Owners(world, delivery))
    app.router.add_post("/sandbox/teams/act", control.act)
    app.router.add_post("/sandbox/teams/token", control.token)
    app.router.add_post("/sandbox/teams/keys", control.rotate)

    async def running(_: Application) -> AsyncIterator[None]:
        yield
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


def _graph_calls(graph: Graph) -> Calls:
    messages, message = _CHANNEL + "/messages", _CHANNEL + "/messages/{message}"
    team, share = _GRAPH + "/teams/{team}", _GRAPH + "/shares/{share}"
    return [
        ("GET", team, "graph.team", graph.team),
        ("GET", team + "/members", "graph.members", graph.members),
        ("GET", team + "/channels", "graph.channels", graph.channels),
        ("GET", _CHANNEL, "graph.channel", graph.channel),
        ("GET", messages, "graph.messages", graph.messages),
        ("GET", messages + "/delta", "graph.delta", graph.delta),
        ("GET", message, "graph.message", graph.message),
        ("GET", message + "/replies", "graph.replies", graph.replies),
        ("GET", message + "/replies/{reply}", "graph.reply", graph.reply),
        ("GET", _GRAPH + "/users/{user}", "graph.user", graph.user),
        ("GET", share + "/driveItem/content", "graph.file", graph.shared_file),
    ]


def _posting(request: Request) -> str:
    _, root = thread_of(request.match_info["conversation"])
    return "reply" if root else "post"
