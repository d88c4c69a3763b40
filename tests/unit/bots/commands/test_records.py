"""What people can type about records, and who reads the answer."""

from dataclasses import replace
from typing import ClassVar

import pytest

from bots.commands.base import Commands, Request
from bots.commands.record_answers import RecordAnswer
from bots.commands.records_admin import RecordsCommand
from bots.commands.records_do import Do
from bots.commands.records_find import Find, Lookup, commands_of_kinds
from bots.commands.records_follow import Follow, Subscriptions, Unfollow
from bots.slack.cards import render
from bots.teams.cards import adaptive
from bridge.access import Action
from bridge.cards import Card, Tone
from bridge.messages import Channel, Person, Platform
from bridge.records.books import Way
from bridge.records.cards import Level
from bridge.records.knowing import Chapter, Figure, Progress
from bridge.records.model import Offer, System
from bridge.records.planning import Planning
from bridge.records.ports import Records
from tests.fakes import FakeRights
from tests.records_world import (
    ALICE,
    BOB,
    CAROL,
    SLACK,
    TEAMS,
    TENANT,
    FakeCrm,
    FakeShown,
    FakeSystem,
    World,
    asker,
)


class Typed:
    """A company where somebody types commands."""

    def __init__(self, *others: Records) -> None:
        self.jira = FakeSystem(System.JIRA, kinds=("issue",))
        self.snow = FakeSystem(kinds=("incident", "change"))
        known = others or (self.jira,)
        self.world = world = World(self.snow, others=known)
        self.whispered: list[Card] = []
        self.whispers = True
        lookup = Lookup(world.searching, world.whose, self._whisper)
        rights = {p: FakeRights({ALICE.id}) for p in Platform}
        self.rights = rights
        self.commands = Commands(
            (
                Find(lookup),
                *commands_of_kinds(lookup, world.starting),
                Follow(world.subscribing, world.mentions),
                Unfollow(world.subscribing),
                Subscriptions(world.subscribing),
                RecordsCommand(
                    world.admitting, world.levels, rights, world.contacts, world.clock
                ),
                Do(
                    Planning(
                        world.admitting,
                        world.drawing,
                        world.saga,
                        world.mentions.looked_at,
                    )
                ),
            )
        )

    async def _whisper(self, request: Request, card: Card) -> bool:
        assert request.channel.platform is not Platform.SLACK
        if self.whispers:
            self.whispered.append(card)
        return self.whispers

    async def type(
        self, text: str, person: Person = ALICE, where: Channel | None = None
    ) -> Card:
        here = where or (SLACK if person.platform == SLACK.platform else TEAMS)
        return await self.commands.answer(Request(TENANT, here, person, text, "T1"))


@pytest.mark.parametrize("person", [ALICE, CAROL], ids=["slack", "teams"])
async def test_steps_are_shown_as_they_were_written_before_they_are_done(
    person: Person,
) -> None:
    typed = Typed()
    typed.snow.add("INC1", "Globex mail")
    typed.jira.add("WEB-1", "A secret")

    answer = await typed.type("do edit INC1 priority=1 then take WEB-1", person)

    assert isinstance(answer, RecordAnswer)
    for told in (repr(render(answer)), repr(adaptive(answer))):
        assert "edit INC1" in told
        assert "priority: 1 (can be taken back until somebody changes it)" in told
        assert "– (may be for good)" in told
        assert "Do 2 steps" in told
        # Others may read along: nothing is told that was not written.
        assert "secret" not in told
        assert "Globex" not in told
    assert not typed.snow.written


