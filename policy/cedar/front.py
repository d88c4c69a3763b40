"""
The YAML front: what most rules need, for people who do not write Cedar.

    defaults: {grants: all, classification: internal}
    roles:    {approver: {groups: [Finance Leads], people: [ana@acme.example]}}
    spaces:   {finance: [slack:T1/C1, teams:19:a/19:b]}
    channels: {slack:T1/C1: {classification: confidential, owners: [Ana Ek]}}
    records:  {salesforce/opportunity: {classification: confidential}}
    rules:
      - id: finance-talks
        allow: [bridge.post, bridge.read]
        who: {group: GG-Finance-All}
        where: {links_between: [space:finance, space:finance]}
        reason: Finance talks in its own channels.

This reads the form. What names stand for is asked when rules are compiled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.access import Label
from bridge.errors import BadInput
from bridge.messages import Channel
from policy.cedar import yaml_reading
from policy.cedar.yaml_reading import Node, one_of

RESERVED = "atom-"
MOST_RULES = 2_000
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_TOP = ("defaults", "roles", "spaces", "channels", "records", "rules", "tests")
_MEMBERS = ("groups", "units", "departments", "people")
_RULE = ("id", "allow", "deny", "who", "where", "when", "unless", "reason", "duty")
_LABELS = [label.name.lower() for label in Label]


@dataclass(frozen=True)
class Rule:
    """One rule of the front. What it says of whom and where is still as written."""

    id: str
    allows: bool
    actions: tuple[str, ...]
    who: Node
    where: Node
    when: Node
    unless: Node
    reason: str
    duty: str
    node: Node


@dataclass(frozen=True)
class Members:
    """Whom a role of the policy is given to, by names."""

    groups: tuple[Node, ...] = ()
    units: tuple[Node, ...] = ()
    departments: tuple[Node, ...] = ()
    people: tuple[Node, ...] = ()


@dataclass(frozen=True)
class ChannelSaid:
    """What the company says of one of its channels."""

    classification: Label | None = None
    department: Node | None = None
    owners: tuple[Node, ...] = ()
    welcomes_outsiders: bool = False


@dataclass(frozen=True)
class RecordSaid:
    """What the company says of a kind of records."""

    classification: Label = Label.PUBLIC
    department: Node | None = None


@dataclass(frozen=True)
class Front:
    """A front as it was written, in form."""

    text: str = ""
    grants: bool = True
    classification: Label = Label.INTERNAL
    roles: Mapping[str, Members] = field(default_factory=dict)
    spaces: Mapping[str, tuple[Channel, ...]] = field(default_factory=dict)
    channels: Mapping[Channel, ChannelSaid] = field(default_factory=dict)
    aliases: Mapping[str, Channel] = field(default_factory=dict)
    records: Mapping[str, RecordSaid] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    tests: tuple[Node, ...] = ()
    nodes: Node = field(default_factory=lambda: Node(None), repr=False)
    """All of it as it was written, for whoever changes one part of it."""


def read_front(text: str) -> Front:
    """Read a front. Raises `BadInput`, one line that says where and what to write."""
    root = yaml_reading.read(text)
    top = root.only(_TOP)
    defaults = _of(top, "defaults").only(("grants", "classification"))
    channels, aliases = _channels(_of(top, "channels"), _of(top, "spaces"))
    rules = tuple(_rule(node) for node in _of(top, "rules").items())
    if len(rules) > MOST_RULES:
        raise top["rules"].wrong(f"there are {MOST_RULES} rules at most")
    _refuse_twice(rules)
    return Front(
        text=text,
        grants=_grants(defaults),
        classification=_label(defaults, "classification", Label.INTERNAL),
        roles={n: _members(node) for n, node in _named(_of(top, "roles"))},
        spaces={n: _space(node, aliases) for n, node in _named(_of(top, "spaces"))},
        channels=channels,
        aliases=aliases,
        records=dict(_record(*pair) for pair in _of(top, "records").mapping().items()),
        rules=rules,
        tests=tuple(_of(top, "tests").items()),
        nodes=root,
    )


def channel_named(node: Node, aliases: Mapping[str, Channel]) -> Channel:
    """Return the channel that an address or a name given under `channels` means."""
    text = node.text()
    if text in aliases:
        return aliases[text]
    try:
        return Channel.parse(text)
    except BadInput:
        raise node.wrong(
            f"there is no channel {text!r}: write slack:TEAM_ID/CHANNEL_ID, "
            "teams:TEAM_ID/CHANNEL_ID or a name given under channels"
        ) from None


def label_of(node: Node) -> Label:
    """Return the label that is written there."""
    text = node.text().lower()
    if text not in _LABELS:
        raise node.wrong(f"there is no label {text!r}; write {one_of(_LABELS)}")
    return Label[text.upper()]


def _grants(defaults: Mapping[str, Node]) -> bool:
    node = defaults.get("grants", Node("all"))
    if node.value not in {"all", "none"}:
        raise node.wrong("write all or none")
    return bool(node.value == "all")


def _rule(node: Node) -> Rule:
    said = node.only(_RULE)
    if "id" not in said:
        raise node.wrong("a rule needs an id")
    id_ = said["id"].text()
    if not _ID.fullmatch(id_) or id_.startswith(RESERVED):
        raise said["id"].wrong(
            f"{id_!r} is no id: write small letters, digits and dashes, "
            f"80 at most, not beginning with {RESERVED}"
        )
    if ("allow" in said) == ("deny" in said):
        raise node.wrong(f"rule {id_} needs either allow or deny")
    verb = "allow" if "allow" in said else "deny"
    actions = tuple(each.text() for each in said[verb].items())
    if not actions:
        raise said[verb].wrong("name at least one action")
    return Rule(
        id=id_,
        allows=verb == "allow",
        actions=actions,
        who=_of(said, "who"),
        where=_of(said, "where"),
        when=_of(said, "when"),
        unless=_of(said, "unless"),
        reason=said["reason"].text() if "reason" in said else "",
        duty=said["duty"].text() if "duty" in said else "",
        node=node,
    )


def _refuse_twice(rules: tuple[Rule, ...]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise rule.node.wrong(f"there is another rule {rule.id}")
        seen.add(rule.id)


def _members(node: Node) -> Members:
    said = node.only(_MEMBERS)
    return Members(**{kind: tuple(said[kind].items()) for kind in said})


def _space(node: Node, aliases: Mapping[str, Channel]) -> tuple[Channel, ...]:
    return tuple(channel_named(each, aliases) for each in node.items())


def _channels(
    node: Node, spaces: Node
) -> tuple[Mapping[Channel, ChannelSaid], Mapping[str, Channel]]:
    said: dict[Channel, ChannelSaid] = {}
    aliases: dict[str, Channel] = {}
    for address, each in node.mapping().items():
        found = each.only(
            ("name", "classification", "department", "owners", "outsiders")
        )
        try:
            channel = Channel.parse(address)
        except BadInput as error:
            raise each.wrong(str(error)) from None
        if "name" in found:
            alias = found["name"].text()
            if alias in aliases or alias in spaces.mapping():
                raise found["name"].wrong(f"something else is called {alias}")
            aliases[alias] = channel
        said[channel] = ChannelSaid(
            classification=(
                label_of(found["classification"]) if "classification" in found else None
            ),
            department=found.get("department"),
            owners=tuple(_of(found, "owners").items()),
            welcomes_outsiders=_welcomes(found),
        )
    return said, aliases


def _welcomes(found: Mapping[str, Node]) -> bool:
    node = found.get("outsiders", Node("refuse"))
    if node.value not in {"welcome", "refuse"}:
        raise node.wrong("write welcome or refuse")
    return bool(node.value == "welcome")


def _record(name: str, node: Node) -> tuple[str, RecordSaid]:
    found = node.only(("classification", "department"))
    label = _label(found, "classification", Label.PUBLIC)
    return name, RecordSaid(label, found.get("department"))


def _label(said: Mapping[str, Node], key: str, without: Label) -> Label:
    return label_of(said[key]) if key in said else without


def _named(node: Node) -> list[tuple[str, Node]]:
    for name in (found := node.mapping()):
        if not _ID.fullmatch(name):
            raise node.wrong_key(
                name, "is no name: write small letters, digits and dashes"
            )
    return list(found.items())


def _of(said: Mapping[str, Node], key: str) -> Node:
    return said.get(key, Node(None))
