"""From a rule of the front to one Cedar policy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bridge.errors import BadInput
from policy.cedar.clauses import Clauses
from policy.cedar.front import Rule
from policy.cedar.quoting import quoted
from policy.cedar.schema import ANY_COMMAND, GROUPS, family
from policy.cedar.yaml_reading import Node

_FAMILIES = ("bridge", "channel", "record", "compliance", "admin")


@dataclass(frozen=True)
class Compiler:
    """Compiles rules; `actions` are those that there are."""

    clauses: Clauses
    actions: Collection[str]

    def compile(self, rule: Rule) -> str:
        """Return the rule's policy. Raises `BadInput` with the place of a mistake."""
        named = tuple(self._action(each, rule) for each in rule.actions)
        families = families_of(named)
        who = self.clauses.who(rule.who, allows=rule.allows)
        body = [
            part
            for part in (
                who.condition,
                self.clauses.where(rule.where, families),
                self.clauses.when(rule.when, families),
            )
            if part
        ]
        lines = [f"@id({quoted(rule.id)})"]
        if rule.reason:
            lines.append(f"@reason({quoted(rule.reason)})")
        if rule.duty:
            lines.append(f"@duty({quoted(rule.duty)})")
        effect = "permit" if rule.allows else "forbid"
        lines.append(f"{effect} ({who.scope}, {_scope(named)}, resource)")
        if body:
            lines.append(f"when {{ {' && '.join(body)} }}")
        if unless := self.clauses.when(rule.unless, families):
            lines.append(f"unless {{ {unless} }}")
        return "\n".join(lines) + ";"

    def _action(self, name: str, rule: Rule) -> str:
        """Return an action's name in Cedar: `bridge.*` is the group of all of them."""
        if name.endswith(".*") and name[:-2] in _FAMILIES:
            return f"{name[:-2]}.any"
        if name in self.actions or name in GROUPS:
            return name
        raise _where_written(rule, name).wrong(
            f"there is no action {name!r}: write one such as bridge.post, "
            "channel.join, record.view, compliance.search, admin.link or bridge.*"
        )


def families_of(named: Sequence[str]) -> tuple[str, ...]:
    """Return which kinds of actions there are among some, each once."""
    found = {family(name) for name in named}
    if "write" in found:
        found |= set(_FAMILIES) - {"admin"}
    return tuple(f for f in _FAMILIES if f in found)


def _scope(named: Sequence[str]) -> str:
    uids = [f"Atom::Action::{quoted(name)}" for name in named]
    groups = [n for n in named if n in GROUPS or n == ANY_COMMAND]
    if len(uids) == 1:
        return f"action in {uids[0]}" if groups else f"action == {uids[0]}"
    return f"action in [{', '.join(uids)}]"


def _where_written(rule: Rule, name: str) -> Node:
    said = rule.node.mapping()
    listed = said["allow" if rule.allows else "deny"]
    for node in listed.items():
        if node.value == name:
            return node
    raise BadInput(f"rule {rule.id} names no action")  # it was read from there
