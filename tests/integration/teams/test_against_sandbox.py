"""ATOM's whole Teams side against the sandbox's Teams, over HTTP alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from aiohttp.web import Application

from bots.commands.answering import Answering
from bots.commands.base import Commands
from bots.sandbox.teams import routes, seed
from bots.sandbox.teams.model import Message
from bots.sandbox.world import World
from bots.teams.adapter import AtomAdapter
from bots.teams.announcer import TeamsAnnouncer
from bots.teams.auth import SigningKeys, TokenCheck
from bots.teams.bot import AtomBot, Parts
from bots.teams.connector import Connector
from bots.teams.graph import Graph
from bots.teams.intake import TeamsIntake
from bots.teams.invokes import Invokes
from bots.teams.people import TeamsPeople
from bots.teams.record_place import TeamsCardPlace
from bots.teams.rights import TeamsRights
from bots.teams.sender import TeamsSender
from bots.teams.tokens import Tokens
from bridge.cards import Button, Card
from bridge.delivery import Post
from bridge.errors import Ambiguous, CannotTell, Refused, ServiceUnavailable, Throttled
from bridge.messages import Event, EventKind, Person, Platform
from bridge.places import Place
from bridge.plain import plain_text
from bridge.records.books import CardInstance
from tests.events import ALICE, words
from tests.events import FALCON as SLACK_FALCON
from tests.fakes import FakeClock
from tests.fakes_records import REF, record_card
from tests.integration.teams.door import Echo
from tests.teams_world import (
    APP,
    FALCON,
    ISSUER,
    TEAM,
    TENANT,
    FakeIntake,
    FakePlaces,
    FakeTenants,
)

CAROL = Person(Platform.TEAMS, "29:carol")
DAVE = Person(Platform.TEAMS, "29:dave")


@dataclass
class Side:
    """ATOM on one side of the wire, the sandbox on the other."""

    world: World
    session: ClientSession
    atom_url: str
    intake: FakeIntake
    places: FakePlaces
    command: Echo
    tokens: Tokens
    connector: Connector
    graph: Graph
    sender: TeamsSender
    people: TeamsPeople

    async def act(self, action: str, user: str = "29:carol", **more: Any) -> Any:
        asked = {"action": action, "user": user, "team": TEAM, "channel": FALCON.id}
        url = f"{self.world.base_url}/sandbox/teams/act"
        async with self.session.post(url, json=asked | more) as answer:
            said = await answer.json()
        assert said["ok"], said
        return said

    async def heard(self, kind: EventKind) -> Event:
        """Wait for an event of the kind."""
        async with asyncio.timeout(10):
            while True:
                for event in self.intake.events.values():
                    if event.kind is kind:
                        return event
                await asyncio.sleep(0.01)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():  # the other side's state
                await asyncio.sleep(0.01)

    def standing(self) -> list[Message]:
        """Return what stands in the channel, oldest first."""
        messages = self.world.teams.channels[FALCON.id].messages.values()
        return [message for message in messages if not message.deleted]


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    world = World()
    outside = Application(client_max_size=64 * 1024 * 1024)
    routes.add_routes(outside, world)
    async with TestServer(outside, host="127.0.0.1") as sandbox, ClientSession() as to:
        world.base_url = str(sandbox.make_url("")).rstrip("/")
        side, app = _atom(world, to)
        async with TestServer(app, host="127.0.0.1") as atom:
            side.atom_url = str(atom.make_url("")).rstrip("/")
            world.settings.update({"atom_url": side.atom_url})
            yield side


def _atom(world: World, session: ClientSession) -> tuple[Side, Application]:
    base = f"{world.base_url}/teams"
    login = f"{base}/login/{TENANT}/oauth2/v2.0/token"
    tokens = Tokens(APP, seed.BOT_PASSWORD, login, TENANT, time.monotonic)
    connector = Connector(session, tokens)
    graph = Graph(session, tokens, f"{base}/graph/v1.0")
    intake, places, command = FakeIntake(), FakePlaces(), Echo()
    service_url = f"{base}/connector/amer/"
    group = "6a1c0de5-0000-4000-8000-000000000001"
    places.kept[TEAM, ""] = Place(TENANT, TEAM, "", service_url, group_id=group)
    command.go.set()
    people = TeamsPeople(connector, places, time.monotonic)
    sender = TeamsSender(connector, places, APP, graph)
    side = Side(
        world,
        session,
        "",
        intake,
        places,
        command,
        tokens,
        connector,
        graph,
        sender,
        people,
    )

    async def on_install(_place: Place) -> None:
        return

    commands = Commands((command,))
    parts = Parts(
        intake,
        FakeTenants(),
        Answering(FakeTenants(), commands),
        places,
        people,
        connector,
        on_install,
    )
    openid = f"{base}/openid/.well-known/openidconfiguration"
    keys = SigningKeys(session, openid, time.monotonic)
    door = TeamsIntake(
        TokenCheck(keys, ISSUER, APP),
        AtomAdapter(connector),
        AtomBot(parts),
        Invokes(time.monotonic),
        FakeClock(),
        frozenset({TENANT}),
    )
    app = Application()
    app.router.add_post("/api/messages", door.handle)
    return side, app


def post(text: str = "hello", thread: str = "") -> Post:
    return Post("acme.1.0", SLACK_FALCON, FALCON, thread, ALICE, words(text))


async def test_what_people_type_edit_and_delete_is_heard(side: Side) -> None:
    typed = await side.act("post", text="hi all")
    await side.act("edit", message=typed["id"], text="hi everybody")
    await side.act("delete", message=typed["id"])

    gone = await side.heard(EventKind.MESSAGE_DELETE)
    made = await side.heard(EventKind.MESSAGE_CREATE)
    edit = await side.heard(EventKind.MESSAGE_EDIT)

    assert {made.message, edit.message, gone.message} == {typed["id"]}
    assert (made.channel, made.author.name) == (FALCON, "Carol Díaz")
    assert plain_text(made.document) == "hi all"
    assert plain_text(edit.document) == "hi everybody"
    assert edit.version_us > made.sent_us


async def test_replies_and_undeletes_are_heard(side: Side) -> None:
    root = await side.act("post", text="root")
    reply = await side.act("reply", thread=root["id"], text="reply", user="29:dave")
    await side.act("delete", message=reply["id"], user="29:dave")
    await side.act("undelete", message=reply["id"], user="29:dave")

    restored = await side.heard(EventKind.MESSAGE_RESTORE)

    assert (restored.message, restored.thread) == (reply["id"], root["id"])


async def test_duplicate_delivery_is_one_event(side: Side) -> None:
    side.world.faults.add({"on": "teams.deliver", "fault": "duplicate"})

    await side.act("post", text="once")
    await side.act("post", text="twice")
    await side.until(lambda: len(side.intake.events) == 2)

    assert [*side.intake.kinds] == ["message.create"] * 2


async def test_mention_is_answered_with_a_card_in_its_thread(side: Side) -> None:
    asked = await side.act("post", text="link ATOM docs", mention_bot=True)
    await side.until(lambda: len(side.standing()) == 2)

    _, answer = side.standing()
    assert answer.by_bot
    assert answer.root == asked["id"]
    assert side.command.asked[0].text == "link ATOM docs"
    assert "did link ATOM docs" in str(answer.content.attachments)


async def test_button_on_a_card_shows_the_next_card(side: Side) -> None:
    announcer = TeamsAnnouncer(side.connector, side.places)
    await announcer.announce(FALCON, Card("Hi", buttons=(Button("Go", "link go"),)))
    (message,) = side.standing()

    said = await side.act(
        "invoke", message=message.id, verb="atom", data={"command": "link go"}
    )

    assert said["status"] == 200
    assert "did link go" in str(message.views["29:carol"])


async def test_installation_teaches_the_channels_of_the_team(side: Side) -> None:
    await side.act("uninstall")
    await side.act("install")
    await side.heard(EventKind.APP_INSTALL)

    def names() -> set[str]:
        return {place.name for place in side.places.kept.values()}

    await side.until(lambda: {"General", "Project Falcon", "Random"} <= names())
    assert side.places.kept[TEAM, TEAM].name == "General"


async def test_copies_are_posted_edited_and_deleted_in_their_thread(side: Side) -> None:
    root = await side.sender.post(post("root"))
    reply = await side.sender.post(post("reply <b>", root))
    await side.sender.edit(reply, post("better", root))

    first, second = side.standing()
    assert (first.id, second.id, second.root) == (root, reply, root)
    assert "better" in second.content.html

    await side.sender.delete(reply, post("better", root))
    await side.sender.delete(reply, post("better", root))
    assert [message.id for message in side.standing()] == [root]


async def test_own_posts_are_not_heard(side: Side) -> None:
    await side.sender.post(post("an echo?"))
    await side.act("post", text="a person")

    await side.heard(EventKind.MESSAGE_CREATE)

    assert side.intake.kinds == ["message.create"]


@pytest.mark.parametrize("fault", ["502_after", "504_after", "reset_after"])
async def test_lost_answer_is_found_again(side: Side, fault: str) -> None:
    began = time.time_ns() // 1000 - 5_000_000
    before = await side.sender.post(post("same words"))
    side.world.faults.add({"on": "teams.post", "fault": fault})
    with pytest.raises(Ambiguous):
        await side.sender.post(post("same words"))

    found = await side.sender.find(post("same words"), began, {before})

    assert found == side.standing()[-1].id
    assert len(side.standing()) == 2


async def test_lost_reply_is_found_again(side: Side) -> None:
    began = time.time_ns() // 1000 - 5_000_000
    root = await side.sender.post(post("root"))
    side.world.faults.add({"on": "teams.reply", "fault": "500_after"})
    with pytest.raises(Ambiguous):
        await side.sender.post(post("a & b, it's 5 > 4", root))

    found = await side.sender.find(post("a & b, it's 5 > 4", root), began, {root})

    assert found == side.standing()[-1].id


async def test_post_that_never_arrived_is_not_found(side: Side) -> None:
    began = time.time_ns() // 1000 - 5_000_000
    side.world.faults.add({"on": "teams.post", "fault": "502"})
    with pytest.raises(Ambiguous):
        await side.sender.post(post("lost"))

    assert await side.sender.find(post("lost"), began, set()) is None


async def test_team_that_did_not_consent_cannot_be_looked_into(side: Side) -> None:
    side.world.settings.update({"teams.graph_grants": []})

    with pytest.raises(CannotTell):
        await side.sender.find(post(), 0, set())
    with pytest.raises(ServiceUnavailable):
        await TeamsRights(side.connector, side.places, side.graph).is_admin(
            CAROL, FALCON
        )


async def test_throttle_of_a_channel_is_told(side: Side) -> None:
    sent = [side.sender.post(post(f"{number}")) for number in range(9)]

    outcomes = await asyncio.gather(*sent, return_exceptions=True)

    throttled = [one for one in outcomes if isinstance(one, Throttled)]
    assert len(throttled) == 2
    assert all(one.retry_after > 0 for one in throttled)


async def test_message_that_is_too_large_is_refused(side: Side) -> None:
    with pytest.raises(Refused, match="MessageSizeTooBig"):
        await side.sender.post(post("x" * 60_000))


async def test_owner_is_admin_and_member_is_not(side: Side) -> None:
    rights = TeamsRights(side.connector, side.places, side.graph)

    assert await rights.is_admin(CAROL, FALCON)
    assert not await rights.is_admin(DAVE, FALCON)


async def test_names_are_looked_up(side: Side) -> None:
    announcer = TeamsAnnouncer(side.connector, side.places)

    people = await side.people.lookup(FALCON, ["29:erin", "29:nobody"])

    assert {one: person.name for one, person in people.items()} == {
        "29:erin": "Erin Park"
    }
    assert await announcer.channel_name(FALCON) == "Project Falcon"


async def test_wrong_secret_is_told_by_its_code(side: Side) -> None:
    login = f"{side.world.base_url}/teams/login/{TENANT}/oauth2/v2.0/token"
    wrong = Tokens(APP, "wrong", login, TENANT, time.monotonic)

    with pytest.raises(ServiceUnavailable, match="AADSTS7000215"):
        await wrong.connector()


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "another"},
        {"iss": "https://elsewhere.example"},
        {"exp_in": -4000},
        {"nbf_in": 4000},
        {"kid": "unknown"},
        {"key": "wrong"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"omit": ["exp"]},
        {"serviceurl": "https://elsewhere.example/"},
        {"claims": {"exp": "never"}},
    ],
    ids=str,
)
async def test_trap_every_bad_token_of_the_sandbox_is_401(
    side: Side, wrong: dict[str, Any]
) -> None:
    minting = f"{side.world.base_url}/sandbox/teams/token"
    async with side.session.post(minting, json=wrong) as answer:
        minted = (await answer.json())["token"]
    activity = {
        "type": "message",
        "channelId": "msteams",
        "serviceUrl": f"{side.world.base_url}/teams/connector/amer/",
        "channelData": {"tenant": {"id": TENANT}},
    }

    async with side.session.post(
        f"{side.atom_url}/api/messages",
        json=activity,
        headers={"Authorization": f"Bearer {minted}"},
    ) as answer:
        assert answer.status == 401


async def test_keys_that_were_renewed_are_fetched(side: Side) -> None:
    await side.act("post", text="old key")
    async with side.session.post(
        f"{side.world.base_url}/sandbox/teams/keys", json={"forget": True}
    ) as answer:
        assert answer.status == 200

    side.world.settings.update({"teams.answer_timeout": 0.2})
    await side.act("post", text="new key")

    await side.until(lambda: side.intake.kinds)


async def test_a_card_stands_is_changed_and_is_found_by_its_id(side: Side) -> None:
    await side.act("post", text="hello")
    await side.heard(EventKind.MESSAGE_CREATE)
    place = TeamsCardPlace(side.connector, side.places, APP, side.graph)
    instance = CardInstance("crd_1", "acme", REF, FALCON, "cause")

    posted = await place.post(instance, record_card())
    await place.change(posted, record_card("It is up"))
    await place.note(posted, "Approved by A. Tuter & co")

    card = next(m for m in side.standing() if m.id == posted.message)
    assert "It is up" in str(card.content.attachments)
    [note] = [m for m in side.standing() if m.root == posted.message and not m.is_root]
    assert note.content.html == "<p>Approved by A. Tuter &amp; co</p>"
    assert await place.look_for(instance) == posted.message
    other = CardInstance("crd_2", "acme", REF, FALCON, "cause")
    assert await place.look_for(other) is None


async def test_a_remark_is_said_in_the_thread_of_its_card_and_found_by_its_mark(
    side: Side,
) -> None:
    await side.act("post", text="hello")
    await side.heard(EventKind.MESSAGE_CREATE)
    place = TeamsCardPlace(side.connector, side.places, APP, side.graph)
    posted = await place.post(
        CardInstance("crd_1", "acme", REF, FALCON, "cause"), record_card()
    )

    said = await place.say(posted, "rmk_1", Card("Carol", "It is *fixed* & done"))

    [reply] = [m for m in side.standing() if m.root == posted.message and not m.is_root]
    assert reply.id == said
    assert await place.look_for_said(posted, "rmk_1", 0) == said
    assert await place.look_for_said(posted, "rmk_2", 0) is None


async def test_somebody_is_told_in_their_own_chat_and_always_in_the_same(
    side: Side,
) -> None:
    place = TeamsCardPlace(side.connector, side.places, APP)
    with pytest.raises(Refused):
        await place.alone("elsewhere", CAROL, Card("Salesforce", "to nobody"))
    opened = await side.act("chat", user=CAROL.id)
    await side.heard(EventKind.APP_INSTALL)

    await place.alone(seed.ACME, CAROL, Card("Salesforce", "The case was closed"))
    await place.alone(seed.ACME, CAROL, Card("Salesforce", "And another one"))

    chat = side.world.teams.channels[opened["channel"]]
    assert CAROL.id in chat.members
    told = [str(message.content.attachments) for message in chat.messages.values()]
    assert ["closed" in told[0], "another" in told[1]] == [True, True]


@pytest.mark.parametrize("targeted", [True, False])
async def test_what_is_for_one_person_stands_where_nobody_else_reads_it(
    side: Side, *, targeted: bool
) -> None:
    await side.act("post", text="hello")
    await side.heard(EventKind.MESSAGE_CREATE)
    place = TeamsCardPlace(side.connector, side.places, APP, targeted=targeted)

    await place.whisper("acme", FALCON, CAROL, record_card("carol alone"))

    everywhere = [
        message
        for channel in side.world.teams.channels.values()
        for message in channel.messages.values()
        if "carol alone" in str(message.content.attachments)
    ]
    [message] = everywhere
    own_chat = side.world.teams.channels[message.channel].members
    assert message.target == CAROL.id or CAROL.id in own_chat
    assert targeted == (message.channel == FALCON.id)