@pytest.mark.parametrize("person", [ALICE, CAROL], ids=["slack", "teams"])
async def test_steps_say_whether_what_they_make_could_be_deleted(
    person: Person,
) -> None:
    typed = Typed()
    typed.snow.add("INC1", offers=(Offer("order", "Order…", Action.RECORD_CREATE),))

    answer = await typed.type(
        'do create issue title="It burns" then order INC1', person
    )

    told = repr(render(answer)) + repr(adaptive(answer))
    assert "title: It burns (can be taken back if Jira lets you, until" in told
    assert "(for good: ServiceNow has no way to take it back)" in told
    assert not typed.jira.written


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("do create dragon", "There is no kind of record 'dragon'"),
        ("do create issue", "say title=… as well"),
        ("do", "Say what to do with which records"),
        ("do take INC9", "There is no record INC9"),
        ("do fly INC1", "INC1 knows no fly. It knows approve, take, edit"),
        ("do take INC1 now", "asks for nothing"),
        ("do edit INC1", "say what is to be written"),
        ("do edit INC1 amount=1", "does not ask for amount"),
    ],
)
async def test_steps_that_cannot_be_done_are_refused_before_the_first(
    said: str, refused: str
) -> None:
    typed = Typed()
    typed.snow.add("INC1")
    typed.world.policy.denied.add(("alice", Action.RECORD_VIEW, "finance"))

    answer = await typed.type(said)

    assert refused in answer.text
    assert not typed.snow.written


async def test_finding_in_slack_is_for_the_searchers_eyes() -> None:
    typed = Typed()
    typed.snow.add("INC1", "Globex mail")
    typed.world.policy.denied.add(("bob", Action.RECORD_VIEW, "finance"))

    answer = await typed.type("find globex")

    assert isinstance(answer, RecordAnswer)
    assert answer.found is not None
    assert "4711" in repr(answer.found.cards)
    assert "Globex mail" in repr(render(answer))


async def test_d19_finding_in_teams_is_drawn_for_everybody_there() -> None:
    typed = Typed()
    typed.snow.add("INC1", "Globex mail")
    typed.snow.add("INC2", "Globex secret", secured=True)
    typed.world.rooms.people[TEAMS] = (CAROL, ALICE)
    typed.world.policy.denied.add(("alice", Action.RECORD_VIEW, "finance"))

    answer = await typed.type("find globex", CAROL)

    assert isinstance(answer, RecordAnswer)
    assert "4711" not in repr(answer)
    assert "Globex secret" not in repr(adaptive(answer))
    assert "Globex mail" in repr(adaptive(answer))


async def test_what_is_not_complete_can_be_looked_at_again() -> None:
    typed = Typed()
    typed.world.errands.late.add("jira")

    answer = await typed.type("find globex")

    assert [button.command for button in answer.buttons] == ["find globex"]
    assert "Jira: still searching" in answer.text


async def test_a_number_shows_the_record_itself() -> None:
    typed = Typed()
    typed.snow.add("INC1", "Globex mail")
    typed.snow.add("INC12", "Another")

    answer = await typed.type("incident inc1")

    assert isinstance(answer, RecordAnswer)
    assert answer.record is not None
    assert answer.record.key == "INC1"
    assert "Globex mail" in repr(render(answer))
    assert "Globex mail" in repr(adaptive(answer))


async def test_a_kinds_command_asks_no_other_system() -> None:
    typed = Typed()
    typed.jira.add("WEB-1", "Globex page")

    await typed.type("incident globex")

    assert not typed.jira.calls


