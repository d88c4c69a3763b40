"""What is entered comes back as it was meant, on both platforms."""

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bots.sandbox.slack.modals import first_values
from bots.slack import record_entries
from bots.slack.block_kit import escaped
from bots.slack.block_kit import weigh as slack_weight
from bots.slack.record_forms import form_view
from bots.teams.adaptive import weigh as teams_weight
from bots.teams.record_forms import form_card
from bots.teams.record_forms import values_of as teams_values
from bridge.records.asking import Filled
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.wording import units
from bridge.text import clean
from tests.record_hostility import TRICKS
from tests.record_rendering import check_modal, check_teams

CHOICES = tuple(Choice(value, f"Label of {value}") for value in ("a", "b,c", "50%2C"))
LONG = Choice("long " * 40, "A long one")
MENU = Input("menu", "Menu", InputKind.CHOICE, choices=(*CHOICES, LONG))
SEVERAL = Input("several", "Several", InputKind.CHOICES, choices=(*CHOICES, LONG))
ALL = (
    Input("line", "Line", value="one"),
    Input("text", "Text", InputKind.TEXT, value="two\nlines"),
    Input("when", "When", InputKind.DATE, value="2026-12-15"),
    Input("much", "Much", InputKind.NUMBER, value="12.5"),
    Input("sure", "Sure", InputKind.CHECK, value="true"),
    MENU,
    SEVERAL,
)


def form(*inputs: Input) -> Form:
    return Form("edit", "Edit", inputs)


def in_slack(asked: Form, values: dict[str, str]) -> dict[str, str]:
    """Open a form with values in it, and submit it as it is."""
    view = form_view(asked, "t", Filled(values))
    check_modal(view)
    state = {"values": first_values(view["blocks"])}
    return record_entries.values_of(state, asked)


def in_teams(asked: Form, values: dict[str, str]) -> dict[str, str]:
    made = form_card(asked, "t", Filled(values))
    check_teams(made)
    data = {e["id"]: e["value"] for e in made["body"] if "id" in e and "value" in e}
    return teams_values({"t": "t", "verb": "rec.submit", **data}, asked)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"menu": "b,c", "several": "a\nb,c\n50%2C"},
        {"menu": LONG.value, "several": LONG.value},
        {"line": "x", "text": "", "when": "2027-01-01", "much": "-3", "sure": "false"},
    ],
)
def test_what_stands_in_a_form_comes_back(values: dict[str, str]) -> None:
    wanted = {k: v for k, v in form(*ALL).entered(values).items() if v}

    for came in (in_slack(form(*ALL), values), in_teams(form(*ALL), values)):
        assert {k: v for k, v in came.items() if v} == wanted


@given(
    st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=20, unique=True)
)
@settings(max_examples=40, deadline=None)
def test_any_choice_comes_back(texts: list[str]) -> None:
    choices = tuple(Choice(" ".join(text.split()) or "x", text) for text in texts)
    kept = {each.value: each for each in choices if each.value == clean(each.value)}
    kept = {value: each for value, each in kept.items() if "\n" not in value}
    assume(kept)
    asked = form(Input("m", "M", InputKind.CHOICES, choices=tuple(kept.values())))
    chosen = "\n".join(kept)

    assert in_slack(asked, {"m": chosen}) == {"m": chosen}
    assert in_teams(asked, {"m": chosen}) == {"m": chosen}


def test_half_a_long_value_is_never_in_an_input() -> None:
    asked = form(Input("text", "Text", InputKind.TEXT, value="x" * 3_001))

    for told in (form_view(asked, "t"), form_card(asked, "t")):
        assert "Text: too long to be changed here." in json.dumps(told)
        assert "xxx" not in json.dumps(told)


def test_long_list_of_choices_is_grouped_or_cut_with_a_word() -> None:
    choices = tuple(Choice(f"v{n}", f"Label {n}") for n in range(950))
    asked = form(Input("m", "M", InputKind.CHOICE, value="v900", choices=choices))

    view, made = form_view(asked, "t"), form_card(asked, "t")

    check_modal(view)
    check_teams(made)
    groups = view["blocks"][0]["element"]["option_groups"]
    assert [len(group["options"]) for group in groups] == [100] * 9 + [50]
    assert view["blocks"][0]["element"]["initial_option"]["value"] == "v900"
    assert "v900" in {choice["value"] for choice in made["body"][1]["choices"]}
    assert "more choices" in json.dumps(made["body"][2])


def test_form_of_too_many_inputs_says_how_many_are_left_out() -> None:
    asked = form(*(Input(f"f{n}", f"Field {n}") for n in range(300)))

    view, made = form_view(asked, "t"), form_card(asked, "t")

    check_modal(view)
    check_teams(made)
    assert "more fields" in json.dumps(view["blocks"][-1])
    assert "more fields" in json.dumps(made["body"][-1])


STATUS = Input(
    "status",
    "Status",
    InputKind.CHOICE,
    choices=(Choice("o", "Open"), Choice("c", "C")),
)
REASON = Input(
    "reason",
    "Reason",
    InputKind.CHOICE,
    choices=CHOICES,
    controller="status",
    fitting={"o": ("a",), "c": ("b,c",)},
)


