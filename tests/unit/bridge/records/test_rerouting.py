"""What waits for somebody who left is told to who decides now, once, and can be given."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bridge.access import Action
from bridge.cards import Card
from bridge.directory.accounts import Account
from bridge.errors import Ambiguous, NotSent, ServiceUnavailable
from bridge.messages import Person, Platform
from bridge.records.cards import RecordCard
from bridge.records.model import Fact, Record, RecordRef, System
from bridge.records.orphans import (
    APPROVAL,
    APPROVALS,
    FROM,
    GIVE,
    TO,
    Annotating,
    Orphan,
    Waiting,
)
from bridge.records.ports import Access, NotYours
from bridge.records.rerouting import Rerouting
from tests.records_world import (
    TENANT,
    FakeShown,
    FakeSystem,
    World,
    asker,
    refused,
)

LEAVER, BOSS, WARDEN, DEPUTY, KEEPER = "p-lea", "p-boss", "p-ward", "p-dep", "p-keep"
_NAMES = {LEAVER: "Lea", BOSS: "Boss", WARDEN: "Warden", DEPUTY: "Dep", KEEPER: "Keep"}


@dataclass
class FakeApprovals(FakeSystem):
    """A system whose approvals wait; accounts there are `u-` and a person's key."""

    pending: list[Waiting] = field(default_factory=list)
    stand_in: dict[str, list[str]] = field(default_factory=dict)
    accounts: dict[str, str] = field(
        default_factory=lambda: {f"{p}@x": f"u-{p}" for p in _NAMES}
    )
    away: bool = False

    async def waiting(self, access: Access) -> Sequence[Waiting]:
        assert access.account == ""
        if self.away:
            raise ServiceUnavailable("away")
        return self.pending

    async def deputies(
        self, access: Access, approvers: Collection[str]
    ) -> Mapping[str, Sequence[str]]:
        return {who: self.stand_in[who] for who in approvers if who in self.stand_in}

    async def accounts_of(
        self, access: Access, addresses: Collection[str]
    ) -> Mapping[str, str]:
        return {a: self.accounts[a] for a in addresses if a in self.accounts}

    async def _called(self, name: str, access: Access, about: Collection[str]) -> None:
        self.calls.append((name, access.account, tuple(about)))
        if self.faults[name]:
            raise self.faults[name].pop(0)


@dataclass
class FakeStaff:
    gone: set[str] = field(default_factory=lambda: {LEAVER})
    managers: dict[str, str] = field(default_factory=lambda: {LEAVER: BOSS})
    accounts: dict[str, list[Account]] = field(
        default_factory=lambda: {
            person: [
                Account(Platform.SLACK, "T1", f"U-{person}"),
                Account(Platform.TEAMS, "tid", f"29:{person}"),
            ]
            for person in _NAMES
        }
    )

    def leavers(self, tenant: str) -> Mapping[str, str]:
        return {f"{person}@x": person for person in self.gone}

    def at_work(self, tenant: str, address: str) -> str:
        person = address.removesuffix("@x")
        return person if person in _NAMES and person not in self.gone else ""

    def manager(self, tenant: str, person: str) -> str:
        return self.managers.get(person, "")

    def address(self, tenant: str, person: str) -> str:
        return f"{person}@x" if person else ""

    def name(self, tenant: str, person: str) -> str:
        return _NAMES.get(person, "")

    async def chats(self, tenant: str, person: str) -> Sequence[Account]:
        return self.accounts.get(person, [])


@dataclass
class FakeOrphans:
    kept: dict[str, Orphan] = field(default_factory=dict)

    async def all(self, tenant: str, system: System, instance: str) -> Sequence[Orphan]:
        return list(self.kept.values())

    async def of(self, tenant: str, refs: Collection[RecordRef]) -> Sequence[Orphan]:
        return [one for one in self.kept.values() if one.ref in refs]

    async def keep(self, orphan: Orphan) -> None:
        self.kept[orphan.approval] = orphan

    async def drop(self, orphan: Orphan) -> None:
        del self.kept[orphan.approval]


