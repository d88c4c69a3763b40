"""Which choices fit, and what stands in a form."""

import pytest

from bridge.records.asking import Filled, in_full, is_date, is_number, wire
from bridge.records.forms import Choice, Form, Input, InputKind

COUNTRY = Input(
    "country",
    "Country",
    InputKind.CHOICE,
    "de",
    choices=(Choice("de", "Germany"), Choice("fr", "France")),
)
CITY = Input(
    "city",
    "City",
    InputKind.CHOICE,
    "b",
    choices=(Choice("b", "Berlin"), Choice("p", "Paris")),
    controller="country",
    fitting={"de": ("b",), "fr": ("p",)},
)
SITE = Input(
    "site",
    "Site",
    InputKind.CHOICES,
    "b1\nb2",
    choices=(Choice("b1", "One"), Choice("b2", "Two"), Choice("p1", "Three")),
    controller="city",
    fitting={"b": ("b1", "b2"), "p": ("p1",)},
)


def test_only_what_fits_can_be_chosen() -> None:
    assert [each.value for each in CITY.offered({"country": "fr"})] == ["p"]
    assert CITY.offered({}) == ()
    assert COUNTRY.offered({}) == COUNTRY.choices


@pytest.mark.parametrize("inputs", [(COUNTRY, CITY, SITE), (SITE, CITY, COUNTRY)])
def test_what_does_not_fit_any_more_is_gone_with_what_follows(
    inputs: tuple[Input, ...],
) -> None:
    form = Form("edit", "Edit", inputs)

    assert form.entered({}) == {"country": "de", "city": "b", "site": "b1\nb2"}
    assert form.entered({"country": "fr"}) == {"country": "fr", "city": "", "site": ""}
    assert form.entered({"site": "b2\np1"})["site"] == "b2"
    assert form.controllers == {"country", "city"}


@pytest.mark.parametrize("value", ["", "x" * 151, "~x", "a\x00b", "half \ud83d"])
def test_what_cannot_be_sent_has_something_that_stands_for_it(value: str) -> None:
    menu = Input("m", "M", InputKind.CHOICES, choices=(Choice(value, "L"),))
    sent = wire(value, 150)

    assert sent != value
    assert in_full({"m": f"{sent}\nother"}, Form("e", "E", (menu,))) == {
        "m": f"{value}\nother"
    }


def test_values_of_kinds_are_told() -> None:
    assert is_date("2026-02-28")
    assert not is_date("20260228")
    assert is_number("-1.50")
    assert not is_number("NaN")
    assert not is_number("one")
    assert Filled().values == {}
