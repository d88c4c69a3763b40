"""Holds over people in Slack, made in Slack's organisation as well."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bridge.legal_holds import LegalHold
from bridge.organisation_log import GridHold, LegalHolds
from storage.compliance.acts import Act, Acts

_SLACK = "slack:"


@dataclass(frozen=True, slots=True)
class HoldMirror:
    """
    Brings the organisation's holds into line with ATOM's.

    Slack's cover people whole: one that ATOM narrows to channels, words or dates
    keeps more there. A hold over nobody in Slack is ATOM's alone.
    """

    holds: Callable[[str], Awaitable[Sequence[LegalHold]]]
    acts: Acts
    clock: Callable[[], int]

    async def mirror(self, tenant: str, grid: LegalHolds) -> int:
        """Make, widen and release what is due; returns how many were changed."""
        wanted = [hold for hold in await self.holds(tenant) if people_of(hold)]
        if not wanted:
            return 0
        standing = {one.name: one for one in await grid.all()}
        changed = 0
        for hold in wanted:
            there = standing.get(name_of(hold))
            changed += await self._follow(tenant, grid, hold, there)
        return changed

    async def _follow(
        self, tenant: str, grid: LegalHolds, hold: LegalHold, there: GridHold | None
    ) -> bool:
        name, people = name_of(hold), people_of(hold)
        ended = hold.matter.released_us and hold.matter.until_us <= self.clock()
        if ended:
            if there is None or not there.active:
                return False
            await self._note(tenant, hold, people, "release")
            await grid.release(there.id)
            return True
        if there and {*people} <= {*there.people}:
            return False
        await self._note(tenant, hold, people, "hold")
        await grid.create(name, f"made by ATOM for hold {hold.matter.id}", people)
        return True

    async def _note(
        self, tenant: str, hold: LegalHold, people: list[str], what: str
    ) -> None:
        """Say what is about to be done, once: a repetition is the same wish."""
        digest = sha256("\n".join(people).encode()).hexdigest()[:32]
        act = Act(
            tenant,
            "grid.hold",
            "atom",
            f"about to {what} {len(people)} people in Slack for hold {hold.matter.id}",
            {"hold": hold.matter.id, "what": what, "people": people},
        )
        await self.acts.note(act, key=f"grid.mirror:{hold.matter.id}:{what}:{digest}")


def name_of(hold: LegalHold) -> str:
    """Return how Slack's organisation calls a hold of ATOM's."""
    return f"ATOM {hold.matter.id}"


def people_of(hold: LegalHold) -> list[str]:
    """Return the Slack ids of the people a hold is over, sorted."""
    named = {person for scope in hold.scopes for person in scope.people}
    return sorted(p.rpartition("/")[2] for p in named if p.startswith(_SLACK))
