"""Who asks a platform to wait is waited for, and not for ever."""

from dataclasses import dataclass, field

import pytest

from bridge.errors import ServiceUnavailable, Throttled
from bridge.patience import patiently


@dataclass
class Busy:
    """Answers after it has asked to wait so many times."""

    refusals: int
    slept: list[float] = field(default_factory=list)

    async def ask(self) -> str:
        if len(self.slept) < self.refusals:
            raise Throttled("slowly", 3.0)
        return "yes"

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_the_answer_comes_after_the_wait_that_was_asked_for() -> None:
    platform = Busy(2)

    answer = await patiently(platform.ask, platform.sleep)

    assert (answer, platform.slept) == ("yes", [3.0, 3.0])


async def test_a_platform_that_never_answers_is_unavailable() -> None:
    platform = Busy(10_000)

    with pytest.raises(ServiceUnavailable):
        await patiently(platform.ask, platform.sleep)
