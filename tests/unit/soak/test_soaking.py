"""A soak that fails can be repeated."""

import pytest

from tests.soak.__main__ import soak
from tests.soak.steps import Step


def test_a_soak_that_fails_says_by_which_seed_it_does_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    played: dict[int, list[list[Step]]] = {5: [], 6: []}

    def episode(number: int, steps: list[Step]) -> None:
        played[number].append(steps)
        assert number != 6, "not as it has to be"

    assert soak([5, 6, 7], episode, 10) == 1

    said = capsys.readouterr()
    assert "seed 5 on PostgreSQL: " in said.out
    assert "seed 6 failed: make soak SEED=6 repeats it" in said.out
    assert "not as it has to be" in said.err

    assert soak([6], episode, 10) == 1
    # Hypothesis repeats what fails as well, to see whether it always does.
    assert len(played[6]) > 1
    assert all(steps == played[6][0] for steps in played[6])


def test_a_soak_in_which_nothing_is_played_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert soak([8], lambda *_: None, 0) == 1

    assert "seed 8 failed" in capsys.readouterr().out
