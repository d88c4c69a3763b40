"""
The bundle: everything that decisions of one company follow from, under one hash.

It holds the schema, ATOM's own policies, the company's Cedar text, its front compiled,
and the ids that names stood for when it was saved. Its hash is SHA-256 of all of them
in canonical JSON, the `body`, which is kept for as long as decisions refer to it.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Any

import cedarpy

from bridge.access import Label
from bridge.directory.model import Kind
from policy.cedar import cedar_text, policies
from policy.cedar.cedar_text import Statement
from policy.cedar.clauses import Clauses
from policy.cedar.compiling import Compiler
from policy.cedar.front import RESERVED, Front, Rule, read_front
from policy.cedar.governing import Governed, governed_by
from policy.cedar.naming import ENTITIES, KINDS, AsSaved, Resolver
from policy.cedar.policies import Origin, Policy
from policy.cedar.schema import actions, schema_text, whole_schema


@dataclass(frozen=True)
class Draft:
    """What a company writes: its front (YAML) and its own Cedar text."""

    front: str = ""
    cedar: str = ""


@dataclass(frozen=True)
class PlaceFacts:
    """What the bundle says of one channel; `department` is an id, empty if none."""

    classification: Label
    department: str = ""
    spaces: frozenset[str] = frozenset()
    welcomes_outsiders: bool = False
    owners: frozenset[str] = frozenset()
    governed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RecordFacts:
    """What the bundle says of a kind of records."""

    classification: Label = Label.PUBLIC
    department: str = ""


@dataclass(frozen=True)
class Bundle:
    """
    One version of a company's policy, ready to be asked.

    `roles` holds for each role of the policy the entities whose members have it, as
    `Group::id`; `actions` all that it knows.
    """

    tenant: str
    draft: Draft
    resolved: Mapping[str, str]
    actions: tuple[str, ...]
    policies: tuple[Policy, ...]
    front: Front
    roles: Mapping[str, frozenset[str]]
    places: Mapping[str, PlaceFacts]
    records: Mapping[str, RecordFacts]
    governed: Governed
    body: str
    hash: str

    def place(self, channel: str) -> PlaceFacts:
        """Return what is known of a channel, listed or not."""
        return self.places.get(channel) or PlaceFacts(self.front.classification)

    def record(self, system: str, kind: str) -> RecordFacts:
        said = self.records
        return said.get(f"{system}/{kind}") or said.get(system) or RecordFacts()

    @cached_property
    def by_id(self) -> Mapping[str, Policy]:
        return {policy.id: policy for policy in self.policies}

    def policy(self, id_: str) -> Policy | None:
        return self.by_id.get(id_)

    @property
    def own(self) -> tuple[Policy, ...]:
        """The company's own policies, ATOM's apart."""
        return tuple(p for p in self.policies if p.origin is not Origin.ATOM)


def build(
    tenant: str, draft: Draft, resolver: Resolver, commands: Sequence[str]
) -> Bundle:
    """
    Check a draft and make a bundle of it.

    Raises `BadInput`, one line with the place of the first mistake.
    """
    front = read_front(draft.front)
    names = actions(commands)
    defaults = [p for p in _defaults() if front.grants or not p.default_grant]
    own = _cedar_policies(draft.cedar, tenant, front, resolver, names)
    rules = _rule_policies(front, resolver, names)
    _refuse_twice(own, front.rules)
    bundled = (*defaults, *own, *rules)
    governed = governed_by((*own, *rules))
    roles = {name: _members(name, front, resolver) for name in front.roles}
    places = _places(front, resolver, governed)
    records = _records(front, resolver)
    found = dict(getattr(resolver, "found", {}))
    body = _body(schema_text(names), bundled, front, found)
    return Bundle(
        tenant=tenant,
        draft=draft,
        resolved=found,
        actions=names,
        policies=bundled,
        front=front,
        roles=roles,
        places=places,
        records=records,
        governed=governed,
        body=body,
        hash=sha256(body.encode()).hexdigest(),
    )


def from_saved(
    tenant: str, draft: Draft, resolved: Mapping[str, str], commands: Sequence[str]
) -> Bundle:
    """Make the bundle of a version as it was saved: names mean what they meant then."""
    return build(tenant, draft, AsSaved(resolved), commands)


def canonical(value: Any) -> str:
    """Return JSON of which there is just one way to write it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _body(
    schema: str, bundled: Iterable[Policy], front: Front, found: Mapping[str, str]
) -> str:
    ordered = [{"id": each.id, "est": each.est} for each in bundled]
    return canonical(
        {
            "schema": schema,
            "policies": ordered,
            "front": front.nodes.plain(),
            "resolved": dict(found),
        }
    )


@cache
def _defaults() -> tuple[Policy, ...]:
    text = files("policy.cedar").joinpath("defaults.cedar").read_text("utf-8")
    return tuple(
        policies.parsed(each.text, Origin.ATOM, "")
        for each in cedar_text.statements(text)
    )


