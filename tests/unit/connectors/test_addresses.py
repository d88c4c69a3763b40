"""No step of an address leads anywhere but below the system's own."""

import contextlib

from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from bridge.errors import BadInput
from connectors.addresses import joined

BASE = URL("https://api.atlassian.com/ex/jira/abc/rest/api/3")


@given(st.lists(st.text(max_size=30), max_size=4))
@example(["issue", ".."])
@example(["//evil.example"])
@example(["https://evil.example/x"])
@example(["..", "..", "oauth2"])
@example(["%2e%2e", "x"])
@example(["\x00"])
@example(["001?x"])
@example(["a#b"])
@example(["a;b"])
@example(["a\\b"])
def test_every_path_stays_below_the_base(path: list[str]) -> None:
    with contextlib.suppress(BadInput):
        url = joined(BASE, path, {})

        assert url.origin() == BASE.origin()
        assert str(url) == "/".join([str(BASE), *path])


def test_values_of_parameters_add_none() -> None:
    url = joined(BASE, ["issue", "10042"], {"fields": "a&b=c#d"})

    assert dict(url.query) == {"fields": "a&b=c#d"}
    assert not url.fragment
