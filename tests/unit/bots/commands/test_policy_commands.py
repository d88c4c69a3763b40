"""Why, what-if and policy, as people type them."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

import bots.commands
from bots.commands.base import Request
from bots.commands.standard import NAMES
from bots.commands.why import read_question
from bridge.access import Action
from bridge.cards import Card, Tone
from bridge.errors import BadInput
from bridge.messages import Person, Platform
from bridge.policy_desk import CaseOutcome, Shown, Trial
from policy.cedar.explaining import Explainer
from tests.fakes_policy import REPORT, FakeExplains
from tests.unit.bots.commands import conftest
from tests.unit.bots.commands.conftest import TENANT, Office
from tests.unit.policy.cedar.world import World

FALCON = conftest.FALCON[Platform.SLACK]
PROJEKT = conftest.FALCON[Platform.TEAMS]
SHORT = REPORT.hash[:12]


def text(card: Card) -> str:
    """Return everything that a card says."""
    parts = [card.title, card.text]
    for section in card.sections:
        parts += [section.title, section.text]
        parts += [f"{f.label}: {f.value}" for f in section.fields]
    return "\n".join(parts)


@pytest.fixture
def office() -> Office:
    return Office()


def test_policies_know_every_command_there_is(office: Office) -> None:
    assert {command.name for command in office.commands.known} <= set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_also_those_that_not_every_company_has() -> None:
    defined = {
        name
        for module in iter_modules(bots.commands.__path__, "bots.commands.")
        for value in vars(import_module(module.name)).values()
        if isinstance(value, type)
        and isinstance(name := getattr(value, "name", None), str)
    }
    assert {"runs", "directory", "link"} <= defined

    assert defined <= set(NAMES)


@pytest.mark.parametrize(
    ("typed", "person", "action", "where", "thing"),
    [
        ("why", "admin", Action.POST, "", ""),
        ("why me", "admin", Action.POST, "", ""),
        ("why post", "admin", Action.POST, "", ""),
        ("why @ana", "ana", Action.POST, "", ""),
        ("why <@U02BEN|ben> file here", "U02BEN", Action.FILE, "here", ""),
        ("why @ana bridge.edit L1", "ana", Action.EDIT, "L1", ""),
        ("why @ana join slack:T/C", "ana", Action.JOIN, "slack:T/C", ""),
        ("why @ana admin.link", "ana", Action.COMMAND, "", "link"),
        (
            "why me view jira/issue/A-1",
            "admin",
            Action.RECORD_VIEW,
            "jira/issue/A-1",
            "",
        ),
    ],
)
def test_a_question_is_read_as_it_is_meant(
    typed: str, person: str, action: Action, where: str, thing: str
) -> None:
    request = Request(TENANT, FALCON, Person(Platform.SLACK, "admin"), typed)

    found = read_question(request)

    assert (found.person.id, found.action) == (person, action)
    assert (found.where, found.thing) == (where, thing)


def test_too_many_words_are_no_question() -> None:
    request = Request(
        TENANT, FALCON, Person(Platform.SLACK, "a"), "why @ana post here and there"
    )
    with pytest.raises(BadInput, match="Type `/atom why"):
        read_question(request)


async def test_anybody_asks_about_themselves(office: Office) -> None:
    card = await office.type(FALCON, "why", "U1")

    assert (card.title, card.tone) == ("Somebody may bridge.post", Tone.GOOD)


async def test_only_admins_ask_about_others(office: Office) -> None:
    refused = await office.type(FALCON, "why @ana", "U1")
    allowed = await office.type(FALCON, "why @ana")

    assert refused.title == "You may not do that"
    assert allowed.title == "Somebody may bridge.post"


async def test_why_asks_about_the_link_of_the_channel(office: Office) -> None:
    link = await office.link(FALCON, PROJEKT)
    await office.type(FALCON, "why")
    await office.type(FALCON, f"why me post {PROJEKT}")
    await office.type(FALCON, f"why me post {link}")

    assert isinstance(office.explains, FakeExplains)
    here, there, named = office.explains.asked
    assert (here.channel, here.target, here.link) == (FALCON, PROJEKT, link)
    assert (there.channel, there.target) == (FALCON, PROJEKT)
    assert named.link == link


async def test_a_channel_that_is_not_linked_is_told(office: Office) -> None:
    card = await office.type(FALCON, "why me post slack:T9/C9")

    assert "is not linked" in card.text


async def test_a_denial_tells_the_nearest_miss(office: Office) -> None:
    world = World()
    world.directory.tenant = TENANT
    world.publish(
        f'spaces: {{falcon: ["{FALCON}", "{PROJEKT}"]}}\n'
        "rules: [{id: fin, allow: bridge.post, who: {group: GG-Finance-All}, "
        "where: {space: falcon}}]"
    )
    office.explains = Explainer(world.engine, world.directory)
    await office.link(FALCON, PROJEKT)

    denied = await office.type(FALCON, "why", "bob")
    allowed = await office.type(FALCON, "why", "ana")

    assert denied.title == "Bob Ray may not bridge.post"
    assert "1 thing missing: member of GG-Finance-All (group)" in text(denied)
    assert allowed.title == "Ana Ek may bridge.post"
    assert "group GG-Finance-All: Finance EMEA → GG-Finance-All" in text(allowed)


async def test_what_if_tells_numbers_and_names_and_offers_to_apply(
    office: Office,
) -> None:
    line = "{id: no-files, deny: bridge.file, where: {channel: here}}"
    card = await office.type(FALCON, f"what-if {line}")

    assert office.desk.tried == [("rule", line, str(FALCON))]
    assert card.title == "1 gained, 2 lost"
    assert "Bob Ray: bridge.file, here, labelled internal" in text(card)
    assert [b.command for b in card.buttons] == [f"policy apply {SHORT}"]


@pytest.mark.parametrize(
    ("typed", "tried"),
    [
        ("what-if without no-files", ("without", "no-files")),
        (
            "what-if Bob Ray joins GG Finance All",
            ("joins", "Bob Ray", "GG Finance All"),
        ),
        ("what-if @bob leaves Finance", ("leaves", "bob", "Finance")),
    ],
)
async def test_what_if_understands(
    office: Office, typed: str, tried: tuple[str, ...]
) -> None:
    card = await office.type(FALCON, typed)

    assert office.desk.tried == [tried]
    assert bool(card.buttons) == (tried[0] == "without")


@pytest.mark.parametrize(
    "typed",
    ["what-if", "what-if without", "what-if joins x", "what-if x joins", "what-if a b"],
)
async def test_what_if_says_what_to_type(office: Office, typed: str) -> None:
    card = await office.type(FALCON, typed)

    assert card.text.startswith("Type `/atom what-if")
    assert not office.desk.tried


async def test_what_fails_its_tests_is_not_offered(office: Office) -> None:
    office.desk.shown = Shown(REPORT, Trial((CaseOutcome("a", False, "because"),)))
    failing = await office.type(FALCON, "what-if without x")
    office.desk.shown = Shown(REPORT, Trial((), ("new-rule",)))
    untested = await office.type(FALCON, "what-if without x")

    assert "Test 'a' fails: because." in text(failing)
    assert "No test speaks of new-rule." in text(untested)
    assert not failing.buttons
    assert not untested.buttons


async def test_admins_apply_anything_and_owners_what_is_theirs(office: Office) -> None:
    office.desk.owners = {"owner": "p-own"}
    admin = await office.type(FALCON, f"policy apply {SHORT}")
    owner = await office.type(FALCON, f"policy apply {SHORT}", "owner")
    other = await office.type(FALCON, f"policy apply {SHORT}", "U1")

    assert admin.title == "Version 1 of the policy is in force"
    assert owner.tone is Tone.GOOD
    assert other.title == "You may not do that"
    assert office.desk.tried == [
        ("apply", "slack:admin", ""),
        ("apply", "slack:owner", "p-own"),
    ]


async def test_what_moved_on_is_not_applied(office: Office) -> None:
    office.desk.moved = True
    card = await office.type(FALCON, f"policy apply {SHORT}")

    assert "since this was looked at" in card.text


async def test_the_policy_is_shown_with_its_history_and_tests(office: Office) -> None:
    first = await office.type(FALCON, "policy")
    none = await office.type(FALCON, "policy history")
    await office.type(FALCON, f"policy apply {SHORT}")
    shown = await office.type(FALCON, "policy show")
    history = await office.type(FALCON, "policy history")
    tests = await office.type(FALCON, "policy test")
    office.desk.trial = Trial((CaseOutcome("a", True), CaseOutcome("b", False, "no")))
    failing = await office.type(FALCON, "policy test")

    assert first.title == "ATOM's own policies are in force"
    assert none.title == "No version was published yet"
    assert shown.title == "Version 1 is in force"
    assert history.title == "1 version"
    assert tests.title == "The policy has no tests"
    assert failing.title == "1 of 2 tests fail"


async def test_others_do_not_see_the_policy(office: Office) -> None:
    for line in ("policy", "policy history", "policy test", "what-if without x"):
        assert (await office.type(FALCON, line, "U1")).title == "You may not do that"


async def test_in_teams_it_is_the_same_grammar(office: Office) -> None:
    card = await office.type(PROJEKT, "what-if")

    assert card.text.startswith("Type `@ATOM what-if")
