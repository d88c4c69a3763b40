"""
Changed settings, starts and stops are entries: whoever switches something off is seen.

A process that dies writes no stop. The start after it says how long nobody signed the
log, and until then checkpoints that do not come say the same to whoever waits for them.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from storage.compliance.acts import Act, Acts
from storage.compliance.keys import Keyring
from storage.hot import HotStore, Statement

ATOM = "atom"


@dataclass(frozen=True, slots=True)
class Watching:
    """Writes down what the operator changed, for one company at a time."""

    store: HotStore
    keys: Keyring
    acts: Acts
    clock: Callable[[], int]

    async def started(self, tenant: str, settings: Mapping[str, str]) -> list[str]:
        """
        Note a start, and which settings are others than at the last; return those.

        `settings` are values by name, secrets too: only keyed hashes of them are kept.
        """
        now, silent = self.clock(), await self.silent_us(tenant)
        old = await self._known(tenant)
        secret = (await self.keys.company(tenant)).secret("settings")
        new = {
            name: hmac.digest(secret, f"{name}={value}".encode(), "sha256").hex()
            for name, value in settings.items()
        }
        changed = sorted(n for n in {*old, *new} if old.get(n) != new.get(n))
        told = [
            {"name": name, "old": old.get(name, ""), "new": new.get(name, "")}
            for name in changed
        ]
        what = f"other settings: {', '.join(changed)}" if old and changed else ""
        await self.acts.note(
            Act(
                tenant,
                "admin.config",
                ATOM,
                f"started serving{'; ' if what else ''}{what}",
                {
                    "what": "serving",
                    "old": "stopped",
                    "new": "serving",
                    "settings": told,
                    "unsigned_us": silent,
                },
            ),
            _kept(tenant, {name[:200]: new.get(name, "") for name in changed}, now),
        )
        return changed if old else []

    async def stopped(self, tenant: str) -> None:
        """Note that nothing is taken in or signed from now on."""
        detail = {"what": "serving", "old": "serving", "new": "stopped"}
        act = Act(tenant, "admin.config", ATOM, "stopped serving", detail)
        await self.acts.note(act)

    async def silent_us(self, tenant: str) -> int:
        """Return for how long no checkpoint was signed; 0 if there never was one."""
        rows = await self.store.fetch(
            Statement(
                "SELECT max(at_us) FROM checkpoint WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        last = rows[0][0]
        return max(0, self.clock() - last) if last else 0

    async def _known(self, tenant: str) -> dict[str, str]:
        rows = await self.store.fetch(
            Statement(
                "SELECT name, digest FROM watched WHERE tenant = :tenant "
                "AND digest <> ''",
                {"tenant": tenant},
            )
        )
        return dict(rows)


def _kept(tenant: str, digests: Mapping[str, str], now_us: int) -> tuple[Statement]:
    """Keep all of them at once: at the first start it is every setting there is."""
    into = "INSERT INTO watched (tenant, name, digest, at_us) "
    again = (
        "ON CONFLICT (tenant, name) DO UPDATE SET digest = excluded.digest, "
        "at_us = excluded.at_us"
    )
    told = orjson.dumps(digests).decode()
    return (
        Statement(
            f"{into}SELECT :tenant, key, value, :now FROM json_each(:digests) "
            f"WHERE true {again}",
            {"tenant": tenant, "digests": told, "now": now_us},
            postgres=f"{into}SELECT :tenant::text, key, value, :now::bigint "
            f"FROM jsonb_each_text(:digests::text::jsonb) {again}",
        ),
    )