class Office:
    """A company of which somebody has left while an approval waits for them."""

    def __init__(self) -> None:
        self.system = FakeApprovals()
        self.world = World(self.system)
        approvals = Fact(APPROVALS, "Approvals", "0 of 1 · waiting on Lea", raw="u-lea")
        self.record = self.system.add(facts=(approvals,))
        self.system.pending = [Waiting("a1", self.record.ref, f"u-{LEAVER}", "p-lea@x")]
        self.staff, self.book = FakeStaff(), FakeOrphans()
        self.wardens: list[str] = ["p-ward@x"]
        self.admins: list[Card] = []
        self.fanned: list[str] = []
        self.admin_faults: list[Exception] = []
        for person in _NAMES:
            self.world.keys |= {f"U-{person}": person, f"29:{person}": person}
            self.world.accesses.connected.add(person)
        self.rerouting = self.process()

    def process(self) -> Rerouting:
        async def told(_tenant: str, card: Card) -> bool:
            if self.admin_faults:
                raise self.admin_faults.pop(0)
            self.admins.append(card)
            return True

        def fan(_tenant: str, ref: RecordRef, note: str) -> None:
            assert ref == self.record.ref
            self.fanned.append(note)

        world = self.world
        places = {Platform.SLACK: world.slack, Platform.TEAMS: world.teams}
        return Rerouting(
            world.admitting,
            self.staff,
            self.book,
            world.acts,
            world.changes,
            world.drawing,
            places,
            world.log,
            world.clock,
            fan,
            lambda _system, _instance: self.wardens,
            told,
        )

    async def look(self) -> bool:
        return await self.rerouting.look(TENANT)

    def told(self) -> list[str]:
        """Return who was told, in Slack and in Teams."""
        own = [*self.world.slack.own, *self.world.teams.own]
        return sorted(person.id for _, person, _ in own)

    def card(self, person: str) -> RecordCard:
        own = [*self.world.slack.own, *self.world.teams.own]
        card = next(card for _, who, card in own if who.id == person)
        assert isinstance(card, RecordCard)
        return card

    @property
    def line(self) -> str:
        [orphan] = self.book.kept.values()
        return Annotating(self.book, self.staff).line(orphan)


@pytest.fixture
def office() -> Office:
    return Office()


async def test_manager_and_who_may_give_it_hear_of_it_on_both_platforms(
    office: Office,
) -> None:
    assert await office.look()

    assert office.told() == ["29:p-boss", "29:p-ward", "U-p-boss", "U-p-ward"]
    card = office.card("U-p-ward")
    assert card.name == "CHG1 · Lea has left, and an approval waits for them"
    assert "The directory has their manager." in card.note
    assert "You are their manager." in office.card("29:p-boss").note
    assert [each.act for each in card.buttons] == ["view", GIVE]
    assert office.fanned == ["Lea has left: waiting on Boss."]
    assert not office.admins
    [orphan] = office.world.log.of("record.orphan")
    told = office.world.log.of("record.reroute")
    assert {e.detail["correlation"] for e in told} == {orphan.detail["correlation"]}
    assert len(told) == 4


async def test_it_is_told_once_whatever_process_looks(office: Office) -> None:
    await office.look()

    for _ in range(2):
        office.rerouting = office.process()
        assert await office.look()

    assert len(office.told()) == 4
    assert len(office.fanned) == 1
    assert len(office.world.log.of("record.orphan")) == 1


async def test_the_button_says_what_to_write_and_belongs_to_one_person(
    office: Office,
) -> None:
    await office.look()
    token = office.world.token(office.card("U-p-ward"), GIVE)

    act = office.world.acts.kept[token]

    assert act.person == WARDEN
    assert act.right is Action.RECORD_UPDATE
    written = {APPROVAL: "a1", FROM: f"u-{LEAVER}", TO: f"u-{BOSS}"}
    assert json.loads(act.detail["values"]) == written


async def test_pressed_on_both_platforms_it_is_written_once_as_that_person(
    office: Office,
) -> None:
    await office.look()
    shown = FakeShown()
    for person in (
        Person(Platform.SLACK, "U-p-ward"),
        Person(Platform.TEAMS, "29:p-ward"),
    ):
        token = office.world.token(office.card(person.id), GIVE)
        who = replace(asker(person), channel=None)
        await office.world.desk.clicked(who, token, shown)

    [(account, deed)] = office.system.written
    assert account == WARDEN
    assert (deed.act, deed.values[TO]) == (GIVE, f"u-{BOSS}")
    assert shown.texts[1] == "That is recorded already."
    [orphan] = office.world.log.of("record.orphan")
    for etype in ("record.intent", "record.update"):
        [entry] = office.world.log.of(etype)
        assert entry.detail["correlation"] == orphan.detail["correlation"]


