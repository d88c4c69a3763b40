"""Linked channels follow the policy: people go, come back, and are let be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bots.keeping_members import Keeping
from bridge.access import Action, Asked, Decision
from bridge.directory.model import Standing, Subject
from bridge.errors import Refused, ServiceUnavailable
from bridge.keeping import Ended, Plan
from bridge.links import Link
from bridge.messages import Channel, Event, EventKind, Person, Platform
from bridge.options import LinkOptions, Members
from tests.events import FALCON, PROJECT, message
from tests.fakes_directory import FakeDirectory

TENANT = "acme"


@dataclass
class Policy:
    """Whoever is in the group may be there; `rule` is the company's own or ATOM's."""

    group: set[str] = field(default_factory=set)
    rule: str = "fin-members"
    blind: set[tuple[str, Channel | None]] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)

    async def decide(self, asked: Asked) -> Decision:
        if asked.action is Action.INVITE:
            hosts = asked.person.id in self.hosts
            return Decision(hosts, "hosts" if hosts else "no-host", "h", "1")
        if asked.action is Action.READ:
            reads = (asked.person.id, asked.target) not in self.blind
            return Decision(reads, "" if reads else "not for them", "h", "1")
        allowed = asked.person.id in self.group
        return Decision(allowed, self.rule if allowed else "nothing", "h", "1")


@dataclass
class Room:
    """One platform's channel. `losing` answers are lost after the deed is done."""

    inside: set[str]
    losing: int = 0
    refusing: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    async def people(self, channel: Channel) -> tuple[Person, ...]:
        return tuple(Person(channel.platform, user) for user in sorted(self.inside))

    async def invite(self, channel: Channel, user: str) -> None:
        self.calls.append(f"+{user}")
        self.inside.add(user)

    async def remove(self, channel: Channel, user: str) -> None:
        self.calls.append(f"-{user}")
        if user in self.refusing:
            raise Refused("not them")
        self.inside.discard(user)
        if self.losing:
            self.losing -= 1
            raise ServiceUnavailable("the answer was lost")


@dataclass
class Leavers:
    gone: dict[tuple[Channel, str], Ended] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    async def ended(self, tenant: str, channel: Channel) -> dict[str, Ended]:
        return {user: how for (c, user), how in self.gone.items() if c == channel}

    async def note(
        self, tenant: str, channel: Channel, user: str, ended: Ended, text: str
    ) -> None:
        self.gone[channel, user] = ended
        self.said.append(text)

    async def back(self, tenant: str, channel: Channel, user: str, text: str) -> None:
        self.gone.pop((channel, user), None)
        self.said.append(text)


@dataclass
class Book:
    link: Link

    async def all(self, tenant: str) -> Sequence[Link]:
        return [self.link]

    async def of(self, tenant: str, channel: Channel) -> Sequence[Link]:
        return [self.link] if channel in self.link.channels else []


@dataclass
class Scene:
    wish: Members = Members.INVITE
    policy: Policy = field(default_factory=lambda: Policy({"ann", "bob", "cem"}))
    slack: Room = field(default_factory=lambda: Room({"ann", "bob"}))
    teams: Room = field(default_factory=lambda: Room({"ann", "bob"}))
    leavers: Leavers = field(default_factory=Leavers)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    told: list[Plan] = field(default_factory=list)

    def __post_init__(self) -> None:
        for who in ("ann", "bob", "cem"):
            self.directory.people[f"slack:{who}"] = Subject(f"p-{who}", who)

    @property
    def keeping(self) -> Keeping:
        options = LinkOptions(members=self.wish)
        link = Link(TENANT, "L1", (FALCON, PROJECT), options=options)

        async def companies() -> list[str]:
            return [TENANT]

        async def tell(_link: Link, found: Plan) -> None:
            self.told.append(found)

        async def sleep(_seconds: float) -> None:
            """Nobody waits in a test."""

        return Keeping(
            self.policy,
            self.directory,
            Book(link),  # type: ignore[arg-type]
            {Platform.SLACK: self.slack, Platform.TEAMS: self.teams},
            self.leavers,
            _accounts,
            companies,
            tell,
            sleep,
        )


