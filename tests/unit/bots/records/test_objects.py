"""
Slack's Work Objects of every kind of record, compared with what was recorded.

`ATOM_RECORD_CARDS=1 pytest tests/unit/bots/records/test_objects.py` records them anew.
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.metadata import EntityMetadata

from bots.slack import record_cards as slack
from bots.slack import record_objects as objects
from bridge.records.cards import Level, RecordCard, Standing
from bridge.records.desk import Opened
from bridge.records.model import PUBLIC, Absence, Fact, Offer, Record, Status
from bridge.records.redaction import Audience
from tests.record_hostility import TRICKS, hostile
from tests.record_rendering import ALONE, FLOOR, FOLDER, card, check_object
from tests.record_samples import CHANGE, OPPORTUNITY, RECORDS, secrets_of
from tests.unit.bots.records.test_golden import STANDINGS, compare

LINK = "https://acme.atlassian.net/browse/OPS-1?a=1&amp;b=2"
URL = "https://acme.atlassian.net/browse/OPS-1?a=1&b=2"
ASKED = {
    "trigger_id": "1.2.3",
    "entity_url": URL,
    "external_ref": {"id": "servicenow:acme/change_request/0f4a", "type": "change"},
}
_CALLS = re.compile(r"<[!@#]|<[a-z]+:|[\u202a-\u202e\u2066-\u2069\u200b]")


def of(shown: RecordCard, link: str = "") -> dict[str, Any]:
    made = objects.object_of(shown, link)
    assert made is not None
    check_object(made, linked=bool(link))
    return made


def texts(part: Any) -> Iterator[str]:
    """Yield every text of an object that people read."""
    if isinstance(part, list):
        for each in part:
            yield from texts(each)
    elif isinstance(part, dict):
        for name, each in part.items():
            if name in {"text", "value", "label", "display_id", "display_type"}:
                yield from texts(each) if not isinstance(each, str) else [each]
            else:
                yield from texts(each)


@pytest.mark.parametrize(("name", "record"), RECORDS.items(), ids=RECORDS)
def test_an_object_is_as_recorded(name: str, record: Record) -> None:
    viewer = objects.details(card(record, ALONE), ASKED)
    check_object(viewer)
    room = objects.object_of(card(record))
    if room is not None:
        check_object(room)

    made = {"room": room, "link": of(card(record), LINK), "viewer": viewer}

    compare(f"objects/{name}", made)


@pytest.mark.parametrize("name", STANDINGS)
def test_every_standing_is_as_recorded(name: str) -> None:
    compare(f"objects/standing_{name}", of(STANDINGS[name], LINK))


def test_there_is_no_recorded_object_of_nothing() -> None:
    names = {*RECORDS, *(f"standing_{name}" for name in STANDINGS)}

    assert {path.stem for path in (FOLDER / "objects").glob("*.json")} == names


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("level", Level)
def test_no_byte_of_what_is_hidden_leaves(record: Record, level: Level) -> None:
    room = card(record, replace(FLOOR, level=level))
    sent = [objects.object_of(room), of(room, LINK), objects.objects_of({LINK: room})]

    told = json.dumps(sent, ensure_ascii=False) + json.dumps(sent)
    assert [secret for secret in secrets_of(record) if secret in told] == []


def test_what_may_not_be_named_is_known_by_its_link_alone() -> None:
    room = card(CHANGE, replace(FLOOR, level=Level.BUTTON))

    made = of(room, LINK)

    assert objects.object_of(room) is None
    assert made["external_ref"] == {"id": URL}
    assert (made["url"], made["app_unfurl_url"]) == (URL, LINK)
    told = json.dumps(made)
    for word in (CHANGE.key, CHANGE.title, CHANGE.ref.id, CHANGE.ref.kind):
        assert word not in told


def test_nothing_says_when_it_changed() -> None:
    """Slack would draw the room's preview from what one person was shown."""
    made = objects.details(card(OPPORTUNITY, ALONE), ASKED)

    assert "metadata_last_modified" not in json.dumps(made)
    assert "date_updated" not in json.dumps(made)


def test_what_is_presented_names_what_was_asked_for() -> None:
    made = objects.details(card(CHANGE, ALONE), ASKED)

    assert made["external_ref"] == ASKED["external_ref"]
    assert made["url"] == ASKED["entity_url"]
    assert "app_unfurl_url" not in made


def test_what_a_search_found_is_named_by_the_record() -> None:
    made = objects.details(card(CHANGE, ALONE), {"trigger_id": "t"})

    check_object(made)
    assert made["external_ref"]["id"] == str(CHANGE.ref)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("audience", [FLOOR, ALONE], ids=["room", "viewer"])
def test_buttons_are_those_of_the_card(record: Record, audience: Audience) -> None:
    shown = card(record, audience)
    actions = of(shown, LINK)["entity_payload"].get("actions", {})
    found = [one for kind in actions.values() for one in kind]

    there = json.dumps(slack.render(shown).blocks)
    for one in found:
        assert f'"value": "{one["value"]}"' in there
        assert not one["action_id"].startswith("rec.view")
    asked_first = {button.token for button in shown.buttons if button.confirm}
    assert not asked_first & {one["value"] for one in found}
    assert len(found) == min(
        7, sum(not b.confirm and b.act != "view" for b in shown.buttons)
    )


