"""Whose token a call carries, and whether it may call the method."""

from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import grid_install, grid_seed, seed
from bots.sandbox.slack.errors import SlackRefusal, missing_scope
from bots.sandbox.slack.methods import Method
from bots.sandbox.slack.model import Installation
from bots.sandbox.slack.state import SlackState

_OPEN = frozenset({"api.test", "oauth.v2.access"})
_ANY_TOKEN = frozenset({"auth.test"})
# What an organisation's token must say the workspace for.
_NEEDS_TEAM = frozenset(
    {
        "bots.info",
        "conversations.create",
        "conversations.list",
        "reactions.list",
        "usergroups.list",
        "usergroups.users.list",
        "users.conversations",
        "users.list",
    }
)


def caller_of(
    state: SlackState, method: Method, token: str, args: Mapping[str, Any]
) -> Installation | None:
    """Return who calls; None for methods and tokens that are nobody's in particular."""
    if method.name in _OPEN:
        return None
    if not token:
        raise SlackRefusal("not_authed")
    if token == seed.APP_TOKEN:
        if not method.app and method.name not in _ANY_TOKEN:
            raise SlackRefusal("not_allowed_token_type")
        return None
    if token in {grid_seed.ADMIN_TOKEN, grid_seed.WORKSPACE_USER_TOKEN}:
        return _person(state, method, token, args)
    return _bot(state, method, token, args)


def _bot(
    state: SlackState, method: Method, token: str, args: Mapping[str, Any]
) -> Installation:
    known = _bot_of(state, method, token, args)
    if not known.active:
        raise SlackRefusal("account_inactive")
    if method.app or method.for_admins:
        raise SlackRefusal("not_allowed_token_type")
    _need(method.bot, state.setting("scopes"))
    return known


def _bot_of(
    state: SlackState, method: Method, token: str, args: Mapping[str, Any]
) -> Installation:
    if state.grid.is_token(token):
        if state.grid.expired(token):
            raise SlackRefusal("token_expired")
        needs_team = method.name in _NEEDS_TEAM
        return grid_install.caller(state, args, needs_team=needs_team)
    known = state.by_token(token)
    if known is None or known.enterprise:
        raise SlackRefusal("invalid_auth")
    return known


def _person(
    state: SlackState, method: Method, token: str, args: Mapping[str, Any]
) -> Installation:
    """A person's token: the organisation's app acts as whoever installed it."""
    if not state.grid.on and token == grid_seed.ADMIN_TOKEN:
        raise SlackRefusal("invalid_auth")
    user = state.user(grid_seed.ADMIN)
    if user.deleted:
        raise SlackRefusal(state.setting("deactivated_error"))
    if method.app or (not method.user and method.bot):
        raise SlackRefusal("not_allowed_token_type")
    _need(method.user, state.setting("admin_scopes"))
    if token == grid_seed.WORKSPACE_USER_TOKEN:
        if method.for_admins:
            raise SlackRefusal(state.setting("off_org_error"))
        return Installation(user.team, user.id, "", token)
    if method.for_admins and not user.is_org_admin:
        raise SlackRefusal("not_an_admin")
    channel = state.channels.get(str(args.get("channel") or ""))
    team = str(args.get("team_id") or "") or (channel.team if channel else "")
    return Installation(team, user.id, "", token, enterprise=grid_seed.ORG)


def _need(wanted: tuple[str, ...], scopes: list[str]) -> None:
    if wanted and not set(wanted) & set(scopes):
        raise missing_scope(",".join(wanted), scopes)