async def test_a_new_record_begins_with_a_button_of_ones_own() -> None:
    typed = Typed()

    answer = await typed.type("incident new")

    assert isinstance(answer, RecordAnswer)
    assert answer.record is not None
    token = typed.world.token(answer.record, "create")
    shown, others = FakeShown(), FakeShown()
    await typed.world.desk.clicked(asker(ALICE), token, shown)
    await typed.world.desk.clicked(asker(Person(SLACK.platform, "bob")), token, others)
    assert shown.forms[0][0].kind == "incident"
    assert others.texts == ["That button is somebody else's."]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("find", "find WORDS"),
        ("find x", "at least two characters"),
        ("jira", "jira KEY or WORDS"),
        ("case new", "There is no kind of record 'case'"),
        ("follow", "Name a record or a kind"),
        ("follow spaceship", "There is no kind of record"),
        ("follow incident where priority =", "something is missing"),
        ("follow incident sometimes", "'sometimes' is not understood"),
        ("follow incident every week", "every 30m"),
        ("follow incident quiet night", "quiet 22:00-07:00"),
        ("follow incident quiet 22:00-07:00 Mars/Base", "no time zone 'Mars/Base'"),
        ("follow incident secured", "never hears of secured records"),
        ("unfollow", "unfollow ID"),
        ("unfollow sub_1", "no subscription sub_1 here"),
        ("records level", "records [level"),
        ("records level everything", "nothing, button, kind, name, data"),
        ("records level data oracle", "salesforce, servicenow"),
    ],
)
async def test_what_cannot_be_done_says_what_to_type(line: str, says: str) -> None:
    answer = await Typed().type(line)

    assert answer.tone is Tone.BAD
    assert says in answer.text


async def test_following_listing_and_ending() -> None:
    typed = Typed()
    typed.snow.add("INC1", "Globex mail")
    one = await typed.type("follow INC1")
    two = await typed.type(
        "follow incident me every 1h quiet 22:00-07:00 Europe/Berlin "
        'where priority = 1 and group = "Web Ops"'
    )

    listed = await typed.type("subscriptions")

    assert one.tone is two.tone is Tone.GOOD
    assert (
        "every 60 minutes, quiet 22:00-07:00 Europe/Berlin, for you alone" in two.text
    )
    assert len(listed.sections) == 2
    ended = await typed.type(listed.buttons[0].command)
    assert ended.title == "Not followed any more"
    assert len((await typed.type("subscriptions")).sections) == 1


@pytest.mark.parametrize(
    ("person", "own"),
    [
        (CAROL, Channel(Platform.TEAMS, "a:1carol", "a:1carol")),
        (ALICE, Channel(Platform.SLACK, "T1", "D0ALICE")),
    ],
    ids=["teams", "slack"],
)
async def test_in_ones_own_chat_everything_is_for_oneself(
    person: Person, own: Channel
) -> None:
    typed = Typed()
    record = typed.snow.add("INC1", "Globex mail")
    typed.world.policy.denied.add(("bob", Action.RECORD_VIEW, "finance"))

    one = await typed.type("follow INC1", person, own)
    two = await typed.type("follow incident", person, own)
    found = await typed.type("find globex", person, own)
    listed = await typed.type("subscriptions", person, own)

    assert "for you alone" in one.text
    assert "for you alone" in two.text
    assert "4711" in repr(found)
    assert len(listed.sections) == 2
    kept = await typed.world.subscriptions.of(TENANT)
    assert {each.person for each in kept} == {typed.world.keys[person.id]}
    await typed.world.subscribing.heard(TENANT, typed.snow.told(record.ref))
    assert len(typed.world.teller.told) == 2


async def test_one_record_is_followed_alone_from_a_channel() -> None:
    typed = Typed()
    typed.snow.add("INC1")

    answer = await typed.type("follow INC1 me", CAROL)

    assert "for you alone" in answer.text
    [kept] = await typed.world.subscriptions.of(TENANT)
    assert (kept.channel, kept.person) == (None, "p-carol")


async def test_in_teams_nobody_reads_what_somebody_follows_alone() -> None:
    typed = Typed()
    await typed.type("follow incident me", CAROL)

    listed = await typed.type("subscriptions", CAROL)

    assert listed.title == "Nothing is followed here"


async def test_a_record_that_one_does_not_see_cannot_be_followed() -> None:
    typed = Typed()
    record = typed.snow.add("INC1")
    typed.snow.unseen.add(("p-alice", record.ref.id))

    answer = await typed.type("follow INC1")

    assert answer.tone is Tone.BAD
    assert not typed.world.subscriptions.kept


