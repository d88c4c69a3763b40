"""How the log states what was found in a message, and what was done about it."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from bridge.access import Label
from bridge.delivery import Delivery
from bridge.errors import BadInput
from bridge.leaving.findings import Finding, Inspection
from bridge.leaving.rules import Deed, Taken, Verdict
from bridge.messages import Event
from bridge.ports import Commitment
from storage.writes import Entry, Write

_IN_BODY = "leaving"


def looked(inspection: Inspection) -> dict[str, object]:
    """Return what a message's entry keeps of its inspection: nothing if it is empty."""
    return {} if inspection.empty else {_IN_BODY: inspection.told}


def inspected(body: Mapping[str, Any]) -> Inspection | None:
    """Return the inspection that an entry keeps, if it has one."""
    told = body.get(_IN_BODY)
    if not isinstance(told, Mapping):
        return None
    try:
        return Inspection.read(told)
    except BadInput:
        return None  # it is looked at again


def label_of(inspection: Inspection) -> str | None:
    """Return the label for the entry's own column, if it was given one."""
    given = inspection.label is not Label.PUBLIC or inspection.chosen
    return inspection.label.name.lower() if given else None


def found_in(commitment: Commitment, now_us: int) -> tuple[Write, ...]:
    """Return the entries that are written with a message in which something was found."""
    event, tenant = commitment.event, commitment.tenant
    findings = [
        _entry(event, "dlp.finding", now_us, _finding(name, found))
        for name, found in _by_detector(commitment.inspection.findings)
    ]
    actions = [
        _entry(event, "dlp.action", now_us, _action(taken, commitment.inspection))
        for taken in commitment.taken
    ]
    return tuple(Write(tenant, entry=entry) for entry in (*findings, *actions))


def findings_of_file(
    delivery: Delivery,
    person: str,
    inspection: Inspection,
    verdict: Verdict,
    now_us: int,
) -> Sequence[Entry]:
    """Return the entries about what was found in a file, and what is done about it."""
    source = delivery.source
    told = [
        ("dlp.finding", _finding(name, found))
        for name, found in _by_detector(inspection.findings)
    ]
    if verdict.deed is not Deed.ALLOW:
        taken = Taken(verdict, delivery.link, delivery.target)
        detail = _action(taken, inspection)
        told.append(("dlp.action", {**detail, "file": delivery.file}))
    return [
        Entry(
            etype=etype,
            platform=source.platform,
            subject=person,
            src_us=now_us,
            body=_body(detail, person.partition("|")[2]),
            team=source.team,
            conv=source.id,
            thread=delivery.thread,
            msg=delivery.message,
            via="self",
            link=delivery.link,
        )
        for etype, detail in told
    ]


def action(taken: Taken) -> dict[str, Any]:
    """Return what is done about a message at one place, as its entry states it."""
    return {
        "action": taken.deed.value,
        "rules": list(taken.verdict.rules),
        "target": str(taken.target),
        "link": taken.link,
        "hidden": [
            [finding.part.value, finding.start, finding.end]
            for finding in taken.verdict.hide
        ],
    }


def _action(taken: Taken, inspection: Inspection) -> dict[str, Any]:
    """Say as well by which rules and detectors it was judged."""
    return {**action(taken), "judged": inspection.rules}


def _finding(detector: str, found: Sequence[Finding]) -> dict[str, Any]:
    return {"detector": detector, "findings": [finding.told for finding in found]}


def _by_detector(
    findings: Sequence[Finding],
) -> list[tuple[str, list[Finding]]]:
    ordered = sorted(findings, key=lambda finding: finding.detector)
    grouped = groupby(ordered, key=lambda finding: finding.detector)
    return [(name, list(found)) for name, found in grouped]


def _entry(event: Event, etype: str, now_us: int, detail: Mapping[str, Any]) -> Entry:
    channel = event.channel
    return Entry(
        etype=etype,
        platform=event.platform,
        subject=f"{event.platform}|{event.author.id}",
        src_us=now_us,
        body=_body(detail, event.author.id),
        team=channel.team if channel else event.account,
        conv=channel.id if channel else "",
        thread=event.thread,
        msg=event.message,
        version_us=event.version_us,
        via="self",
    )


def _body(detail: Mapping[str, Any], author: str) -> dict[str, Any]:
    said = (
        detail.get("detector") or f"{detail['action']} by {', '.join(detail['rules'])}"
    )
    return {
        "text": str(said),
        "author": {"id": author, "name": "", "avatar": ""},
        "detail": dict(detail),
    }
