"""The conversations.* methods that make channels, and let people in or put them out."""

from collections.abc import Mapping

from bots.sandbox.slack.admin_channel import fresh_name, tell, tell_renamed
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.conversations import enter, exit_from
from bots.sandbox.slack.errors import SlackRefusal, missing_scope
from bots.sandbox.slack.model import Channel, Kind

_MOST = 100


def create(call: Call) -> Answer:
    team = call.text("team_id") or call.me.team
    kind = Kind.PRIVATE if call.flag("is_private") else Kind.PUBLIC
    name = fresh_name(call.state, call.text("name"), [team])
    made = Channel(call.state.next_id("C"), team, name, kind, call.me.bot_user)
    made.members = [call.me.bot_user]
    _may(call, made)
    call.state.channels[made.id] = made
    tell(call.state, made, "created", channel={"id": made.id, "name": name})
    return {"channel": made.wire(call.me.bot_user)}


def invite(call: Call) -> Answer:
    """All or nobody; with `force`, those who can be."""
    channel = _mine(call)
    if channel.archived:
        raise SlackRefusal("is_archived")
    users = list(dict.fromkeys(call.words("users")))
    if not users:
        raise SlackRefusal("no_user")
    if len(users) > _MOST:
        raise SlackRefusal("invalid_arguments")
    errors = [
        {"user": user, "ok": False, "error": code}
        for user in users
        if (code := _uninvitable(call, channel, user))
    ]
    failed = {error["user"] for error in errors}
    welcome = [user for user in users if user not in failed]
    if errors and not (call.flag("force") and welcome):
        raise SlackRefusal(str(errors[0]["error"]), errors=errors)
    for user in welcome:
        enter(call.state, channel, user, call.me.bot_user)
    told: Answer = {"errors": errors} if errors else {}
    return {"channel": channel.wire(call.me.bot_user), **told}


def kick(call: Call) -> Answer:
    channel = _mine(call)
    user = call.text("user")
    if user not in call.state.users:
        raise SlackRefusal("user_not_found")
    if user == call.me.bot_user:
        raise SlackRefusal("cant_kick_self")
    if channel.name == "general":
        raise SlackRefusal("cant_kick_from_general")
    if user not in channel.members:
        raise SlackRefusal("not_in_channel")
    if call.state.setting("kick_restricted"):
        raise SlackRefusal("restricted_action")
    known = call.state.user(user)
    if known.is_guest or not set(known.teams) & set(channel.internal):
        raise SlackRefusal("not_supported")
    exit_from(call.state, channel, user)
    if _held(call, channel, user):
        enter(call.state, channel, user)
    return {"errors": {}}


def rename(call: Call) -> Answer:
    channel = _mine(call)
    channel.name = fresh_name(call.state, call.text("name"), channel.everywhere)
    tell_renamed(call.state, channel)
    return {"channel": channel.wire(call.me.bot_user)}


def archive(call: Call) -> Answer:
    channel = _mine(call)
    if channel.name == "general":
        raise SlackRefusal("cant_archive_general")
    if channel.archived:
        raise SlackRefusal("already_archived")
    channel.archived = True
    tell(call.state, channel, "archive", user=call.me.bot_user, is_moved=0)
    return {}


def unarchive(call: Call) -> Answer:
    channel = _mine(call)
    if not channel.archived:
        raise SlackRefusal("not_archived")
    channel.archived = False
    tell(call.state, channel, "unarchive", user=call.me.bot_user)
    return {}


def _mine(call: Call) -> Channel:
    """Return the channel, if the caller is in it and may manage its kind."""
    channel = call.channel()
    if channel.kind not in {Kind.PUBLIC, Kind.PRIVATE}:
        raise SlackRefusal("method_not_supported_for_channel_type")
    if call.me.bot_user not in channel.members:
        raise SlackRefusal("not_in_channel")
    _may(call, channel)
    return channel


def _may(call: Call, channel: Channel) -> None:
    """A scope for one kind of channel is of no use for the other."""
    if not call.me.bot_id:
        return
    scope = "groups:write" if channel.private else "channels:manage"
    scopes = call.state.setting("scopes")
    if scope not in scopes:
        raise missing_scope(scope, scopes)


def _uninvitable(call: Call, channel: Channel, user: str) -> str:
    known = call.state.users.get(user)
    if known is None or known.deleted:
        return "user_not_found"
    if user == call.me.bot_user:
        return "cant_invite_self"
    if user in channel.members:
        return "already_in_channel"
    if known.is_guest:
        return "user_is_restricted"
    here = set(known.teams) & set(channel.everywhere)
    return "" if here else "org_user_not_in_team"


def _held(call: Call, channel: Channel, user: str) -> bool:
    """Whether a linked group brings somebody back who was put out."""
    if not call.state.setting("idp_kicks_come_back"):
        return False
    return any(user in call.state.grid.group(one).users for one in channel.groups)


CALLS: Mapping[str, Serve] = {
    "conversations.create": create,
    "conversations.invite": invite,
    "conversations.kick": kick,
    "conversations.rename": rename,
    "conversations.archive": archive,
    "conversations.unarchive": unarchive,
}
