"""Send records as Work Objects too, where an admin wants that and Slack takes them."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.slack.clients import SlackRefused, done
from bots.slack.payload import string
from bots.slack.record_objects import Part

log = structlog.get_logger()

_REST = 600.0  # seconds until a workspace that refused them is asked again

# Slack does not have the feature there, or does not understand our objects. In each of
# these cases it did nothing of what it was asked.
REFUSALS = frozenset(
    {
        "error_processing_metadata",
        "feature_not_enabled",
        "invalid_arguments",
        "invalid_metadata",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
    }
)

Call = Callable[[list[Part]], Awaitable[AsyncSlackResponse]]


@dataclass(slots=True)
class WorkObjects:
    """
    Says whether objects are sent along with cards, and lets cards stand without them.

    `clock` is in seconds. The same call is made without objects where Slack refuses
    them; what stood there before goes by that, as each call replaces it.
    """

    on: bool = False
    clock: Callable[[], float] = time.monotonic
    _refused: dict[str, float] = field(default_factory=dict)

    async def sent(
        self, team: str, objects: list[Part], call: Call
    ) -> Mapping[str, Any]:
        """Return Slack's answer, as `bots.slack.clients.done` does."""
        if not (self.on and objects and self._takes(team)):
            return await done(call([]))
        try:
            answer = await done(call(objects))
        except SlackRefused as refused:
            if refused.code not in REFUSALS:
                raise
            self._refused[team] = self.clock()
            log.warning("work objects refused", platform="slack", reason=refused.code)
            return await done(call([]))
        if "metadata" in (warning := string(answer, "warning")):
            # The card stands; Slack left its objects out.
            log.warning("work objects dropped", platform="slack", reason=warning)
        return answer

    def _takes(self, team: str) -> bool:
        since = self._refused.get(team)
        return since is None or self.clock() - since >= _REST
