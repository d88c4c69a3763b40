"""All systems at once, as the person, in one list."""

from collections.abc import Callable

import pytest

from bridge.access import Action
from bridge.records.desk import Found
from bridge.records.model import PUBLIC, Revision, System
from bridge.records.ports import Records, Spent
from bridge.records.searching import rank
from tests.records_world import (
    ALICE,
    CAROL,
    SLACK,
    STRANGER,
    FakeCrm,
    FakeShown,
    FakeSystem,
    World,
    asker,
    unavailable,
)


def world(*others: Records) -> World:
    return World(others=others)


def jira() -> FakeSystem:
    return FakeSystem(System.JIRA, kinds=("issue",))


def salesforce() -> FakeSystem:
    return FakeSystem(System.SALESFORCE, kinds=("account", "case"))


async def find(made: World, words: str = "globex") -> Found:
    return await made.desk.find(asker(ALICE), words, 3.0)


def lines(found: Found) -> dict[str, str]:
    return {line.system: line.text for line in found.lines}


async def test_d19_others_answer_while_one_is_down_and_one_is_slow() -> None:
    down, good = jira(), salesforce()
    good.add("OPP1", "Globex renewal")
    down.faults["find"].append(unavailable())
    made = world(down, good)
    made.system.add("CHG1", "Globex network")
    made.errands.late.add("servicenow")

    found = await find(made)

    assert [card.key for card in found.cards] == ["OPP1"]
    assert lines(found) == {
        "ServiceNow": "still searching",
        "Jira": "unavailable",
        "Salesforce": "answered",
    }
    assert not found.complete

    made.errands.late.clear()
    later = await find(made)

    assert sorted(card.key for card in later.cards) == ["CHG1", "OPP1"]
    assert good.count("find") == 1


async def test_d13_asking_again_makes_no_second_call() -> None:
    made = world()
    made.system.add("CHG1", "Globex network")

    for words in ("globex", "  GLOBEX "):
        await find(made, words)

    assert made.system.count("find") == 1


async def test_one_persons_results_are_not_anothers() -> None:
    made = world()
    record = made.system.add("CHG1", "Globex network")
    made.system.unseen.add(("p-carol", record.ref.id))
    await find(made)

    found = await made.desk.find(asker(CAROL), "globex", 3.0)

    assert not found.cards


async def test_d19_each_result_is_decided_for_the_searcher() -> None:
    made = world()
    made.system.add("CHG1", "Globex network")
    made.policy.denied.add((ALICE.id, Action.RECORD_VIEW, PUBLIC))

    found = await find(made)

    assert not found.cards
    assert "1" not in " ".join(lines(found).values())


async def test_hidden_fields_stay_hidden_in_results() -> None:
    made = world()
    made.system.add("CHG1", "Globex network")
    made.policy.denied.add((ALICE.id, Action.RECORD_VIEW, "finance"))

    found = await find(made)

    assert "4711" not in repr(found)


async def test_d19_a_result_shown_in_a_channel_is_drawn_for_its_floor() -> None:
    made = world()
    made.system.add("CHG1", "Globex network")
    made.policy.denied.add(("bob", Action.RECORD_VIEW, "finance"))
    found = await find(made)
    assert "4711" in repr(found.cards)

    shown = FakeShown()
    token = made.token(found.cards[0], "share")
    await made.desk.clicked(asker(ALICE), token, shown)

    [card] = made.slack.shown
    assert card.key == "CHG1"
    assert "4711" not in repr(card)


async def test_every_search_is_on_record_with_what_was_shown() -> None:
    made = world()
    record = made.system.add("CHG1", "Globex network")

    await find(made)

    [entry] = made.log.of("record.find")
    assert entry.detail["words"] == "globex"
    assert entry.detail["found"] == [str(record.ref)]


@pytest.mark.parametrize(
    ("prepare", "line"),
    [
        (lambda w: w.accesses.connected.clear(), "account is not connected"),
        (
            lambda w: w.system.faults["find"].append(Spent("no", 60)),
            "may not be asked more often",
        ),
        (lambda _: None, "nothing found"),
    ],
)
async def test_each_system_says_how_it_answered(
    prepare: Callable[[World], None], line: str
) -> None:
    made = world()
    prepare(made)

    found = await find(made)

    assert line in lines(found)["ServiceNow"]


@pytest.mark.parametrize("words", ["", " x ", "y" * 500])
async def test_what_is_no_search_is_said_to_be_none(words: str) -> None:
    found = await find(world(), words)

    assert not found.cards
    assert [line.system for line in found.lines] == ["ATOM"]


