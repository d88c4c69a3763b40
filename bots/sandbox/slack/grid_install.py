"""Installing the app in a whole organisation, and letting it into workspaces."""

from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import grid_seed, seed
from bots.sandbox.slack.call import Answer, Call
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import Installation
from bots.sandbox.slack.state import SlackState


def install(state: SlackState, user: str, scope: str) -> Answer:
    """
    Answer like oauth.v2.access does for an organisation.

    The app is in none of its workspaces yet; installations that these had are
    replaced by the organisation's.
    """
    if not state.grid.on:
        raise SlackRefusal("team_not_found")
    for team in state.grid.teams:
        state.installations.pop(team, None)
    state.grid.installed, state.grid.granted = True, []
    state.publish("install", grid_seed.ORG, active=True)
    return _granted(state, user, scope, state.grid.issue())


def refresh(call: Call) -> Answer:
    """grant_type=refresh_token: the next pair of tokens."""
    tokens = call.state.grid.refreshed(call.text("refresh_token"))
    return _granted(call.state, grid_seed.ADMIN, "", tokens)


def uninstall(state: SlackState) -> None:
    """Take the app out of the organisation; it hears of it once."""
    if not state.grid.installed:
        raise SlackRefusal("team_not_found")
    bot = [seed.installations()[0].bot_user]
    stamp = {"event_ts": state.next_ts()}
    revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": bot}}
    state.emit(grid_seed.ORG, revoked | stamp)
    state.emit(grid_seed.ORG, {"type": "app_uninstalled"} | stamp)
    for team in state.grid.granted:
        state.installations.pop(team, None)
    state.grid.installed, state.grid.granted = False, []
    state.grid.forget_tokens()
    state.publish("install", grid_seed.ORG, active=False)


def grant(state: SlackState, teams: list[str]) -> None:
    """Let the organisation's app into workspaces, as an Org Admin does."""
    _installed(state, teams)
    for team in teams:
        if team not in state.grid.granted:
            state.grid.granted.append(team)
        state.installations[team] = _org_bot(team)
    _tell(state, "team_access_granted", teams)


def withdraw(state: SlackState, teams: list[str]) -> None:
    """Take the organisation's app out of workspaces again."""
    _installed(state, teams)
    for team in teams:
        if team in state.grid.granted:
            state.grid.granted.remove(team)
            del state.installations[team]
    _tell(state, "team_access_revoked", teams)


def caller(
    state: SlackState, args: Mapping[str, Any], *, needs_team: bool
) -> Installation:
    """
    Return the organisation's app in the workspace that a call is about.

    That is the one named by `team_id`, or one that sees the channel.
    """
    team = str(args.get("team_id") or "")
    if not team and needs_team:
        raise SlackRefusal("missing_argument")
    if team and team not in state.grid.teams:
        raise SlackRefusal("team_not_found")
    seen = [team] if team else _seen_by(state, str(args.get("channel") or ""))
    for one in seen:
        if one in state.grid.granted:
            return state.installations[one]
    if seen:
        raise SlackRefusal("team_access_not_granted")
    granted = state.grid.granted
    return state.installations[granted[0]] if granted else _org_bot("")


def teams_list(call: Call) -> Answer:
    """auth.teams.list: where the token may be used."""
    teams = [call.me.team] if call.me.team else []
    if call.me.enterprise:
        teams = list(call.state.grid.granted)
    page, cursor = call.page(teams, 100, 1000)
    shown = [{"id": team, "name": call.state.workspace(team).name} for team in page]
    return {"teams": shown, "response_metadata": {"next_cursor": cursor}}


def org_installation(state: SlackState) -> Installation | None:
    """Return the app as events of the whole organisation reach it."""
    return _org_bot("") if state.grid.installed and state.grid.on else None


def _seen_by(state: SlackState, channel: str) -> list[str]:
    known = state.channels.get(channel)
    if known is None:
        return []
    return [team for team in known.everywhere if team in state.grid.teams]


def _org_bot(team: str) -> Installation:
    bot = seed.installations()[0]
    token = grid_seed.ORG_BOT_TOKEN
    return Installation(team, bot.bot_user, bot.bot_id, token, enterprise=grid_seed.ORG)


def _installed(state: SlackState, teams: list[str]) -> None:
    if not state.grid.installed:
        raise SlackRefusal("app_not_installed_on_org")
    if not set(teams) <= set(state.grid.teams):
        raise SlackRefusal("team_not_found")


def _tell(state: SlackState, kind: str, teams: list[str]) -> None:
    event = {"type": kind, "team_ids": teams, "event_ts": state.next_ts()}
    state.emit(grid_seed.ORG, event)
    state.publish("install", grid_seed.ORG, active=True)


def _granted(
    state: SlackState, user: str, scope: str, tokens: tuple[str, str, float]
) -> Answer:
    token, refresh_token, seconds = tokens
    rotating: Answer = {}
    if refresh_token:
        rotating = {"refresh_token": refresh_token, "expires_in": int(seconds)}
    return {
        "app_id": seed.APP_ID,
        "authed_user": {"id": user},
        "scope": scope or ",".join(state.setting("scopes")),
        "token_type": "bot",
        "access_token": token,
        **rotating,
        "bot_user_id": seed.installations()[0].bot_user,
        "team": None,
        "enterprise": {"id": grid_seed.ORG, "name": grid_seed.ORG_NAME},
        "is_enterprise_install": True,
    }
