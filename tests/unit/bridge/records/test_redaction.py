"""A card holds what its audience may see, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.records.cards import Level, Standing
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.model import (
    PUBLIC,
    Absence,
    Fact,
    Needs,
    Offer,
    Record,
    Revision,
)
from bridge.records.redaction import (
    Audience,
    Frame,
    allowed_url,
    card_of,
    digest_of,
    form_of,
    hidden_fields,
    offers_of,
    superseded,
)
from tests.record_samples import (
    CHANGE,
    EMPLOYEE,
    HOSTS,
    OPPORTUNITY,
    RECORDS,
    SECURED_ISSUE,
    secrets_of,
)

NOW = OPPORTUNITY.as_of_us + 60_000_000
TOKENS = {
    act: f"t-{act}"
    for act in ("approve", "reject", "stage", "view", "follow", "retry", "connect")
}
FLOOR = Audience(frozenset({PUBLIC}))
FINANCE = Audience(frozenset({PUBLIC, "sales-finance"}), viewer=True)


def frame(record: Record = OPPORTUNITY) -> Frame:
    return Frame("card-1", record.ref, NOW, HOSTS, TOKENS)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_nothing_secret_is_anywhere_in_a_rooms_card(record: Record) -> None:
    card = card_of(record, FLOOR, frame(record))

    assert [secret for secret in secrets_of(record) if secret in repr(card)] == []


def test_hidden_value_keeps_its_row_and_a_secretive_one_does_not() -> None:
    card = card_of(OPPORTUNITY, FLOOR, frame())

    rows = {row.label: row.text for row in card.fields}
    assert rows["Amount"] is None
    assert rows["Forecast"] is None
    assert "Competitor" not in rows
    assert card.hidden == 3
    assert hidden_fields(OPPORTUNITY, FLOOR) == ("amount", "forecast", "competitor")


def test_viewer_sees_more_alone() -> None:
    card = card_of(OPPORTUNITY, FINANCE, frame())

    assert {row.label: row.text for row in card.fields}["Amount"] == "€ 1,250,000"
    assert card.hidden == 0
    assert card.viewer
    assert "view" not in {button.act for button in card.buttons}


def test_hidden_and_empty_look_alike() -> None:
    empty = replace(OPPORTUNITY, facts=(Fact("amount", "Amount", "", "sales-finance"),))

    (row,) = card_of(empty, FLOOR, frame()).fields

    assert row.text is None


def test_hidden_title_gives_way_to_the_kind() -> None:
    card = card_of(EMPLOYEE, FLOOR, frame(EMPLOYEE))

    assert card.title == "New hire"
    assert card.short == "New hire – Step 3 of 7 · equipment ordered"
    assert card.hidden == 2


def test_status_and_body_have_classes_too() -> None:
    record = replace(
        CHANGE, status_cls="it-internal", body=Fact("d", "D", "secret", "it-internal")
    )

    card = card_of(record, FLOOR, frame(record))

    assert card.status is None
    assert card.body == ""
    assert card.hidden == 3
    assert "status" in hidden_fields(record, FLOOR)


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (Level.NOTHING, "Salesforce record"),
        (Level.BUTTON, "Salesforce record"),
        (Level.KIND, "Opportunity · Enterprise"),
        (Level.NAME, "Globex – platform renewal FY27"),
    ],
)
def test_level_limits_what_a_mention_shows(level: Level, said: str) -> None:
    card = card_of(OPPORTUNITY, replace(FLOOR, level=level), frame())

    assert card.short == said
    assert card.fields == ()
    assert [button.act for button in card.buttons] == ["view"]
    assert bool(card.url) == (level is Level.NAME)


def test_secured_record_is_only_a_button_in_a_room() -> None:
    card = card_of(SECURED_ISSUE, FLOOR, frame(SECURED_ISSUE))

    assert (card.title, card.key, card.url, card.rev) == ("Jira record", "", "", "")
    assert [button.act for button in card.buttons] == ["view"]


def test_secured_record_is_whole_for_a_viewer() -> None:
    alone = card_of(SECURED_ISSUE, FINANCE, frame(SECURED_ISSUE))

    assert alone.title == "Tokens stand in the access log"


def test_room_without_the_right_is_told_so_and_can_look_alone() -> None:
    card = card_of(OPPORTUNITY, Audience(frozenset()), frame())

    assert card.standing is Standing.FORBIDDEN
    assert "Globex" not in repr(card)
    assert [button.act for button in card.buttons] == ["view"]


def test_nobody_learns_whether_it_is_deleted_or_forbidden() -> None:
    denied = card_of(OPPORTUNITY, Audience(frozenset(), viewer=True), frame())
    deleted = card_of(Absence.GONE, FINANCE, frame())

    assert replace(denied, standing=Standing.GONE) == deleted
    assert denied.buttons == ()


@pytest.mark.parametrize(
    ("absence", "last", "standing"),
    [
        (Absence.GONE, OPPORTUNITY, Standing.GONE),
        (Absence.UNREACHABLE, OPPORTUNITY, Standing.STALE),
        (Absence.UNREACHABLE, None, Standing.UNAVAILABLE),
        (Absence.SPENT, OPPORTUNITY, Standing.STALE),
        (Absence.SPENT, None, Standing.UNAVAILABLE),
        (Absence.UNCONNECTED, OPPORTUNITY, Standing.UNAVAILABLE),
    ],
)
def test_absent_record_shows_a_reason_and_no_values(
    absence: Absence, last: Record | None, standing: Standing
) -> None:
    card = card_of(absence, FLOOR, frame(), last)

    assert card.standing is standing
    assert card.reason
    assert (card.fields, card.body, card.status, card.hidden) == ((), "", None, 0)
    assert {button.act for button in card.buttons} <= {"retry", "view", "connect"}


def test_each_absence_has_words_of_its_own() -> None:
    said = {card_of(each, FINANCE, frame()).reason for each in Absence}

    assert len(said) == len(Absence)


def test_stale_card_names_the_record_and_since_when() -> None:
    card = card_of(Absence.UNREACHABLE, FLOOR, frame(), OPPORTUNITY)

    assert card.title == OPPORTUNITY.title
    assert "2026-10-30 20:41 UTC" in card.reason
    assert card.as_of_us == OPPORTUNITY.as_of_us


def test_stale_card_of_what_the_room_may_not_see_names_nothing() -> None:
    dark = Audience(frozenset())
    secured = card_of(Absence.SPENT, FLOOR, frame(SECURED_ISSUE), SECURED_ISSUE)

    assert card_of(Absence.SPENT, dark, frame(), OPPORTUNITY).title == (
        "Salesforce record"
    )
    assert secured.title == "Jira record"


def test_superseded_card_has_no_buttons() -> None:
    card = superseded(FLOOR, frame(), OPPORTUNITY)

    assert card.standing is Standing.SUPERSEDED
    assert (card.title, card.buttons) == (OPPORTUNITY.title, ())


def test_only_offers_with_a_token_make_buttons() -> None:
    some = replace(frame(CHANGE), tokens={"approve": "a", "view": "v"})

    card = card_of(CHANGE, FLOOR, some)

    assert [button.act for button in card.buttons] == ["approve", "view"]
    assert [offer.act for offer in offers_of(CHANGE, FLOOR)] == [
        "approve",
        "reject",
        "comment",
        "view",
        "follow",
    ]


def test_question_of_a_button_repeats_no_hidden_value() -> None:
    telling = Offer(
        "approve", "Approve", needs=Needs.CONFIRMATION, confirm="Sell for € 1,250,000?"
    )
    record = replace(OPPORTUNITY, offers=(telling,))

    (button, *_) = card_of(record, FLOOR, frame()).buttons

    assert button.confirm == "Approve?"


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.service-now.com/x",
        "https://evil.example/x",
        "https://acme.service-now.com.evil.example/",
        "https://acme.service-now.com@evil.example/",
        "https://user:pw@acme.service-now.com/",
        "https://acme.service-now.com:8443/",
        "https://acme.service-now.com:port/",
        "https://[::1",
        "javascript:alert(1)",
        "//acme.service-now.com/",
        "https://evil.example\\@acme.service-now.com/",
        "https://acme.service-now.com/" + "x" * 2_000,
        "",
    ],
)
def test_link_leads_nowhere_else(url: str) -> None:
    assert allowed_url(url, HOSTS) == ""


def test_link_to_a_listed_host_is_kept_and_cannot_end_its_markup() -> None:
    url = "https://acme.service-now.com/a|b>c d"

    assert allowed_url(url, HOSTS) == "https://acme.service-now.com/a%7Cb%3Ec%20d"


def test_a_link_without_https_needs_its_whole_origin_listed() -> None:
    hosts = frozenset({"127.0.0.1", "http://127.0.0.1:8080"})

    assert allowed_url("http://127.0.0.1:8080/a", hosts) == "http://127.0.0.1:8080/a"
    assert allowed_url("http://127.0.0.1:8081/a", hosts) == ""
    assert allowed_url("http://x@127.0.0.1:8080/a", hosts) == ""
    assert allowed_url("http://localhost:8080/a", hosts) == ""


def test_cards_that_show_the_same_have_one_digest() -> None:
    card = card_of(CHANGE, FLOOR, frame(CHANGE))
    again = replace(frame(CHANGE), now_us=NOW + 5, tokens={**TOKENS, "approve": "new"})
    later = replace(CHANGE, as_of_us=CHANGE.as_of_us + 9)
    hidden = replace(
        later,
        facts=tuple(
            replace(fact, text="other") if fact.cls != PUBLIC else fact
            for fact in later.facts
        ),
    )

    assert digest_of(card_of(hidden, FLOOR, again)) == digest_of(card)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x"},
        {"rev": Revision(8, "8")},
        {"offers": ()},
        {"facts": ()},
        {"url": ""},
        {"key": "x"},
        {"body": None},
        {"what": "x"},
    ],
)
def test_card_that_shows_something_else_has_another_digest(
    change: dict[str, object],
) -> None:
    other = replace(CHANGE, **change)  # type: ignore[arg-type]

    cards = [card_of(each, FLOOR, frame(CHANGE)) for each in (CHANGE, other)]

    assert digest_of(cards[0]) != digest_of(cards[1])


def test_form_has_no_inputs_that_the_person_may_not_see() -> None:
    choices = (Choice("a", "A"),)
    form = Form(
        "edit",
        "Edit",
        (
            Input("stage", "Stage"),
            Input("amount", "Amount", value="1.2m", cls="sales-finance"),
            Input("why", "Why", InputKind.CHOICE, choices=choices, controller="amount"),
            Input("more", "More", InputKind.CHOICE, choices=choices, controller="why"),
        ),
    )

    shown = form_of(form, FLOOR)

    assert [each.id for each in shown.inputs] == ["stage"]
    assert shown.note == "3 fields are hidden from you."
    assert form_of(form, FINANCE) is form


CLASSES = st.sampled_from([PUBLIC, "a", "b", "c"])
FACTS = st.builds(
    Fact,
    st.uuids().map(str),
    st.just("Label"),
    st.uuids().map(str),
    CLASSES,
    st.booleans(),
)


@given(
    facts=st.lists(FACTS, max_size=12),
    classes=st.frozensets(CLASSES),
    level=st.sampled_from(Level),
    viewer=st.booleans(),
)
def test_whatever_is_not_for_an_audience_is_not_in_its_card(
    *, facts: list[Fact], classes: frozenset[str], level: Level, viewer: bool
) -> None:
    record = replace(OPPORTUNITY, facts=tuple(facts))
    audience = Audience(classes, viewer, level)

    card = card_of(record, audience, frame())

    told = repr(card)
    for fact in facts:
        assert fact.text not in told or fact.cls in classes
        if fact.secretive and fact.cls not in classes:
            assert fact.id not in told


def test_a_revision_that_is_only_when_a_record_was_read_is_not_shown() -> None:
    first, later = (replace(CHANGE, rev=Revision(NOW + n)) for n in range(2))

    cards = [card_of(each, FLOOR, frame(CHANGE)) for each in (first, later)]

    assert [(each.rev, each.changed_us) for each in cards] == [("", None)] * 2
    assert digest_of(cards[0]) == digest_of(cards[1])


@pytest.mark.parametrize(
    ("rev", "changed_us"),
    [
        (Revision(8, "8"), None),
        (Revision(NOW, "2026-10-30T20:41:00.000+0000"), NOW),
        (Revision(10**18, "beyond any calendar"), None),
    ],
    ids=["a count", "a time", "beyond any calendar"],
)
def test_a_card_knows_when_its_record_changed_if_the_revision_is_a_time(
    rev: Revision, changed_us: int | None
) -> None:
    card = card_of(replace(CHANGE, rev=rev), FLOOR, frame(CHANGE))

    assert (card.rev, card.changed_us) == (rev.text, changed_us)
