"""What the doctor asks Slack."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import ClientError
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.doctor.findings import Finding, bad, clock, good, poor
from bots.settings import SlackSettings
from bots.slack.install import SCOPES

_TIMEOUT = 10
_FIXES: Mapping[str, str] = {
    "invalid_auth": "copy the token again from OAuth & Permissions (xoxb-…)",
    "not_authed": "copy the token again from OAuth & Permissions (xoxb-…)",
    "account_inactive": "install the app in the workspace again",
    "token_revoked": "install the app in the workspace again",
    "token_expired": "switch token rotation off, or install the app again",
    "missing_scope": "install the app again with the manifest's scopes",
}


async def slack(settings: SlackSettings | None) -> Sequence[Finding]:
    """Look at the bot token, its scopes, and the socket if there is one."""
    if settings is None:
        return [poor("slack", "switched off", "set ATOM_SLACK_… to switch it on")]
    findings: list[Finding] = []
    if settings.bot_token:
        findings += await _token(settings, settings.bot_token)
    else:
        findings.append(good("slack", "workspaces install it at /slack/install"))
    if settings.socket_mode and settings.app_token:
        findings += await _socket(settings, settings.app_token)
    return findings


async def _token(settings: SlackSettings, token: SecretStr) -> Sequence[Finding]:
    answer = await _asked(settings, token, "auth.test")
    if isinstance(answer, Finding):
        return [answer]
    headers = {name.lower(): text for name, text in answer.headers.items()}
    who = f"{answer.get('user')} in {answer.get('team')} ({answer.get('team_id')})"
    return [good("slack", who), *_scopes(headers), *clock("slack", headers.get("date"))]


def _scopes(headers: Mapping[str, str]) -> list[Finding]:
    if (granted := headers.get("x-oauth-scopes")) is None:
        return []
    missing = sorted(set(SCOPES) - {scope.strip() for scope in granted.split(",")})
    if missing:
        detail = f"missing: {', '.join(missing)}"
        return [bad("slack scopes", detail, "install the app again: docs/install.md")]
    return [good("slack scopes", "all granted")]


async def _socket(settings: SlackSettings, token: SecretStr) -> Sequence[Finding]:
    answer = await _asked(settings, token, "apps.connections.open")
    if isinstance(answer, Finding):
        fix = "make an app-level token (xapp-…) with connections:write"
        return [bad("slack socket", answer.detail, fix)]
    return [good("slack socket", "opens")]


async def _asked(
    settings: SlackSettings, token: SecretStr, method: str
) -> AsyncSlackResponse | Finding:
    client = AsyncWebClient(
        token.get_secret_value(),
        base_url=settings.api_url,
        timeout=_TIMEOUT,
        retry_handlers=[],
    )
    try:
        return await client.api_call(method)
    except SlackApiError as error:
        reason = _reason(error.response)
        fix = _FIXES.get(reason, "look the error up at docs.slack.dev")
        return bad("slack", f"{method} said {reason}", fix)
    except (ClientError, TimeoutError, OSError) as error:
        detail = f"{settings.api_url} does not answer ({type(error).__name__})"
        return bad("slack", detail, "look at the network and ATOM_SLACK_API_URL")


def _reason(response: Any) -> str:
    reason = response.get("error")
    return reason if isinstance(reason, str) else f"status {response.status_code}"
