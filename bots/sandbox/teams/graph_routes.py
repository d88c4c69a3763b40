"""Where the sandbox's Graph answers, and how often one may ask."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp.web import Request, Response

from bots.sandbox.teams.errors import GraphRefusal, Refusal
from bots.sandbox.teams.graph import GRAPH, Graph
from bots.sandbox.teams.graph_access import Access
from bots.sandbox.teams.graph_directory import GraphDirectory
from bots.sandbox.teams.graph_drive import GraphDrive
from bots.sandbox.teams.graph_members import GraphMembers
from bots.sandbox.teams.graph_people import GraphPeople
from bots.sandbox.teams.graph_subscriptions import GraphSubscriptions
from bots.sandbox.teams.graph_teams import GraphTeams
from bots.sandbox.teams.throttle import Throttle

_TEAM = GRAPH + "/teams/{team}"
_CHANNEL = _TEAM + "/channels/{channel}"
_ITEMS = GRAPH + "/drives/{drive}/items"

Answers = Callable[[Request], Awaitable[Response]]
Call = tuple[str, str, str, Answers]

# Calls that have windows of their own; all others share one.
_WINDOWS: Mapping[str, str] = {
    "graph.messages": "graph_messages",
    "graph.message": "graph_messages",
    "graph.reply": "graph_messages",
    "graph.delta": "graph_delta",
    "graph.replies": "graph_delta",
    "graph.users_delta": "graph_directory",
    "graph.groups_delta": "graph_directory",
}


def limited(access: Access, throttle: Throttle, call: Call) -> Call:
    """Let a call be counted, and refused in Graph's own form."""
    verb, path, name, handler = call
    windows = _WINDOWS.get(name, "graph")

    async def answer(request: Request) -> Response:
        try:
            caller = access.known(request)
            buckets = [((caller.app, caller.tenant, windows), windows)]
            if "channel" in request.match_info:
                place = request.match_info["channel"]
                buckets.append(((caller.app, place, "graph"), "graph_channel"))
            throttle.spend(buckets)
            return await handler(request)
        except GraphRefusal:
            raise
        except Refusal as refusal:
            raise GraphRefusal(
                refusal.status,
                refusal.code,
                refusal.message,
                headers=refusal.headers,
            ) from None

    return verb, path, name, answer


def team_calls(teams: GraphTeams) -> list[Call]:
    operation = _TEAM + "/operations/{operation}"
    # The address that a 202 names is written with quotes.
    quoted = GRAPH + "/teams('{team}')/operations('{operation}')"
    return [
        ("GET", GRAPH + "/teams", "graph.teams", teams.teams),
        ("POST", GRAPH + "/teams", "graph.create_team", teams.create_team),
        ("GET", _TEAM, "graph.team", teams.team),
        ("PATCH", _TEAM, "graph.patch_team", teams.patch_team),
        ("DELETE", GRAPH + "/groups/{group}", "graph.delete_team", teams.delete_team),
        ("POST", _TEAM + "/archive", "graph.archive_team", teams.archive_team),
        ("POST", _TEAM + "/unarchive", "graph.unarchive_team", teams.unarchive_team),
        ("GET", operation, "graph.operation", teams.operation),
        ("GET", quoted, "graph.operation", teams.operation),
        ("GET", _TEAM + "/channels", "graph.channels", teams.channels),
        ("POST", _TEAM + "/channels", "graph.create_channel", teams.create_channel),
        ("GET", _CHANNEL, "graph.channel", teams.channel),
        ("PATCH", _CHANNEL, "graph.patch_channel", teams.patch_channel),
        ("DELETE", _CHANNEL, "graph.delete_channel", teams.delete_channel),
        (
            "POST",
            _CHANNEL + "/archive",
            "graph.archive_channel",
            teams.archive_channel,
        ),
        (
            "POST",
            _CHANNEL + "/unarchive",
            "graph.unarchive_channel",
            teams.unarchive_channel,
        ),
    ]


def member_calls(members: GraphMembers) -> list[Call]:
    people, one = _TEAM + "/members", _TEAM + "/members/{member}"
    inside, insider = _CHANNEL + "/members", _CHANNEL + "/members/{member}"
    everybody, access = _CHANNEL + "/allMembers", "/doesUserHaveAccess({who})"
    add, change, remove = (
        f"graph.{what}_channel_member" for what in ("add", "patch", "remove")
    )
    return [
        ("GET", people, "graph.members", members.members),
        ("POST", people, "graph.add_member", members.add),
        ("POST", people + "/add", "graph.add_members", members.add_many),
        ("GET", one, "graph.member", members.member),
        ("PATCH", one, "graph.patch_member", members.patch),
        ("DELETE", one, "graph.remove_member", members.remove),
        ("GET", inside, "graph.channel_members", members.channel_members),
        ("POST", inside, add, members.add_to_channel),
        ("GET", insider, "graph.channel_member", members.channel_member),
        ("PATCH", insider, change, members.patch_in_channel),
        ("DELETE", insider, remove, members.remove_from_channel),
        ("GET", everybody, "graph.all_channel_members", members.all_channel_members),
        ("GET", _CHANNEL + access, "graph.access", members.has_access),
    ]


