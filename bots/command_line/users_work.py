"""People of the directory, as the command line shows them."""

from collections.abc import Sequence
from typing import Any

from bots.command_line.directory_work import Server, directory_core
from bots.command_line.output import print_json, print_table, say
from bots.syncing import Sync
from bridge.directory.links import accounts_of
from bridge.directory.model import Kind, Subject
from bridge.errors import BadInput, NotFound
from bridge.retention_words import day


async def everybody(group: str, company: str, *, as_json: bool) -> None:
    async with directory_core(company, Server()) as (_built, sync):
        found = sorted(sync.view.subjects(sync.tenant), key=lambda s: (s.name, s.id))
        if group:
            wanted = _things(sync, group)
            found = [each for each in found if each.ancestors & wanted]
        if as_json:
            print_json([_short(sync, each) for each in found])
            return
        columns = ("id", "name", "address", "department", "standing")
        rows = [tuple(_short(sync, each).values())[:5] for each in found]
        print_table(columns, rows)
        say(f"{len(found)} people.")


async def somebody(who: str, company: str, *, as_json: bool) -> None:
    async with directory_core(company, Server()) as (_built, sync):
        subject = _one(sync, who)
        told = await _full(sync, subject)
        if as_json:
            print_json(told)
            return
        say(f"{subject.name} ({subject.id}) is {subject.standing}.")
        for name, value in sorted(told["attributes"].items()):
            say(f"  {name}: {value}")
        for entry in told["sources"]:
            say(f"  told by {entry['source']} as {entry['id']} ({entry['life']})")
        for place in told["in"]:
            say(f"  in {place['id']} by {' > '.join(place['path']) or 'department'}")
        for kept in told["kept"]:
            say(f"  left {kept['id']}, and keeps it until {kept['until']}")
        for ended in told["ended"]:
            say(f"  was in {ended['group']}: {ended['why']}")


def _one(sync: Sync, who: str) -> Subject:
    ids = sync.view.named(sync.tenant, Kind.PERSON, who) or _gone(sync, who) or [who]
    found = [s for id_ in ids if (s := sync.view.find(sync.tenant, id_))]
    if not found:
        raise NotFound(f"The directory knows nobody as {who}.")
    if len(found) > 1:
        names = ", ".join(f"{each.name} ({each.id})" for each in found)
        raise BadInput(f"That is said of several: {names}")
    return found[0]


def _gone(sync: Sync, who: str) -> Sequence[str]:
    """Return who was called so. Rules and links do not find them any more."""
    return sorted(
        {
            sync.state.people[ref]
            for ref, kept in sync.state.entries.items()
            if ref in sync.state.people and who in {kept.entry.id, kept.entry.name}
        }
    )


def _things(sync: Sync, name: str) -> set[str]:
    kinds = [kind for kind in Kind if kind is not Kind.PERSON]
    found = {
        f"{kind}:{id_}"
        for kind in kinds
        for id_ in sync.view.named(sync.tenant, kind, name)
    }
    if not found:
        raise NotFound(f"The directory has no group, unit, department or role {name}.")
    return found


def _short(sync: Sync, subject: Subject) -> dict[str, str]:
    attributes = sync.view.attributes(sync.tenant, subject.id)
    return {
        "id": subject.id,
        "name": subject.name,
        "mail": attributes.get("mail", ""),
        "department": subject.department,
        "standing": str(subject.standing),
        "guest": "yes" if subject.guest else "",
    }


async def _full(sync: Sync, subject: Subject) -> dict[str, Any]:
    view, tenant = sync.view, sync.tenant
    entries = view.entries(tenant, subject.id)
    attributes = view.attributes(tenant, subject.id)
    ended = [
        {"group": each.group, "source": each.source, "why": each.why}
        for kept in entries
        for each in await sync.store.endings(tenant, kept.entry.id)
        if each.source == kept.source
    ]
    return {
        **_short(sync, subject),
        "unit": subject.unit,
        "clearance": subject.clearance,
        "attributes": dict(attributes),
        "accounts": list(accounts_of(attributes)),
        "sources": [
            {"source": k.source, "id": k.entry.id, "path": k.entry.path, "life": k.life}
            for k in entries
        ],
        "in": [
            {"id": one, "path": _path(sync, subject, one)}
            for one in sorted(subject.ancestors - {g.ancestor for g in subject.kept})
        ],
        "kept": [
            {"id": g.ancestor, "since": day(g.since_us), "until": day(g.until_us)}
            for g in subject.kept
        ],
        "ended": ended,
    }


def _path(sync: Sync, subject: Subject, ancestor: str) -> Sequence[str]:
    return list(sync.view.path(sync.tenant, subject.id, ancestor))
