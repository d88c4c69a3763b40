"""Nobody gets the mark of the confirmed by what they call themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.attribution import MARK, attributed

TICKS = "✓✔☑✅🗸🗹√⍻ˇᵛ"
NAMES = st.text(max_size=40) | st.text(
    alphabet=f"ab {TICKS}\u0301\u200b:_", max_size=20
)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Carol Díaz", "Carol Díaz"),
        ("Bob ✓", "Bob"),
        ("Bob✔️", "Bob"),
        ("Bob :white_check_mark:", "Bob"),
        ("Bob :heavy_check_mark: ✅", "Bob"),
        ("Bob \u200b✓\u200b", "Bob"),
        ("Bob \u030c", "Bob"),
        ("Bob ˇ", "Bob"),
        ("Renée O'Neil-Łuk (IT+HR) & Co. $5 ~", "Renée O'Neil-Łuk (IT+HR) & Co. $5 ~"),
        ("佐々木ー", "佐々木ー"),
        ("✓", ""),
    ],
)
def test_names_lose_what_looks_like_a_mark_and_nothing_else(
    name: str, shown: str
) -> None:
    assert attributed(name, confirmed=False) == shown
    assert attributed(name, confirmed=True) == (f"{shown} {MARK}" if shown else "")


def test_where_nobody_is_marked_names_stay_as_they_are() -> None:
    assert attributed("Bob ✓ 🌴", confirmed=None) == "Bob ✓ 🌴"


@given(NAMES)
def test_the_mark_is_there_for_the_confirmed_alone(name: str) -> None:
    plain = attributed(name, confirmed=False)
    sure = attributed(name, confirmed=True)

    assert not set(plain) & set(TICKS)
    assert sure == (f"{plain} {MARK}" if plain else "")