def message_calls(graph: Graph) -> list[Call]:
    messages, message = _CHANNEL + "/messages", _CHANNEL + "/messages/{message}"
    hosted, reply = "/hostedContents", message + "/replies/{reply}"
    content = hosted + "/{content}/$value"
    return [
        ("GET", messages, "graph.messages", graph.messages),
        ("POST", messages, "graph.post_message", graph.refused_post),
        ("GET", messages + "/delta", "graph.delta", graph.delta),
        ("GET", message, "graph.message", graph.message),
        ("GET", message + hosted, "graph.hosted_contents", graph.hosted_contents),
        ("GET", message + content, "graph.hosted_content", graph.hosted_content),
        ("GET", message + "/replies", "graph.replies", graph.replies),
        ("GET", reply, "graph.reply", graph.reply),
        ("GET", reply + hosted, "graph.hosted_contents", graph.hosted_contents),
        ("GET", reply + content, "graph.hosted_content", graph.hosted_content),
    ]


def directory_calls(directory: GraphDirectory) -> list[Call]:
    """They come before the others: "delta" is no user's name."""
    users, groups = "graph.users_delta", "graph.groups_delta"
    binned = "/directory/deletedItems/{user}/microsoft.graph.user"
    members, inside = "/groups/{group}/members", "graph.group_members"
    units, unit_right = "/directory/administrativeUnits", "graph.administrative_units"
    there = units + "/{unit}/members"
    return [
        ("GET", GRAPH + units, unit_right, directory.units),
        ("GET", GRAPH + there, unit_right, directory.unit_members),
        ("GET", GRAPH + "/users/delta", users, directory.users),
        ("GET", GRAPH + "/groups/delta", groups, directory.groups),
        ("GET", GRAPH + members, inside, directory.group_members),
        ("GET", GRAPH + binned, "graph.deleted_user", directory.deleted),
        ("GET", GRAPH + "/users/{user}", "graph.user", directory.user),
    ]


def other_calls(people: GraphPeople, subscriptions: GraphSubscriptions) -> list[Call]:
    user, revoke = GRAPH + "/users/{user}", "graph.revoke_sessions"
    roles = "/transitiveMemberOf/microsoft.graph.directoryRole"
    many, one = GRAPH + "/subscriptions", GRAPH + "/subscriptions/{subscription}"
    return [
        ("GET", GRAPH + "/users", "graph.users", people.users),
        ("POST", user + "/revokeSignInSessions", revoke, people.revoke),
        ("GET", user + roles, "graph.roles_of", people.roles),
        ("GET", many, "graph.subscriptions", subscriptions.listing),
        ("POST", many, "graph.subscribe", subscriptions.create),
        ("GET", one, "graph.subscription", subscriptions.one),
        ("PATCH", one, "graph.renew", subscriptions.renew),
        ("DELETE", one, "graph.unsubscribe", subscriptions.delete),
    ]


def drive_calls(drive: GraphDrive) -> list[Call]:
    inside, item = _ITEMS + "/{folder}:/{name}:", _ITEMS + "/{item}"
    session, share = "/createUploadSession", GRAPH + "/shares/{share}/driveItem"
    return [
        ("GET", _CHANNEL + "/filesFolder", "graph.files_folder", drive.folder),
        ("PUT", inside + "/content", "graph.upload", drive.upload),
        ("POST", inside + session, "graph.upload_session", drive.open_session),
        ("GET", inside.removesuffix(":"), "graph.item", drive.named_item),
        ("GET", item, "graph.item", drive.item),
        ("DELETE", item, "graph.delete_item", drive.delete_item),
        ("GET", item + "/content", "graph.item_content", drive.item_content),
        ("POST", item + "/createLink", "graph.create_link", drive.create_link),
        ("GET", share, "graph.shared_item", drive.shared_item),
        ("GET", share + "/content", "graph.file", drive.shared_content),
    ]


def upload_calls(drive: GraphDrive) -> list[Call]:
    """An upload's own address is its key: no token is asked for."""
    upload = "/teams/uploads/{upload}"
    return [
        ("GET", upload, "graph.upload_status", drive.session),
        ("PUT", upload, "graph.upload_part", drive.put_part),
        ("DELETE", upload, "graph.upload_cancel", drive.cancel),
        ("GET", "/teams/downloads/{key}", "download", drive.download),
    ]
