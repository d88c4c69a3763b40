"""
How long decisions take: ATOM's engine, plain cedarpy and casbin, side by side.

One universe for all: people in nested groups, channels in spaces, and policies each for
a group in a space, a tenth of them denials. Every engine gives the same answers, or the
run stops. `python -m tests.load.policy --people 10000`.
"""

import argparse
import asyncio
import json
import random
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles

import casbin
import cedarpy
from casbin.model import Model

from bridge.access import Action, Asked
from bridge.directory.model import Kind, Subject
from bridge.messages import Channel, Person, Platform
from policy.cedar.bundle import Bundle, Draft, build
from policy.cedar.engine import Engine
from policy.cedar.naming import FromDirectory
from policy.cedar.what_if import Scene, what_if
from policy.default import MembershipPolicy
from tests.fakes_directory import FakeDirectory

TENANT = "acme"
_SPACES = 50
_ACTIONS = ("bridge.post", "bridge.read", "bridge.file")
_CASBIN_SHARE = 20  # casbin is asked every so many-th question: it takes milliseconds


@dataclass(frozen=True)
class Size:
    people: int = 10_000
    groups: int = 500
    channels: int = 1_000
    policies: int = 200
    questions: int = 2_000


@dataclass(frozen=True)
class Universe:
    size: Size
    directory: FakeDirectory
    above: dict[str, frozenset[str]]
    links: list[tuple[str, tuple[Channel, Channel]]]
    rules: list[tuple[bool, str, str, int]]  # allows, action, group, space
    questions: list[Asked]