async def test_who_may_not_give_it_is_told_why(office: Office) -> None:
    await office.look()
    office.system.faults["perform"].append(NotYours("ServiceNow does not let you"))
    shown = FakeShown()
    boss = replace(asker(Person(Platform.SLACK, "U-p-boss")), channel=None)

    await office.world.desk.clicked(
        boss, office.world.token(office.card("U-p-boss"), GIVE), shown
    )
    await office.world.desk.clicked(
        boss, office.world.token(office.card("U-p-ward"), GIVE), shown
    )

    assert shown.texts == [
        "ServiceNow does not let you",
        "That button is somebody else's.",
    ]
    assert not office.system.written


async def test_a_deputy_of_the_system_comes_before_the_manager(office: Office) -> None:
    office.system.stand_in[f"u-{LEAVER}"] = ["nobody@x", "p-dep@x"]

    await office.look()

    assert office.told() == ["29:p-dep", "U-p-dep"]
    assert [each.act for each in office.card("U-p-dep").buttons] == ["view"]
    assert "You stand in for them" in office.card("U-p-dep").note
    assert office.line == "Lea has left: waiting on Dep, who stands in for them"
    assert not office.admins


async def test_when_the_deputys_days_are_over_it_is_the_managers(
    office: Office,
) -> None:
    office.system.stand_in[f"u-{LEAVER}"] = ["p-dep@x"]
    await office.look()

    office.system.stand_in.clear()
    await office.look()

    assert "U-p-boss" in office.told()
    assert office.line == "Lea has left: waiting on Boss"
    assert len(office.fanned) == 2


async def test_who_keeps_the_group_may_give_it_too(office: Office) -> None:
    [waits] = office.system.pending
    office.system.pending = [replace(waits, keeper="p-keep@x")]

    await office.look()

    assert "U-p-keep" in office.told()


@pytest.mark.parametrize("lacks", ["manager", "account", "account of their own"])
async def test_without_a_manager_the_admins_are_told_once(
    office: Office, lacks: str
) -> None:
    if lacks == "manager":
        office.staff.managers.clear()
    elif lacks == "account of their own":
        office.system.accounts["p-boss@x"] = f"u-{LEAVER}"
    else:
        del office.system.accounts["p-boss@x"]

    await office.look()
    await office.process().look(TENANT)

    [card] = office.admins
    assert card.title == "Lea has left: waiting on an admin to say who decides"
    assert card.sections[0].fields[0].value == "CHG1"
    assert office.told() == ["29:p-ward", "U-p-ward"]
    assert "Nobody stands in for them" in office.card("U-p-ward").note
    assert [each.act for each in office.card("U-p-ward").buttons] == ["view"]


async def test_the_admins_hear_of_it_where_nobody_is_known_to_hand_on(
    office: Office,
) -> None:
    office.wardens.clear()

    await office.look()

    assert office.told() == ["29:p-boss", "U-p-boss"]
    assert "Boss was told." in office.admins[0].text


async def test_who_cannot_be_reached_is_not_counted_on(office: Office) -> None:
    office.staff.accounts = {}

    assert await office.look()

    assert office.told() == []
    assert "Boss could not be told." in office.admins[0].text


async def test_a_deputy_who_cannot_be_reached_is_the_admins_to_tell(
    office: Office,
) -> None:
    office.system.stand_in[f"u-{LEAVER}"] = ["p-dep@x"]
    office.staff.accounts = {}

    await office.look()

    assert "Dep could not be told. They may decide already" in office.admins[0].text


async def test_a_platform_that_is_off_is_left_out(office: Office) -> None:
    places = {Platform.SLACK: office.world.slack}
    office.rerouting = replace(office.rerouting, places=places)

    assert await office.look()

    assert office.told() == ["U-p-boss", "U-p-ward"]


async def test_who_was_not_reached_now_is_told_later_and_others_are_not_again(
    office: Office,
) -> None:
    office.world.slack.faults["alone"].append(NotSent("down"))

    assert not await office.look()
    assert await office.look()

    assert office.told() == ["29:p-boss", "29:p-ward", "U-p-boss", "U-p-ward"]
    assert len(office.fanned) == 2
    assert office.fanned[1] == ""


