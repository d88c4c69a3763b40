"""What lies in the sandbox, for the page to show: pictures to see, the rest to fetch."""

from urllib.parse import quote

from aiohttp import web

from bots.sandbox.world import World

# Nothing that a browser would run; everything else is for the disk.
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def served(world: World, side: str, wanted: str) -> web.Response:
    """Answer with a file's bytes, whoever asks: this is nobody's real data."""
    found = (_in_slack if side == "slack" else _in_teams)(world, wanted)
    if found is None:
        raise web.HTTPNotFound
    content, kind, name = found
    shown = kind in _SHOWN
    how = "inline" if shown else "attachment"
    return web.Response(
        body=content,
        content_type=kind if shown else "application/octet-stream",
        headers={
            "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _in_slack(world: World, wanted: str) -> tuple[bytes, str, str] | None:
    file = world.slack.files.get(wanted)
    if file is None or file.deleted or file.content is None:
        return None
    return file.content, file.mimetype, file.name


def _in_teams(world: World, wanted: str) -> tuple[bytes, str, str] | None:
    file = world.teams.files.get(wanted)
    return (file.content, file.media_type, file.name) if file else None
