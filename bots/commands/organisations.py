"""Which organisation a request is about, and whether the asker may manage it."""

from collections.abc import Mapping
from dataclasses import dataclass

from bots.commands.base import Request, spoken
from bots.commands.steward import Steward
from bridge.errors import NotAllowed, Refused, ServiceUnavailable
from bridge.messages import Platform
from bridge.workspaces import Administration, AuditLog

SET_UP: Mapping[Platform, str] = {
    Platform.SLACK: (
        "Workspaces are not managed here yet: set ATOM_SLACK_ADMIN_TOKEN to the admin "
        "app's user token"
    ),
    Platform.TEAMS: (
        "Workspaces are not managed here yet: set ATOM_TEAMS_ADMIN_APP_ID and "
        "ATOM_TEAMS_ADMIN_APP_PASSWORD to the admin app's"
    ),
}


@dataclass(frozen=True, slots=True)
class Organisations:
    """What can be managed on each platform, and where it is written down."""

    administrations: Mapping[Platform, Administration]
    audit: AuditLog

    def steward(self, tenant: str, platform: Platform, actor: str) -> Steward:
        """Return who does the work. Raises `Refused` where nothing is set up."""
        known = self.administrations.get(platform)
        if known is None:
            raise Refused(f"{SET_UP[platform]}.")
        return Steward(known, self.audit, tenant, platform, actor)

    async def steward_for(self, request: Request) -> Steward:
        """Return who works for the asker. Raises `NotAllowed`; unknown denies."""
        platform = request.channel.platform
        steward = self.steward(request.tenant, platform, request.actor)
        organisation = steward.administration.organisation
        try:
            allowed = await organisation.may_manage(request.person, request.channel)
        except ServiceUnavailable as error:
            raise ServiceUnavailable(
                f"Whether you administer the organisation is not known now: {error}"
            ) from error
        if not allowed:
            line = spoken(platform, request.command)
            raise NotAllowed(f"`{line}` is for admins of the whole organisation.")
        return steward
