"""What the org answers, as a record: everything that one account sees, in words."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from typing import Any

from bridge.access import Action
from bridge.cards import Tone
from bridge.records.model import Fact, Look, Needs, Offer, Record, RecordRef, Revision
from bridge.records.model import Status as Standing
from connectors.salesforce.kinds import Form, Kind, Shown

Row = Mapping[str, Any]
_NOTE = Offer("note", "Log note…", needs=Needs.FORM)
_EDIT = Offer("edit", "Edit…", needs=Needs.FORM)
_NEW_CASE = Offer("new-case", "New case…", Action.RECORD_CREATE, needs=Needs.FORM)
OFFERS: Mapping[str, tuple[Offer, ...]] = {
    "account": (
        _NOTE,
        Offer("new-contact", "New contact…", Action.RECORD_CREATE, needs=Needs.FORM),
        _NEW_CASE,
        _EDIT,
    ),
    "contact": (
        Offer("call", "Log call…", needs=Needs.FORM),
        _EDIT,
        _NEW_CASE,
        _NOTE,
    ),
    "opportunity": (
        Offer("stage", "Change stage…", look=Look.PRIMARY, needs=Needs.FORM),
        _EDIT,
        _NOTE,
    ),
    "case": (
        Offer("take", "Take it", look=Look.PRIMARY),
        Offer("comment", "Comment…", needs=Needs.FORM),
        Offer("status", "Change status…", needs=Needs.FORM),
        Offer("escalate", "Escalate…", look=Look.DANGER, needs=Needs.FORM),
        _EDIT,
    ),
}
_CLOSED_OFFERS = frozenset({"take", "escalate"})


def at(row: Row, path: str) -> Any:
    """Return a value by its path, None where something on the way is not there."""
    found: Any = row
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def moment(text: str) -> datetime:
    """Read a time of the API's. Raises ValueError."""
    return datetime.fromisoformat(
        text.replace("Z", "+00:00").replace("+0000", "+00:00")
    )


def revision(row: Row) -> Revision:
    """Return which state of a record a row is, by its last modification."""
    told = str(row["LastModifiedDate"])
    return Revision(int(moment(told).timestamp() * 1_000_000), told)


class Rendering:
    """Makes records of rows; `currency` is the org's own."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def record(
        self,
        kind: Kind,
        ref: RecordRef,
        row: Row,
        url: str,
        now_us: int,
    ) -> Record:
        """Return a record of a row, which has what this account sees."""
        number = str(row.get("CaseNumber") or "")
        about = str(row.get("Description") or "")
        offers = OFFERS[kind.name]
        if row.get("IsClosed"):
            offers = tuple(one for one in offers if one.act not in _CLOSED_OFFERS)
        return Record(
            ref,
            kind.what,
            str(row.get("Subject") or row.get("Name") or ""),
            _standing(kind.name, row),
            revision(row),
            now_us,
            f"CS-{number}" if number else "",
            url,
            tuple(
                self._fact(one, row, now_us)
                for one in kind.shown
                # What is not for this account is not in its answer; empty is None.
                if one.path.partition(".")[0] in row
            ),
            Fact("description", "Description", about, raw=about) if about else None,
            offers,
        )

    def _fact(self, one: Shown, row: Row, now_us: int) -> Fact:
        value = at(row, one.path)
        if isinstance(value, Mapping):  # children: the newest comment
            newest = (value.get("records") or [{}])[0]
            value = newest.get("CommentBody")
        raw = "" if value is None else str(value)
        text = self._text(one.form, value)
        if one.form is Form.STAGE and text and (step := _step(row)):
            text = f"{step}, {text}"
        if one.form is Form.AGE:
            text = "" if row.get("IsClosed") else _age(raw, now_us)
        return Fact(one.id, one.label, text, one.cls, one.secretive, raw)

    def _text(self, form: Form, value: Any) -> str:
        if value is None:
            return ""
        if form is Form.MONEY:
            return f"{self._currency} {float(value):,.2f}".removesuffix(".00")
        try:
            if form in {Form.DAY, Form.STAGE}:
                return _day(date.fromisoformat(str(value)[:10]))
            if form is Form.MOMENT:
                when = moment(str(value)).astimezone(UTC)
                return f"{_day(when.date())} {when:%H:%M} UTC"
        except ValueError:
            return str(value)
        return str(value)


def is_visible(path: str, visible: AbstractSet[str] | None) -> bool:
    """Say whether a column is among those that an account sees; None is all of them."""
    if visible is None:
        return True
    first, dot, _rest = path.partition(".")
    return (f"{first}Id" if dot else first) in visible


def _age(since: str, now_us: int) -> str:
    """Return for how many days something is there: a card is not changed for less."""
    try:
        days = int(now_us / 1_000_000 - moment(since).timestamp()) // 86_400
    except ValueError:
        return ""
    if days < 1:
        return "less than a day"
    return "1 day" if days == 1 else f"{days} days"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _standing(kind: str, row: Row) -> Standing:
    if kind == "opportunity":
        return Standing(_joined(row.get("StageName"), _chance(row)), _deal(row))
    if kind == "case":
        tone = Tone.WARNING if row.get("Priority") == "High" else Tone.PLAIN
        if row.get("IsEscalated"):
            tone = Tone.BAD
        if row.get("IsClosed"):
            tone = Tone.GOOD
        return Standing(_joined(row.get("Status"), row.get("Priority")), tone)
    if kind == "account":
        return Standing(_joined(row.get("Type"), row.get("Rating")))
    return Standing(str(at(row, "Account.Name") or ""))


def _deal(row: Row) -> Tone:
    if row.get("IsClosed"):
        return Tone.GOOD if row.get("IsWon") else Tone.BAD
    return Tone.PLAIN


def _step(row: Row) -> str:
    """Return from which stage to which a deal went last, as its history tells."""
    history = at(row, "OpportunityHistories.records") or ()
    now = str(row.get("StageName") or "")
    for one in history:  # newest first; other changes are in it too
        if one.get("StageName") not in {None, now}:
            return f"{one['StageName']} → {now}"
    return ""


def _chance(row: Row) -> str:
    chance = row.get("Probability")
    return "" if chance is None else f"{float(chance):.0f}%"


def _joined(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part)
