"""
What is written after its author was to be erased, and was said before.

It was on its way in that moment, waited on a disk, was read from the platform again,
or is imported; or it is a copy or a file of theirs that was being fetched or sent.
Written, it would be sealed with a key that the erasure never saw. So it is left out,
and the log says that something was. While a legal hold is on, nothing is left out: the
log says that the erasure has to be asked for again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.compliance import Holds
from storage.compliance.acts import Act, Acts
from storage.compliance.erasure.certificates import committed, salt_of
from storage.compliance.keys import Keyring
from storage.hot import Statement
from storage.writes import Said


@dataclass(frozen=True, slots=True)
class Late:
    """Looks for erasures that something should have been part of."""

    ring: Keyring
    acts: Acts
    holds: Holds

    async def left_out(self, tenant: str, said: Said) -> bool:
        """Whether it must not be written; that it came is on record then."""
        since = await self._asked_since(tenant, said.at_us)
        if not since:
            return False
        secret = (await self.ring.company(tenant)).secret("erasure")
        for id_, commitment in since.items():
            if committed(salt_of(secret, id_), said.subject) == commitment:
                held = bool(await self.holds.active(tenant))
                await self._note(tenant, id_, said, held=held)
                return not held
        return False

    async def _asked_since(self, tenant: str, said_us: int) -> Mapping[str, str]:
        rows = await self.ring.store.fetch(
            Statement(
                "SELECT id, person FROM erasure WHERE tenant = :tenant "
                "AND requested_us >= :said AND person <> '' ORDER BY requested_us, id",
                {"tenant": tenant, "said": said_us},
                brief=True,
            )
        )
        return dict(rows)

    async def _note(self, tenant: str, id_: str, said: Said, *, held: bool) -> None:
        """Say it once, and nothing of who it was or what they said."""
        fate = "is kept: a hold is on, ask for it again" if held else "is left out"
        text = f"what came late of erasure {id_} {fate}"
        detail = {"erasure": id_, "via": said.via, "kept": held}
        act = Act(tenant, "erasure.late", "atom", text, detail)
        await self.acts.note(act, key=f"erasure.late:{id_}:{held:d}:{said.key}")
