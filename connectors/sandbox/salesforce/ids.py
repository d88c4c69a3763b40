"""Record ids: 15 characters that mind their case, and 3 that say which are capitals."""

PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "OpportunityHistory": "008",
    "CaseComment": "00a",
    "Group": "00G",
    "Task": "00T",
    "Case": "500",
}
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT, _LONG = 15, 18


def make(kind: str, number: int) -> str:
    """Return the 18 characters of a record's id."""
    tail = ""
    for _ in range(5):
        number, rest = divmod(number, 62)
        tail = _DIGITS[rest] + tail
    return long(f"{PREFIXES[kind]}5g00000{tail}")


def long(short: str) -> str:
    """Return an id with its three characters of checksum."""
    extra = ""
    for start in (0, 5, 10):
        bits = [one.isascii() and one.isupper() for one in short[start : start + 5]]
        extra += _SUM[sum(1 << place for place, bit in enumerate(bits) if bit)]
    return short + extra


def read(text: str) -> str | None:
    """Return 18 characters for an id of either length, None if it is none."""
    if not text.isascii() or not text.isalnum():
        return None
    if len(text) == _SHORT:
        return long(text)
    return text if len(text) == _LONG and long(text[:15]) == text else None
