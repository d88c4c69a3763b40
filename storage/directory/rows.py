"""How entries and changes of a directory become text, and come back."""

from collections.abc import Mapping
from typing import Any

import orjson

from bridge.directory.difference import Change, What
from bridge.directory.held import Kept, Life, Membership
from bridge.directory.model import Entry, Kind, Standing
from storage.hot import Row
from storage.rows import clean_text

KEPT = "source, id, kind, body, life, missed, since_us, why"
MEMBER = "source, grp, member, at_us, why"


def kept_row(tenant: str, kept: Kept, version: int) -> dict[str, Any]:
    body = entry_json(kept.entry)
    if kept.former:
        body["former"] = sorted(map(clean_text, kept.former))
    return {
        "tenant": tenant,
        "source": kept.source,
        "id": kept.entry.id,
        "kind": str(kept.entry.kind),
        "body": orjson.dumps(body).decode(),
        "life": str(kept.life),
        "missed": kept.missed,
        "since_us": kept.since_us,
        "why": kept.why,
        "version": version,
    }


def kept_of(row: Row) -> Kept:
    source, id_, kind, body, life, missed, since_us, why = row
    told = orjson.loads(body)
    entry, former = entry_of(id_, kind, told), frozenset(told.get("former", ()))
    return Kept(source, entry, Life(life), missed, since_us, why, former)


def member_row(tenant: str, each: Membership, version: int) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "source": each.source,
        "grp": each.group,
        "member": each.member,
        "at_us": each.at_us,
        "why": each.why,
        "version": version,
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return an entry without its id and kind, which have columns of their own."""
    return {
        "name": clean_text(entry.name),
        "path": clean_text(entry.path),
        "unit": entry.unit,
        "parents": sorted(entry.parents),
        "attributes": {k: clean_text(v) for k, v in sorted(entry.attributes.items())},
        "standing": str(entry.standing),
        "guest": entry.guest,
    }


def entry_of(id_: str, kind: str, body: Mapping[str, Any]) -> Entry:
    return Entry(
        Kind(kind),
        id_,
        body["name"],
        body["path"],
        body["unit"],
        frozenset(body["parents"]),
        None,
        body["attributes"],
        Standing(body["standing"]),
        body["guest"],
    )


def change_json(change: Change) -> dict[str, Any]:
    return {
        "what": str(change.what),
        "source": change.source,
        "id": change.id,
        "kind": str(change.kind),
        "name": clean_text(change.name),
        "group": change.group,
        "why": change.why,
        "entry": entry_json(change.entry) if change.entry else None,
    }


def change_of(told: Mapping[str, Any]) -> Change:
    entry = told["entry"]
    return Change(
        What(told["what"]),
        told["source"],
        told["id"],
        Kind(told["kind"]),
        told["name"],
        told["group"],
        entry_of(told["id"], told["kind"], entry) if entry else None,
        told["why"],
    )
