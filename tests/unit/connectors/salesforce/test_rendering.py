"""What the org answers, in words."""

from typing import Any

import pytest

from bridge.records.model import RecordRef, System
from connectors.salesforce.kinds import CASE
from connectors.salesforce.rendering import Rendering

NOW_US = 1_793_392_860_000_000  # 2026-10-30 20:41 UTC
REF = RecordRef(System.SALESFORCE, "acme", "case", "5005g0000000145AAA")


@pytest.mark.parametrize(
    ("more", "age"),
    [
        ({"CreatedDate": "2026-10-30T20:40:59.000+0000"}, "less than a day"),
        ({"CreatedDate": "2026-10-30T20:45:00.000+0000"}, "less than a day"),
        ({"CreatedDate": "2026-10-29T20:41:00.000+0000"}, "1 day"),
        ({"CreatedDate": "2026-10-01T20:41:01.000+0000"}, "28 days"),
        ({"CreatedDate": "2026-10-01T20:41:01.000+0000", "IsClosed": True}, ""),
        ({"CreatedDate": None}, ""),
        ({"CreatedDate": "soon"}, ""),
    ],
    ids=["seconds", "its clock is ahead", "a day", "weeks", "closed", "none", "odd"],
)
def test_an_open_case_says_for_how_many_days_it_is_there(
    more: dict[str, Any], age: str
) -> None:
    row = {"LastModifiedDate": "2026-10-30T20:41:00.000+0000", **more}

    record = Rendering("USD").record(CASE, REF, row, "", NOW_US)

    shown = record.fact("age")
    assert shown
    assert shown.text == age