def universe(size: Size) -> Universe:
    """Make a company; the same each time."""
    lot = random.Random(7)
    groups = [f"g{n}" for n in range(size.groups)]
    above: dict[str, frozenset[str]] = {}
    for number, group in enumerate(groups):  # each group is in earlier ones
        parents = lot.sample(groups[:number], min(number, lot.choice((0, 1, 1, 2))))
        above[group] = frozenset({group}).union(*(above[p] for p in parents))
    people: dict[str, Subject] = {}
    for number in range(size.people):
        direct = lot.sample(groups, lot.randint(3, min(12, size.groups)))
        inside = frozenset().union(*(above[g] for g in direct))
        people[f"slack:U{number}"] = Subject(
            f"p{number}",
            f"Person {number}",
            confidence=2,
            ancestors=frozenset(f"group:{g}" for g in inside),
            version=1,
        )
    links = []
    for number in range(size.channels // 2):
        ends = (
            Channel(Platform.SLACK, "T1", f"C{number}"),
            Channel(Platform.TEAMS, "19:t", f"19:c{number}"),
        )
        links.append((f"L{number}", ends))
    rules = [
        (
            number % 10 != 0,
            lot.choice(_ACTIONS),
            lot.choice(groups),
            lot.randrange(_SPACES),
        )
        for number in range(size.policies)
    ]
    questions = []
    for _ in range(size.questions):
        link, (source, target) = lot.choice(links)
        who = Person(Platform.SLACK, f"U{lot.randrange(size.people)}")
        action = Action(lot.choice(_ACTIONS))
        questions.append(Asked(TENANT, who, action, source, target, link, "T1"))
    things = {(Kind.GROUP, group): group for group in groups}
    directory = FakeDirectory(TENANT, people, things)
    return Universe(size, directory, above, links, rules, questions)


def space_of(channel: Channel) -> int:
    return int(channel.id.removeprefix("19:c").removeprefix("C")) % _SPACES


def front(made: Universe) -> str:
    """Return the rules as a company would write them."""
    spaces: dict[str, list[str]] = {f"s{n}": [] for n in range(_SPACES)}
    for _, ends in made.links:
        for channel in ends:
            spaces[f"s{space_of(channel)}"].append(str(channel))
    rules = [
        {
            "id": f"r{number}",
            ("allow" if allows else "deny"): action,
            "who": {"group": group},
            "where": {"links_between": [f"s{space}", f"s{space}"]},
        }
        for number, (allows, action, group, space) in enumerate(made.rules)
    ]
    return json.dumps(
        {"defaults": {"grants": "none"}, "spaces": spaces, "rules": rules}
    )


def engine_of(made: Universe) -> tuple[Engine, Bundle]:
    bundle = build(
        TENANT, Draft(front(made)), FromDirectory(made.directory, TENANT), ("link",)
    )
    engine = Engine(made.directory, MembershipPolicy())
    engine.use(bundle)
    return engine, bundle


def plain_cedar(made: Universe) -> Callable[[Asked], bool]:
    """Return Cedar with everything in one set of entities and one of policies."""
    entities = [
        {
            "uid": _uid("Group", group),
            "attrs": {},
            "parents": [_uid("Group", g) for g in sorted(inside - {group})],
        }
        for group, inside in made.above.items()
    ]
    for account, subject in made.directory.people.items():
        parents = [_uid("Group", a.removeprefix("group:")) for a in subject.ancestors]
        entities.append({"uid": _uid("User", account), "attrs": {}, "parents": parents})
    for link, (source, _) in made.links:
        space = _uid("Space", f"s{space_of(source)}")
        entities.append({"uid": _uid("Link", link), "attrs": {}, "parents": [space]})
    text = "\n".join(
        f'{"permit" if allows else "forbid"} (principal in Group::"{group}", '
        f'action == Action::"{action}", resource in Space::"s{space}");'
        for allows, action, group, space in made.rules
    )
    policies = cedarpy.PolicySet.from_str(text)
    handle = cedarpy.Entities.from_json_str(json.dumps(entities))

    def ask(asked: Asked) -> bool:
        request = {
            "principal": _uid("User", f"slack:{asked.person.id}"),
            "action": _uid("Action", asked.action.value),
            "resource": _uid("Link", asked.link),
            "context": {},
        }
        return bool(cedarpy.is_authorized(request, policies, handle).allowed)

    return ask


_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.obj == p.obj && r.act == p.act && g(r.sub, p.sub)
"""


def plain_casbin(made: Universe) -> Callable[[Asked], bool]:
    """Return casbin with the same rules; people's groups are written out."""
    model = Model()
    model.load_model_from_text(_MODEL)
    enforcer = casbin.Enforcer(model)
    model["p"]["p"].policy = [
        [group, f"s{space}", action, "allow" if allows else "deny"]
        for allows, action, group, space in made.rules
    ]
    model["g"]["g"].policy = [
        [account, ancestor.removeprefix("group:")]
        for account, subject in made.directory.people.items()
        for ancestor in sorted(subject.ancestors)
    ]
    enforcer.build_role_links()

    def ask(asked: Asked) -> bool:
        source = asked.channel
        assert source
        obj = f"s{space_of(source)}"
        return bool(
            enforcer.enforce(f"slack:{asked.person.id}", obj, asked.action.value)
        )

    return ask


def timed(ask: Callable[[Asked], bool], questions: Sequence[Asked]) -> list[float]:
    """Return how long each question took, in microseconds."""
    took = []
    for question in questions:
        begin = time.perf_counter()
        ask(question)
        took.append((time.perf_counter() - begin) * 1e6)
    return took


def line(name: str, took: list[float]) -> str:
    cuts = quantiles(took, n=20) if len(took) > 1 else took * 19
    rate = len(took) / (sum(took) / 1e6)
    return f"{name:<34}{cuts[9]:>10.1f}{cuts[18]:>10.1f}{rate:>12,.0f}"


def compare(made: Universe) -> None:
    engine, bundle = engine_of(made)
    cedar, other = plain_cedar(made), plain_casbin(made)
    fewer = made.questions[::_CASBIN_SHARE]
    _same_answers(made.questions, lambda q: engine.decide_now(q).allowed, cedar)
    _same_answers(fewer, cedar, other)

    cold = Engine(made.directory, MembershipPolicy(), ttl=-1)  # no answer is kept
    cold.use(bundle)
    first = timed(lambda q: cold.decide_now(q).allowed, made.questions)
    uncached = timed(lambda q: cold.decide_now(q).allowed, made.questions)
    kept = timed(lambda q: engine.decide_now(q).allowed, made.questions)
    print(f"{'microseconds':<34}{'p50':>10}{'p95':>10}{'a second':>12}")
    print(line("engine, answer kept", kept))
    print(line("engine, asked of Cedar", uncached))
    print(line("engine, person seen first", first))
    print(line("plain cedarpy, one large handle", timed(cedar, made.questions)))
    print(line("casbin", timed(other, fewer)))


def _same_answers(
    questions: Sequence[Asked],
    one: Callable[[Asked], bool],
    other: Callable[[Asked], bool],
) -> None:
    for question in questions:
        if one(question) != other(question):
            raise SystemExit(f"two engines do not agree on {question}")


async def sweep(made: Universe) -> None:
    """Say how long what-if takes over everybody."""
    resolver = FromDirectory(made.directory, TENANT)
    old = build(TENANT, Draft(front(made)), resolver, ("link",))
    said = json.loads(front(made))
    said["rules"] = said["rules"][1:]
    new = build(TENANT, Draft(json.dumps(said)), resolver, ("link",))
    people = list(made.directory.subjects(TENANT))
    scene = Scene(made.links, people, people, "1")
    begin = time.perf_counter()
    report = await what_if("one rule less", old, new, scene)
    took = time.perf_counter() - begin
    sampled = f", of {report.sampled:,} by lot" if report.sampled else ""
    print(
        f"what-if, one rule less: {took:.2f} s for {report.people:,} people, "
        f"{report.pairs:,} questions{sampled}; {report.gains:,} gained, "
        f"{report.losses:,} lost"
    )


def _uid(kind: str, id_: str) -> dict[str, str]:
    return {"type": kind, "id": id_}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in vars(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    size = Size(**vars(parser.parse_args()))
    made = universe(size)
    print(
        f"{size.people:,} people, {size.groups} groups, {size.channels:,} channels, "
        f"{size.policies} policies"
    )
    compare(made)
    asyncio.run(sweep(made))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory at most: {peak:.0f} MB, all engines together")


if __name__ == "__main__":
    main()
