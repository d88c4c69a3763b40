"""From somebody in chat to their contact: as the asker, and never past their rights."""

from dataclasses import replace

import pytest

from bridge.access import Action, Asked, Decision
from bridge.errors import NotAllowed, NotFound, ServiceUnavailable, StoreUnavailable
from bridge.messages import Person, Platform
from bridge.records.desk import Found
from bridge.records.model import Absence, Record
from bridge.records.ports import Spent
from tests.records_world import ALICE, CAROL, TEAMS, FakeCrm, FakeSystem, World, asker

GUS = "gus"


class Sales:
    """A CRM with two accounts and two contacts, all of them in the book."""

    def __init__(self) -> None:
        self.crm = FakeCrm()
        self.world = World(self.crm, others=(FakeSystem(),))
        self.globex = self.crm.account("001g", "Globex", "www.globex.example")
        self.initech = self.crm.account("001i", "Initech", "initech.example")
        self.hank = self.crm.contact("003h", "Hank", "Hank@globex.example", self.globex)
        self.petra = self.crm.contact(
            "003p", "Petra", "petra@initech.example", self.initech
        )
        self.know(self.globex, self.initech)
        self.know(self.hank, account=self.globex)
        self.know(self.petra, account=self.initech)
        self.world.attested[GUS] = frozenset({"hank@globex.example"})

    def know(self, *records: Record, account: Record | None = None) -> None:
        book = self.world.contacts
        book.add(*(self.crm.listed_of(one, account) for one in records))

    async def ask(
        self, kind: str = "contact", user: str = GUS, who: Person = ALICE
    ) -> Found:
        whose = self.world.whose
        traced = await whose.find(asker(who), user, kind, 2.0)
        if who.platform is Platform.SLACK:
            return traced.found
        return await whose.for_room(asker(who), traced)


def titles(found: Found) -> list[str]:
    return [card.title for card in found.cards]


def told(found: Found) -> list[str]:
    return [f"{line.system}: {line.text}" for line in found.lines]


NONE = ["Salesforce: nothing found"]


@pytest.mark.parametrize(
    ("kind", "title"), [("contact", "Hank"), ("account", "Globex")]
)
@pytest.mark.parametrize("lags", [True, False], ids=["index lags", "index is there"])
async def test_a_guests_record_is_shown_as_the_asker_sees_it(
    *, kind: str, title: str, lags: bool
) -> None:
    sales = Sales()
    sales.crm.unindexed |= {"003h", "001g"} if lags else set()

    found = await sales.ask(kind)

    assert titles(found) == [title]
    assert told(found) == ["Salesforce: answered"]
    assert found.words == "Gus"
    assert {account for _, account, _ in sales.crm.calls} == {"p-alice"}


async def test_a_contact_that_is_not_in_the_book_yet_is_searched_for() -> None:
    sales = Sales()
    sales.world.contacts.kept.clear()

    assert titles(await sales.ask()) == ["Hank"]
    assert titles(await sales.ask("account")) == []


@pytest.mark.parametrize("kind", ["contact", "account"])
async def test_what_the_asker_may_not_see_is_as_if_there_were_none(kind: str) -> None:
    sales, empty = Sales(), Sales()
    sales.crm.unseen |= {("p-alice", "003h"), ("p-alice", "001g")}
    empty.world.attested[GUS] = frozenset({"nobody@nowhere.example"})

    hidden, none = await sales.ask(kind), await empty.ask(kind)

    assert told(hidden) == told(none) == NONE
    assert (hidden.cards, hidden.words) == (none.cards, none.words)


@pytest.mark.parametrize("cls", ["public", "personal"])
async def test_what_the_policy_hides_is_as_if_there_were_none(cls: str) -> None:
    sales = Sales()
    sales.world.policy.denied.add(("alice", Action.RECORD_VIEW, cls))

    found = await sales.ask()

    assert (titles(found), told(found)) == ([], NONE)


async def test_an_address_that_the_asker_does_not_see_answers_nothing() -> None:
    sales = Sales()
    bare = replace(sales.hank, facts=sales.hank.facts[:1])
    sales.crm.records["003h"] = bare

    assert titles(await sales.ask()) == []


