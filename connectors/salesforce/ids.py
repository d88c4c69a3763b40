"""
Record ids: 15 characters that mind their case, and the same with 3 more that say which
are capitals. Ids are compared in the longer form alone.
"""

import re
from collections.abc import Iterable

from bridge.errors import BadInput

ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_SUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT = 15


def long(text: str) -> str:
    """Return an id's 18 characters. Raises `BadInput` for what is no id."""
    if not ID.fullmatch(text):
        raise BadInput("that is no Salesforce id: copy the record's link")
    made = text[:_SHORT] + "".join(_checks(text[:_SHORT]))
    if len(text) > _SHORT and made != text:
        raise BadInput("that Salesforce id was cut or changed: copy the record's link")
    return made


def _checks(short: str) -> Iterable[str]:
    for start in range(0, _SHORT, 5):
        five = short[start : start + 5]
        yield _SUM[sum(1 << place for place, one in enumerate(five) if one.isupper())]