def _accounts(_t: str, subject: Subject, _p: Platform) -> Iterable[tuple[str, str]]:
    yield "", subject.id.removeprefix("p-")


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_who_leaves_a_group_leaves_its_channels_on_both_sides(
    scene: Scene,
) -> None:
    """Scenario 16: moved out of Finance, and moved back."""
    scene.wish = Members.REMOVE
    scene.policy.group -= {"bob"}

    await scene.keeping.look(TENANT)

    assert (scene.slack.inside, scene.teams.inside) == ({"ann"}, {"ann"})
    assert set(scene.leavers.gone.values()) == {Ended.SYNC}
    scene.policy.group |= {"bob"}
    await scene.keeping.look(TENANT)
    assert scene.slack.inside == scene.teams.inside == {"ann", "bob"}
    assert scene.leavers.gone == {}


async def test_whoever_left_by_choice_is_not_brought_back(scene: Scene) -> None:
    """Scenario 16: also if they had once been taken out by the sync."""
    scene.policy.group -= {"bob"}
    await scene.keeping.look(TENANT)
    scene.policy.group |= {"bob"}
    await scene.keeping.look(TENANT)
    scene.slack.inside.discard("bob")
    bob = Person(Platform.SLACK, "bob")
    leaves = message(kind=EventKind.MEMBER_LEAVE, author=bob, message="")
    await scene.keeping.followed(TENANT, leaves)
    assert scene.leavers.gone == {(FALCON, "bob"): Ended.CHOICE}

    await scene.keeping.look(TENANT)

    assert "bob" not in scene.slack.inside
    assert "bob" in scene.teams.inside
    joins = message(kind=EventKind.MEMBER_JOIN, author=bob, message="")
    await scene.keeping.followed(TENANT, joins)
    assert scene.leavers.gone == {}


async def test_being_taken_out_is_not_taken_for_a_choice(scene: Scene) -> None:
    scene.policy.group -= {"bob"}
    await scene.keeping.look(TENANT)
    bob = Person(Platform.SLACK, "bob")

    await scene.keeping.followed(
        TENANT, message(kind=EventKind.MEMBER_LEAVE, author=bob, message="")
    )

    assert scene.leavers.gone[FALCON, "bob"] is Ended.SYNC


async def test_whom_a_rule_of_the_companys_wants_is_let_in(scene: Scene) -> None:
    await scene.keeping.look(TENANT)

    assert "cem" in scene.slack.inside
    scene.slack.inside.discard("cem")
    scene.policy.rule = "atom-employees-join"
    await scene.keeping.look(TENANT)
    assert "cem" not in scene.slack.inside


async def test_whoever_is_not_active_is_not_let_in(scene: Scene) -> None:
    cem = scene.directory.people["slack:cem"]
    scene.directory.people["slack:cem"] = replace(cem, standing=Standing.DISABLED)

    await scene.keeping.look(TENANT)

    assert "cem" not in scene.slack.inside


async def test_a_lost_answer_is_looked_at_again(scene: Scene) -> None:
    scene.policy.group -= {"bob"}
    scene.slack.losing = 1

    await scene.keeping.look(TENANT)
    await scene.keeping.look(TENANT)

    assert scene.slack.calls.count("-bob") == 1
    assert "bob" not in scene.slack.inside


async def test_one_who_cannot_be_moved_keeps_no_other_from_it(scene: Scene) -> None:
    scene.policy.group = set()
    scene.slack.refusing = {"ann"}

    await scene.keeping.look(TENANT)

    assert scene.slack.inside == {"ann"}


@pytest.mark.parametrize("wish", [Members.OFF, Members.REPORT])
async def test_a_report_moves_nobody(scene: Scene, wish: Members) -> None:
    scene.wish, scene.policy.group = wish, {"ann"}

    await scene.keeping.look(TENANT)

    assert scene.slack.calls == scene.teams.calls == []
    reported = [found.channel for found in scene.told]
    assert reported == ([FALCON, PROJECT] if wish is Members.REPORT else [])


