"""An object of HubSpot's as a record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bridge.cards import Tone
from bridge.errors import ServiceUnavailable
from bridge.records.model import (
    NEVER,
    Fact,
    Look,
    Needs,
    Offer,
    Record,
    Revision,
    Status,
)
from connectors.hubspot.api import Json, dicts
from connectors.hubspot.portal import COMPANY, OWNER, Kind, Portal

_NOTE = Offer("note", "Note…", needs=Needs.FORM)
_TASK = Offer("task", "Task…", needs=Needs.FORM)
_EDIT = Offer("edit", "Edit…", needs=Needs.FORM)
_STAGE = Offer("stage", "Change stage…", look=Look.PRIMARY, needs=Needs.FORM)
_LONGEST_BODY = 3000
_MONEY = frozenset({"amount", "annualrevenue"})
_LABELLED = frozenset({"lifecyclestage", "hs_lead_status", "hs_ticket_priority"})


@dataclass(frozen=True, slots=True)
class Around:
    """What an object's ids mean: names of owners and companies, pipelines."""

    owners: Mapping[str, str] = field(default_factory=dict)
    companies: Mapping[str, str] = field(default_factory=dict)  # by the object's id
    pipelines: tuple[Json, ...] = ()

    def pipeline(self, id_: str) -> Json:
        return next((p for p in self.pipelines if str(p.get("id")) == id_), {})

    def stage(self, pipeline: str, id_: str) -> Json:
        stages = dicts(self.pipeline(pipeline).get("stages"))
        return next((s for s in stages if str(s.get("id")) == id_), {})


def record(
    told: Json, kind: Kind, portal: Portal, around: Around, as_of_us: int
) -> Record:
    """Read an object. Raises `ServiceUnavailable` for what is none."""
    values, id_ = told.get("properties"), str(told.get("id", ""))
    if not isinstance(values, Mapping) or not id_:
        raise ServiceUnavailable("HubSpot sent an object that cannot be read")
    title = " ".join(filter(None, (_text(values, name) for name in kind.title)))
    body = _text(values, kind.body)[:_LONGEST_BODY]
    return Record(
        portal.ref(kind, id_),
        kind.what,
        title or f"{kind.what} {id_}",
        _status(values, kind, around),
        revision(told),
        as_of_us,
        url=portal.address(kind, id_),
        facts=tuple(_facts(id_, values, kind, portal, around)),
        body=Fact(kind.body, "Description", body) if body else None,
        offers=(_STAGE, _NOTE, _TASK, _EDIT) if kind.stage else (_NOTE, _TASK, _EDIT),
    )


def revision(told: Json) -> Revision:
    """Return which state of an object this is, by when it was changed last."""
    written = str(told.get("updatedAt") or "")
    moment = moment_ms(written)
    return Revision(moment * 1000, written) if moment else NEVER


def moment_ms(written: str) -> int:
    """Return a time in milliseconds since 1970, 0 for none."""
    if written.isdecimal():
        return int(written[:15])
    try:
        told = datetime.fromisoformat(written)
    except ValueError:
        return 0
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return round(told.timestamp() * 1000)


def day_of(written: str) -> str:
    """Return the day of a time, as forms have it; empty for none."""
    moment = moment_ms(written)
    return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d}" if moment else ""


def _facts(
    id_: str, values: Json, kind: Kind, portal: Portal, around: Around
) -> Iterator[Fact]:
    for shown in kind.shown:
        name, cls = shown.property, portal.cls(kind, shown)
        if name == COMPANY:
            yield Fact(name, shown.label, around.companies.get(id_, ""), cls)
        # What an account may not see is not null, it is not there.
        elif name in values:
            raw = _text(values, name)
            yield Fact(
                name, shown.label, _said(name, raw, values, kind, around), cls, raw=raw
            )


def _said(name: str, raw: str, values: Json, kind: Kind, around: Around) -> str:
    if not raw:
        return ""
    if name == OWNER:
        return around.owners.get(raw, "somebody")
    if name == kind.pipeline:
        return str(around.pipeline(raw).get("label") or raw)
    if name in _MONEY:
        return _money(raw, _text(values, "deal_currency_code"))
    if name in _LABELLED:
        return raw.replace("_", " ").capitalize()
    if moment_ms(raw) and not raw.isdecimal():
        return day_of(raw)
    return raw


def _status(values: Json, kind: Kind, around: Around) -> Status:
    if not kind.stage:
        return Status(_text(values, kind.status).replace("_", " ").capitalize())
    raw = _text(values, kind.stage)
    stage = around.stage(_text(values, kind.pipeline), raw)
    metadata = stage.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    label, chance = str(stage.get("label") or raw), _number(metadata.get("probability"))
    if metadata.get("isClosed") in {"true", True}:
        good = chance is None or chance > 0
        return Status(label, Tone.GOOD if good else Tone.BAD)
    return Status(label if chance is None else f"{label} · {chance:.0%}")


def _money(raw: str, currency: str) -> str:
    number = _number(raw)
    if number is None:
        return raw
    told = f"{number:,.0f}" if number.is_integer() else f"{number:,.2f}"
    return f"{told} {currency}".strip()


def _number(value: Any) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _text(values: Json, name: str) -> str:
    value = values.get(name) if name else None
    return str(value) if isinstance(value, str | int | float) else ""