async def test_admins_choose_what_a_channel_shows() -> None:
    typed = Typed()
    await typed.type("records level name jira")
    answer = await typed.type("records")

    assert typed.world.levels.chosen == {(SLACK, System.JIRA): Level.NAME}
    told = {section.title: section.fields[0].value for section in answer.sections}
    assert told == {
        "ServiceNow (acme)": "a card, as far as everybody here may see it",
        "Jira (acme)": "its number and title",
    }
    assert {s.fields[-1].value for s in answer.sections} == {"connected"}


def figure(
    kind: str, many: int, read_us: int, whole_lap: int = 1, begun_us: int = 0
) -> Figure:
    chapter = Chapter(TENANT, System.SERVICENOW, "acme", kind)
    progress = Progress(chapter, 1, whole_lap, "x", begun_us=begun_us, read_us=read_us)
    return Figure(progress, many)


async def test_admins_see_how_many_contacts_are_known_and_how_old_that_is() -> None:
    typed = Typed()
    typed.snow.instance, typed.jira.instance = "acme", "other"
    now = typed.world.clock.us
    typed.world.contacts.counted = [
        figure("account", 12, now - 180_000_000),
        figure("contact", 345, 0, whole_lap=0, begun_us=now - 60_000_000),
    ]

    snow, jira = (await typed.type("records")).sections

    told = {one.label: one.value for one in snow.fields}
    assert told["Known accounts"] == "12, as of 3 min ago"
    assert told["Known contacts"] == "345 so far, reading for 1 min"
    assert not any("Known" in one.label for one in jira.fields)


@pytest.mark.parametrize("person", [BOB, CAROL], ids=["no admin", "read along"])
async def test_nobody_else_is_told_what_nobody_may_count(person: Person) -> None:
    typed = Typed()
    typed.rights[CAROL.platform].admins.add(CAROL.id)
    typed.world.contacts.counted = [figure("contact", 345, 1)]

    assert "345" not in repr(await typed.type("records", person))


async def test_others_choose_nothing() -> None:
    typed = Typed()
    typed.rights[SLACK.platform].admins = set()

    answer = await typed.type("records level data")

    assert answer.tone is Tone.WARNING
    assert not typed.world.levels.chosen


async def test_admins_choose_whether_threads_go_into_records() -> None:
    typed = Typed()

    on = await typed.type("records threads on")
    assert (await typed.world.levels.threads(TENANT))[SLACK].way is Way.BOTH
    assert "as themselves" in on.text
    assert "What others say" in on.text
    assert "share what is said" in (await typed.type("records")).text
    assert "stays in chat" in (await typed.type("records", CAROL)).text
    out = await typed.type("records threads out")
    assert "What others say" not in out.text
    inward = await typed.type("records threads in")
    assert "as themselves" not in inward.text
    await typed.type("records threads off")
    assert not await typed.world.levels.threads(TENANT)
    typed.rights[SLACK.platform].admins = set()
    refused = await typed.type("records threads on")
    assert refused.tone is Tone.WARNING
    assert not await typed.world.levels.threads(TENANT)


class Guest(Typed):
    """A company where somebody asks whose contact a guest is."""

    MENTION: ClassVar[dict[Platform, str]] = {
        Platform.SLACK: "<@U06GUS|gus>",
        Platform.TEAMS: "<@29:gus>",
    }

    def __init__(self, *others: Records) -> None:
        self.crm = FakeCrm()
        super().__init__(self.crm, *others)
        self.globex = self.crm.account("001g", "Globex", "globex.example")
        hank = self.crm.contact("003h", "Hank", "hank@globex.example", self.globex)
        self.world.contacts.add(self.crm.listed_of(self.globex))
        self.world.contacts.add(self.crm.listed_of(hank, self.globex))
        mail = frozenset({"hank@globex.example"})
        self.world.attested |= {"U06GUS": mail, "29:gus": mail}
        self.world.rooms.people[TEAMS] = (CAROL,)

    async def ask(self, platform: Platform, kind: str, user: str = "") -> Card:
        """Ask, and return what the asker is told alone, if they are."""
        person = ALICE if platform is Platform.SLACK else CAROL
        mention = f"<@{user}>" if user else self.MENTION[platform]
        answer = await self.type(f"{kind} {mention}", person)
        if self.whispered:
            assert answer.title == "Answered to you alone"
            return self.whispered.pop()
        return answer