async def test_many_wait_for_an_admin_and_go_when_agreed_to(scene: Scene) -> None:
    crowd = {f"u{n}" for n in range(10)}
    scene.slack.inside |= crowd
    keeping = scene.keeping

    await keeping.look(TENANT)

    assert scene.slack.inside >= crowd
    [waits] = scene.told
    keeping.agree(TENANT, FALCON, waits.digest)
    await keeping.look(TENANT)
    assert not scene.slack.inside & crowd


async def test_without_a_directory_nobody_is_looked_at(scene: Scene) -> None:
    scene.directory.known = False
    scene.policy.group = set()

    await scene.keeping.look(TENANT)

    assert scene.slack.calls == []
    assert await scene.keeping.planned(Link(TENANT, "L1", (FALCON,)), FALCON) is None


async def test_who_may_not_read_what_comes_there_may_not_be_there(
    scene: Scene,
) -> None:
    scene.policy.blind = {("bob", FALCON), ("cem", FALCON)}

    await scene.keeping.look(TENANT)

    assert scene.slack.inside == {"ann"}
    assert scene.teams.inside == {"ann", "bob", "cem"}
    assert "not for them" in scene.leavers.said[0]


def brought(by: str, who: str) -> Event:
    """That somebody was let into a Slack channel."""
    person = Person(Platform.SLACK, who)
    told = (("inviter", by),)
    return message(kind=EventKind.MEMBER_JOIN, author=person, message="", detail=told)


@pytest.mark.parametrize("by", ["bob", "ann", "atom"])
async def test_who_was_let_in_by_somebody_who_may_not_is_sent_back(
    scene: Scene, by: str
) -> None:
    scene.policy.rule, scene.policy.hosts = "atom-employees-join", {"ann"}
    scene.slack.inside.add("cem")
    keeping = scene.keeping

    await keeping.followed(TENANT, brought(by, "cem"))
    await keeping.look(TENANT)
    await keeping.look(TENANT)

    assert ("cem" in scene.slack.inside) is (by != "bob")
    if by == "bob":
        assert scene.leavers.gone == {(FALCON, "cem"): Ended.SENT}
        assert "bob let them in, who may not (no-host)" in scene.leavers.said[-1]
        scene.slack.inside.add("cem")
        alone = message(
            kind=EventKind.MEMBER_JOIN, author=Person(Platform.SLACK, "cem"), message=""
        )
        await keeping.followed(TENANT, alone)
        await keeping.look(TENANT)
        assert "cem" in scene.slack.inside


async def test_whom_a_rule_wants_there_may_be_brought_by_anybody(scene: Scene) -> None:
    scene.slack.inside.add("cem")
    keeping = scene.keeping

    await keeping.followed(TENANT, brought("bob", "cem"))
    await keeping.look(TENANT)

    assert "cem" in scene.slack.inside


async def test_where_it_is_only_reported_who_brought_somebody_is_told(
    scene: Scene,
) -> None:
    scene.wish, scene.policy.rule = Members.REPORT, "atom-employees-join"
    scene.slack.inside.add("cem")
    keeping = scene.keeping

    await keeping.followed(TENANT, brought("bob", "cem"))
    await keeping.look(TENANT)

    assert "cem" in scene.slack.inside
    [found] = scene.told
    assert [(s.person.id, s.decision.rule) for s in found.wrong] == [("cem", "no-host")]


async def test_whom_atom_let_in_stays_whoever_is_named_for_it(scene: Scene) -> None:
    scene.policy.rule = "atom-employees-join"
    keeping = scene.keeping

    await keeping.let_in(TENANT, FALCON, "cem", "a run says so")
    await keeping.followed(TENANT, brought("bob", "cem"))
    await keeping.look(TENANT)

    assert "cem" in scene.slack.inside
