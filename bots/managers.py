"""Whose manager somebody is, as the directory's sources say."""

from bridge.directory.model import Standing
from bridge.directory.view import LiveDirectory


def manager_of(view: LiveDirectory, tenant: str, person: str) -> str:
    """Return ATOM's id of somebody's manager, if they are at work; empty else."""
    for kept in view.entries(tenant, person):
        wanted = kept.entry.attributes.get("manager", "")
        if not wanted:
            continue
        who = view.state(tenant).people.get((kept.source, wanted), "")
        boss = view.find(tenant, who) if who else None
        if boss is not None and boss.standing is Standing.ACTIVE:
            return boss.id
    return ""