@pytest.mark.parametrize(
    ("kind", "title"), [("contact", "Hank"), ("account", "Globex")]
)
@pytest.mark.parametrize("platform", Platform)
async def test_a_guests_contact_and_account_are_shown_on_both_platforms(
    *, platform: Platform, kind: str, title: str
) -> None:
    answer = await Guest().ask(platform, kind)

    assert isinstance(answer, RecordAnswer)
    assert answer.record is not None
    assert answer.record.title == title
    drawn = render(answer) if platform is Platform.SLACK else adaptive(answer)
    assert title in repr(drawn)
    assert "hank@" in repr(drawn) or kind == "account"


@pytest.mark.parametrize("kind", ["contact", "account"])
@pytest.mark.parametrize("who", ["unseen", "nobody", "unknown"])
async def test_what_is_not_shown_is_told_alike_on_both_platforms(
    *, kind: str, who: str
) -> None:
    told = []
    for platform in Platform:
        guest = Guest()
        guest.crm.unseen |= {(p, i) for p in _ASKERS for i in ("003h", "001g")}
        guest.world.attested["nobody"] = frozenset({"nobody@nowhere.example"})
        user = {"unseen": "", "nobody": "nobody", "unknown": "stranger"}[who]
        answer = await guest.ask(platform, kind, user)
        told.append((answer.title, answer.text, answer.tone, answer.buttons))

    assert told[0] == told[1]
    if who != "unknown":
        assert told[0][:2] == ("Nothing found", "Salesforce: nothing found")


async def test_what_one_may_not_see_is_told_as_what_there_is_not() -> None:
    guest = Guest()
    guest.crm.unseen |= {("p-alice", "003h")}
    guest.world.attested["U0NONE"] = frozenset({"nobody@nowhere.example"})

    hidden = await guest.ask(Platform.SLACK, "contact")
    none = await guest.ask(Platform.SLACK, "contact", "U0NONE")

    assert isinstance(hidden, RecordAnswer)
    assert isinstance(none, RecordAnswer)
    assert replace(hidden, found=None) == replace(none, found=None)
    assert hidden.found is not None
    assert none.found is not None
    assert (hidden.found.cards, hidden.found.lines) == (
        none.found.cards,
        none.found.lines,
    )


@pytest.mark.parametrize("platform", Platform)
async def test_buttons_work_where_the_answer_is_and_for_who_asked(
    platform: Platform,
) -> None:
    guest = Guest()
    answer = await guest.ask(platform, "contact")
    assert isinstance(answer, RecordAnswer)
    assert answer.record is not None
    token = guest.world.token(answer.record, "edit")
    person = ALICE if platform is Platform.SLACK else CAROL
    where = asker(person)
    if platform is Platform.TEAMS:
        where = replace(where, channel=None)  # a chat of their own
    shown, others = FakeShown(), FakeShown()

    await guest.world.desk.clicked(where, token, shown)
    await guest.world.desk.clicked(replace(where, person=BOB), token, others)

    assert len(shown.forms) == 1
    assert others.texts == ["That button is somebody else's."]


async def test_where_nobody_can_be_told_alone_it_is_drawn_for_the_room() -> None:
    guest = Guest()
    guest.whispers = False
    shown = await guest.ask(Platform.TEAMS, "contact")
    guest.world.rooms.people[TEAMS] = (CAROL, ALICE)
    guest.world.policy.denied.add(("alice", Action.RECORD_VIEW, "personal"))

    hidden = await guest.ask(Platform.TEAMS, "contact")

    assert isinstance(shown, RecordAnswer)
    assert isinstance(hidden, RecordAnswer)
    assert shown.record is not None
    assert "hank@" in repr(adaptive(shown))
    assert hidden.record is None
    assert "Hank" not in repr(adaptive(hidden))