@pytest.mark.parametrize("trick", TRICKS, ids=range(len(TRICKS)))
@pytest.mark.parametrize("times", [1, 1_000])
def test_trick_does_nothing_wherever_it_stands(trick: str, times: int) -> None:
    text = trick * times
    record = replace(
        CHANGE,
        what=text,
        title=text,
        key=text,
        status=Status(text),
        facts=(Fact("a", text, text), Fact("b", text, text)),
        body=Fact("body", "Body", text),
        offers=(Offer("act", text),),
    )
    for made in (of(card(record), LINK), objects.details(card(record, ALONE), ASKED)):
        check_object(made, linked="app_unfurl_url" in made)
        assert [one for one in texts(made) if _CALLS.search(one)] == []


@pytest.mark.parametrize("number", range(30))
def test_hostile_records_keep_to_the_budget(number: int) -> None:
    record = hostile(random.Random(number))

    of(card(record), LINK)
    check_object(objects.details(card(record, ALONE), ASKED))


@given(st.lists(st.integers(0, 1_000), max_size=20))
@settings(max_examples=20, deadline=None)
def test_all_objects_of_a_call_keep_to_it_together(numbers: list[int]) -> None:
    cards = {
        f"{LINK}&amp;n={n}": card(hostile(random.Random(number)))
        for n, number in enumerate(numbers)
    }

    made = objects.objects_of(cards)

    assert len(json.dumps({"entities": made})) <= objects.BUDGET + 100
    for one in made:
        check_object(one, linked=True)
    if cards:
        assert made


def test_long_records_leave_room_for_each_other() -> None:
    long = replace(CHANGE, body=Fact("d", "D", "long " * 40_000))

    made = objects.objects_of({f"{LINK}&amp;n={n}": card(long) for n in range(4)})

    assert len(made) == 4
    for one in made:
        [body] = [
            f for f in one["entity_payload"]["custom_fields"] if f["key"] == "body"
        ]
        assert body["value"].startswith("long")


def test_many_fields_are_left_out_and_counted() -> None:
    facts = tuple(Fact(f"f{n}", f"Label {n}", "v" * 400) for n in range(60))

    made = of(card(replace(CHANGE, facts=facts, body=None)))

    fields = {f["key"]: f["value"] for f in made["entity_payload"]["custom_fields"]}
    shown = sum(key[1:].isdecimal() for key in fields)
    assert 10 <= shown < 60
    assert fields["more"] == f"… and {60 - shown} more fields"
    assert "as of" in fields["origin"]


def test_long_description_is_cut_and_says_so() -> None:
    made = of(card(replace(CHANGE, body=Fact("d", "D", "long " * 40_000))))

    [body] = [f for f in made["entity_payload"]["custom_fields"] if f["key"] == "body"]
    assert body["value"].endswith(" … cut")
    assert len(body["value"]) > 2_000


def test_slacks_own_model_takes_it() -> None:
    made = of(card(CHANGE), LINK)

    assert EntityMetadata(**made).to_dict() == made


@pytest.mark.parametrize(
    "standing",
    [Standing.STALE, Standing.GONE, Standing.FORBIDDEN, Standing.UNAVAILABLE],
)
def test_every_answer_without_a_record_has_a_title_of_its_own(
    standing: Standing,
) -> None:
    told = objects.nothing(Opened(standing, "Because <!channel>."))

    others = [
        objects.nothing(Opened(each, "x"))["custom_title"]
        for each in Standing
        if each not in {standing, Standing.LIVE, Standing.SUPERSEDED}
    ]
    assert told["custom_title"] not in others
    assert told["custom_message"] == "Because ‹!channel>."
    assert told["status"] == "custom"


CLASSES = st.sampled_from([PUBLIC, "a", "b"])
SECRETS = st.builds(
    Fact,
    st.uuids().map(str),
    st.uuids().map(lambda id_: f"Label {id_}"),
    st.uuids().map(lambda id_: f"Value {id_} <&> \u202e"),
    CLASSES,
    st.booleans(),
)


@given(st.lists(SECRETS, max_size=20), st.frozensets(CLASSES))
@settings(max_examples=60, deadline=None)
def test_no_byte_of_any_hidden_fact_is_in_what_is_sent(
    facts: list[Fact], classes: frozenset[str]
) -> None:
    shown = card(replace(CHANGE, facts=tuple(facts)), Audience(classes))
    sent = json.dumps([objects.object_of(shown), objects.object_of(shown, LINK)])

    for fact in facts:
        if fact.cls not in classes:
            assert fact.text[6:42] not in sent
            assert fact.id not in sent
            assert not fact.secretive or fact.label not in sent


def test_an_absence_is_an_object_only_where_a_link_names_it() -> None:
    gone = card(Absence.GONE, of=CHANGE)

    assert objects.object_of(gone) is None
    [status, _] = of(gone, LINK)["entity_payload"]["custom_fields"]
    assert "Deleted or no longer visible." in status["value"]
