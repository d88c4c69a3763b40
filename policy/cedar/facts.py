"""
What a decision is taken on: the principal, the resource and the context, as Cedar reads.

Everything comes from what the server knows, nothing from what somebody wrote. Each part
is canonical JSON, kept for the next question about the same person or place. Groups
that no policy names are left out of a principal; no policy could see them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.access import Asked
from bridge.directory.model import Kind, Standing, Subject
from bridge.messages import Channel, Person, PersonKind
from bridge.proofs import Proof
from policy.cedar.bundle import Bundle, PlaceFacts, canonical
from policy.cedar.commands import sensitivity
from policy.cedar.naming import ENTITIES
from policy.cedar.policies import uids
from policy.cedar.schema import ANY_COMMAND, family, resource_type

_KINDS = {kind.value: entity for kind, entity in ENTITIES.items()}
_FREE = {"Department", "Unit"}  # resources may name any of these
_ACTIVE = {Standing.ACTIVE, Standing.LOCKED}
_GUESTS = {PersonKind.GUEST, PersonKind.EXTERNAL}
_MOST_KEPT = 50_000

_DEPARTMENT = f"{Kind.DEPARTMENT.value}:"
_UNIT = f"{Kind.UNIT.value}:"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: entity type and id, all that they are in, and the entity as JSON."""

    type: str
    id: str
    refs: frozenset[str]
    json: str


@dataclass(frozen=True, slots=True)
class Resource:
    type: str
    id: str
    json: str


