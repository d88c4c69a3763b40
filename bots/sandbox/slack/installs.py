"""Methods that install and remove the app, and open its socket."""

from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import grid_install, grid_seed, seed
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.state import SlackState
from bots.sandbox.slack.tickets import NoSuchTicket, TicketExpired, TicketUsed


def exchange(call: Call) -> Answer:
    """Give a token for a code that the authorize page gave out."""
    if call.text("client_id") != seed.CLIENT_ID:
        raise SlackRefusal("invalid_client_id")
    if call.text("client_secret") != seed.CLIENT_SECRET:
        raise SlackRefusal("bad_client_secret")
    if call.text("grant_type") == "refresh_token":
        return grid_install.refresh(call)
    if call.text("grant_type") not in {"", "authorization_code"}:
        raise SlackRefusal("invalid_grant_type")
    try:
        grant = call.state.tickets.redeem("code", call.text("code"))
    except (NoSuchTicket, TicketExpired, TicketUsed):
        raise SlackRefusal("invalid_code") from None
    if grant["redirect_uri"] and call.text("redirect_uri") != grant["redirect_uri"]:
        raise SlackRefusal("bad_redirect_uri")
    if grant["team"] == grid_seed.ORG:
        return grid_install.install(call.state, grant["user"], grant["scope"])
    return _granted(call.state, grant["team"], grant["user"], grant["scope"])


def connect(call: Call) -> Answer:
    """Give out the address of a socket."""
    ticket = call.state.tickets.issue("socket", seed.APP_ID, seconds=60.0)
    base = call.base.replace("http", "ws", 1)
    return {"url": f"{base}/slack/socket?ticket={ticket}&app_id={seed.APP_ID}"}


def revoke(call: Call) -> Answer:
    if call.flag("test"):
        return {"revoked": False}
    uninstall(call.state, call.me.enterprise or call.me.team)
    return {"revoked": True}


def echo(call: Call) -> Answer:
    """api.test: says what it was told, and fails on request."""
    if call.text("error"):
        raise SlackRefusal(call.text("error"), args=dict(call.args))
    return {"args": dict(call.args)}


def install(state: SlackState, team: str) -> None:
    """Put the app into a workspace, as the seed has it."""
    known = state.installations.get(team)
    if known is not None and known.enterprise:
        raise SlackRefusal("cannot_install_an_org_installed_app")
    if known is None:
        raise SlackRefusal("team_not_found")
    known.active = True
    state.publish("install", team, active=True)


def uninstall(state: SlackState, team: str) -> None:
    """Take the app out; it hears of it, and its token is dead."""
    if team == grid_seed.ORG:
        grid_install.uninstall(state)
        return
    known = state.installations.get(team)
    if known is None:
        raise SlackRefusal("team_not_found")
    for kind in ("tokens_revoked", "app_uninstalled"):
        event: dict[str, Any] = {"type": kind, "event_ts": state.next_ts()}
        if kind == "tokens_revoked":
            event |= {"tokens": {"oauth": [], "bot": [known.bot_user]}}
        state.emit(team, event)
    known.active = False
    state.publish("install", team, active=False)


def _granted(state: SlackState, team: str, user: str, scope: str) -> Answer:
    install(state, team)
    known = state.installations[team]
    return {
        "app_id": seed.APP_ID,
        "authed_user": {"id": user},
        "scope": scope or ",".join(state.setting("scopes")),
        "token_type": "bot",
        "access_token": known.token,
        "bot_user_id": known.bot_user,
        "team": {"id": team, "name": state.workspace(team).name},
        "enterprise": _enterprise(state, team),
        "is_enterprise_install": False,
    }


def _enterprise(state: SlackState, team: str) -> Answer | None:
    enterprise = state.grid.enterprise_of(team)
    return {"id": enterprise, "name": grid_seed.ORG_NAME} if enterprise else None


CALLS: Mapping[str, Serve] = {
    "oauth.v2.access": exchange,
    "apps.connections.open": connect,
    "auth.revoke": revoke,
    "api.test": echo,
    "auth.teams.list": grid_install.teams_list,
}
