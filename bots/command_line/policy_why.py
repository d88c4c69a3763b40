"""Why, and replay, from the command line."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bots.command_line.company import company_core
from bots.command_line.output import print_json, say
from bots.commands.why import action_named
from bots.policy_side import PolicySide
from bridge.access import Action, Asked, Label
from bridge.directory.model import Kind, Subject
from bridge.directory.ports import Directory
from bridge.errors import BadInput, NotFound
from bridge.explaining import Explanation
from bridge.links import Link
from bridge.messages import Channel, Person, Platform
from bridge.policy_desk import Replayed
from bridge.ports import LinkBook
from policy.cedar.engine import Engine
from policy.cedar.explaining import Explainer


async def why(
    words: tuple[str, str, str], label: str, company: str, *, as_json: bool
) -> None:
    who, what, where = words
    async with company_core(company) as (built, tenant):
        action, thing = action_named(what)
        place = await _place(built.links, tenant, action, where)
        explainer, person, account = _about(built.policies, tenant, who)
        asked = Asked(
            tenant,
            person,
            action,
            place.channel,
            place.target,
            place.link,
            account,
            label=_label(label),
            thing=thing or place.record,
        )
        found = await explainer.why(asked)
    if as_json:
        print_json(_plain(found))
    else:
        _tell(found)


async def replay(seq: int, company: str, *, as_json: bool) -> bool:
    async with company_core(company) as (built, tenant):
        found = await built.policies.desk.replay(tenant, seq)
    if as_json:
        print_json([asdict(each) | {"same": each.same} for each in found])
    else:
        for each in found:
            say(_replayed(each))
    return all(each.same for each in found)


@dataclass(frozen=True, slots=True)
class _Place:
    channel: Channel | None = None
    target: Channel | None = None
    link: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class _OneOfThem:
    """The directory, to which whoever asks is one certain person."""

    directory: Directory
    one: Subject

    def configured(self, tenant: str) -> bool:
        return self.directory.configured(tenant)

    def version(self, tenant: str) -> str:
        return self.directory.version(tenant)

    def age_seconds(self, tenant: str) -> int:
        return self.directory.age_seconds(tenant)

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None:
        del tenant, person, account
        return self.one

    def subjects(self, tenant: str) -> Sequence[Subject]:
        return self.directory.subjects(tenant)

    def path(self, tenant: str, subject: str, ancestor: str) -> Sequence[str]:
        return self.directory.path(tenant, subject, ancestor)


def _about(side: PolicySide, tenant: str, who: str) -> tuple[Explainer, Person, str]:
    """
    Return what explains decisions about an account, or about a person by name.

    With the account comes the workspace or tenant that vouches for it, if it is named.
    """
    platform, colon, rest = who.partition(":")
    if colon and platform in set(Platform):
        account, _, id_ = rest.rpartition("/")
        return side.explainer, Person(Platform(platform), id_), account
    directory, names = side.engine.directory, side.desk.names
    if not directory.configured(tenant):
        raise BadInput("There is no directory here: write slack:TEAM_ID/USER_ID.")
    ids = names.named(tenant, Kind.PERSON, who)
    if len(ids) != 1:
        many = "several people" if ids else "nobody"
        raise NotFound(f"{who} is {many} in the directory: write an address or an id.")
    one = next(s for s in directory.subjects(tenant) if s.id == ids[0])
    engine = Engine(
        _OneOfThem(directory, one),
        side.engine.fallback,
        side.engine.stale_after,
        side.engine.proofs,
    )
    if bundle := side.engine.bundle(tenant):
        engine.use(bundle)
    explainer = Explainer(engine, names, side.explainer.losses)
    return explainer, Person(Platform.SLACK, one.id, one.name), ""


async def _place(links: LinkBook, tenant: str, action: Action, where: str) -> _Place:
    if action.value.startswith("record."):
        return _Place(record=where)
    if not where:
        return _Place()
    if not action.value.startswith("bridge."):
        return _Place(Channel.parse(where))
    every = await links.all(tenant)
    link = next((one for one in every if one.id.lower() == where.lower()), None)
    if link:
        return _ends(link, link.channels[0])
    channel = Channel.parse(where)
    link = next((one for one in every if channel in one.channels), None)
    return _ends(link, channel) if link else _Place(channel)


def _ends(link: Link, source: Channel) -> _Place:
    return _Place(source, link.others(source)[0], link.id)


def _label(word: str) -> Label:
    try:
        return Label[word.upper()]
    except KeyError:
        known = ", ".join(label.name.lower() for label in Label)
        raise BadInput(f"--label must be one of {known}, not '{word}'") from None


def _tell(found: Explanation) -> None:
    decision = found.decision
    who = found.name or found.asked.person.id
    say(f"{who} {'may' if decision.allowed else 'may not'} {found.asked.name}.")
    say(f"  {decision.reason or decision.rule}")
    for hit in found.hits:
        say(f"  Rule {hit.id} {'allows' if hit.allows else 'denies'} it. {hit.reason}")
        for way in hit.ways:
            say(f"    {way.into}: {' → '.join(way.names)}")
    for miss in found.near:
        lacks = "; ".join(miss.missing)
        say(f"  Nearest: rule {miss.id}, missing {len(miss.missing)}: {lacks}")
    for fact in found.facts:
        say(f"  {fact}")
    say(f"  Policy {decision.policy[:12]}, directory version {decision.directory}")


def _plain(found: Explanation) -> dict[str, Any]:
    decision = found.decision
    return {
        "allowed": decision.allowed,
        "rule": decision.rule,
        "reason": decision.reason,
        "duties": list(decision.duties),
        "policy": decision.policy,
        "directory": decision.directory,
        "person": found.name,
        "action": found.asked.name,
        "facts": list(found.facts),
        "rules": [asdict(hit) for hit in found.hits],
        "nearest": [asdict(miss) for miss in found.near],
    }


def _replayed(each: Replayed) -> str:
    by = f" Looked at with {each.looked_at}." if each.looked_at else ""
    return f"{_taken_again(each)}{by}"


def _taken_again(each: Replayed) -> str:
    def told(taken: tuple[bool, tuple[str, ...]]) -> str:
        allowed, rules = taken
        by = f" by {', '.join(rules)}" if rules else ""
        return f"{'allowed' if allowed else 'denied'}{by}"

    if each.same:
        return f"The same again: {told(each.recorded)}."
    if each.why and not each.again[1] and not each.again[0]:
        return f"Recorded as {told(each.recorded)}; not replayed: {each.why}."
    return f"Recorded as {told(each.recorded)}, and now {told(each.again)}."
