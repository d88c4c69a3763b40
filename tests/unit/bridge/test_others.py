"""Other bots are relayed where a link wants it, and never in a circle."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bridge.access import Decision
from bridge.delivery import Operation
from bridge.echoes import Copied, Echoes
from bridge.links import Link, LinkState
from bridge.messages import Channel, Event, EventKind, Person, PersonKind, Platform
from bridge.options import Bots, LinkOptions
from bridge.others import HOPS, MOST_HOPS, ORIGIN, UNKNOWN, Others, origin_of
from bridge.ports import Commitment
from bridge.relay import Relay
from tests.events import FALCON, PROJECT, message
from tests.fakes import FakeLinkBook
from tests.unit.bridge.stage import FakeCopies, FakePolicy, copied
from tests.unit.bridge.test_relay import FakeJournal, FakeTenants

OTHER = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:random@thread.tacv2")
DEPLOYS = Person(Platform.SLACK, "B09", "Deploys", kind=PersonKind.BOT)
SLACKBOT = Person(Platform.SLACK, "USLACKBOT", kind=PersonKind.SYSTEM)


@dataclass
class FakeLately:
    """What the log's end says was copied."""

    copies: list[Copied] = field(default_factory=list)

    async def since(
        self, tenant: str, channels: Sequence[Channel], since_us: int
    ) -> Sequence[Copied]:
        places = {channel.id for channel in channels}
        return [copied for copied in self.copies if copied.target in places]


@dataclass
class Scene:
    """A relay whose two links each have their own idea of bots."""

    links: FakeLinkBook = field(default_factory=FakeLinkBook)
    copies: FakeCopies = field(default_factory=FakeCopies)
    lately: FakeLately = field(default_factory=FakeLately)
    journal: FakeJournal = field(default_factory=FakeJournal)

    def link(self, bots: Bots, target: Channel = PROJECT, name: str = "L1") -> None:
        options = LinkOptions(bots=bots)
        link = Link("acme", name, (FALCON, target), options=options)
        self.links.links.append(link)

    async def hears(self, event: Event) -> Commitment:
        others = Others(self.links, self.copies, Echoes(self.lately, lambda: 0))
        relay = Relay(
            FakeTenants(), self.links, FakePolicy(), self.journal, others=others
        )
        await relay.receive(event)
        return self.journal.kept[-1]


def said(text: str = "build 7 is green", **more: object) -> Event:
    return message("1.0", text, author=DEPLOYS, **more)


def bridged(**told: str) -> Event:
    return replace(said(), detail=tuple(told.items()))


async def test_a_bot_is_heard_on_the_links_that_relay_and_on_no_other() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    scene.link(Bots.DROP, OTHER, "L2")

    kept = await scene.hears(said())

    assert [d.target for d in kept.deliveries] == [PROJECT]
    assert kept.decisions[0].allowed


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        (EventKind.MESSAGE_EDIT, Operation.EDIT),
        (EventKind.MESSAGE_DELETE, Operation.DELETE),
    ],
)
async def test_what_bots_edit_and_delete_follows(
    kind: EventKind, operation: Operation
) -> None:
    scene = Scene()
    scene.link(Bots.RELAY)

    kept = await scene.hears(said(kind=kind))

    assert [d.operation for d in kept.deliveries] == [operation]


async def test_a_link_that_gathers_queues_lines_for_its_digest() -> None:
    scene = Scene()
    scene.link(Bots.DIGEST)

    kept = await scene.hears(said(thread="0.5"))
    edited = await scene.hears(said(kind=EventKind.MESSAGE_EDIT))

    assert [d.operation for d in kept.deliveries] == [Operation.DIGEST]
    assert kept.deliveries[0].thread == ""
    assert edited.deliveries == ()


async def test_slack_itself_is_never_relayed() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)

    kept = await scene.hears(message(author=SLACKBOT))

    assert (kept.decisions, kept.deliveries) == ((), ())


