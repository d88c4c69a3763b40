"""What the org's refusals mean."""

from typing import Any

import pytest

from bridge.errors import AtomError, ServiceUnavailable
from bridge.records.ports import Gone, NotYours, Rejected, Unsure
from connectors.salesforce.asking import value_of
from connectors.salesforce.manners import Changed, Hidden, Locked, NotKnown, told
from connectors.salesforce.metadata import FieldOf, _fields
from connectors.sandbox.salesforce.schema import OBJECTS, described


def _errors(code: str, message: str = "no", *fields: str) -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message, "fields": list(fields)}]


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (404, _errors("NOT_FOUND"), Gone),
        (404, _errors("ENTITY_IS_DELETED"), Gone),
        (
            404,
            _errors("NOT_FOUND", "Provided external ID field does not exist"),
            NotKnown,
        ),
        (412, _errors("PRECONDITION_FAILED"), Changed),
        (412, "<html>", Changed),
        (400, _errors("UNABLE_TO_LOCK_ROW"), Locked),
        (
            400,
            _errors("INVALID_FIELD", "No such column 'Amount' on entity 'X'"),
            Hidden,
        ),
        (400, _errors("INSUFFICIENT_ACCESS_OR_READONLY"), NotYours),
        (400, _errors("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", "A"), Rejected),
        (400, _errors("DUPLICATES_DETECTED", "There is one already"), Rejected),
        (403, _errors("API_DISABLED_FOR_ORG"), ServiceUnavailable),
        (500, _errors("UNKNOWN_EXCEPTION"), ServiceUnavailable),
        (503, "<html>We are down</html>", ServiceUnavailable),
        (400, "<html>", ServiceUnavailable),
        (400, [], ServiceUnavailable),
        (400, ["odd", None], ServiceUnavailable),
        (400, {"error": "invalid_grant"}, Rejected),
    ],
)
def test_each_refusal_has_its_meaning(
    status: int, content: Any, kind: type[AtomError]
) -> None:
    assert type(told(status, content)) is kind


def test_an_outage_while_writing_is_unsure() -> None:
    assert type(told(502, "<html>", writes=True)) is Unsure


def test_every_field_gets_its_own_sentence() -> None:
    errors = _errors("STRING_TOO_LONG", "too long", "A") + _errors(
        "X", "wrong", "B", "C"
    )

    error = told(400, errors)

    assert isinstance(error, Rejected)
    assert error.fields == {"A": "too long", "B": "wrong", "C": "wrong"}


def test_bitmaps_say_which_choices_fit() -> None:
    told_ = {
        "fields": [
            {
                "name": "On",
                "type": "boolean",
                "label": "On",
            },
            {
                "name": "How",
                "type": "picklist",
                "controllerName": "On",
                "picklistValues": [
                    {"value": "slow", "active": True, "validFor": "gA=="},
                    {"value": "fast", "active": True, "validFor": "wA=="},
                    {"value": "old", "active": False, "validFor": "wA=="},
                    {"value": "never", "active": True, "validFor": None},
                ],
            },
        ]
    }

    fields = _fields(told_)

    assert fields["How"].fitting == {"false": ("slow", "fast"), "true": ("fast",)}


def test_more_than_eight_options_take_more_than_one_byte() -> None:
    options = [{"value": f"o{n}", "active": True} for n in range(12)]
    bits = {"value": "x", "active": True, "validFor": "AQE="}  # bits 7 and 15
    told_ = {
        "fields": [
            {"name": "A", "type": "picklist", "picklistValues": options},
            {
                "name": "B",
                "type": "picklist",
                "controllerName": "A",
                "picklistValues": [bits],
            },
        ]
    }

    fitting = _fields(told_)["B"].fitting

    assert [option for option, values in fitting.items() if values] == ["o7"]


def test_every_object_of_the_stand_in_can_be_read() -> None:
    for fields in OBJECTS.values():
        read = _fields({"fields": [described(one, writable=True) for one in fields]})
        assert read.keys() == {one.name for one in fields}


def _field(kind: str) -> FieldOf:
    return FieldOf("F", "F", kind, 0, True, True, False, (), "", {})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("currency", "1,250.50", 1250.5),
        ("double", " 7 ", 7.0),
        ("currency", "", None),
        ("boolean", "true", True),
        ("boolean", "", False),
        ("string", "007", "007"),
        ("picklist", "", None),
    ],
)
def test_texts_become_values(kind: str, text: str, value: object) -> None:
    assert value_of(_field(kind), text) == value
