"""Runs: steps about somebody that were planned, as they wait, are done and taken back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bridge.compliance import Officer
from bridge.directory.lifecycle import Deed, Happening, Step

# The platform tells of a removal soon after ATOM made it, or a little before by its clock.
_HEARD_WITHIN_US = 15 * 60 * 1_000_000


class RunState(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"  # for an admin's word
    READY = "ready"
    DONE = "done"
    PARTLY = "partly done"  # something failed; the reasons stand with the steps
    REFUSED = "refused"
    REVERTING = "reverting"
    REVERTED = "reverted"


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    BEGUN = "begun"  # it may have been done: every step can be done again
    DONE = "done"
    NEEDLESS = "needless"  # it was so already, so there is nothing to take back
    FAILED = "failed"
    REVERTED = "reverted"
    KEPT = "kept"  # it cannot be taken back, or may not


@dataclass(frozen=True, slots=True)
class Done:
    """How far a step is, and what there is to say about it."""

    state: StepState = StepState.PENDING
    note: str = ""
    at_us: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A plan that is kept. `progress` has as many as there are steps."""

    id: str
    tenant: str
    person: str
    name: str
    happening: Happening
    version: str
    digest: str
    state: RunState
    created_us: int
    steps: tuple[Step, ...]
    progress: tuple[Done, ...]
    notes: tuple[str, ...] = ()
    decided_by: str = ""
    decided_us: int = 0

    @property
    def open_steps(self) -> list[int]:
        """Return the numbers of the steps that are still to be done, in order."""
        to_do = {StepState.PENDING, StepState.BEGUN}
        return [n for n, done in enumerate(self.progress) if done.state in to_do]

    @property
    def steps_to_revert(self) -> list[int]:
        """Return the numbers of what was done, the last one first."""
        done = [n for n, d in enumerate(self.progress) if d.state is StepState.DONE]
        return done[::-1]


def finished(progress: Sequence[Done]) -> RunState:
    """Return how a run ended of which every step was tried."""
    failed = any(done.state is StepState.FAILED for done in progress)
    return RunState.PARTLY if failed else RunState.DONE


def left_by_choice(left_us: int, removed_us: Iterable[int]) -> bool:
    """
    Say whether somebody left a channel by themselves, or because ATOM put them out.

    `removed_us` are the moments at which ATOM put them out of it. Whoever was put out is
    let in again when they may; whoever left by choice is not.
    """
    return all(abs(left_us - moment) > _HEARD_WITHIN_US for moment in removed_us)


class Hands(Protocol):
    """
    What does steps, and takes them back.

    Every step can be done again without harm: who is in already is not added twice.
    Both raise `NotAllowed`, `Refused`, `NotFound`, `BadInput`, `Conflict` or `CannotTell`
    for what will not work later either, and other `AtomError`s for what may.
    """

    async def do(self, tenant: str, person: str, step: Step) -> StepState:
        """
        Do one step about a person and return `DONE`, or `NEEDLESS` if nothing was to do.

        It is looked again whether it still holds: nobody is added whom the policy does
        not let in at this very moment, nor put out or signed out who may be there again.
        """
        ...

    async def undo(self, tenant: str, step: Step) -> None:
        """Do the opposite of a step that was done, as far as the policy lets it be."""
        ...


class RunsDesk(Protocol):
    """
    Runs as somebody with the duty to approve sees them and decides.

    Every method raises `Refused` for whoever has not, and `NotFound`, `Conflict` or
    `NotAllowed`.
    """

    async def listed(
        self, tenant: str, officer: Officer, *, everything: bool = False
    ) -> list[Run]:
        """Return the newest runs first, those that are over only if so asked."""
        ...

    async def called(self, tenant: str, officer: Officer, run: str) -> Run:
        """Return a run by its id."""
        ...

    async def decide(
        self, tenant: str, officer: Officer, run: str, digest: str, *, agreed: bool
    ) -> Run:
        """Let a run that waits be done, or refuse it; `digest` is what was shown."""
        ...

    async def revert(self, tenant: str, officer: Officer, run: str) -> Run:
        """Have a run taken back that is over."""
        ...


def summary(steps: Sequence[Step]) -> str:
    """Return what a run does in one line: "2 remove, 1 add"."""
    counts = [(deed, sum(step.deed is deed for step in steps)) for deed in Deed]
    return ", ".join(f"{n} {deed}" for deed, n in counts if n) or "nothing"
