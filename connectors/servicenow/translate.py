"""Make records of rows: what a card shows, how it is classed, and what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.access import Action
from bridge.cards import Tone
from bridge.records.model import (
    NEVER,
    PUBLIC,
    Fact,
    Look,
    Needs,
    Offer,
    Record,
    RecordRef,
    Revision,
    Status,
    System,
)
from bridge.records.orphans import APPROVALS
from connectors.servicenow.rows import Row, latest_entry, moment, plain, span
from connectors.servicenow.states import (
    IncidentState,
    change_tone,
    incident_tone,
    possible,
)
from connectors.servicenow.tables import (
    ARTICLE,
    CHANGE,
    INCIDENT,
    INTERNAL,
    ITEM,
    KINDS,
    REQUEST,
    Shown,
)

MOVE = "move-"  # starts the act that moves a change to a state
_COUNTED = frozenset({"requested", "approved", "rejected", "not requested"})
_NAMED = 4  # approvers that are named; the others are counted
_WRITE = Action.RECORD_UPDATE
_COMMENT = Offer("comment", "Comment…", _WRITE, needs=Needs.FORM)
_NOTE = Offer("note", "Work note…", _WRITE, needs=Needs.FORM)
_APPROVE = Offer(
    "approve",
    "Approve",
    Action.RECORD_APPROVE,
    Look.PRIMARY,
    Needs.CONFIRMATION,
    "Records your approval in ServiceNow as you.",
)
_REJECT = Offer("reject", "Reject…", Action.RECORD_APPROVE, Look.DANGER, Needs.FORM)
_ORDER = Offer("order", "Order…", Action.RECORD_CREATE, Look.PRIMARY, Needs.FORM)
_ORDER_FOR = Offer(
    "order-for", "For someone else…", Action.RECORD_CREATE, needs=Needs.FORM
)


@dataclass(frozen=True, slots=True)
class Beside:
    """
    What belongs to a record but stands in other tables.

    `entries` are of its journals, latest first; `approvals` and `items` its rows of
    sysapproval_approver and sc_req_item; `moves` the states it can be moved to now, by
    number, with their names.
    """

    entries: Sequence[Row] = ()
    approvals: Sequence[Row] = ()
    items: Sequence[Row] = ()
    moves: Sequence[tuple[str, str]] = field(default=())


@dataclass(frozen=True, slots=True)
class Translator:
    """Makes records of one instance's rows; `site` is its address for people."""

    instance: str
    site: str

    def record(self, kind: str, row: Row, as_of_us: int, beside: Beside) -> Record:
        """Return a row as a record. Raises `BadInput` for a row without an id."""
        table = KINDS[kind]
        facts = [_fact(row, each) for each in table.shown if each.field in row.values]
        status, what, more, offers = _OF[kind](row, beside)
        title = row.text(table.title) or row.value("number") or table.what
        return Record(
            RecordRef(System.SERVICENOW, self.instance, kind, row.id),
            what,
            title,
            status,
            revision(row),
            as_of_us,
            row.value("number"),
            self.url(kind, row.id),
            (*more, *(fact for fact in facts if fact.text)),
            _body(kind, row),
            offers,
        )

    def url(self, kind: str, id_: str) -> str:
        """Return a record's page in ServiceNow itself."""
        if kind == ITEM.kind:
            return f"{self.site}/sp?id=sc_cat_item&sys_id={id_}"
        if kind == ARTICLE.kind:
            return f"{self.site}/kb_view.do?sys_kb_id={id_}"
        name = KINDS[kind].name
        return f"{self.site}/nav_to.do?uri={name}.do?sys_id={id_}"


def revision(row: Row) -> Revision:
    """Return which state of a row this is: how often it was written."""
    count = row.number("sys_mod_count")
    return NEVER if count is None else Revision(count, str(count))


def waiting_on(approvals: Sequence[Row]) -> str:
    """Return who still has to decide, with the group they do it for."""
    names = []
    for each in approvals:
        if each.value("state") == "requested":
            group = each.text("group")
            name = each.text("approver")
            names.append(f"{name} ({group})" if group else name)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _fact(row: Row, shown: Shown) -> Fact:
    value = row.value(shown.field)
    text = moment(value) if shown.time else row.text(shown.field)
    return Fact(shown.field, shown.label, text.strip(), shown.cls, raw=value)


def _body(kind: str, row: Row) -> Fact | None:
    name = KINDS[kind].body
    if kind == ITEM.kind and row.value("description"):
        name = "description"
    raw = row.value(name)
    html = kind in {ARTICLE.kind, ITEM.kind}
    text = plain(raw) if html else raw
    return Fact(name, "Description", text, raw=raw) if text.strip() else None


_Parts = tuple[Status, str, tuple[Fact, ...], tuple[Offer, ...]]


