"""Who may change links: for now, who administers the workspace or the team."""

from collections.abc import Mapping

from bots.commands.base import Request, spoken
from bridge.errors import NotAllowed, ServiceUnavailable
from bridge.messages import Platform
from bridge.ports import Rights

_ADMINS = {
    Platform.SLACK: "admins and owners of this workspace",
    Platform.TEAMS: "owners of this team",
}


async def only_admins(rights: Mapping[Platform, Rights], request: Request) -> None:
    """Raise `NotAllowed` unless the asker administers this channel; unknown denies."""
    platform = request.channel.platform
    try:
        allowed = await rights[platform].is_admin(request.person, request.channel)
    except ServiceUnavailable as error:
        raise ServiceUnavailable(
            f"Whether you are an admin here is not known now: {error}"
        ) from error
    if not allowed:
        line = spoken(platform, request.command)
        raise NotAllowed(f"`{line}` is for {_ADMINS[platform]}.")
