"""
Cedar once more, in Python, for the part of it that policies here use.

Written from the language's definition, not from the engine: it knows no slices, no
anchors, no kinds and no kept answers. Denials win, what is not allowed is denied, and
any error at all denies.
"""

from collections.abc import Mapping
from operator import ge, gt, le, lt
from typing import Any

Tree = Mapping[str, Any]
Uid = tuple[str, str]


_COMPARE = {">=": ge, ">": gt, "<=": le, "<": lt}


class EvaluationError(Exception):
    """A missing attribute, a wrong type, or a number that does not fit."""


class Oracle:
    """Answers one request from the entities and policies in JSON."""

    def __init__(self, principal: Tree, resource: Tree, context: Tree) -> None:
        entities = (principal, resource)
        self.attrs = {_uid(e["uid"]): _record(e["attrs"]) for e in entities}
        self.parents = {
            _uid(e["uid"]): {_uid(p) for p in e["parents"]} for e in entities
        }
        self.vars = {
            "principal": _uid(principal["uid"]),
            "resource": _uid(resource["uid"]),
            "context": _record(context),
        }

    def decide(
        self, policies: Mapping[str, Tree], action: str, groups: set[str]
    ) -> tuple[bool, set[str], bool]:
        """Return whether it is allowed, by which policies, and if anything failed."""
        uid = ("Atom::Action", action)
        self.vars["action"] = uid
        self.parents[uid] = {("Atom::Action", group) for group in groups}
        permits: set[str] = set()
        forbids: set[str] = set()
        failed = False
        for id_, policy in policies.items():
            try:
                if self._holds(policy, action, groups):
                    (permits if policy["effect"] == "permit" else forbids).add(id_)
            except EvaluationError:
                failed = True
        if forbids:
            return False, forbids, failed
        return bool(permits) and not failed, permits, failed

    def _holds(self, policy: Tree, action: str, groups: set[str]) -> bool:
        scope = policy["action"]
        named = [scope["entity"]] if "entity" in scope else scope.get("entities", [])
        if named and not {each["id"] for each in named} & (groups | {action}):
            return False
        for var in ("principal", "resource"):
            if not self._in_scope(policy[var], self.vars[var]):
                return False
        for condition in policy["conditions"]:
            held = _bool(self.value(condition["body"]))
            if held != (condition["kind"] == "when"):
                return False
        return True

    def _in_scope(self, scope: Tree, uid: Any) -> bool:
        match scope["op"]:
            case "All":
                return True
            case "==":
                return bool(uid == _uid(scope["entity"]))
            case "in":
                return self._within(uid, _uid(scope["entity"]))
            case _:
                kind = bool(uid[0] == scope["entity_type"])
                inner = scope.get("in")
                return kind and (
                    inner is None or self._within(uid, _uid(inner["entity"]))
                )

    def _within(self, uid: Uid, ancestor: Uid) -> bool:
        return uid == ancestor or ancestor in self.parents.get(uid, set())

    def value(self, tree: Tree) -> Any:
        """Evaluate an expression."""
        [(operator, body)] = tree.items()
        match operator:
            case "Value":
                return _plain(body)
            case "Var":
                return self.vars[body]
            case "Set":
                return [self.value(each) for each in body]
            case ".":
                return self._attribute(self.value(body["left"]), body["attr"])
            case "has":
                return body["attr"] in self._attributes(self.value(body["left"]))
            case "!":
                return not _bool(self.value(body["arg"]))
            case "&&":
                return _bool(self.value(body["left"])) and _bool(
                    self.value(body["right"])
                )
            case "||":
                return _bool(self.value(body["left"])) or _bool(
                    self.value(body["right"])
                )
            case "is":
                return self.value(body["left"])[0] == body["entity_type"]
            case _:
                left, right = self.value(body["left"]), self.value(body["right"])
                return self._binary(operator, left, right)

    def _binary(self, operator: str, left: Any, right: Any) -> Any:
        match operator:
            case "==":
                return left == right
            case "!=":
                return left != right
            case "in":
                several = right if isinstance(right, list) else [right]
                return any(self._within(left, each) for each in several)
            case "contains":
                return right in left
            case "+":
                total = _long(left) + _long(right)
                if not -(2**63) <= total < 2**63:
                    raise EvaluationError("overflow")
                return total
            case ">=" | ">" | "<=" | "<":
                return _COMPARE[operator](_long(left), _long(right))
            case _:
                raise NotImplementedError(operator)

    def _attributes(self, of: Any) -> Mapping[str, Any]:
        if isinstance(of, tuple):
            return self.attrs.get(of, {})
        if isinstance(of, dict):
            return of
        raise EvaluationError("neither an entity nor a record")

    def _attribute(self, of: Any, name: str) -> Any:
        found = self._attributes(of)
        if name not in found:
            raise EvaluationError(f"no attribute {name}")
        return found[name]


def _uid(tree: Tree) -> Uid:
    return str(tree["type"]), str(tree["id"])


def _record(tree: Tree) -> dict[str, Any]:
    return {name: _plain(value) for name, value in tree.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__entity"}:
            return _uid(value["__entity"])
        return _record(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise EvaluationError("not a truth value")
    return value


def _long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise EvaluationError("not a number")
    return value