def _incident(row: Row, beside: Beside) -> _Parts:
    state, priority = row.number("state"), row.number("priority")
    words = row.text("state") or "Incident"
    text = f"{words} · P{priority}" if priority else words
    can = possible(state)
    offers = [
        (can.take, Offer("take", "Take it", _WRITE, Look.PRIMARY)),
        (can.comment, _COMMENT),
        (can.resolve, Offer("resolve", "Resolve…", _WRITE, needs=Needs.FORM)),
        (can.take, Offer("reassign", "Reassign…", _WRITE, needs=Needs.FORM)),
        (can.hold, Offer("hold", "On hold…", _WRITE, needs=Needs.FORM)),
        (can.edit, Offer("edit", "Edit…", _WRITE, needs=Needs.FORM)),
        (can.comment, _NOTE),
        (
            state == IncidentState.RESOLVED,
            Offer("reopen", "Reopen", _WRITE, needs=Needs.CONFIRMATION),
        ),
    ]
    return (
        Status(text, incident_tone(state, priority)),
        INCIDENT.what,
        _said(row, beside.entries),
        tuple(offer for fits, offer in offers if fits),
    )


def _change(row: Row, beside: Beside) -> _Parts:
    state, approval = row.number("state"), row.value("approval")
    words = row.text("state") or "Change"
    asked = {"requested": "approval requested", "rejected": "rejected"}.get(approval)
    pending, counted = _decided(beside.approvals)
    facts = []
    if window := span(row.value("start_date"), row.value("end_date")):
        facts.append(Fact("window", "Window", window))
    if counted:
        facts.append(_approvals(counted))
    offers = [_APPROVE, _REJECT] if pending else []
    offers += [_COMMENT, _NOTE] if row.value("active") != "false" else []
    offers += [
        Offer(
            f"{MOVE}{number}",
            f"Move to {label}",
            _WRITE,
            needs=Needs.CONFIRMATION,
            confirm=f"Moves the change to {label} in ServiceNow as you.",
        )
        for number, label in beside.moves
    ]
    kind = row.text("type")
    return (
        Status(f"{words} – {asked}" if asked else words, change_tone(state, approval)),
        f"{kind} change" if kind else CHANGE.what,
        (*facts, *_said(row, beside.entries)),
        tuple(offers),
    )


def _decided(approvals: Sequence[Row]) -> tuple[bool, list[Row]]:
    """Return whether somebody still has to decide, and the approvals that count."""
    counted = [each for each in approvals if each.value("state") in _COUNTED]
    return any(each.value("state") == "requested" for each in counted), counted


def _approvals(counted: Sequence[Row]) -> Fact:
    """Return how far approvals are; plainly, it is the ids of who is waited for."""
    waits = [e.value("approver") for e in counted if e.value("state") == "requested"]
    return Fact(APPROVALS, "Approvals", _progress(counted), raw=" ".join(waits))


def _progress(approvals: Sequence[Row]) -> str:
    done = sum(each.value("state") == "approved" for each in approvals)
    against = [
        each.text("approver") for each in approvals if each.value("state") == "rejected"
    ]
    text = f"{done} of {len(approvals)}"
    if against:
        return f"{text} · rejected by {', '.join(against[:_NAMED])}"
    waiting = waiting_on(approvals)
    return f"{text} · waiting on {waiting}" if waiting else text


def _request(row: Row, beside: Beside) -> _Parts:
    words = row.text("request_state") or row.text("stage") or row.text("state")
    facts = []
    for place, item in enumerate(beside.items, start=1):
        stage = item.text("stage") or item.text("state")
        quantity = item.value("quantity")
        many = f"{quantity} × " if quantity not in {"", "1"} else ""
        name = item.text("cat_item") or item.text("short_description")
        facts.append(
            Fact(
                f"item-{place}",
                item.value("number") or f"Item {place}",
                f"{many}{name} – {stage}" if stage else f"{many}{name}",
            )
        )
    pending, counted = _decided(beside.approvals)
    if counted:
        facts.append(_approvals(counted))
    offers = [_APPROVE, _REJECT] if pending else []
    offers += [_COMMENT] if row.value("active") != "false" else []
    tone = Tone.WARNING if pending else Tone.PLAIN
    tone = Tone.BAD if "reject" in words.casefold() else tone
    status = Status(words or "Requested", tone)
    return status, REQUEST.what, (*facts, *_said(row, beside.entries)), tuple(offers)


def _item(row: Row, _beside: Beside) -> _Parts:
    producer = row.value("sys_class_name") == "sc_cat_item_producer"
    fill_in = Offer("order", "Fill in…", Action.RECORD_CREATE, Look.PRIMARY, Needs.FORM)
    offers = (fill_in,) if producer else (_ORDER, _ORDER_FOR)
    price = row.text("price") or "No price"
    return Status(price), ITEM.what, (), offers


def _article(row: Row, _beside: Beside) -> _Parts:
    state = row.text("workflow_state") or "Published"
    return Status(state), ARTICLE.what, (), ()


_OF = {
    INCIDENT.kind: _incident,
    CHANGE.kind: _change,
    REQUEST.kind: _request,
    ITEM.kind: _item,
    ARTICLE.kind: _article,
}


def _said(row: Row, entries: Sequence[Row]) -> tuple[Fact, ...]:
    """
    Return the latest comment, which callers see, and the latest note, which they do not.

    Not everybody may read the journals' own table; then it is what the row displays.
    """
    facts = []
    for element, label, cls in (
        ("comments", "Last comment", PUBLIC),
        ("work_notes", "Last work note", INTERNAL),
    ):
        told = [each for each in entries if each.value("element") == element]
        text = told[0].value("value").strip() if told else ""
        shown = latest_entry(row.text(element))
        if not text and shown is not None:
            text = shown.text
        if text:
            facts.append(Fact(element, label, text, cls))
    return tuple(facts)
