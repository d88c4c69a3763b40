"""What `who`, `where`, `when` and `unless` of a rule mean, as Cedar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bridge.directory.model import Kind
from bridge.messages import Platform
from policy.cedar.front import Front, channel_named, label_of
from policy.cedar.naming import ENTITIES, Resolver
from policy.cedar.quoting import entity, quoted
from policy.cedar.yaml_reading import Node, one_of

_IN = {
    "group": Kind.GROUP,
    "unit": Kind.UNIT,
    "department": Kind.DEPARTMENT,
}
_WHO = (*_IN, "role", "person", "guest", "outsider", "bot", "any")
_WHERE = (
    "channel",
    "space",
    "platform",
    "department",
    "from",
    "to",
    "links_between",
    "record",
)
_WHEN = (
    "label_at_least",
    "classification_at_least",
    "target_classification_at_least",
    "target_has_guests",
    "guest",
    "outsider",
    "bot",
    "platform",
    "field",
    "same_department",
    "clearance_at_least",
    "confidence_at_least",
    "mfa_within_seconds",
    "directory_older_than_seconds",
    "any",
    "all",
    "not",
)
_TWO_ENDS = 2
_TYPES = {
    "bridge": "Link",
    "channel": "Channel",
    "record": "Record",
    "compliance": "Archive",
    "admin": "Command",
}


@dataclass(frozen=True)
class Who:
    """Whom a rule is for: the head of the policy, and what comes first in its body."""

    scope: str
    condition: str = ""


@dataclass(frozen=True)
class Clauses:
    """Writes the parts of one company's rules."""

    front: Front
    resolver: Resolver

    def who(self, node: Node, *, allows: bool) -> Who:
        """
        Return whom a rule is for. Nobody named means employees' accounts in a rule that
        allows, and everybody, outsiders and bots included, in one that denies.
        """
        said = node.only(_WHO)
        anybody = "principal is Atom::User" if allows else "principal"
        if not said:
            return Who(anybody)
        if len(said) == 1 and (single := self._single(said)):
            return Who(single)
        kind = self._kind(said)
        scope = f"principal is Atom::{kind}" if kind else anybody
        rest = {k: v for k, v in said.items() if k not in {"outsider", "bot"}}
        return Who(scope, self._who_test(rest))

    def _single(self, said: Mapping[str, Node]) -> str:
        """Return a head that says it all, so that others need not look at the body."""
        [(key, node)] = said.items()
        if key in {"guest", "any"} or len(node.items()) != 1:
            return ""
        if key in {"outsider", "bot"}:
            kind = self._kind(said)
            return f"principal is Atom::{kind}" if kind else ""
        [one] = self._entities(key, node.items()[0])
        if key == "person":
            return f"principal == {one}"
        return f"principal in {one}"

    def _kind(self, said: Mapping[str, Node]) -> str:
        chosen = [k for k in ("outsider", "bot") if k in said and said[k].flag()]
        if len(chosen) > 1:
            raise said["bot"].wrong("nobody is an outsider and a bot at once")
        return {"outsider": "Outsider", "bot": "Bot"}[chosen[0]] if chosen else ""

    def _who_test(self, said: Mapping[str, Node]) -> str:
        return _all([self._who_one(key, value) for key, value in said.items()])

    def _who_one(self, key: str, node: Node) -> str:
        if key in {"guest", "outsider", "bot"}:
            return _flag(key, node)
        if key == "any":
            return _any([self._who_test(n.only(_WHO)) for n in node.items()], node)
        uids = [uid for each in node.items() for uid in self._entities(key, each)]
        how = "==" if key == "person" else "in"
        return _any([f"principal {how} {uid}" for uid in uids], node)

    def _entities(self, key: str, node: Node) -> list[str]:
        if key == "role" and node.text() in self.front.roles:
            return [entity("Role", node.text())]
        kinds = {**_IN, "role": Kind.ROLE, "person": Kind.PERSON}
        kind = kinds[key]
        return [entity(ENTITIES[kind], self.resolver.id_of(kind, node))]

    def where(self, node: Node, families: Sequence[str]) -> str:
        """Return where a rule holds, empty if it holds everywhere."""
        said = node.only(_WHERE)
        if not said:
            return ""
        tests = [self._in_family(said, family) for family in families]
        if len(families) == 1:
            return tests[0]
        typed = zip(families, tests, strict=True)
        return _or([f"resource is Atom::{_TYPES[f]} && {test}" for f, test in typed])

    def _in_family(self, said: Mapping[str, Node], family: str) -> str:
        return _all([self._where_one(key, node, family) for key, node in said.items()])

    def _where_one(self, key: str, node: Node, family: str) -> str:
        match key:
            case "links_between":
                _only_for(node, family, "bridge")
                ends = node.items()
                if len(ends) != _TWO_ENDS:
                    raise node.wrong("name two spaces or channels")
                return self._between(*ends)
            case "from" | "to":
                _only_for(node, family, "bridge")
                place = "resource.source" if key == "from" else "resource.target"
                test = _any([self._at(each, place) for each in node.items()], node)
                return test if key == "from" else f"(resource has target && {test})"
            case "record":
                _only_for(node, family, "record")
                return _any([self._record(each) for each in node.items()], node)
            case "channel" | "space":
                return touching(
                    family,
                    lambda place: _any(
                        [self._at(each, place, key) for each in node.items()], node
                    ),
                )
            case "platform":
                names = [_platform(each) for each in node.items()]
                return touching(
                    family,
                    lambda place: _any(
                        [f"{place}.platform == {quoted(n)}" for n in names], node
                    ),
                )
            case _:
                return self._department(node, family)

    def _department(self, node: Node, family: str) -> str:
        ids = [self.resolver.id_of(Kind.DEPARTMENT, each) for each in node.items()]
        uids = [entity("Department", id_) for id_ in ids]

        def of(place: str) -> str:
            return _any(
                [
                    f"({place} has department && {place}.department == {u})"
                    for u in uids
                ],
                node,
            )

        return of("resource") if family == "record" else touching(family, of)

    def _between(self, one: Node, other: Node) -> str:
        def ends(a: Node, b: Node) -> str:
            there = self._at(a, "resource.source"), self._at(b, "resource.target")
            return f"({there[0]} && {there[1]})"

        ways = [ends(one, other)]
        if one.text() != other.text():
            ways.append(ends(other, one))
        return f"(resource has target && {_or(ways)})"

    def _at(self, node: Node, place: str, key: str = "") -> str:
        """Return that a place is a channel or in a space, by `space:x` or `channel:y`."""
        text = node.text()
        prefix, colon, rest = text.partition(":")
        if not key and colon and prefix in {"space", "channel"}:
            key, text = prefix, rest
        if key != "channel" and text in self.front.spaces:
            uid = entity("Space", text)
            if place == "resource":
                return f"resource in {uid}"
            return f"{place}.spaces.contains({uid})"
        if key == "space":
            raise node.wrong(f"there is no space {text!r} under spaces")
        written = Node(text, node.line, node.column, node.path)
        uid = entity("Channel", str(channel_named(written, self.front.aliases)))
        return (
            f"resource == {uid}" if place == "resource" else f"{place}.channel == {uid}"
        )

    def _record(self, node: Node) -> str:
        text = node.text()
        if text.count("/") > 1:
            raise node.wrong("write a system, or a system/kind")
        return f"resource in {entity('RecordSet', text)}"

    def when(self, node: Node, families: Sequence[str]) -> str:
        """Return what has to be so as well, empty if nothing has."""
        said = node.only(_WHEN)
        return _all([self._when_one(k, v, families) for k, v in said.items()])

    def _when_one(self, key: str, node: Node, families: Sequence[str]) -> str:
        match key:
            case "any":
                return _any([self.when(each, families) for each in node.items()], node)
            case "all":
                return _all([self.when(each, families) for each in node.items()])
            case "not":
                return f"!({self.when(node, families)})"
            case "classification_at_least":
                return self._classified(node, families)
            case "target_classification_at_least":
                for family in families:
                    _only_for(node, family, "bridge")
                least = label_of(node).value
                return f"(resource has target && resource.target.classification >= {least})"
            case "same_department":
                return self._same_department(node, families)
            case _:
                return _of_request(key, node)

    def _classified(self, node: Node, families: Sequence[str]) -> str:
        least = label_of(node).value

        def of(place: str) -> str:
            return f"{place}.classification >= {least}"

        def one(family: str) -> str:
            return of("resource") if family == "record" else touching(family, of)

        return _by_family(families, one)

    def _same_department(self, node: Node, families: Sequence[str]) -> str:
        def of(place: str) -> str:
            return f"({place} has department && principal in {place}.department)"

        def one(family: str) -> str:
            return of("resource") if family == "record" else touching(family, of)

        return _said(_by_family(families, one), node)


