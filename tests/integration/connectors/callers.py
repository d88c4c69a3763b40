"""Call a stand-in as one of its people."""

from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from connectors.sandbox.stand_in import StandIn


@dataclass(frozen=True)
class Caller:
    """Sends JSON, and gives back status and JSON (None without a body)."""

    session: ClientSession
    address: str
    stand_in: StandIn

    async def __call__(
        self, who: str, method: str, path: str, body: Any = None, **query: str
    ) -> tuple[int, Any]:
        token = self.stand_in.tokens.issue(who).access
        async with self.session.request(
            method,
            f"{self.address.rstrip('/')}{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        ) as answer:
            text = await answer.text()
            return answer.status, await answer.json() if text else None