@pytest.mark.parametrize("seen", [True, False])
async def test_a_channel_is_told_the_same_whether_there_is_somebody_or_not(
    *, seen: bool
) -> None:
    guest = Guest()
    if not seen:
        guest.crm.unseen |= {("p-carol", "003h")}

    answer = await guest.type("contact <@29:gus>", CAROL)

    assert answer == await guest.type("account <@29:gus>", CAROL)
    assert "Hank" not in repr(answer)


async def test_several_contacts_are_a_list() -> None:
    guest = Guest()
    guest.crm.contact("003t", "Henry", "hank@globex.example", guest.globex)

    answer = await guest.ask(Platform.SLACK, "contact")

    assert isinstance(answer, RecordAnswer)
    assert answer.found is not None
    assert [card.title for card in answer.found.cards] == ["Hank", "Henry"]


async def test_a_slow_system_can_be_looked_at_again() -> None:
    guest = Guest()
    guest.world.errands.late.add("whose:")

    answer = await guest.ask(Platform.SLACK, "contact")

    assert [button.command for button in answer.buttons] == ["contact <@U06GUS|gus>"]


async def test_words_find_contacts_as_they_find_accounts() -> None:
    guest = Guest()

    answer = await guest.type("contact hank")

    assert isinstance(answer, RecordAnswer)
    assert answer.record is not None
    assert answer.record.title == "Hank"


async def test_a_mention_is_somebody_only_where_somebody_is_asked_for() -> None:
    guest = Guest()

    answer = await guest.type("case <@U06GUS|gus>")

    assert isinstance(answer, RecordAnswer)
    assert answer.found is not None
    assert answer.found.words == "<@U06GUS|gus>"


@pytest.mark.parametrize(
    ("line", "system"),
    [
        ("contact new crm", System.SALESFORCE),
        ("contact new hub/contact", System.HUBSPOT),
        ("contact NEW hubspot", System.HUBSPOT),
    ],
)
async def test_a_new_contact_is_of_the_system_that_is_named(
    line: str, system: System
) -> None:
    hub = FakeSystem(System.HUBSPOT, "hub", kinds=("contact", "deal"))
    guest = Guest(hub)

    answer = await guest.type(line)
    unclear = await guest.type("contact new")

    assert isinstance(answer, RecordAnswer)
    assert answer.record is not None
    act = guest.world.acts.kept[guest.world.token(answer.record, "create")]
    assert (act.system, act.kind) == (system, "contact")
    assert "crm/contact or hub/contact" in unclear.text


_ASKERS = ("p-alice", "p-carol", "")


@pytest.mark.parametrize("person", [ALICE, CAROL], ids=["slack", "teams"])
async def test_what_is_late_is_added_to_the_answer_where_it_stands(
    person: Person,
) -> None:
    typed = Typed()
    typed.snow.add("INC1", "Globex mail")
    typed.jira.add("WEB-1", "Globex shop")
    typed.world.errands.late = {"jira"}

    answer = await typed.type("find globex", person)

    assert isinstance(answer, RecordAnswer)
    assert answer.later
    for told in (repr(render(answer)), repr(adaptive(answer))):
        assert "Globex mail" in told
        assert "Globex shop" not in told
        assert "Look again" in told
    assert [card async for card in answer.later(each=True)] == []  # nothing came

    typed.world.errands.late.clear()
    [fuller] = [card async for card in answer.later(each=True)]
    for told in (repr(render(fuller)), repr(adaptive(fuller))):
        assert "Globex mail" in told
        assert "Globex shop" in told
        assert "Look again" not in told
    for system in (typed.snow, typed.jira):
        assert [call[0] for call in system.calls].count("find") == 1


async def test_what_all_systems_answered_is_not_waited_for() -> None:
    typed = Typed()
    typed.snow.add("INC1", "Globex mail")

    answer = await typed.type("find globex")

    assert isinstance(answer, RecordAnswer)
    assert answer.later is None
