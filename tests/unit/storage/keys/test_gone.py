"""What the log says is gone is read as it was written."""

from hypothesis import given
from hypothesis import strategies as st

from storage.compliance.keys.gone import gone

_RANGE = st.tuples(st.integers(0, 60), st.integers(0, 9)).map(
    lambda pair: [pair[0], pair[0] + pair[1]]
)
_DETAIL = st.fixed_dictionaries(
    {},
    optional={
        "keys": st.lists(st.sampled_from("abcd")),
        "seqs": st.lists(st.integers(0, 70) | _RANGE),
    },
)


@given(st.lists(_DETAIL))
def test_every_position_and_key_that_was_named_is_gone_and_no_other(
    details: list[dict[str, list[object]]],
) -> None:
    read = gone({"detail": detail} for detail in details)

    named: set[int] = set()
    for each in (told for detail in details for told in detail.get("seqs", ())):
        if isinstance(each, list):
            named |= set(range(each[0], each[1] + 1))
        elif isinstance(each, int):
            named.add(each)
    assert {seq for seq in range(-1, 80) if read.entry(seq)} == named
    keys = {key for detail in details for key in detail.get("keys", ())}
    assert {key for key in "abcde" if read.key(key)} == keys


def test_entries_without_details_say_nothing() -> None:
    read = gone([{}, {"detail": None}, {"detail": {}}])

    assert not read.keys
    assert not read.ranges