async def test_an_account_is_shown_only_through_a_contact_that_names_it() -> None:
    sales = Sales()
    sales.crm.account("001g", "Globex", "elsewhere.example")
    nameless = replace(sales.hank, facts=sales.hank.facts[1:])
    sales.crm.records["003h"] = nameless

    assert titles(await sales.ask("account")) == []


async def test_what_the_book_has_of_an_account_may_be_outdated() -> None:
    sales = Sales()
    sales.crm.account("001g", "Globex", "elsewhere.example")
    sales.crm.contact("003h", "Hank", "hank@globex.example", sales.initech)

    assert titles(await sales.ask("account")) == []


async def test_who_is_no_contact_may_still_be_of_an_account() -> None:
    sales = Sales()
    sales.world.attested[GUS] = frozenset({"new@initech.example"})

    assert titles(await sales.ask("account")) == ["Initech"]
    assert titles(await sales.ask("contact")) == []


async def test_several_contacts_with_one_address_are_all_shown() -> None:
    sales = Sales()
    twin = sales.crm.contact("003t", "Henry", "hank@globex.example", sales.globex)
    sales.know(twin, account=sales.globex)

    assert titles(await sales.ask()) == ["Hank", "Henry"]


async def test_a_word_of_a_record_is_no_address_of_it() -> None:
    sales = Sales()
    sales.crm.contact("003x", "hank@globex.example", "x@x.example")

    assert titles(await sales.ask()) == ["Hank"]


@pytest.mark.parametrize("kind", ["contact", "account"])
async def test_without_an_account_of_their_own_nobody_learns_anything(
    kind: str,
) -> None:
    sales = Sales()
    sales.world.accesses.connected.clear()

    found = await sales.ask(kind)

    assert told(found) == ["Salesforce: your account is not connected"]
    assert not sales.crm.calls


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("kind", ["contact", "account"])
async def test_a_system_that_is_away_answers_alike_whatever_is_known(
    *, kind: str, known: bool
) -> None:
    sales = Sales()
    if not known:
        sales.world.contacts.kept.clear()
    for call in ("find", "read"):
        sales.crm.faults[call] = [ServiceUnavailable("down")] * 9

    assert told(await sales.ask(kind)) == ["Salesforce: unavailable"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (StoreUnavailable("down"), "unavailable"),
        (Spent("no more", 60.0), "may not be asked more often for now"),
    ],
)
async def test_what_cannot_be_looked_up_is_not_called_nothing(
    fault: Exception, says: str
) -> None:
    sales = Sales()
    sales.world.contacts.faults.append(fault)  # type: ignore[arg-type]

    found = await sales.ask("account")

    assert told(found) == [f"Salesforce: {says}"]


async def test_a_late_system_is_still_searching() -> None:
    sales = Sales()
    sales.world.errands.late.add(":live:")

    found = await sales.ask()

    assert titles(found) == ["Hank"]  # the book was quicker
    assert not found.complete


@pytest.mark.parametrize("kind", ["contact", "account"])
async def test_a_person_without_a_vouched_address_is_nobodys(kind: str) -> None:
    sales = Sales()

    with pytest.raises(NotFound, match="Nobody answers for"):
        await sales.ask(kind, user="stranger")

    (entry,) = sales.world.log.of("record.find")
    assert entry.detail["words"] == f"{kind} of slack:stranger"
    assert not sales.crm.calls


async def test_strangers_ask_nothing() -> None:
    sales = Sales()
    stranger = Person(Platform.SLACK, "mallory")

    with pytest.raises(NotAllowed):
        await sales.ask(who=stranger)


async def test_a_look_is_on_record_and_names_no_address() -> None:
    sales = Sales()

    await sales.ask()

    (find,) = sales.world.log.of("record.find")
    (view,) = sales.world.log.of("record.view")
    assert find.detail["words"] == "contact of slack:gus"
    assert find.detail["found"] == [str(sales.hank.ref)]
    assert view.detail["record"] == str(sales.hank.ref)
    assert find.detail["correlation"] == view.detail["correlation"] != ""
    assert "hank@" not in repr(sales.world.log.entries).lower()


async def test_looking_in_vain_is_on_record_too() -> None:
    sales = Sales()
    sales.crm.unseen.add(("p-alice", "003h"))

    await sales.ask()

    (find,) = sales.world.log.of("record.find")
    assert find.detail["found"] == []
    assert sales.world.log.of("record.view") == []


