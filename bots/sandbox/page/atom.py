"""What the page knows of ATOM itself, and the one thing that it may do to it."""

import re
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bots.sandbox.world import World

_ANSWER_WITHIN = 3.0  # seconds
_WAITING = re.compile(r"^atom_deliveries_queued ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AtomAtWork:
    """Serves `/sandbox/atom`."""

    world: World
    session: ClientSession

    async def state(self) -> web.Response:
        """Say how many deliveries wait (null: ATOM does not say), and what may be done."""
        return web.json_response(
            {
                "waiting": await self._waiting(),
                "can_kill": self.world.kill_atom is not None,
            },
            headers={"Cache-Control": "no-store"},
        )

    def kill(self) -> web.Response:
        """End ATOM as a crash would."""
        if self.world.kill_atom is None:
            return _refused("nobody here can end ATOM", web.HTTPNotFound.status_code)
        if not self.world.kill_atom():
            return _refused("ATOM is not running", web.HTTPConflict.status_code)
        return web.json_response({"ok": True})

    async def _waiting(self) -> int | None:
        atom = str(self.world.settings.get("atom_url")).rstrip("/")
        if not atom:
            return None
        timeout = ClientTimeout(total=_ANSWER_WITHIN)
        try:
            async with self.session.get(f"{atom}/metrics", timeout=timeout) as answer:
                found = _WAITING.search(await answer.text())
        except (ClientError, TimeoutError, OSError):
            return None
        return int(float(found[1])) if found else None


def _refused(reason: str, status: int) -> web.Response:
    return web.json_response({"ok": False, "error": reason}, status=status)
