"""What one platform says of a record, the other says too."""

from dataclasses import replace

import pytest

from bots.slack import record_cards as slack
from bots.slack import record_forms as slack_forms
from bots.slack import record_lists as slack_lists
from bots.teams import record_cards as teams
from bots.teams import record_forms as teams_forms
from bots.teams import record_lists as teams_lists
from bridge.cards import Tone
from bridge.records.asking import Filled
from bridge.records.cards import CardButton, Level, RecordCard, Standing
from bridge.records.desk import Found, SystemLine
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.model import Absence, Look, Needs, Record, Status
from bridge.records.redaction import (
    CONNECT,
    FOLLOW,
    RETRY,
    VIEW,
    Audience,
    Frame,
    superseded,
)
from tests.record_rendering import (
    ALONE,
    FLOOR,
    NOW,
    card,
    check_modal,
    check_slack,
    check_teams,
    slack_texts,
    teams_texts,
)
from tests.record_samples import CHANGE, HOSTS, OPPORTUNITY, RECORDS

ACTS = sorted(
    {offer.act for record in RECORDS.values() for offer in record.offers}
    | {each.act for each in (VIEW, FOLLOW, RETRY, CONNECT)}
)


def said_alike(shown: RecordCard) -> set[str]:
    """Fail if the platforms say different texts; return what both say."""
    blocks, made = slack.render(shown).blocks, teams.render(shown)
    check_slack(blocks)
    check_teams(made)
    assert slack_texts(blocks) == teams_texts(made)
    return teams_texts(made)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("audience", [FLOOR, ALONE], ids=["room", "viewer"])
def test_every_kind_of_record_says_the_same(record: Record, audience: Audience) -> None:
    assert said_alike(card(record, audience))


@pytest.mark.parametrize("level", Level)
def test_every_level_says_the_same(level: Level) -> None:
    assert said_alike(card(CHANGE, replace(FLOOR, level=level)))


def test_every_standing_says_the_same() -> None:
    cards = [
        card(absence, audience, last=OPPORTUNITY)
        for absence in Absence
        for audience in (FLOOR, ALONE)
    ]
    cards += [card(absence, of=OPPORTUNITY) for absence in Absence]
    cards.append(card(OPPORTUNITY, Audience(frozenset())))
    cards.append(card(OPPORTUNITY))
    frame = Frame("c", OPPORTUNITY.ref, NOW, HOSTS)
    cards.append(superseded(FLOOR, frame, OPPORTUNITY))

    assert {each.standing for each in cards} == set(Standing)
    for each in cards:
        assert each.reason in " ".join(said_alike(each))


@pytest.mark.parametrize("tone", Tone)
def test_every_tone_is_a_sign_and_words(tone: Tone) -> None:
    said = said_alike(card(replace(CHANGE, status=Status("As it is", tone))))

    (line,) = [text for text in said if "As it is" in text]
    assert line != "As it is"


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("needs", Needs)
def test_every_act_is_a_button_with_the_same_token(
    act: str, look: Look, needs: Needs
) -> None:
    confirm = "Sure?" if needs is Needs.CONFIRMATION else ""
    button = CardButton(act, f"Do {act}", "act_7f3k", look, needs, confirm)
    shown = replace(card(CHANGE), buttons=(button,), url="")

    said = said_alike(shown)
    (there,) = slack.render(shown).blocks[-2]["elements"]
    (here,) = teams.render(shown)["actions"]

    assert f"Do {act}" in said
    assert ("Sure?" in said) == bool(confirm)
    assert (there["action_id"], there["value"]) == (f"rec.{act}", "act_7f3k")
    if confirm:
        (here,) = here["card"]["actions"]
    assert (here["verb"], here["data"]) == (f"rec.{act}", {"t": "act_7f3k"})
    assert here["fallback"]["data"] == {"verb": f"rec.{act}", "t": "act_7f3k"}
    looks = {Look.PRIMARY: "positive", Look.DANGER: "destructive"}
    assert here.get("style") == looks.get(look)


