"""What may be typed about channels is understood, or refused with what may be typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.commands.wishes import CONFIRM, FORMS, PRIVATE, Verb, Wish, wish
from bridge.errors import BadInput

WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=12
)
TYPED = st.lists(
    st.one_of(WORDS, st.sampled_from([*Verb, CONFIRM, PRIVATE, "CONFIRM"])), max_size=6
)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    verb = draw(st.sampled_from(list(Verb)))
    form = FORMS[verb]
    most = min(form.most, form.least + 3)
    words = draw(st.lists(WORDS, min_size=form.least, max_size=most))
    # More words than need be could end with one that means something else.
    plain = [word for word in words if word.lower() not in {CONFIRM, PRIVATE}]
    words = plain if len(plain) >= form.least else words[: form.least]
    return Wish(
        verb,
        tuple(words),
        private=verb is Verb.CREATE and draw(st.booleans()),
        confirmed=form.dangerous and draw(st.booleans()),
    )


def read(typed: list[str]) -> tuple[Wish | None, str]:
    """Return the wish, or how it was refused."""
    try:
        return wish(typed), ""
    except BadInput as refusal:
        return None, str(refusal)


@given(wishes())
def test_a_wish_is_read_back_from_its_line(wanted: Wish) -> None:
    assert wish(wanted.line.split(" ")) == wanted


@given(TYPED)
def test_whatever_is_typed_is_a_wish_or_refused_in_one_line(typed: list[str]) -> None:
    understood, refusal = read(typed)

    if understood is None:
        assert "channels" in refusal
        assert "\n" not in refusal
        return
    form = FORMS[understood.verb]
    assert form.least <= len(understood.words) <= form.most
    assert not understood.confirmed or form.dangerous


@given(TYPED)
def test_nothing_dangerous_is_confirmed_by_a_word_that_it_needs(
    typed: list[str],
) -> None:
    understood, _ = read(typed)

    if understood is not None and understood.confirmed:
        assert typed[-1].lower() == CONFIRM
        assert len(typed) == len(understood.words) + 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("archve x", "did you mean `channels archive`"),
        ("frobnicate", "it knows list, create"),
        ("move x", "channels move CHANNEL WORKSPACE"),
        ("rename a b c", "channels rename CHANNEL NAME"),
        ("unarchive x confirm", "channels unarchive CHANNEL"),
    ],
)
def test_what_is_not_understood_is_answered_with_what_is(line: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        wish(line.split())


def test_a_channel_may_be_called_confirm() -> None:
    assert wish(["archive", "confirm"]) == Wish(Verb.ARCHIVE, ("confirm",))
    assert wish(["archive", "confirm", "confirm"]).confirmed
