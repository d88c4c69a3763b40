"""
The company behind both platforms: its people and groups, in a YAML file.

Whoever keeps such a file edits it; so does the page, over HTTP. What reads it is none
of the sandbox's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(slots=True)
class Member:
    """Somebody of the company, and the accounts that are theirs on the platforms."""

    id: str
    name: str
    department: str
    mail: str = ""
    accounts: tuple[str, ...] = ()
    guest: bool = False
    disabled: bool = False
    manager: str = ""


@dataclass(slots=True)
class Company:
    """People and groups as a file; `groups` are names by id, `inside` who is in them."""

    path: Path
    people: list[Member] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    inside: dict[str, set[str]] = field(default_factory=dict)

    def write(self) -> None:
        """Replace the file in one go: nobody reads half of it."""
        text = yaml.safe_dump(self._told(), sort_keys=False, allow_unicode=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.path)

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Move somebody into or out of a group, or disable them. Raises `ValueError`."""
        person = self._person(wanted.get("person"))
        disabled, inside = wanted.get("disabled"), wanted.get("in")
        group = str(wanted.get("group", ""))
        told = [one for one in (disabled, inside) if isinstance(one, bool)]
        if not told:
            raise ValueError("say 'disabled' or 'group' and 'in'")
        if disabled is None and group not in self.groups:
            raise ValueError("there is no such group")
        if disabled is not None:
            person.disabled = bool(disabled)
        else:
            members = self.inside.setdefault(group, set())
            (members.add if inside else members.discard)(person.id)
        self.write()

    def as_json(self) -> dict[str, Any]:
        return {
            "groups": [{"id": id_, "name": name} for id_, name in self.groups.items()],
            "people": [
                {
                    "id": one.id,
                    "name": one.name,
                    "department": one.department,
                    "guest": one.guest,
                    "disabled": one.disabled,
                    "groups": [g for g in self.groups if one.id in self._in(g)],
                }
                for one in self.people
            ],
        }

    def _in(self, group: str) -> set[str]:
        return self.inside.get(group, set())

    def _person(self, id_: object) -> Member:
        for one in self.people:
            if one.id == id_:
                return one
        raise ValueError("there is no such person")

    def _told(self) -> dict[str, Any]:
        departments = {one.department for one in self.people} - {""}
        return {
            "people": [_entry(one) for one in self.people],
            "departments": {name.lower(): name for name in sorted(departments)},
            "groups": {
                id_: {"name": name, "members": sorted(self._in(id_))}
                for id_, name in self.groups.items()
            },
        }


def _entry(one: Member) -> dict[str, Any]:
    told: dict[str, Any] = {"id": one.id, "name": one.name}
    if one.mail:
        told["mail"] = one.mail
    if one.department:
        told["department"] = one.department.lower()
    if one.accounts:
        told["accounts"] = list(one.accounts)
    if one.guest:
        told["guest"] = True
    if one.manager:
        told["manager"] = one.manager
    if one.disabled:
        told["standing"] = "disabled"
    return told
