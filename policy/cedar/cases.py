"""
Tests of a policy, in YAML beside its rules, and the gate that they are.

    - name: nested member may post
      given: {user: Ana Ek, groups: [GG-Finance-All]}
      ask: {action: bridge.post, from: fin, to: fin-teams, label: internal}
      expect: {effect: allow, rules: [finance-talks]}
    - name: nobody who left may do anything
      given: {user: Ana Ek, standing: left}
      ask_each: [bridge.post, channel.join, record.view]
      expect: {effect: deny, rules: [atom-inactive]}
    - name: no guest reaches what is restricted
      forall: {user.guest: true, link.classification: restricted}
      expect: {effect: deny}

A test with `leaves` is about what may leave, by the company's rules for that:

    - name: cards stay inside
      leaves: {text: "card 4242 4242 4242 4242", to: fin-teams, outsiders: true}
      expect: {do: redact, rules: [cards for outsiders]}

`given` starts from the person in the directory, or from an employee made up on the
spot; whatever it says replaces what the directory does. `forall` asks everybody of the
directory, in every linked place, whom and which it describes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bridge.access import Action, Asked, Label
from bridge.directory.model import Kind, Standing, Subject
from bridge.directory.ports import Names
from bridge.errors import BadInput
from bridge.leaving.rules import Deed, Where
from bridge.messages import Channel
from bridge.policy_desk import CaseOutcome, Trial
from bridge.proofs import UNKNOWN_AGE, Proof
from policy.cedar.deciding import Decider, Verdict
from policy.cedar.facts import context
from policy.cedar.front import channel_named, label_of
from policy.cedar.naming import FromDirectory
from policy.cedar.schema import family
from policy.cedar.sweeping import NOBODY, Situation, Sweep, places
from policy.cedar.sweeping import Where as Spot
from policy.cedar.what_if import changed
from policy.cedar.yaml_reading import Node, one_of

_CASE = ("name", "given", "ask", "ask_each", "forall", "leaves", "expect")
_GIVEN = (
    "user",
    "groups",
    "units",
    "departments",
    "guest",
    "active",
    "standing",
    "clearance",
    "confidence",
)
_ASK = (
    "action",
    "from",
    "to",
    "channel",
    "link",
    "label",
    "outsiders",
    "record",
    "field",
    "directory_age",
    "mfa_age",
    "mfa_method",
)
_FORALL = (
    "user.guest",
    "user.active",
    "user.group",
    "user.department",
    "link.classification",
    "link.space",
    "action",
)
_EXPECT = ("effect", "rules")
_LEAVES = ("text", "to", "link", "outsiders", "classification")
_LEFT = ("do", "rules", "label")
NO_RULES = "there are no rules for what may leave"
_LIMIT = 900
_ANYBODY = Subject("made-up-person", "somebody", confidence=3)
_KINDS = {
    "groups": Kind.GROUP,
    "units": Kind.UNIT,
    "departments": Kind.DEPARTMENT,
}
_FROM = Channel.parse("slack:T/made-up")
_TO = Channel.parse("teams:T/made-up")


class Expected(NamedTuple):
    """What rules for what may leave are to do: the deed, by which rules, the label."""

    deed: str
    rules: tuple[str, ...]
    label: Label | None


Leaves = Callable[[str, Where, Expected], str]
"""Say how rules for what may leave differ from what is expected, empty if not."""


@dataclass
class Cases:
    """Runs the tests of one bundle, against the directory as it is."""

    decider: Decider
    names: Names
    people: Mapping[str, Subject]
    links: Sequence[tuple[str, Sequence[Channel]]]
    leaving: Leaves | None = None
    spoken_of: set[str] = field(default_factory=set)

    def run(self) -> list[CaseOutcome]:
        """Raises `BadInput` for a test that cannot be understood."""
        return [
            self._case(node, number)
            for number, node in enumerate(self.decider.bundle.front.tests, 1)
        ]

    def trial(self, before: "Decider | None") -> Trial:
        """Run them all, and say which new rules none of them comes to speak of."""
        outcomes = tuple(self.run())
        bundle = self.decider.bundle
        new = bundle.own if before is None else changed(before.bundle, bundle)
        mine = {policy.id for policy in bundle.own}
        missing = {p.id for p in new if p.id in mine} - self.spoken_of
        return Trial(outcomes, tuple(sorted(missing)))

    def _case(self, node: Node, number: int) -> CaseOutcome:
        said = node.only(_CASE)
        name = said["name"].text() if "name" in said else f"test {number}"
        if "leaves" in said:
            return self._leaves(name, said)
        expect = said.get("expect", Node(None)).only(_EXPECT)
        if "effect" not in expect or expect["effect"].value not in {"allow", "deny"}:
            raise node.wrong("expect needs an effect: allow or deny")
        allowed = expect["effect"].value == "allow"
        rules = {each.text() for each in expect.get("rules", Node(None)).items()}
        self._refuse_unknown(rules, expect)
        asked = 0
        for what, verdict in self._verdicts(said, node):
            asked += 1
            self.spoken_of |= set(verdict.rules)
            if verdict.errors:
                return CaseOutcome(name, False, f"{what}: {verdict.errors[0]}", asked)
            if verdict.allowed != allowed or not rules <= set(verdict.rules):
                return CaseOutcome(name, False, _told(what, verdict), asked)
        if not asked:
            return CaseOutcome(name, False, "it asks about nobody and nothing", 0)
        return CaseOutcome(name, True, "", asked)

    def _leaves(self, name: str, said: Mapping[str, Node]) -> CaseOutcome:
        """Ask the rules for what may leave about a text."""
        expect, leaves = said.get("expect", Node(None)).only(_LEFT), said["leaves"]
        asked = leaves.only(_LEAVES)
        if "text" not in asked:
            raise leaves.wrong("say which text")
        if "do" not in expect or expect["do"].value not in set(Deed):
            raise said["leaves"].wrong(f"expect needs do: {one_of(list(Deed))}")
        if self.leaving is None:
            return CaseOutcome(name, False, NO_RULES, 0)
        aliases, seen = self.decider.bundle.front.aliases, None
        target = channel_named(asked["to"], aliases) if "to" in asked else None
        if "classification" in asked:
            seen = label_of(asked["classification"])
        elif target is not None:
            seen = self.decider.bundle.place(str(target)).classification
        where = Where(
            asked["link"].text() if "link" in asked else "",
            str(target or ""),
            outsiders="outsiders" in asked and asked["outsiders"].flag(),
            classification=seen,
        )
        rules = tuple(each.text() for each in expect.get("rules", Node(None)).items())
        label = label_of(expect["label"]) if "label" in expect else None
        expected = Expected(expect["do"].text(), rules, label)
        why = self.leaving(asked["text"].text(), where, expected)
        return CaseOutcome(name, not why, why, 1)

    def _refuse_unknown(self, rules: Iterable[str], expect: Mapping[str, Node]) -> None:
        for rule in rules:
            if self.decider.bundle.policy(rule) is None:
                raise expect["rules"].wrong(f"there is no rule {rule!r}")

    def _verdicts(
        self, said: Mapping[str, Node], node: Node
    ) -> Iterator[tuple[str, Verdict]]:
        if "forall" in said:
            yield from self._everybody(said["forall"])
            return
        subject = self._given(said.get("given", Node(None)))
        ask = said.get("ask", Node(None))
        if "ask_each" in said:
            names = [each.text() for each in said["ask_each"].items()]
        elif "action" in ask.mapping():
            names = [ask.mapping()["action"].text()]
        else:
            raise node.wrong("it needs ask with an action, ask_each or forall")
        for action in names:
            yield action, self._ask(subject, action, ask)

    def _given(self, node: Node) -> Subject:
        said = node.only(_GIVEN)
        subject = self._named(said["user"]) if "user" in said else _ANYBODY
        for key, kind in _KINDS.items():
            if key in said:
                subject = self._in(subject, kind, said[key])
        if "guest" in said:
            subject = replace(subject, guest=said["guest"].flag())
        if "active" in said:
            standing = Standing.ACTIVE if said["active"].flag() else Standing.DISABLED
            subject = replace(subject, standing=standing)
        if "standing" in said:
            subject = replace(subject, standing=_standing(said["standing"]))
        if "clearance" in said:
            subject = replace(subject, clearance=_number(said["clearance"]))
        if "confidence" in said:
            subject = replace(subject, confidence=_number(said["confidence"]))
        return subject

    def _named(self, node: Node) -> Subject:
        """Return somebody of the directory, or somebody of that name made up."""
        name = node.text()
        ids = self.names.named(self.decider.bundle.tenant, Kind.PERSON, name)
        known = [self.people[i] for i in ids if i in self.people]
        if len(known) > 1:
            raise node.wrong(f"several people are called {name!r}")
        return known[0] if known else replace(_ANYBODY, name=name)

    def _in(self, subject: Subject, kind: Kind, node: Node) -> Subject:
        """Put somebody into groups, and into what these are in; out of all others."""
        tenant = self.decider.bundle.tenant
        resolver = FromDirectory(self.names, tenant)
        prefix = f"{kind.value}:"
        kept = {a for a in subject.ancestors if not a.startswith(prefix)}
        for each in node.items():
            ancestor = f"{prefix}{resolver.id_of(kind, each)}"
            kept |= {ancestor, *self.names.above(tenant, ancestor)}
        changed_ = replace(subject, ancestors=frozenset(kept))
        if kind is Kind.DEPARTMENT:
            ids = [a.removeprefix(prefix) for a in kept if a.startswith(prefix)]
            return replace(changed_, department=ids[0] if len(ids) == 1 else "")
        return changed_

    def _ask(self, subject: Subject, action: str, node: Node) -> Verdict:
        said = node.only(_ASK)
        if action not in self.decider.known:
            raise node.wrong(f"there is no action {action!r}")
        asked = self._question(action, said)
        facts = self.decider.facts
        resource = facts.resource(asked, action)
        if resource is None:
            raise node.wrong("say from where to where, or in which channel")
        proof = Proof(
            available=True,
            mfa_age_seconds=_number(said["mfa_age"])
            if "mfa_age" in said
            else UNKNOWN_AGE,
            method=said["mfa_method"].text() if "mfa_method" in said else "",
        )
        age = _number(said["directory_age"]) if "directory_age" in said else 0
        principal = facts.made(subject, guest=subject.guest)
        said_now = context(asked, age, _LIMIT, proof)
        return self.decider.ask(principal, action, resource, said_now)

    def _question(self, action: str, said: Mapping[str, Node]) -> Asked:
        tenant = self.decider.bundle.tenant
        kind = family(action)
        source, target = self._ends(kind, said)
        command = action.removeprefix("admin.") if kind == "admin" else ""
        record = said["record"].text() if "record" in said else "system/record/1"
        return Asked(
            tenant,
            NOBODY,
            Action.COMMAND if kind == "admin" else Action(action),
            source,
            target,
            label=label_of(said["label"]) if "label" in said else Label.PUBLIC,
            thing=command or (record if kind == "record" else ""),
            field=said["field"].text() if "field" in said else "",
            outsiders="outsiders" in said and said["outsiders"].flag(),
        )

    def _ends(
        self, kind: str, said: Mapping[str, Node]
    ) -> tuple[Channel | None, Channel | None]:
        aliases = self.decider.bundle.front.aliases
        named = {
            key: channel_named(said[key], aliases)
            for key in ("from", "to", "channel")
            if key in said
        }
        source, target = named.get("from") or named.get("channel"), named.get("to")
        if "link" in said:
            wanted = said["link"].text()
            ends = next((ends for id_, ends in self.links if id_ == wanted), None)
            if ends is None:
                raise said["link"].wrong(f"there is no link {wanted!r}")
            source, target = ends[0], ends[1]
        if kind == "bridge":
            return source or _FROM, target or (None if source else _TO)
        if kind == "channel":
            return target or source or _FROM, None
        return source, None

    def _everybody(self, node: Node) -> Iterator[tuple[str, Verdict]]:
        said = node.only(_FORALL)
        people = [s for s in self.people.values() if self._describes(s, said)]
        actions = [each.text() for each in said.get("action", Node(None)).items()]
        actions = actions or [a.value for a in Action if a.startswith("bridge.")]
        spots = [
            where
            for where in places(self.decider.bundle.tenant, self.links, (), actions)
            if self._placed(where, said)
        ]
        sweep = Sweep(self.decider)
        seen = {one.key: (s, one) for s in people for one in [sweep.person(s)]}
        there = {
            one.key: (w, one) for w in spots if (one := sweep.place(w, Situation()))
        }
        for subject, person in seen.values():
            for where, place in there.values():
                what = f"{subject.name}, {where.action}, {where.shown}"
                yield what, sweep.verdict(person, place)

    def _describes(self, subject: Subject, said: Mapping[str, Node]) -> bool:
        tenant = self.decider.bundle.tenant
        resolver = FromDirectory(self.names, tenant)
        for key, node in said.items():
            match key:
                case "user.guest":
                    fits = subject.guest == node.flag()
                case "user.active":
                    fits = (subject.standing is Standing.ACTIVE) == node.flag()
                case "user.group" | "user.department":
                    kind = Kind(key.partition(".")[2])
                    fits = f"{kind}:{resolver.id_of(kind, node)}" in subject.ancestors
                case _:
                    fits = True
            if not fits:
                return False
        return True

    def _placed(self, where: Spot, said: Mapping[str, Node]) -> bool:
        """Return whether either end is as described; a link has its higher label."""
        ends = [end for end in (where.asked.channel, where.asked.target) if end]
        facts = [self.decider.bundle.place(str(end)) for end in ends]
        if "link.classification" in said:
            label = label_of(said["link.classification"])
            if max((f.classification for f in facts), default=Label.PUBLIC) != label:
                return False
        if "link.space" in said:
            space = said["link.space"].text()
            return any(space in fact.spaces for fact in facts)
        return True


def refuse_untried(trial: Trial) -> None:
    """Raise `BadInput` if a policy did not pass its own tests."""
    failed = [each for each in trial.outcomes if not each.passed]
    if failed:
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise BadInput(f"test {failed[0].name!r} fails: {failed[0].why}{more}")
    if trial.untested:
        raise BadInput(
            f"no test comes to speak of {one_of(trial.untested)}: "
            "add one under tests before it is published"
        )


def _told(what: str, verdict: Verdict) -> str:
    effect = "allow" if verdict.allowed else "deny"
    by = f" by {', '.join(verdict.rules)}" if verdict.rules else ": nothing allows it"
    return f"{what}: {effect}{by}"


def _standing(node: Node) -> Standing:
    text = node.text()
    if text not in set(Standing):
        raise node.wrong(f"write {one_of(list(Standing))}")
    return Standing(text)


def _number(node: Node) -> int:
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        raise node.wrong("write a whole number here")
    return node.value
