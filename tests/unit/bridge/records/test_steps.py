"""Several things that somebody writes in one line, read as steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.steps import MOST, Written, filled, written

CODES = (Choice("solved", "Solution provided"), Choice("dup", "Duplicate"))
FORM = Form(
    "resolve",
    "Resolve",
    (
        Input(
            "close_code", "Close code", InputKind.CHOICE, required=True, choices=CODES
        ),
        Input("close_notes", "Notes", InputKind.TEXT, required=True, longest=20),
        Input("kb", "Make an article", InputKind.CHECK),
    ),
)


def test_steps_are_read_with_fields_and_words() -> None:
    said = (
        'resolve INC0010001 close_code="Solution provided" “Restarted it, then waited” '
        "then comment <https://acme.example/browse/WEB-42> is fixed THEN take CHG1"
    )

    assert written(said) == [
        Written(
            "resolve",
            "INC0010001",
            {"close_code": "Solution provided"},
            "Restarted it, then waited",
        ),
        Written("comment", "https://acme.example/browse/WEB-42", {}, "is fixed"),
        Written("take", "CHG1"),
    ]


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("resolve", "begins with what to do"),
        ("", "begins with what to do"),
        ("take CHG1 then", "begins with what to do"),
        ("then take CHG1", "begins with what to do"),
        ('comment CHG1 "half', "without its other half"),
        ("edit CHG1 a=1 a=2", "said twice"),
        (" then ".join(["take CHG1"] * (MOST + 1)), "Between 1 and 10"),
    ],
)
def test_what_is_no_step_is_refused(said: str, refused: str) -> None:
    with pytest.raises(BadInput, match=refused):
        written(said)


@given(st.text(st.sampled_from("thenab C1=\"“' \n"), max_size=60))
def test_anything_that_is_typed_is_read_or_refused(said: str) -> None:
    try:
        steps = written(said)
    except BadInput:
        return
    assert 0 < len(steps) <= MOST
    assert all(step.act and step.record for step in steps)


def one(said: str) -> dict[str, str]:
    [step] = written(f"resolve INC1 {said}")
    return filled(step, FORM)


def test_values_go_where_they_are_meant() -> None:
    values = one('Close_Code=duplicate kb=yes "See the other"')

    assert values == {"close_code": "dup", "kb": "true", "close_notes": "See the other"}


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("close_code=solved", "say notes=… as well"),
        ('"all good"', 'say close_code="Solution provided", "Duplicate" as well'),
        ("close_code=other x", 'close_code is one of "Solution provided"'),
        ("colour=red x", "does not ask for colour; it asks for close_code, notes"),
        ("close_code=dup kb=maybe x", "make_an_article is yes or no"),
        ("close_code=dup " + "x" * 21, "20 characters at most"),
        ("close_code=dup notes=a kb=no more", "has no place for words"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(said: str, refused: str) -> None:
    with pytest.raises(BadInput, match=refused):
        one(said)


def test_a_choice_has_to_fit_the_one_before() -> None:
    form = Form(
        "edit",
        "Edit",
        (
            Input("area", "Area", InputKind.CHOICE, choices=CODES),
            Input(
                "part",
                "Part",
                InputKind.CHOICE,
                choices=(Choice("a", "A"), Choice("b", "B")),
                controller="area",
                fitting={"dup": ("a",)},
            ),
        ),
    )
    [step] = written("edit INC1 area=dup part=b")

    with pytest.raises(BadInput, match="that Part does not fit Area"):
        filled(step, form)