def _cedar_policies(
    text: str, tenant: str, front: Front, resolver: Resolver, names: tuple[str, ...]
) -> list[Policy]:
    made: list[Policy] = []
    for number, statement in enumerate(cedar_text.statements(text), 1):
        if any(w.text == "?" for w in cedar_text.words(statement.text)):
            raise statement.wrong_word("?", "templates are not used here")
        policy = policies.parsed(statement.text, Origin.CEDAR, f"cedar-{number}")
        _refuse_mistakes(statement, names)
        _refuse_strangers(policy, statement, tenant, front, resolver)
        if policy.id.startswith(RESERVED):
            raise statement.wrong_word(policy.id, f"ids with {RESERVED} are ATOM's own")
        if any(policy.id == other.id for other in made):
            raise statement.wrong(f"there is another policy {policy.id}")
        made.append(policy)
    return made


def _refuse_mistakes(statement: Statement, names: tuple[str, ...]) -> None:
    if said := mistake(statement.text, names):
        word = said.partition("`")[2].partition("`")[0].rpartition("::")[2]
        raise statement.wrong_word(word.strip('"'), said)


def mistake(text: str, names: tuple[str, ...]) -> str:
    """Return what the schema has against a policy, in Cedar's words; empty if nothing."""
    result = cedarpy.validate_policies(text, whole_schema(names))
    for error in result.errors:
        said = " ".join(str(error.error).split())
        return said.partition(", ")[2] if said.startswith("for policy ") else said
    return ""


def _refuse_strangers(
    policy: Policy, statement: Statement, tenant: str, front: Front, resolver: Resolver
) -> None:
    """Refuse ids of another company, and of what does not exist at all."""
    for type_, id_ in policies.uids(policy.est):
        entity = type_.removeprefix("Atom::")
        if entity == "Tenant" and id_ != tenant:
            raise statement.wrong_word(id_, f"{id_!r} is not this company")
        if entity == "Role" and id_ not in front.roles:
            raise statement.wrong_word(id_, f"there is no role {id_!r} under roles")
        if entity == "Space" and id_ not in front.spaces:
            raise statement.wrong_word(id_, f"there is no space {id_!r} under spaces")
        kind = KINDS.get(entity)
        if kind and not resolver.knows(kind, id_):
            raise statement.wrong_word(
                id_, f"the directory has no {kind.value} with the id {id_!r}"
            )


def _rule_policies(
    front: Front, resolver: Resolver, names: tuple[str, ...]
) -> list[Policy]:
    compiler = Compiler(Clauses(front, resolver), frozenset(names))
    made = []
    for rule in front.rules:
        text = compiler.compile(rule)
        if said := mistake(text, names):
            raise rule.node.wrong(f"rule {rule.id} can never hold: {said}")
        made.append(policies.parsed(text, Origin.RULE, rule.id))
    return made


def _refuse_twice(own: Collection[Policy], rules: Collection[Rule]) -> None:
    known = {policy.id for policy in own}
    for rule in rules:
        if rule.id in known:
            raise rule.node.wrong(f"the Cedar text has a policy {rule.id} already")


def _members(name: str, front: Front, resolver: Resolver) -> frozenset[str]:
    said = front.roles[name]
    by_kind = (
        (Kind.GROUP, said.groups),
        (Kind.UNIT, said.units),
        (Kind.DEPARTMENT, said.departments),
        (Kind.PERSON, said.people),
    )
    return frozenset(
        policies.anchor(ENTITIES[kind], resolver.id_of(kind, node))
        for kind, nodes in by_kind
        for node in nodes
    )


def _places(
    front: Front, resolver: Resolver, governed: Governed
) -> dict[str, PlaceFacts]:
    channels = {*front.channels, *(c for s in front.spaces.values() for c in s)}
    listed = {str(channel) for channel in channels} | set(governed.channels)
    known = {str(channel): said for channel, said in front.channels.items()}
    places: dict[str, PlaceFacts] = {}
    for address in listed:
        said = known.get(address)
        spaces = frozenset(
            name
            for name, within in front.spaces.items()
            if address in {str(channel) for channel in within}
        )
        label = said.classification if said else None
        places[address] = PlaceFacts(
            classification=front.classification if label is None else label,
            department=(
                resolver.id_of(Kind.DEPARTMENT, said.department)
                if said and said.department
                else ""
            ),
            spaces=spaces,
            welcomes_outsiders=bool(said and said.welcomes_outsiders),
            owners=frozenset(
                resolver.id_of(Kind.PERSON, each)
                for each in (said.owners if said else ())
            ),
            governed=governed.of_place(address, spaces),
        )
    return places


def _records(front: Front, resolver: Resolver) -> dict[str, RecordFacts]:
    return {
        name: RecordFacts(
            said.classification,
            resolver.id_of(Kind.DEPARTMENT, said.department) if said.department else "",
        )
        for name, said in front.records.items()
    }
