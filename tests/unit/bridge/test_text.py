"""What passes into documents, and what does not."""

import pytest
from hypothesis import given

from bridge.text import clean, one_line, safe_url
from tests.documents import anything


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\x00\x07b\x7f\x85", "ab"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("\ud83d\ude00 \ud83d", "😀 \ufffd"),
        ("👩‍🚀 \u200f\u05e9 \u200b", "👩‍🚀 \u200f\u05e9 \u200b"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_text_is_cleaned_of_what_nobody_should_see(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(anything)
def test_cleaned_text_can_be_encoded_and_stays_clean(text: str) -> None:
    cleaned = clean(text)

    cleaned.encode()
    assert clean(cleaned) == cleaned


def test_name_is_one_line() -> None:
    assert one_line(" Ann\n\t Lee\u202e ") == "Ann Lee"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.com/a?b=1&c=(2)", "https://e.com/a?b=1&c=(2)"),
        ("HTTP://e.com", "HTTP://e.com"),
        ("mailto:a@e.com", "mailto:a@e.com"),
        ("tel:+49 1", "tel:+49%201"),
        ('https://e.com/a|b>c<d"e\\f', "https://e.com/a%7Cb%3Ec%3Cd%22e%5Cf"),
        ("https://e.com/ä", "https://e.com/ä"),
        ("https://e.com/\u202ex", "https://e.com/x"),
        *[
            (unsafe, "")
            for unsafe in (
                "javascript:alert(1)",
                "java\nscript:alert(1)",
                " data:text/html,x",
                "file:///etc/passwd",
                "//e.com",
                "https://",
                "https:///x",
                "e.com",
                "",
            )
        ],
    ],
)
def test_only_safe_addresses_are_followed(url: str, expected: str) -> None:
    assert safe_url(url) == expected
