"""
What policies may speak of: the Cedar schema, made for the chat commands there are.

A request is checked against a schema that knows its own action alone: Cedar copies the
actions of a schema into every request, and there are many.
"""

from collections.abc import Sequence
from functools import cache

import cedarpy

from bridge.access import Action

NAMESPACE = "Atom"
ANY_COMMAND = "admin.any"

_TYPES = """\
namespace Atom {
  // Where people of the company stand; all of them come from the directory but roles,
  // which are the policy's own.
  entity Tenant, Group, Unit, Department, DirectoryRole, Role, Space, RecordSet;

  // Somebody the directory knows.
  entity User in [Group, Unit, Department, DirectoryRole, Role] {
    tenant: Tenant, active: Bool, guest: Bool, standing: String,
    department?: Department, unit?: Unit, clearance: Long, confidence: Long,
  };
  // Somebody of another organisation whom no directory knows.
  entity Outsider { tenant: Tenant, active: Bool, guest: Bool, organisation: String };
  entity Bot { tenant: Tenant, active: Bool, guest: Bool };

  entity Channel in [Space] {
    tenant: Tenant, platform: String, classification: Long, department?: Department,
    welcomesOutsiders: Bool, governed: Set<String>,
  };
  // A channel as one end of a link, or as where somebody stands.
  type Place = {
    channel: Channel, platform: String, classification: Long, spaces: Set<Space>,
    department?: Department, welcomesOutsiders: Bool, governed: Set<String>,
  };
  // What is said in `source` and seen in `target`, once it is known where that is.
  entity Link { tenant: Tenant, source: Place, target?: Place };
  entity Record in [RecordSet] {
    tenant: Tenant, system: String, kind: String, key: String, classification: Long,
    department?: Department, governed: Bool, place?: Place,
  };
  entity Command {
    tenant: Tenant, name: String, sensitivity: Long, governed: Bool, place?: Place,
  };
  entity Archive { tenant: Tenant, governed: Bool, place?: Place };

  type Context = {
    platform: String, label: Long, outsiders: Bool, fieldClass: String,
    directoryAgeSeconds: Long, directoryLimitSeconds: Long,
    mfaAvailable: Bool, mfaAgeSeconds: Long, mfaMethod: String,
    sessionAgeSeconds: Long, breakGlass: Bool,
  };
"""

# Each group of actions with those that it is part of.
GROUPS = {
    "write": (),
    "bridge.any": (),
    "bridge.send": ("bridge.any",),
    "channel.any": (),
    "record.any": (),
    "compliance.any": (),
}

_SENDS = (Action.POST, Action.EDIT, Action.FILE, Action.PING)
_READS = frozenset({Action.READ, Action.RECORD_VIEW, Action.SEARCH})
_RESOURCES = {
    "bridge": "Link",
    "channel": "Channel",
    "record": "Record",
    "compliance": "Archive",
    "admin": "Command",
}


def family(action: str) -> str:
    """Return what kind of action it is: `bridge`, `channel`, `record`, …"""
    return action.partition(".")[0]


def resource_type(action: str) -> str:
    """Return on what an action is done, as an entity type without its namespace."""
    return _RESOURCES[family(action)]


def actions(commands: Sequence[str]) -> tuple[str, ...]:
    """Return every action that policies may name, groups apart."""
    plain = (action.value for action in Action if action is not Action.COMMAND)
    return (*plain, ANY_COMMAND, *(f"admin.{name}" for name in sorted(set(commands))))


def groups_of(action: str) -> tuple[str, ...]:
    """Return the groups that an action is in, through others as well."""
    if family(action) == "admin":
        return () if action == ANY_COMMAND else (ANY_COMMAND,)
    sends = ("bridge.send",) if action in _SENDS else ()
    writes = () if action in _READS else ("write",)
    return (*sends, f"{family(action)}.any", *writes)


def schema_text(names: Sequence[str]) -> str:
    """Return the schema for the actions."""
    lines = [_TYPES, *(_group(name) for name in GROUPS), *map(_action, names), "}"]
    return "\n".join(lines) + "\n"


@cache
def schema_of(action: str) -> cedarpy.Schema:
    """Return the schema that knows one action, for requests of it."""
    above = [ANY_COMMAND] if action.startswith("admin.") else []
    return cedarpy.Schema.from_str(schema_text(sorted({*above, action})))


@cache
def whole_schema(names: tuple[str, ...]) -> cedarpy.Schema:
    """Return the schema by which policies are checked."""
    return cedarpy.Schema.from_str(schema_text(names))


def _group(name: str) -> str:
    within = GROUPS[name]
    above = f" in [{', '.join(_quoted(g) for g in within)}]" if within else ""
    return f"  action {_quoted(name)}{above};"


def _action(name: str) -> str:
    above = groups_of(name)
    within = f" in [{', '.join(_quoted(g) for g in above)}]" if above else ""
    kinds = "User, Outsider, Bot"
    return (
        f"  action {_quoted(name)}{within} appliesTo {{ principal: [{kinds}], "
        f"resource: [{resource_type(name)}], context: Context }};"
    )


def _quoted(name: str) -> str:
    return f'"{name}"'
