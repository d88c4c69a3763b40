"""What stands follows from what was said, in whatever order it was heard."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bridge.reactions import Reacted, Reaction, Word, counted, folded, footer

PEOPLE, EMOJI = ("alice", "bob", "carol"), ("👍", "🎉", ":parrot:")


def said(
    *acts: tuple[str, str, bool],
) -> list[Reacted]:
    """Return acts, one a microsecond."""
    return [
        Reacted(emoji, person, at, at, added)
        for at, (person, emoji, added) in enumerate(acts)
    ]


ACTS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(EMOJI), st.booleans()),
    max_size=20,
).map(lambda acts: said(*acts))


def test_each_person_counts_once_and_emoji_stand_as_they_came() -> None:
    acts = said(
        ("alice", "🎉", True),
        ("bob", "👍", True),
        ("bob", "👍", True),
        ("carol", "🎉", True),
    )

    assert counted(acts) == (Reaction("🎉", 2), Reaction("👍", 1))


def test_a_reaction_goes_with_the_last_who_takes_it_back() -> None:
    acts = said(
        ("alice", "👍", True),
        ("bob", "👍", True),
        ("alice", "👍", False),
    )

    assert counted(acts) == (Reaction("👍", 1),)
    assert counted([*acts, Reacted("👍", "bob", 9, 9, added=False)]) == ()


@given(ACTS, st.data())
def test_order_and_repetition_change_nothing(
    acts: list[Reacted], data: st.DataObject
) -> None:
    twice = data.draw(st.lists(st.sampled_from(acts), max_size=5)) if acts else []
    mixed = data.draw(st.permutations([*acts, *twice]))

    assert counted(mixed) == counted(acts)


@given(ACTS)
def test_the_count_is_that_of_everybodys_last_act(acts: Sequence[Reacted]) -> None:
    last = {(one.person, one.emoji): one.added for one in acts}

    expected = {
        emoji: number
        for emoji in EMOJI
        if (number := sum(last.get((person, emoji), False) for person in PEOPLE))
    }
    assert {one.emoji: one.count for one in counted(acts)} == expected


def test_the_line_below_tells_each_emoji_and_its_count() -> None:
    line = footer((Reaction("👍", 2), Reaction(":parrot:", 1)))

    assert line == "👍 2 · :parrot: 1"
    assert footer(()) == ""


def word(upto: int, **more: object) -> Word:
    given = {"native": frozenset[str](), "gone": frozenset[str](), "footer": None}
    return Word(upto, "r1", **(given | more))  # type: ignore[arg-type]


def test_each_word_speaks_of_its_own_emoji_only() -> None:
    shown = folded(
        [
            word(1, native=frozenset("👍")),
            word(2, native=frozenset("🎉")),
            word(3, gone=frozenset("👍"), footer="x 1"),
        ]
    )

    assert shown.native == {"🎉"}
    assert shown.upto == {"👍": 3, "🎉": 2}
    assert (shown.footer, shown.footer_upto) == ("x 1", 3)


def test_a_word_that_knew_less_of_the_log_is_overruled() -> None:
    shown = folded([word(5, gone=frozenset("👍")), word(4, native=frozenset("👍"))])

    assert shown.native == frozenset()


def test_what_was_refused_may_be_taken_later() -> None:
    refused = word(1, refused=frozenset("👍"))

    assert folded([refused]).refused == {"👍"}
    assert folded([refused, word(2, native=frozenset("👍"))]).refused == frozenset()


def test_on_messages_that_show_as_one_a_person_counts_once_until_all_is_taken_back() -> (
    None
):
    first = Reacted("🎉", "alice", 1, 1, added=True, on="m1")
    second = Reacted("🎉", "alice", 2, 2, added=True, on="m2")
    back = Reacted("🎉", "alice", 3, 3, added=False, on="m1")

    assert counted([first, second]) == (Reaction("🎉", 1),)
    assert counted([first, second, back]) == (Reaction("🎉", 1),)
    assert counted([first, back]) == ()