def touching(family: str, of: Callable[[str], str]) -> str:
    """Return that a place is so: either end of a link, or where somebody stands."""
    match family:
        case "bridge":
            target = of("resource.target")
            return f"({of('resource.source')} || (resource has target && {target}))"
        case "channel":
            return of("resource")
        case _:
            return f"(resource has place && {of('resource.place')})"


def _by_family(families: Sequence[str], one: Callable[[str], str]) -> str:
    if len(families) == 1:
        return one(families[0])
    return _or([f"resource is Atom::{_TYPES[f]} && {one(f)}" for f in families])


def _of_request(key: str, node: Node) -> str:
    """Return what has to be so of the asker or of the moment, wherever they are."""
    match key:
        case "guest" | "outsider" | "bot":
            return _flag(key, node)
        case "label_at_least":
            return f"context.label >= {label_of(node).value}"
        case "target_has_guests":
            return _said("context.outsiders", node)
        case "platform":
            names = [quoted(_platform(each)) for each in node.items()]
            return _any([f"context.platform == {name}" for name in names], node)
        case "field":
            classes = ", ".join(quoted(each.text()) for each in node.items())
            return f"[{classes}].contains(context.fieldClass)"
        case _:
            return _number(key, node)


def _number(key: str, node: Node) -> str:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int) or value >= 1 << 31:
        raise node.wrong("write a whole number here")
    match key:
        case "mfa_within_seconds":
            return f"context.mfaAgeSeconds <= {value}"
        case "directory_older_than_seconds":
            return f"context.directoryAgeSeconds > {value}"
        case _:
            name = key.removesuffix("_at_least")
            return f"(principal is Atom::User && principal.{name} >= {value})"


def _flag(key: str, node: Node) -> str:
    test = {
        "guest": "principal.guest",
        "outsider": "principal is Atom::Outsider",
        "bot": "principal is Atom::Bot",
    }[key]
    return _said(test, node)


def _said(test: str, node: Node) -> str:
    return test if node.flag() else f"!({test})"


def _platform(node: Node) -> str:
    text = node.text()
    if text not in set(Platform):
        raise node.wrong(f"write {one_of(list(Platform))}")
    return text


def _only_for(node: Node, family: str, wanted: str) -> None:
    if family != wanted:
        raise node.wrong(
            f"this is for {wanted} actions, and the rule has {family} ones"
        )


def _all(tests: Sequence[str]) -> str:
    real = [test for test in tests if test]
    return " && ".join(real) if len(real) <= 1 else f"({' && '.join(real)})"


def _any(tests: Sequence[str], node: Node) -> str:
    if not tests or not all(tests):
        raise node.wrong("name at least one")
    return _or(tests)


def _or(tests: Sequence[str]) -> str:
    if len(tests) == 1:
        return tests[0]
    return "(" + " || ".join(f"({t})" if "&&" in t else t for t in tests) + ")"