CHOICES = (Choice("a", "Alpha"), Choice("b", "Beta"))
ENTERED = {
    InputKind.LINE: "one line",
    InputKind.TEXT: "two\nlines",
    InputKind.CHOICE: "b",
    InputKind.CHOICES: "a\nb",
    InputKind.DATE: "2026-12-15",
    InputKind.NUMBER: "12.5",
    InputKind.CHECK: "true",
}


def form_of(*inputs: Input, submit: str = "Save", note: str = "") -> Form:
    return Form("edit", "Edit CHG0030351", inputs, submit, note=note)


def asked_alike(form: Form, filled: Filled) -> set[str]:
    view = slack_forms.form_view(form, "frm_1", filled)
    made = teams_forms.form_card(form, "frm_1", filled)
    check_modal(view)
    check_teams(made)
    ours = {"Cancel", "Show the choices that fit"}
    assert slack_texts(view) - ours == teams_texts(made) - ours
    return teams_texts(made)


@pytest.mark.parametrize("kind", InputKind)
@pytest.mark.parametrize("required", [True, False])
def test_every_kind_of_input_is_asked_alike(kind: InputKind, *, required: bool) -> None:
    choices = CHOICES if kind in {InputKind.CHOICE, InputKind.CHOICES} else ()
    asked = Input("f", "Field", kind, required=required, choices=choices, hint="Why?")
    form = form_of(asked, note="Read this.", submit="Save it")

    for value in ("", ENTERED[kind]):
        filled = Filled({"f": value}, {"f": "Not like that."}, "Nothing was saved.")

        said = asked_alike(form, filled)

        assert {"Field", "Why?", "Save it", "Read this."} <= said
        assert {"⚠️ Not like that."} <= said
        assert any("Nothing was saved." in text for text in said)


def test_dependent_choices_are_asked_alike() -> None:
    reason = Input(
        "reason",
        "Reason",
        InputKind.CHOICE,
        choices=CHOICES,
        controller="status",
        fitting={"closed": ("a",), "open": ()},
    )
    status = Input(
        "status",
        "Status",
        InputKind.CHOICE,
        choices=(Choice("open", "Open"), Choice("closed", "Closed")),
    )

    before = asked_alike(form_of(status, reason), Filled())
    nothing = asked_alike(form_of(status, reason), Filled({"status": "open"}))
    after = asked_alike(form_of(status, reason), Filled({"status": "closed"}))

    assert "Reason: choose Status first." in before
    assert "Reason: there is nothing to choose." in nothing
    assert {"Reason", "Alpha"} <= after
    assert "Beta" not in after


def test_results_are_listed_alike() -> None:
    cards = tuple(card(record, ALONE) for record in RECORDS.values())
    lines = (SystemLine("ServiceNow", "is still searching", complete=False),)
    found = Found("globex & <!channel>", cards, lines)

    there, here = slack_lists.results(found), teams_lists.results(found)

    check_slack(there.blocks)
    check_teams(here)
    assert slack_texts(there.blocks) == teams_texts(here)
    assert "<!channel>" not in there.text
    said = teams_texts(here)
    assert "ServiceNow: is still searching" in said
    assert f"… and {len(cards) - 10} more: say more words" in said


def test_nothing_found_is_said_alike() -> None:
    found = Found("x", (), ())

    there, here = slack_lists.results(found), teams_lists.results(found)

    assert (
        slack_texts(there.blocks)
        == teams_texts(here)
        == {
            "Found for x",
            "Nothing found.",
        }
    )


def test_two_buttons_of_one_act_keep_their_own_tokens() -> None:
    buttons = tuple(CardButton("move", f"To {n}", f"act_{n}") for n in range(2))
    shown = replace(card(CHANGE), buttons=buttons)

    check_slack(slack.render(shown).blocks)
    there = slack.render(shown).blocks[-2]["elements"]
    here = teams.render(shown)["actions"]

    assert [one["value"] for one in there] == ["act_0", "act_1"]
    assert [one["data"]["t"] for one in here[:2]] == ["act_0", "act_1"]


def test_modal_that_waits_says_so() -> None:
    view = slack.working_view("CHG0030351", "t")

    check_modal(view)
    assert "Working…" in slack_texts(view)
