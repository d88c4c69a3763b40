"""What HubSpot says of values that do not fit their property."""

from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.hubspot.state import Property


def wrong_with(told: Property, value: Any) -> tuple[str, str] | None:
    """Return a code and a sentence, None for a value that fits."""
    text = str(value if value is not None else "")
    allowed = {each for each, _ in told.options}
    if text and allowed and text not in allowed:
        return ("INVALID_OPTION", f"{text} was not one of the allowed options")
    if text and told.type == "number":
        try:
            float(text)
        except ValueError:
            return ("INVALID_DOUBLE", f"{text} was not a valid number.")
    if text and told.type in {"date", "datetime"} and _moment(text) is None:
        return ("INVALID_LONG", f"{text} was not a valid long.")
    if told.name == "email" and text and "@" not in text:
        return ("INVALID_EMAIL", f"Email address {text} is invalid")
    return None


def _moment(text: str) -> datetime | None:
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
