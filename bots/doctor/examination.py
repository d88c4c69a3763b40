"""
Look at everything ATOM needs, from the settings to the platforms, and say what is
wrong with it and how to fix it. Nothing is changed.
"""

import asyncio
from collections.abc import Coroutine, Sequence

from bots.doctor.directory import directory
from bots.doctor.findings import Finding, bad, good
from bots.doctor.local import (
    clamd,
    config_file,
    database,
    key_files,
    redis,
    spool,
    strays,
)
from bots.doctor.records import records
from bots.doctor.slack import slack
from bots.doctor.teams import teams
from bots.settings import Settings
from bots.settings_sources import config_path, read_settings
from bridge.errors import BadInput

_LIMIT = 30.0


async def examine() -> list[Finding]:
    """Check everything that can be checked; what hangs is given up."""
    try:
        settings = read_settings()
    except BadInput as error:
        return [bad("settings", str(error), f"set it in {config_path()}"), *strays()]
    return [good("settings", _summary(settings)), *await _rest(settings)]


async def _rest(settings: Settings) -> list[Finding]:
    checks = (
        _limited("database", database(settings)),
        _limited("redis", redis(settings)),
        _limited("clamd", clamd(settings)),
        _limited("slack", slack(settings.slack)),
        _limited("teams", teams(settings.teams)),
        _limited("directory", directory(settings.directory)),
        _limited("records", records(settings)),
    )
    groups = await asyncio.gather(*checks)
    local = [
        *strays(),
        *config_file(),
        *key_files(settings),
        *spool(settings),
    ]
    return [*local, *(finding for group in groups for finding in group)]


async def _limited(
    what: str, check: Coroutine[None, None, Sequence[Finding]]
) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(_LIMIT):
            return await check
    except TimeoutError:
        return [bad(what, f"no answer within {_LIMIT:.0f} s", "look at the network")]


def _summary(settings: Settings) -> str:
    sides = {"Slack": settings.slack, "Teams": settings.teams}
    on = [name for name, side in sides.items() if side]
    return f"{' and '.join(on) or 'no platform'} on {settings.host}:{settings.port}"