@dataclass
class Facts:
    """Writes the facts of one bundle's decisions."""

    bundle: Bundle
    named: frozenset[str] = frozenset()
    _principals: dict[tuple[str, bool, int], tuple[int, Principal]] = field(
        default_factory=dict
    )
    _resources: dict[tuple[object, ...], Resource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = (uid for p in self.bundle.policies for uid in uids(p.est))
        self.named = frozenset(f"{t.removeprefix('Atom::')}::{i}" for t, i in named)

    def principal(self, subject: Subject, person: Person) -> Principal:
        """
        Return somebody whom the directory knows.

        Whom either the directory or the platform calls a guest is one.
        """
        guest = subject.guest or person.kind in _GUESTS
        key = (subject.id, guest, subject.confidence)
        kept = self._principals.get(key)
        if kept and kept[0] == subject.version:
            return kept[1]
        made = self.made(subject, guest=guest)
        if len(self._principals) >= _MOST_KEPT:
            self._principals.clear()
        self._principals[key] = (subject.version, made)
        return made

    def stranger(self, person: Person) -> Principal:
        """Return somebody, or something, that no directory knows."""
        bot = person.kind is not PersonKind.EXTERNAL
        attrs: dict[str, Any] = {
            "tenant": _ref("Tenant", self.bundle.tenant),
            "active": True,
            "guest": not bot,
        }
        if not bot:
            attrs["organisation"] = person.organisation
        kind = "Bot" if bot else "Outsider"
        id_ = f"{person.platform.value}:{person.id}"
        return Principal(
            kind, id_, frozenset({f"{kind}::{id_}"}), _entity(kind, id_, attrs, ())
        )

    def made(self, subject: Subject, *, guest: bool) -> Principal:
        """Return somebody without keeping them: they may be made up."""
        refs = frozenset((*_ancestors(subject), f"User::{subject.id}"))
        roles = [n for n, members in self.bundle.roles.items() if refs & members]
        refs |= {f"Role::{name}" for name in roles}
        attrs: dict[str, Any] = {
            "tenant": _ref("Tenant", self.bundle.tenant),
            "active": subject.standing in _ACTIVE,
            "guest": guest,
            "standing": subject.standing.value,
            "clearance": subject.clearance,
            "confidence": subject.confidence,
        }
        if department := _one(subject, _DEPARTMENT, subject.department):
            attrs["department"] = _ref("Department", department)
        if unit := _one(subject, _UNIT, subject.unit):
            attrs["unit"] = _ref("Unit", unit)
        seen = sorted(
            ref for ref in refs if ref in self.named or ref.partition("::")[0] in _FREE
        )
        parents = [r for r in seen if not r.startswith("User::")]
        return Principal(
            "User", subject.id, refs, _entity("User", subject.id, attrs, parents)
        )

    def resource(self, asked: Asked, action: str) -> Resource | None:
        """Return on what it would be done; None if a channel is needed and unknown."""
        kind = resource_type(action)
        channel = asked.channel
        if kind == "Channel":
            channel = asked.target or channel
        if channel is None and kind in {"Link", "Channel"}:
            return None
        target = asked.target if kind == "Link" else None
        named = action if kind == "Command" else ""
        key = (kind, named, asked.link, asked.thing, channel, target)
        kept = self._resources.get(key)
        if kept is None:
            kept = self._resource(kind, action, asked, channel)
            if len(self._resources) >= _MOST_KEPT:
                self._resources.clear()
            self._resources[key] = kept
        return kept

    def _resource(
        self, kind: str, action: str, asked: Asked, channel: Channel | None
    ) -> Resource:
        attrs: dict[str, Any] = {"tenant": _ref("Tenant", self.bundle.tenant)}
        parents: list[str] = []
        id_ = asked.link
        if kind == "Link" and channel:
            attrs["source"] = self._place(channel)
            if asked.target:
                attrs["target"] = self._place(asked.target)
        elif kind == "Channel" and channel:
            id_ = str(channel)
            said = self._place(channel)
            parents = [f"Space::{uid['__entity']['id']}" for uid in said.pop("spaces")]
            del said["channel"]
            attrs |= said
        else:
            if channel:
                attrs["place"] = self._place(channel)
            id_ = asked.thing
            match kind:
                case "Record":
                    parents = self._record(asked.thing, attrs)
                case "Command":
                    id_ = action
                    name = asked.thing if action == ANY_COMMAND else action[6:]
                    attrs["name"] = name
                    attrs["sensitivity"] = sensitivity(name)
                    attrs["governed"] = self.bundle.governed.command(action)
                case _:
                    id_ = self.bundle.tenant
                    attrs["governed"] = self.bundle.governed.archive
        return Resource(kind, id_, _entity(kind, id_, attrs, parents))

    def _record(self, thing: str, attrs: dict[str, Any]) -> list[str]:
        system, _, rest = thing.partition("/")
        kind, _, key = rest.partition("/")
        said = self.bundle.record(system, kind)
        attrs |= {
            "system": system,
            "kind": kind,
            "key": key,
            "classification": said.classification.value,
            "governed": self.bundle.governed.record(system, kind),
        }
        if said.department:
            attrs["department"] = _ref("Department", said.department)
        return [f"RecordSet::{system}", f"RecordSet::{system}/{kind}"]

    def _place(self, channel: Channel) -> dict[str, Any]:
        address = str(channel)
        said: PlaceFacts = self.bundle.place(address)
        place: dict[str, Any] = {
            "channel": _ref("Channel", address),
            "platform": channel.platform.value,
            "classification": said.classification.value,
            "spaces": [_ref("Space", name) for name in sorted(said.spaces)],
            "welcomesOutsiders": said.welcomes_outsiders,
            "governed": sorted(said.governed),
        }
        if said.department:
            place["department"] = _ref("Department", said.department)
        return place


def context(asked: Asked, age: int, limit: int, proof: Proof) -> str:
    """Return what holds at the moment, complete: nothing unknown is left out."""
    return canonical(
        {
            "platform": asked.person.platform.value,
            "label": int(asked.label),
            "outsiders": asked.outsiders,
            "fieldClass": asked.field,
            "directoryAgeSeconds": age,
            "directoryLimitSeconds": limit,
            "mfaAvailable": proof.available,
            "mfaAgeSeconds": proof.mfa_age_seconds,
            "mfaMethod": proof.method,
            "sessionAgeSeconds": proof.session_age_seconds,
            "breakGlass": proof.break_glass,
        }
    )


def action_of(asked: Asked, known: frozenset[str]) -> str:
    """Return the action's name in Cedar; a command nobody knows is any command."""
    name = asked.name
    if name in known:
        return name
    return ANY_COMMAND if family(name) == "admin" else name


def _ancestors(subject: Subject) -> list[str]:
    split = (each.partition(":") for each in subject.ancestors)
    return [f"{_KINDS[kind]}::{id_}" for kind, _, id_ in split if kind in _KINDS]


def _one(subject: Subject, prefix: str, said: str) -> str:
    """Return the department's or the unit's id, however the directory tells it."""
    if not said or f"{prefix}{said}" in subject.ancestors:
        return said
    ids = [a.removeprefix(prefix) for a in subject.ancestors if a.startswith(prefix)]
    return ids[0] if len(ids) == 1 else ""


def _ref(kind: str, id_: str) -> dict[str, Any]:
    return {"__entity": {"type": f"Atom::{kind}", "id": id_}}


def _entity(
    kind: str, id_: str, attrs: Mapping[str, Any], parents: list[str] | tuple[()]
) -> str:
    above = (each.partition("::") for each in parents)
    return canonical(
        {
            "uid": {"type": f"Atom::{kind}", "id": id_},
            "attrs": attrs,
            "parents": [{"type": f"Atom::{k}", "id": i} for k, _, i in above],
        }
    )