async def test_what_another_process_is_telling_now_is_left_to_it(
    office: Office,
) -> None:
    """Then nobody knows whether they heard: they are told after a while."""

    async def die() -> None:
        raise KeyboardInterrupt

    boss = office.staff.accounts[BOSS]
    office.staff.accounts = {BOSS: boss[:1]}
    original = office.world.slack.alone

    async def dies(*_: object) -> None:
        await die()

    office.world.slack.alone = dies  # type: ignore[assignment,method-assign]
    with pytest.raises(KeyboardInterrupt):
        await office.look()
    office.world.slack.alone = original  # type: ignore[method-assign]

    assert not await office.process().look(TENANT)
    assert office.told() == []
    office.world.clock.pass_(30)
    assert await office.process().look(TENANT)
    assert office.told() == ["U-p-boss"]


@pytest.mark.parametrize("error", [Ambiguous("lost"), refused()], ids=["lost", "no"])
async def test_a_lost_answer_is_taken_for_heard_and_a_refusal_for_good(
    office: Office, error: Exception
) -> None:
    office.staff.accounts = {BOSS: office.staff.accounts[BOSS][:1]}
    office.world.slack.faults["alone"].append(error)  # type: ignore[arg-type]

    assert await office.look()
    assert await office.process().look(TENANT)

    assert office.told() == []
    assert len(office.admins) == (0 if isinstance(error, Ambiguous) else 1)


async def test_admins_who_were_told_are_not_told_again(office: Office) -> None:
    office.staff.managers.clear()
    await office.look()

    office.book.kept.clear()  # as if the process had died before it was noted
    await office.process().look(TENANT)

    assert len(office.admins) == 1
    assert office.told() == ["29:p-ward", "U-p-ward"]


@pytest.mark.parametrize("error", [Ambiguous("lost"), NotSent("down"), refused()])
async def test_admins_that_are_not_reached_are_told_later(
    office: Office, error: Exception
) -> None:
    office.staff.managers.clear()
    office.admin_faults.append(error)

    whole = await office.look()
    assert whole is not isinstance(error, NotSent)
    assert await office.look()

    assert len(office.admins) == (1 if isinstance(error, NotSent) else 0)


async def test_who_may_not_see_the_record_learns_no_number(office: Office) -> None:
    office.world.policy.denied.add(("U-p-boss", "record.view", ""))

    await office.look()

    card = office.card("U-p-boss")
    assert "CHG1" not in card.name
    assert card.buttons == ()
    assert "makes them the approver" in card.note
    assert "CHG1" in office.card("29:p-boss").name


async def test_what_waits_for_nobody_who_left_is_settled(office: Office) -> None:
    await office.look()
    [waits] = office.system.pending
    office.system.pending = [replace(waits, approver="u-boss", address="p-boss@x")]

    await office.look()

    assert office.book.kept == {}
    assert office.fanned[-1] == ""
    assert len(office.told()) == 4


async def test_others_are_looked_at_when_one_system_is_away(office: Office) -> None:
    away = FakeApprovals(instance="other", away=True)
    plain = FakeSystem(System.JIRA, kinds=("issue",))
    world = World(away, others=(plain, office.system))
    admitting = world.admitting
    office.rerouting = replace(office.rerouting, admitting=admitting)

    with pytest.raises(ServiceUnavailable):
        await office.look()

    assert office.book.kept


async def test_cards_say_whom_it_waits_on_as_long_as_it_does(office: Office) -> None:
    await office.look()
    annotating = Annotating(office.book, office.staff)

    async def text(record: Record) -> str:
        told = (await annotating.annotated(TENANT, {record.ref: record}))[record.ref]
        assert isinstance(told, Record)
        fact = told.fact(APPROVALS)
        return fact.text if fact else ""

    waits = Fact(APPROVALS, "Approvals", "waiting on Lea", raw=f"u-x u-{LEAVER}")
    theirs = replace(office.record, facts=(waits,))
    assert await text(theirs) == "waiting on Lea · Lea has left: waiting on Boss"
    nobody = replace(office.record, facts=(replace(waits, raw="u-boss"),))
    assert await text(nobody) == "waiting on Lea"
    bare = replace(office.record, facts=())
    assert await text(bare) == ""
