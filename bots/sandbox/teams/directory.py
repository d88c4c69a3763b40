"""
The tenants' directory: what Entra knows of people beside Teams, and its groups.

People and teams stand in the state; here is what is changed about them, who is not in
Teams at all, security groups, and the bin in which the deleted wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bots.sandbox.teams.graph_shapes import user_told
from bots.sandbox.teams.model import Person, Team

BINNED = "changed"
PURGED = "deleted"


class Known(Protocol):
    """What of the state is in the directory as well."""

    people: dict[str, Person]
    teams: dict[str, Team]


@dataclass(slots=True)
class Snapshot:
    """A tenant's directory at one moment: what is told of each, and who is in what."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)  # by id: changed, deleted


class Directory:
    """One directory for each tenant. Every change is made by `change`."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._users: dict[tuple[str, str], dict[str, Any]] = {}
        self._groups: dict[tuple[str, str], dict[str, Any]] = {}
        self._units: dict[tuple[str, str], dict[str, Any]] = {}
        self._members: dict[tuple[str, str], list[str]] = {}
        self._gone: dict[tuple[str, str], str] = {}

    def snapshot(self, tenant: str) -> Snapshot:
        """Return what is there now, as copies."""
        shown = Snapshot()
        for oid, told in self.everybody(tenant).items():
            if (tenant, oid) not in self._gone:
                shown.users[oid] = told
        for oid, told in self._all_groups(tenant).items():
            if (tenant, oid) not in self._gone:
                shown.groups[oid] = told
                members = self.members(tenant, oid)
                # A user's deletion takes them out, and no group tells of it.
                shown.members[oid] = tuple(
                    m for m in members if (tenant, m) not in self._gone
                )
        shown.gone = {o: why for (t, o), why in self._gone.items() if t == tenant}
        return shown

    def everybody(self, tenant: str) -> dict[str, dict[str, Any]]:
        """Return every user by id, those in the bin too."""
        found = {}
        for person in self._known.people.values():
            if person.tenant == tenant:
                told = {**_DEFAULTS, **user_told(person)}
                told["userType"] = "Guest" if person.role == "guest" else "Member"
                found[person.directory_id] = told
        for (t, oid), changed in self._users.items():
            if t == tenant:
                found[oid] = {**_DEFAULTS, **found.get(oid, {"id": oid}), **changed}
        return found

    def members(self, tenant: str, group: str) -> list[str]:
        """Return the ids of who is in a group, a team's own members included."""
        found = list(self._members.get((tenant, group), []))
        for team in self._known.teams.values():
            if (team.tenant, team.group_id) == (tenant, group):
                inside = [self._known.people.get(one) for one in team.members]
                found += [one.directory_id for one in inside if one]
        return list(dict.fromkeys(found))

    def units(self, tenant: str) -> dict[str, dict[str, Any]]:
        """Return the administrative units by id."""
        return {
            oid: told
            for (t, oid), told in self._units.items()
            if t == tenant and (t, oid) not in self._gone
        }

    def binned(self, tenant: str, oid: str) -> bool:
        return self._gone.get((tenant, oid)) == BINNED

    def is_group(self, tenant: str, oid: str) -> bool:
        return oid in self._all_groups(tenant)

    def change(self, tenant: str, wish: Mapping[str, Any]) -> str:
        """
        Do what an administrator does, and return the id of whom or what it was done to.

        `do` is add_user, change_user, add_group, change_group, add_unit, change_unit
        (with `values`, by Graph's names), join, leave (with `member`), delete, restore
        or purge. Raises ValueError for what cannot be.
        """
        do, oid = str(wish.get("do", "")), str(wish.get("id", ""))
        key, values = (tenant, oid), dict(wish.get("values") or {})
        if do in {"add_user", "change_user"}:
            if (do == "add_user") == (oid in self.everybody(tenant)):
                raise ValueError("there is such a user" if oid else "an id is needed")
            self._users[key] = {**self._users.get(key, {}), **values, "id": oid}
        elif do in {"add_group", "change_group"}:
            self._groups[key] = {**self._groups.get(key, {}), **values, "id": oid}
        elif do in {"add_unit", "change_unit"}:
            self._units[key] = {**self._units.get(key, {}), **values, "id": oid}
        elif do in {"join", "leave"}:
            self._move(key, str(wish.get("member", "")), joins=do == "join")
        elif do in {"delete", "purge"}:
            self._gone[key] = BINNED if do == "delete" else PURGED
        elif do == "restore":
            if self._gone.pop(key, "") != BINNED:
                raise ValueError("it does not wait in the bin")
        else:
            raise ValueError(f"unknown change {do!r} of the directory")
        return oid

    def _move(self, group: tuple[str, str], member: str, *, joins: bool) -> None:
        members = self._members.setdefault(group, [])
        if joins and member not in members:
            members.append(member)
        elif not joins and member in members:
            members.remove(member)

    def _all_groups(self, tenant: str) -> dict[str, dict[str, Any]]:
        found = {
            team.group_id: {
                "id": team.group_id,
                "displayName": team.name,
                "groupTypes": ["Unified"],
                "securityEnabled": False,
                "mailEnabled": True,
            }
            for team in self._known.teams.values()
            if team.tenant == tenant and not team.deleted
        }
        for (t, oid), told in self._groups.items():
            if t == tenant:
                new = {"groupTypes": [], "securityEnabled": True, "mailEnabled": False}
                found[oid] = {**found.get(oid, new), **told}
        return found


_DEFAULTS: Mapping[str, Any] = {
    "accountEnabled": True,
    "userType": "Member",
    "externalUserState": None,
}
