"""What may happen next, and how hypothesis draws it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.soak.model import Side

# How often each happens, in relation to the others.
_WEIGHTS = {
    "post": 40,
    "burst": 10,
    "upload": 12,
    "reply": 40,
    "broadcast": 6,
    "edit": 36,
    "delete": 14,
    "undelete": 8,
    "react": 36,
    "unreact": 22,
    "deliver badly": 12,
    "answer badly": 14,
    "kill": 4,
    "go deaf": 1,
    "pause": 1,
    "resume": 2,
    "relink": 1,
    "settle": 1,
}
# Twice what ends the link and makes another, with deafness while there is none and after.
_RARE = (
    "upload",
    "undelete",
    "kill",
    "relink",
    "go deaf",
    "relink",
    "upload",
    "go deaf",
    "broadcast",
    "undelete",
)
_ACTIONS = [action for action, weight in _WEIGHTS.items() for _ in range(weight)]
_MANY = 1 << 16


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. The numbers choose among what there is by then."""

    action: str
    side: Side
    which: int
    detail: int


STEP = st.builds(
    Step,
    st.sampled_from(_ACTIONS),
    st.sampled_from(Side),
    st.integers(0, _MANY),
    st.integers(0, _MANY),
)

# The first that hypothesis draws is always the same: the simplest of all.
_DRAWN = 2


class NothingPlayed(AssertionError):
    """An episode that was asked for did not take place."""


def with_the_rare(steps: Sequence[Step]) -> list[Step]:
    """Return the steps with what is drawn seldom, evenly spread among them."""
    every = max(1, len(steps) // (len(_RARE) + 1))
    mixed: list[Step] = []
    rare = iter(_RARE)
    for n, step in enumerate(steps, 1):
        mixed.append(step)
        if n % every == 0 and (action := next(rare, "")):
            mixed.append(replace(step, action=action))
    return mixed


def play(
    run: Callable[[list[Step]], None], number: int, steps: int, *, shrink: bool = False
) -> None:
    """
    Run one episode that the seed `number` stands for.

    With `shrink`, an episode that fails is run again with fewer and fewer steps.
    Raises `NothingPlayed` if hypothesis drew less than that one.
    """
    played = 0

    def episode(drawn: list[Step]) -> None:
        nonlocal played
        played += 1
        if played > 1:
            run(drawn)

    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    hasty = settings(
        max_examples=_DRAWN,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    drawn = given(st.lists(STEP, min_size=steps, max_size=steps))
    seed(number)(hasty(drawn(episode)))()
    if played < _DRAWN:
        raise NothingPlayed(f"seed {number} drew {played} episodes of {_DRAWN}")
