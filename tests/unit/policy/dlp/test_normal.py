"""Text made plain keeps the way back to where everything stood."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.dlp.normal import normal

_TEXTS = st.text(
    st.one_of(
        st.sampled_from("a1 -–\u200b\u00a0４２ﬁé\u0301\u00ad١😀\ufe0f\n\t"),
        st.characters(),
    ),
    max_size=80,
)


@given(_TEXTS)
def test_every_character_comes_from_somewhere(text: str) -> None:
    plain = normal(text)

    spans = [plain.span(n, n + 1) for n in range(len(plain.text))]

    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    assert plain.span(0, len(plain.text))[0] >= 0


@given(_TEXTS)
def test_a_part_looks_like_where_it_stood(text: str) -> None:
    plain = normal(text)

    for n in range(len(plain.text)):
        start, end = plain.span(n, n + 1)
        assert plain.text[n] in normal(text[start:end]).text


@given(_TEXTS)
def test_what_is_plain_stays_as_it_is(text: str) -> None:
    once = normal(text).text

    assert normal(once).text in {once, normal(normal(once).text).text}


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_plain(text: str) -> None:
    plain = normal(text)

    assert plain.text == text
    assert plain.starts is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("４２４２", "4242"),
        ("4\u200b2\u2060\ufeff\u00ad\u200d4", "424"),
        ("42\u00a042\u200942\u300042", "42 42 42 42"),
        ("42–42—42−42‑42", "42-42-42-42-42"),
        ("٤٢ ४२", "42 42"),
        ("ﬁle", "file"),
        ("e\u0301t\u00e9", normalize("NFC", "e\u0301t\u00e9")),
    ],
)
def test_disguises_come_off(text: str, plain: str) -> None:
    assert normal(text).text == plain
