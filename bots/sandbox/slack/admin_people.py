"""The admin.users.* methods: who is in which workspace, and signed in where."""

from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import conversations
from bots.sandbox.slack.admin_channel import team_of
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import User


def listing(call: Call) -> Answer:
    wanted = team_of(call) if call.text("team_id") else ""
    active = call.args.get("is_active")
    people = [
        user
        for user in call.state.users.values()
        if set(user.teams) & ({wanted} if wanted else set(call.state.grid.teams))
        and active in {None, not user.deleted}
        and (user.is_guest or not call.flag("only_guests"))
    ]
    page, cursor = call.page(people, 100, 100)
    return {
        "users": [_shown(one) for one in page],
        "response_metadata": {"next_cursor": cursor},
    }


def assign(call: Call) -> Answer:
    team, user = team_of(call), _user(call)
    if user.is_bot:
        raise SlackRefusal("user_is_bot")
    if team in user.teams:
        raise SlackRefusal("user_already_team_member")
    user.workspaces.append(team)
    user.is_guest = call.flag("is_restricted") or call.flag("is_ultra_restricted")
    _join(call, user, team)
    return {}


def remove(call: Call) -> Answer:
    team, user = team_of(call), _user(call)
    if user.deleted:
        raise SlackRefusal("user_already_deleted")
    if user.is_org_admin and user.team == team:
        raise SlackRefusal("cannot_modify_primary_owner")
    if team not in user.teams:
        raise SlackRefusal("user_not_found")
    left = [one for one in user.teams if one != team]
    for channel in list(call.state.channels.values()):
        if team in channel.internal and not set(left) & set(channel.everywhere):
            conversations.exit_from(call.state, channel, user.id)
    user.team, user.workspaces = (left or [team])[0], left[1:]
    user.deleted = not left
    call.state.publish("user", team, user=user.id)
    return {}


def invite(call: Call) -> Answer:
    team, email = team_of(call), call.text("email").lower()
    if "@" not in email:
        raise SlackRefusal("invalid_email")
    for channel in call.words("channel_ids"):
        known = call.state.channels.get(channel)
        if known is None or team not in known.everywhere:
            raise SlackRefusal("failed_to_validate_channels")
    for user in call.state.users.values():
        if user.email == email and team in user.teams:
            raise SlackRefusal("already_in_team")
    made = User(call.state.next_id("U"), team, email.partition("@")[0], "", email)
    made.real_name = call.text("real_name") or made.name
    made.is_guest = call.flag("is_restricted") or call.flag("is_ultra_restricted")
    call.state.users[made.id] = made
    _join(call, made, team)
    return {}


def reset_sessions(call: Call) -> Answer:
    user = _user(call)
    if user.is_bot:
        raise SlackRefusal("cannot_reset_bot")
    if call.flag("mobile_only") and call.flag("web_only"):
        raise SlackRefusal("invalid_arguments")
    call.state.grid.sessions = [
        one
        for one in call.state.grid.sessions
        if one.user != user.id
        or (call.flag("mobile_only") and not one.mobile)
        or (call.flag("web_only") and one.mobile)
    ]
    return {}


def sessions(call: Call) -> Answer:
    user, team = call.text("user_id"), call.text("team_id")
    if user and not team:
        raise SlackRefusal("missing_team")
    if team and not user:
        raise SlackRefusal("missing_user")
    found = [
        {
            "user_id": one.user,
            "team_id": one.team,
            "session_id": one.id,
            "created": 1_700_000_000,
        }
        for one in call.state.grid.sessions
        if not user or (one.user, one.team) == (user, team)
    ]
    page, cursor = call.page(found, 1000, 1000)
    return {"active_sessions": page, "response_metadata": {"next_cursor": cursor}}


def invalidate(call: Call) -> Answer:
    user, session = _user(call), int(call.args["session_id"])
    for one in call.state.grid.sessions:
        if (one.id, one.user) == (session, user.id):
            call.state.grid.sessions.remove(one)
            return {}
    raise SlackRefusal("session_not_found")


def _user(call: Call) -> User:
    user = call.state.user(call.text("user_id"))
    if not set(user.teams) & set(call.state.grid.teams):
        raise SlackRefusal("user_not_found")
    return user


def _join(call: Call, user: User, team: str) -> None:
    for id_ in call.words("channel_ids"):
        channel = call.state.channels.get(id_)
        if channel and team in channel.everywhere:
            conversations.enter(call.state, channel, user.id)
    call.state.publish("user", team, user=user.id)


def _shown(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "username": user.name,
        "full_name": user.real_name,
        "is_active": not user.deleted,
        "is_admin": user.is_admin,
        "is_owner": user.is_owner,
        "is_primary_owner": False,
        "is_restricted": user.is_guest,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "expiration_ts": 0,
        "date_created": 1_700_000_000,
        "has_2fa": False,
        "has_sso": False,
        "workspaces": user.teams,
        "roles": [],
    }


CALLS: Mapping[str, Serve] = {
    "admin.users.list": listing,
    "admin.users.assign": assign,
    "admin.users.remove": remove,
    "admin.users.invite": invite,
    "admin.users.session.reset": reset_sessions,
    "admin.users.session.list": sessions,
    "admin.users.session.invalidate": invalidate,
}
