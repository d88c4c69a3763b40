"""An account of a business system whose tokens a test lists."""

import asyncio
from dataclasses import dataclass, field

from bridge.records.ports import NotConnected


@dataclass
class FakeAccess:
    """
    An account whose tokens are listed: the next one is given when one is refused.

    Renewing takes a moment, so that others ask meanwhile; `renewals` counts what was
    really renewed.
    """

    account: str = "slack:U02BOB"
    tokens: list[str] = field(default_factory=lambda: ["token-1"])
    renewals: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self) -> str:
        return self.tokens[0]

    async def renewed(self, refused: str) -> str:
        async with self._lock:
            if self.tokens[0] != refused:
                return self.tokens[0]
            await asyncio.sleep(0)
            if len(self.tokens) == 1:
                raise NotConnected("connect the account again")
            self.tokens.pop(0)
            self.renewals += 1
            return self.tokens[0]