def test_choice_that_does_not_fit_any_more_is_gone() -> None:
    asked = form(STATUS, REASON)
    before = form_view(asked, "t", Filled({"status": "o", "reason": "a"}))
    after = form_view(asked, "t", Filled({"status": "c", "reason": "a"}))

    assert before["blocks"][0]["block_id"] == after["blocks"][0]["block_id"]
    assert before["blocks"][1]["block_id"] != after["blocks"][1]["block_id"]
    assert "initial_option" in before["blocks"][1]["element"]
    assert "initial_option" not in after["blocks"][1]["element"]
    assert before["blocks"][0]["dispatch_action"]
    assert asked.entered({"status": "c", "reason": "a"})["reason"] == ""


def test_teams_draws_dependent_choices_anew_at_a_button() -> None:
    (submit, redraw) = form_card(form(STATUS, REASON), "t", dialog=False)["actions"]

    assert (submit["verb"], redraw["verb"]) == ("rec.submit", "rec.redraw")
    assert redraw["data"] == {"t": "t"}


@pytest.mark.parametrize("dialog", [True, False])
def test_what_was_entered_goes_along_with_every_button(*, dialog: bool) -> None:
    needed = Input("why", "Why", required=True)
    made = form_card(form(STATUS, REASON, needed), "t", dialog=dialog)

    actions = [*made["actions"], *(a.get("fallback", a) for a in made["actions"])]
    assert {action["associatedInputs"] for action in actions} == {"auto"}
    # An input that has to be filled would keep clients from drawing the card anew.
    assert not [part for part in made["body"] if part.get("isRequired")]
    assert "Why *" in json.dumps(made["body"])


def test_clients_check_what_is_needed_where_nothing_is_drawn_anew() -> None:
    made = form_card(form(STATUS, Input("why", "Why", required=True)), "t")

    assert [p["label"] for p in made["body"] if p.get("isRequired")] == ["Why"]


def test_dialog_takes_submissions_alone() -> None:
    actions = form_card(form(STATUS, REASON), "t")["actions"]

    assert {action["type"] for action in actions} == {"Action.Submit"}
    assert actions[0]["data"] == {"verb": "rec.submit", "t": "t"}


def test_modal_carries_nothing_but_its_token() -> None:
    view = form_view(form(*ALL), "frm_7")

    assert view["private_metadata"] == "frm_7"
    assert view["callback_id"] == "rec.form"


def test_errors_stand_at_their_inputs_in_slack() -> None:
    asked = form(STATUS, REASON)
    view = form_view(asked, "t", Filled({"status": "o", "reason": "a"}))
    state = {"values": first_values(view["blocks"])}
    errors = {"reason": "Not now.", "elsewhere": "Somebody else did."}

    told = record_entries.errors_for(state, errors, "Nothing was saved.")

    first, second = (block["block_id"] for block in view["blocks"])
    assert told == {
        second: "Not now.",
        first: "Somebody else did. Nothing was saved.",
    }


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("12.5", "Input.Number"),
        ("", "Input.Number"),
        ("123456789012345678.25", "Input.Text"),
        ("a lot", "Input.Text"),
    ],
)
def test_number_that_a_client_would_round_is_a_text(value: str, kind: str) -> None:
    made = form_card(form(Input("n", "N", InputKind.NUMBER, value=value)), "t")

    check_teams(made)
    assert made["body"][1]["type"] == kind


@pytest.mark.parametrize(
    ("kind", "value"),
    [(InputKind.DATE, "soon"), (InputKind.DATE, "2026-13-01"), (InputKind.NUMBER, "x")],
)
def test_value_that_is_none_of_its_kind_is_left_out(
    kind: InputKind, value: str
) -> None:
    view = form_view(form(Input("f", "F", kind, value=value)), "t")

    check_modal(view)
    assert not {"initial_date", "initial_value"} & set(view["blocks"][0]["element"])


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"values": None},
        {"values": {"b": None}},
        {"values": {"b": {"in.line.x": None, "other": {"value": "y"}}}},
        {"values": {"b": {"in.choice.x": {"selected_option": "y"}}}},
        {"values": {"b": {"in.nonsense.x": {"value": "y"}}}},
    ],
)
def test_odd_state_is_read_as_nothing(state: dict[str, Any]) -> None:
    assert not any(record_entries.values_of(state).values())
    assert teams_values({"in.line.x": None, "in.odd.x": "y", "in.line": "z"}) == {
        "x": ""
    }


TEXTS = st.one_of(st.sampled_from(TRICKS), st.text(st.characters()))


@given(TEXTS)
def test_weight_is_that_of_what_is_sent(text: str) -> None:
    assert slack_weight(text) == units(escaped(text))
    sent = json.dumps(text, ensure_ascii=False)[1:-1]
    assert teams_weight(text) == units(sent)


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_any_texts_make_valid_forms(label: str, value: str, hint: str) -> None:
    choices = (Choice(value or "x", label),)
    inputs = tuple(
        Input(f"f{n}", label, kind, value, choices=choices, hint=hint)
        for n, kind in enumerate(InputKind)
    )
    asked = Form("edit", label, inputs, submit=hint, note=value)
    filled = Filled({}, {"f0": hint, "f3": label}, value)

    check_modal(form_view(asked, "t", filled))
    check_teams(form_card(asked, "t", filled))