async def test_a_system_without_a_book_is_searched() -> None:
    hub = FakeCrm(instance="hub", lists=())
    world = World(hub)
    world.attested[GUS] = frozenset({"hank@globex.example"})
    hub.contact("h1", "Hank", "hank@globex.example")

    traced = await world.whose.find(asker(ALICE), GUS, "contact", 2.0)

    assert titles(traced.found) == ["Hank"]


class InTeams(Sales):
    """The same, asked in a Teams channel, where everybody reads the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.world.rooms.people[TEAMS] = (CAROL, ALICE)

    def hide(self, who: str, cls: str) -> None:
        self.world.policy.denied.add((who, Action.RECORD_VIEW, cls))


@pytest.mark.parametrize(
    ("kind", "title"), [("contact", "Hank"), ("account", "Globex")]
)
async def test_in_a_channel_it_is_drawn_for_everybody(kind: str, title: str) -> None:
    sales = InTeams()

    found = await sales.ask(kind, who=CAROL)

    assert titles(found) == [title]
    assert sales.world.log.of("record.show")


@pytest.mark.parametrize("kind", ["contact", "account"])
async def test_a_room_that_does_not_see_the_address_is_not_told_whose_it_is(
    kind: str,
) -> None:
    sales = InTeams()
    sales.crm.account("001g", "Globex", "elsewhere.example")
    sales.hide("alice", "personal")

    found = await sales.ask(kind, who=CAROL)

    assert titles(found) == []
    assert not sales.world.log.of("record.show")


async def test_a_room_that_sees_the_website_is_told_of_the_account() -> None:
    sales = InTeams()
    sales.hide("alice", "personal")

    assert titles(await sales.ask("account", who=CAROL)) == ["Globex"]


async def test_secured_contacts_are_told_to_no_room() -> None:
    sales = InTeams()
    sales.crm.account("001g", "Globex", "elsewhere.example")
    sales.crm.records["003h"] = replace(sales.hank, secured=True)

    assert titles(await sales.ask("contact", who=CAROL)) == []
    assert titles(await sales.ask("account", who=CAROL)) == []


async def test_nobody_is_in_no_room() -> None:
    sales = InTeams()
    apart = replace(asker(CAROL), channel=None)
    traced = await sales.world.whose.find(asker(CAROL), GUS, "account", 2.0)

    assert await sales.world.whose.for_room(apart, traced) == traced.found


@pytest.mark.parametrize(
    ("absence", "says"),
    [
        (Absence.SPENT, "may not be asked more often for now"),
        (Absence.UNREACHABLE, "unavailable"),
        (Absence.GONE, "nothing found"),
    ],
)
async def test_why_a_known_record_cannot_be_read_is_told(
    absence: Absence, says: str
) -> None:
    sales = Sales()
    sales.crm.unindexed.add("003h")
    sales.crm.absent["003h"] = absence

    assert told(await sales.ask()) == [f"Salesforce: {says}"]


@pytest.mark.parametrize("cls", ["public", "confidential"])
async def test_a_contacts_account_is_told_to_who_sees_that_field(cls: str) -> None:
    sales = Sales()
    sales.crm.account("001g", "Globex", "elsewhere.example")
    named = replace(sales.hank.facts[0], cls=cls)
    sales.crm.records["003h"] = replace(sales.hank, facts=(named, sales.hank.facts[1]))
    sales.world.policy.denied.add(("alice", Action.RECORD_VIEW, "confidential"))

    found = await sales.ask("account")

    assert titles(found) == (["Globex"] if cls == "public" else [])


async def test_what_is_not_public_to_somebody_is_not_drawn() -> None:
    """The policy may take a right away between the reading and the drawing."""
    sales = Sales()
    policy = sales.world.policy
    decide, before = policy.decide, 4

    async def changing(asked: Asked) -> Decision:
        if len(policy.asked) >= before:
            policy.denied.add(("alice", Action.RECORD_VIEW, "public"))
        return await decide(asked)

    policy.decide = changing  # type: ignore[method-assign]

    found = await sales.ask()

    assert titles(found) == []
    assert told(found) == NONE