async def test_a_denied_bot_is_on_record() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    denial = Decision(allowed=False, rule="no bots", policy="hash", directory="1")

    class Strict:
        async def decide(self, *_: object) -> Decision:
            return denial

    others = Others(scene.links, scene.copies, Echoes(scene.lately, lambda: 0))
    relay = Relay(FakeTenants(), scene.links, Strict(), scene.journal, others=others)
    await relay.receive(said())

    assert scene.journal.kept[0].decisions == (denial,)
    assert scene.journal.kept[0].deliveries == ()


async def cut(scene: Scene, event: Event) -> str:
    """Return by which rule a message was kept from going round."""
    kept = await scene.hears(event)
    assert kept.deliveries == ()
    [decision] = kept.decisions
    assert not decision.allowed
    return decision.rule


async def test_our_own_copy_is_known_by_the_record_whatever_bot_signs_for_it() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    theirs = replace(copied(remote="1.0"), source=PROJECT, target=FALCON)
    scene.copies.copies.append(theirs)

    assert "copy of ATOM's" in await cut(scene, said(kind=EventKind.MESSAGE_EDIT))


async def test_what_went_through_a_link_of_ours_does_not_go_again() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    scene.link(Bots.DROP, OTHER, "L2")

    assert "through a link of ours" in await cut(scene, bridged(hops="far L2"))


async def test_what_went_through_too_many_links_goes_no_further() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    assert "marked as a bridge's copy" in await cut(scene, bridged(hops=UNKNOWN))
    hops = " ".join(f"far{n}" for n in range(MOST_HOPS))

    assert f"{MOST_HOPS} links" in await cut(scene, bridged(hops=hops))


async def test_what_began_where_it_would_go_does_not_come_back() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    told = {HOPS: "far", ORIGIN: origin_of(PROJECT, "9.0")}

    assert "began here" in await cut(scene, bridged(**told))


async def test_what_we_have_carried_already_is_not_carried_again() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    scene.copies.copies.append(replace(copied("9.0"), source=OTHER))
    told = {HOPS: "far", ORIGIN: origin_of(OTHER, "9.0")}

    assert "began here" in await cut(scene, bridged(**told))


@pytest.mark.parametrize("origin", ["", "nonsense", "slack:T9/C9#1.0"])
async def test_another_deployments_message_crosses(origin: str) -> None:
    scene = Scene()
    scene.link(Bots.RELAY)

    kept = await scene.hears(bridged(hops="far", origin=origin))

    assert len(kept.deliveries) == 1


@pytest.mark.parametrize(
    ("source", "target"),
    [(PROJECT, FALCON), (OTHER, PROJECT), (PROJECT, PROJECT)],
    ids=["our copy beside it", "our copy where it would go", "no copy yet"],
)
async def test_a_foreign_bridges_echo_is_cut(source: Channel, target: Channel) -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    scene.lately.copies.append(Copied(source.id, target.id, "build 7 is green"))

    rule = await cut(scene, said("<Carol> Build 7  is *green*"))

    assert "said on the other side just now" in rule


async def test_a_bot_may_say_the_same_twice() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    scene.lately.copies.append(Copied(FALCON.id, PROJECT.id, "build 7 is green"))

    kept = await scene.hears(said())

    assert len(kept.deliveries) == 1


@pytest.mark.parametrize("text", ["ok", "Carol: ok", "build 8 is green", ""])
async def test_what_is_short_or_different_is_nobodys_echo(text: str) -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    for earlier in ("build 7 is green", "ok"):
        scene.lately.copies.append(Copied(PROJECT.id, FALCON.id, earlier))

    kept = await scene.hears(said(text))

    assert len(kept.deliveries) == 1


async def test_a_removed_link_is_no_hop() -> None:
    scene = Scene()
    scene.link(Bots.RELAY)
    gone = Link("acme", "L2", (FALCON, OTHER), LinkState.REMOVED)
    scene.links.links.append(gone)

    kept = await scene.hears(bridged(hops="L2"))

    assert len(kept.deliveries) == 1
