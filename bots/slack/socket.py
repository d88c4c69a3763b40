"""Take events in over Slack's Socket Mode, where Slack may not call in."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import ClientError
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.clients import quiet
from bridge.errors import ServiceUnavailable

_CONNECT_WITHIN = 30.0
_CLOSE_WITHIN = 10.0


@dataclass(slots=True)
class SlackSocket:
    """
    Runs the same Bolt app as HTTP does, so that one intake serves both.

    What is answered with anything but 200 is not acknowledged: Slack sends it again.
    """

    app: AsyncApp
    app_token: str = field(repr=False)
    api_url: str
    _handler: AsyncSocketModeHandler = field(init=False)

    async def start(self) -> None:
        """Connect, and stay connected until `aclose`; raises `ServiceUnavailable`."""
        self._handler = AsyncSocketModeHandler(
            self.app,
            self.app_token,
            logger=quiet(),
            web_client=AsyncWebClient(
                base_url=self.api_url, logger=quiet(), retry_handlers=[]
            ),
        )
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                await self._handler.connect_async()  # type: ignore[no-untyped-call]
        except (ClientError, OSError, SlackClientError, TimeoutError):
            await self.aclose()
            raise ServiceUnavailable("Slack's Socket Mode cannot be reached.") from None

    async def aclose(self) -> None:
        async with asyncio.timeout(_CLOSE_WITHIN):
            await self._handler.close_async()  # type: ignore[no-untyped-call]
