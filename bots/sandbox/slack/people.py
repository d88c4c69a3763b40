"""Methods about people, reactions and the workspace itself."""

from collections.abc import Mapping

from bots.sandbox.slack import grid_seed, messages, seed
from bots.sandbox.slack.audience import setting_of
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.chat import bot_profile
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.events import authorization, stored
from bots.sandbox.slack.model import Channel, Message, User, Usergroup


def user_info(call: Call) -> Answer:
    return {"user": _user(call, call.text("user"))}


def user_list(call: Call) -> Answer:
    people = [one for one in call.state.users.values() if call.me.team in one.teams]
    page, cursor = call.page(people, 1000, 1000)
    return {
        "members": [_shown(call, one) for one in page],
        "cache_ts": 1_700_000_000,
        "response_metadata": {"next_cursor": cursor},
    }


def user_by_email(call: Call) -> Answer:
    email = call.text("email").lower()
    for user in call.state.users.values():
        here = call.me.team in user.teams
        if here and user.email == email and not user.deleted:
            return {"user": _shown(call, user)}
    raise SlackRefusal("users_not_found")


def user_profile(call: Call) -> Answer:
    shown = _user(call, call.text("user") or call.me.bot_user)
    return {"profile": shown["profile"]}


def usergroups(call: Call) -> Answer:
    groups = [one for one in call.state.usergroups.values() if one.team == call.me.team]
    with_users = call.flag("include_users")
    return {"usergroups": [_group(one, with_users=with_users) for one in groups]}


def usergroup_users(call: Call) -> Answer:
    return {"users": call.state.usergroup(call.text("usergroup")).users}


def react(call: Call) -> Answer:
    channel, message = _reacted_to(call)
    messages.react(call.state, channel, message, call.me.bot_user, call.text("name"))
    return {}


def unreact(call: Call) -> Answer:
    channel, message = _reacted_to(call)
    messages.unreact(call.state, channel, message, call.me.bot_user, call.text("name"))
    return {}


def reactions(call: Call) -> Answer:
    channel, message = _reacted_to(call)
    return {"type": "message", "channel": channel.id, "message": stored(message)}


def emoji(call: Call) -> Answer:
    custom = call.state.workspace(call.me.team).emoji
    return {"emoji": custom, "cache_ts": "1700000000.000000"}


def team(call: Call) -> Answer:
    asked = call.text("team") or call.me.team
    if asked != call.me.team and asked not in _connected(call):
        raise SlackRefusal("team_not_found")
    workspace = call.state.workspace(asked)
    return {
        "team": {
            "id": workspace.id,
            "name": workspace.name,
            "domain": workspace.domain,
            "email_domain": f"{workspace.domain}.example",
            "url": f"https://{workspace.domain}.slack.com/",
            "icon": {"image_default": True},
        }
    }


def bot(call: Call) -> Answer:
    asked = call.text("bot") or call.me.bot_id
    if asked != call.me.bot_id:
        raise SlackRefusal("bot_not_found")
    return {"bot": bot_profile(call.me)}


def auth_test(call: Call) -> Answer:
    if call.caller is None:
        return {"app_name": seed.APP_NAME, "app_id": seed.APP_ID}
    if not call.me.team:
        return _as_organisation(call)
    workspace = call.state.workspace(call.me.team)
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": call.state.user(call.me.bot_user).name,
        "team_id": workspace.id,
        "user_id": call.me.bot_user,
        **({"bot_id": call.me.bot_id} if call.me.bot_id else {}),
        **_enterprise(call, workspace.id),
    }


def _as_organisation(call: Call) -> Answer:
    return {
        "url": "https://acme.enterprise.slack.com/",
        "team": grid_seed.ORG_NAME,
        "user": call.state.user(call.me.bot_user).name,
        "team_id": grid_seed.ORG,
        "user_id": call.me.bot_user,
        "bot_id": call.me.bot_id,
        "enterprise_id": grid_seed.ORG,
        "is_enterprise_install": True,
    }


def _enterprise(call: Call, team: str) -> Answer:
    enterprise = call.state.grid.enterprise_of(team)
    named: Answer = {"enterprise_id": enterprise} if enterprise else {}
    return named | {"is_enterprise_install": bool(call.me.enterprise)}


def authorizations(call: Call) -> Answer:
    state = call.state
    active = [one for one in state.installations.values() if one.active]
    return {
        "authorizations": [
            authorization(one, setting_of(state, one, None)) for one in active
        ]
    }


def _user(call: Call, user: str) -> Answer:
    found = call.state.user(user)
    known = {call.me.team, *call.state.grid.teams} if call.me.enterprise else set()
    if call.me.team in found.teams or found.team in known:
        return _shown(call, found)
    if _met(call, found):
        # Of people in a shared channel the other company sees no more than this.
        if not call.state.setting("strangers_are_visible"):
            raise SlackRefusal("user_not_visible")
        shown = _shown(call, found) | {"is_stranger": True}
        shown["profile"].pop("email", None)
        return shown
    raise SlackRefusal("user_not_found")


def _met(call: Call, user: User) -> bool:
    """Say whether somebody of another company shares a Slack Connect channel."""
    return any(
        call.me.team in channel.everywhere and user.id in channel.members
        for channel in call.state.channels.values()
        if channel.connected
    )


def _connected(call: Call) -> set[str]:
    """The companies with which the app's workspace shares channels."""
    shared = (one.everywhere for one in call.state.channels.values() if one.connected)
    return {team for teams in shared if call.me.team in teams for team in teams}


def _shown(call: Call, user: User) -> Answer:
    shown = user.wire(call.base)
    if "users:read.email" not in call.state.setting("scopes"):
        shown["profile"].pop("email", None)
    enterprise = call.state.grid.enterprise_of(user.team)
    if enterprise:
        shown["enterprise_user"] = {
            "id": user.id,
            "enterprise_id": enterprise,
            "enterprise_name": grid_seed.ORG_NAME,
            "is_admin": user.is_org_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "teams": user.teams,
        }
    if call.flag("include_locale"):
        shown["locale"] = "en-US"
    return shown


def _group(group: Usergroup, *, with_users: bool) -> Answer:
    shown: Answer = {
        "id": group.id,
        "team_id": group.team,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_delete": 0,
        "user_count": len(group.users),
    }
    return shown | ({"users": group.users} if with_users else {})


def _reacted_to(call: Call) -> tuple[Channel, Message]:
    if not call.text("channel") or not call.text("timestamp"):
        raise SlackRefusal("no_item_specified")
    channel = call.channel()
    return channel, call.state.message(channel, call.text("timestamp"))


CALLS: Mapping[str, Serve] = {
    "users.info": user_info,
    "users.list": user_list,
    "users.lookupByEmail": user_by_email,
    "users.profile.get": user_profile,
    "usergroups.list": usergroups,
    "usergroups.users.list": usergroup_users,
    "reactions.add": react,
    "reactions.remove": unreact,
    "reactions.get": reactions,
    "emoji.list": emoji,
    "team.info": team,
    "bots.info": bot,
    "auth.test": auth_test,
    "apps.event.authorizations.list": authorizations,
}
