"""Who asked to wait is not asked, and who does not answer is left alone."""

from dataclasses import dataclass, field

import pytest

from bots.asking import Asking
from bridge.errors import AtomError, NotSent, Refused, ServiceUnavailable, Throttled


@dataclass
class Oracle:
    answers: list[AtomError | str] = field(default_factory=list)
    asked: int = 0

    async def answer(self) -> str:
        self.asked += 1
        said = self.answers.pop(0)
        if isinstance(said, AtomError):
            raise said
        return said


@dataclass
class Clock:
    time: float = 0.0

    def now(self) -> float:
        return self.time


async def test_an_answer_is_passed_on() -> None:
    assert await Asking().ask("it", Oracle(["yes"]).answer) == "yes"


@pytest.mark.parametrize(
    ("failure", "seconds"), [(Throttled("wait", 30.0), 30.0), (NotSent("away"), 10.0)]
)
async def test_who_did_not_answer_is_asked_again_later(
    failure: AtomError, seconds: float
) -> None:
    clock, oracle = Clock(), Oracle([failure, "yes", "other"])
    asking = Asking(rest=10.0, now=clock.now)
    for clock.time in (0.0, seconds - 0.1):
        with pytest.raises(ServiceUnavailable):
            await asking.ask("it", oracle.answer)
    assert oracle.asked == 1

    clock.time = seconds

    assert await asking.ask("it", oracle.answer) == "yes"


async def test_others_are_asked_all_the_same() -> None:
    oracle = Oracle([Throttled("wait", 30.0), "yes"])
    asking = Asking()
    with pytest.raises(ServiceUnavailable):
        await asking.ask("it", oracle.answer)

    assert await asking.ask("other", oracle.answer) == "yes"


async def test_a_no_is_an_answer() -> None:
    asking, oracle = Asking(rest=10.0), Oracle([Refused("no"), "yes"])
    with pytest.raises(Refused):
        await asking.ask("it", oracle.answer)

    assert await asking.ask("it", oracle.answer) == "yes"