async def test_strangers_search_nothing() -> None:
    made = world()

    found = await made.desk.find(asker(STRANGER, SLACK), "globex", 3.0)

    assert "does not know you" in lines(found)["ATOM"]
    assert not made.system.calls


def test_the_best_stands_first() -> None:
    system = FakeSystem()
    now = 1_900_000_000_000_000
    day = 24 * 3600 * 1_000_000
    titles = {
        "GLOBEX": "Something else",
        "K1": "globex",
        "K2": "Globex renewal",
        "K3": "Renewal with Globex",
        "K5": "Nothing of it",
    }
    records = [system.add(key, title) for key, title in titles.items()]
    old = system.add("K6", "Globex renewal of old", rev=Revision(now - 30 * day))
    new = system.add("K7", "Globex renewal of late", rev=Revision(now - day))

    ranked = sorted([*records, old, new], key=lambda r: rank(r, "globex", now))

    keys = [record.key for record in ranked]
    assert keys[:2] == ["GLOBEX", "K1"]
    assert keys.index("K7") < keys.index("K6")
    assert keys[-2:] == ["K3", "K5"]


class Crm:
    """A CRM whose own search does not know its newest contact yet, as the book does."""

    def __init__(self) -> None:
        self.crm = FakeCrm()
        self.made = World(self.crm, others=(jira(),))
        self.globex = self.crm.account("001g", "Globex", "www.globex.example")
        self.hank = self.crm.contact("003h", "Hank Scorpio", "hank@globex.example")
        for one in (self.globex, self.hank):
            self.made.contacts.add(self.crm.listed_of(one))
        self.crm.unindexed |= {"001g", "003h"}


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("scorpio", "Hank Scorpio"),
        ("HANK@globex.example", "Hank Scorpio"),
        ("https://globex.example/about", "Globex"),
    ],
)
async def test_the_book_finds_what_the_systems_own_index_does_not_have_yet(
    words: str, title: str
) -> None:
    crm = Crm()

    found = await find(crm.made, words)

    assert [card.title for card in found.cards] == [title]
    assert lines(found) == {"Salesforce": "answered", "Jira": "nothing found"}
    (entry,) = crm.made.log.of("record.find")
    assert len(entry.detail["found"]) == 1


async def test_what_both_find_is_shown_once_and_ranked() -> None:
    crm = Crm()
    crm.crm.unindexed.clear()
    crm.crm.account("001h", "Globex Holding")

    found = await find(crm.made, "globex")

    titles = [card.title for card in found.cards]
    assert titles[0] == "Globex"
    assert sorted(titles) == ["Globex", "Globex Holding", "Hank Scorpio"]


async def test_what_the_book_knows_is_read_as_who_searches() -> None:
    crm = Crm()
    crm.crm.unseen |= {("p-alice", "003h")}

    found = await find(crm.made, "scorpio")

    assert not found.cards
    assert lines(found)["Salesforce"] == "nothing found"
    assert {account for _, account, _ in crm.crm.calls} == {"p-alice"}


async def test_a_hidden_address_finds_nobody() -> None:
    crm = Crm()
    crm.made.policy.denied.add(("alice", Action.RECORD_VIEW, "personal"))

    found = await find(crm.made, "hank@globex.example")

    assert not found.cards
    assert lines(found)["Salesforce"] == "nothing found"


async def test_a_book_that_cannot_be_read_leaves_the_systems_own_answer() -> None:
    crm = Crm()
    crm.crm.unindexed.clear()
    crm.made.contacts.faults.append(unavailable())

    found = await find(crm.made, "globex")

    assert len(found.cards) == 2
    assert lines(found)["Salesforce"] == "answered"


async def test_the_book_is_no_reason_to_wait_and_none_to_be_silent() -> None:
    crm = Crm()
    crm.made.errands.late.add("find:")

    early = await find(crm.made, "scorpio")
    crm.made.errands.late = {"known:"}
    crm.made.errands.kept.clear()
    late = await find(crm.made, "scorpio")

    assert [card.title for card in early.cards] == ["Hank Scorpio"]
    assert not early.complete
    assert not late.cards
    assert lines(late)["Salesforce"] == "still searching"


async def test_a_search_that_is_nothing_for_the_book_asks_it_nothing() -> None:
    crm = Crm()
    crm.made.contacts.faults.append(unavailable())

    await find(crm.made, "!!!")

    assert crm.made.contacts.faults
