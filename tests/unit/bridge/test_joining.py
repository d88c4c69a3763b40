"""While a channel is full, what one person says in a row is posted together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.courier import Done, Later
from bridge.delivery import AttemptState, Copy, Delivery, Joined, Operation
from bridge.endings import Done as Ended
from bridge.errors import Ambiguous, CannotTell, DeliveryFailed, Refused, Throttled
from bridge.limits import UNLIMITED, Limits
from bridge.links import Link
from bridge.messages import File, Person, PersonKind
from bridge.options import Deletes, Join, LinkOptions
from bridge.plain import plain_text
from bridge.ports import History, Lease, Outcome
from bridge.tuning import Tuning
from tests.events import ALICE, FALCON, PROJECT, words
from tests.unit.bridge.stage import (
    LEASE,
    LINK,
    NOW,
    TENANT,
    FakeCopies,
    FakeLedger,
    FakeLinks,
    Stage,
)

BOB = replace(ALICE, id="U02BOB", name="Bob Stone")
LATER = 400_000_000


@dataclass
class Shelf(FakeCopies):
    """Copies as the database keeps them: the newest word about each counts."""

    def keep(self, copy: Copy) -> None:
        place = (copy.target, copy.remote, copy.segment)
        for n, known in enumerate(self.copies):
            if (known.target, known.remote, known.segment) == place:
                self.copies[n] = copy
                return
        self.copies.insert(0, copy)

    def of(self, message: str) -> Copy:
        return next(c for c in self.copies if c.message == message and c.part == 1)


@dataclass
class Books(FakeLedger):
    """A ledger that keeps copies, and what was noted before a call."""

    shelf: Shelf = field(default_factory=Shelf)
    noted: list[Delivery] = field(default_factory=list)

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        self.noted.append(delivery)
        return await super().intend(delivery, lease)

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        for each in (outcome, *(other.outcome for other in outcome.others)):
            for copy in (*([each.copy] if each.copy else []), *each.more):
                self.shelf.keep(copy)
        return await super().conclude(delivery, lease, outcome, origin)


@dataclass
class Crowd:
    """A channel that is full, and what waits for it."""

    stage: Stage = field(default_factory=lambda: Stage(ledger=Books()))
    waiting: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.books.shelf.copies = []
        self.stage.copies = self.books.shelf
        self.stage.companions = self._behind

    @property
    def books(self) -> Books:
        assert isinstance(self.stage.ledger, Books)
        return self.stage.ledger

    def _behind(self, head: Delivery) -> Sequence[Delivery]:
        return [d for d in self.waiting if d.seq > head.seq]

    def say(self, n: int, author: Person = ALICE, **more: Any) -> Delivery:
        """Let the message number `n` be queued."""
        said = words(f"said {n}")
        story = History(n, b"leaf", author, said, n, deleted=False)
        self.books.history_of[f"m{n}"] = replace(story, **more)
        self.waiting.append(made(n))
        return self.waiting[-1]

    def edit(self, n: int, text: str, version_us: int) -> None:
        known = self.books.history_of[f"m{n}"]
        self.books.history_of[f"m{n}"] = replace(
            known,
            document=words(text),
            earlier=(known.document, *known.earlier),
            version_us=version_us,
        )

    def tell(self, n: int, **more: Any) -> None:
        known = self.books.history_of[f"m{n}"]
        self.books.history_of[f"m{n}"] = replace(known, **more)

    async def first(self) -> Done | Later:
        return await self.stage.courier.deliver(self.waiting[0], LEASE)

    async def deliver(self, operation: Operation, n: int) -> Done | Later:
        self.waiting.clear()
        delivery = replace(made(n, operation), seq=100 + n)
        return await self.stage.courier.deliver(delivery, LEASE)

    @property
    def shown(self) -> dict[str, str]:
        shown = self.stage.sender.shown
        return {remote: plain_text(post.document) for remote, post in shown.items()}


def made(n: int, operation: Operation = Operation.POST) -> Delivery:
    place = (FALCON, PROJECT, f"m{n}", "")
    return Delivery(TENANT, n, 0, "L1", operation, *place, n, NOW)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


async def test_what_one_person_said_in_a_row_is_one_post(crowd: Crowd) -> None:
    head, *others = [crowd.say(n) for n in (1, 2, 3)]

    ending = await crowd.first()

    assert crowd.shown == {"r1": "said 1\nsaid 2\nsaid 3"}
    assert isinstance(ending, Ended)
    assert [d.key for d in ending.also] == [d.key for d in others]
    assert [crowd.books.shelf.of(f"m{n}").segment for n in (1, 2, 3)] == [1, 2, 3]
    assert {crowd.books.shelf.of(f"m{n}").remote for n in (1, 2, 3)} == {"r1"}
    [outcome] = crowd.books.written
    told = [outcome.text, *(other.outcome.text for other in outcome.others)]
    assert told == ["said 1", "said 2", "said 3"]
    [noted] = crowd.books.noted
    assert noted.key == head.key
    assert noted.joined == tuple(Joined(n, 0, f"m{n}", n) for n in (1, 2, 3))


@pytest.mark.parametrize(
    "more",
    [
        {"author": BOB},
        {"author": replace(ALICE, kind=PersonKind.GUEST)},
        {"files": (File("F1", "a.txt"),)},
        {"late_us": 1_700_000_000_000_000},
        {"told": {"broadcast": "1"}},
        {"told": {"hops": "L7"}},
        {"fault": "it does not open"},
        {"in_doubt": True},
        {"document": words("long " * 20_000)},
    ],
    ids=lambda more: next(iter(more)),
)
async def test_the_row_ends_at_what_cannot_be_joined(
    crowd: Crowd, more: dict[str, Any]
) -> None:
    crowd.say(1)
    crowd.say(2, more.pop("author", ALICE), **more)
    crowd.say(3)

    await crowd.first()

    assert crowd.shown == {"r1": "said 1"}


@pytest.mark.parametrize(
    "second",
    [
        {"created_us": NOW + LATER},
        {"attempts": 1},
        {"unknown_since_us": NOW},
        {"operation": Operation.EDIT, "message": "m9"},
        {"operation": Operation.DIGEST},
    ],
    ids=lambda second: next(iter(second)),
)
async def test_nothing_overtakes_what_has_to_go_by_itself(
    crowd: Crowd, second: dict[str, Any]
) -> None:
    crowd.say(1)
    crowd.waiting.append(replace(crowd.say(2), **second))
    del crowd.waiting[1]
    crowd.say(3)

    await crowd.first()

    assert crowd.shown == {"r1": "said 1"}


async def test_what_was_changed_meanwhile_is_in_it_or_left_out(crowd: Crowd) -> None:
    crowd.say(1)
    crowd.say(2)
    crowd.edit(2, "better", 7)
    crowd.waiting.append(replace(made(2, Operation.EDIT), seq=20))
    crowd.say(30)
    crowd.tell(30, deleted=True)
    crowd.say(40)

    ending = await crowd.first()

    assert crowd.shown == {"r1": "said 1\nbetter\nsaid 40"}
    assert isinstance(ending, Ended)
    assert [delivery.message for delivery in ending.also] == ["m2", "m40"]
    crowd.waiting.clear()
    await crowd.deliver(Operation.EDIT, 2)
    assert crowd.stage.sender.edits == []
    assert crowd.books.written[-1].reason == "a newer edit was sent already"


@pytest.mark.parametrize(
    "head",
    [{"tries": 1}, {"source": PROJECT, "target": FALCON}],
    ids=["after trouble", "to Slack"],
)
async def test_some_heads_go_alone(crowd: Crowd, head: dict[str, Any]) -> None:
    crowd.say(1)
    crowd.say(2)
    crowd.waiting[0] = replace(crowd.waiting[0], **head)

    await crowd.first()

    assert crowd.shown == {"r1": "said 1"}


@pytest.mark.parametrize(
    ("told", "join"),
    [
        ({"files": (File("F1", "a.txt"),)}, Join.BUSY),
        ({"author": replace(ALICE, kind=PersonKind.BOT)}, Join.BUSY),
        ({}, Join.NEVER),
    ],
    ids=["file", "bot", "never"],
)
async def test_who_has_files_is_a_bot_or_may_not_goes_alone(
    crowd: Crowd, told: dict[str, Any], join: Join
) -> None:
    options = LinkOptions(join=join)
    crowd.stage.links = FakeLinks([replace(LINK, options=options)])
    crowd.say(1)
    crowd.say(2)
    crowd.tell(1, **told)
    if "author" in told:
        crowd.tell(2, **told)

    await crowd.first()

    assert crowd.shown == {"r1": "said 1"}


async def test_no_more_are_joined_than_take_half_of_a_part(crowd: Crowd) -> None:
    crowd.stage.tuning = Tuning(tries=3, teams_part=40)
    for n in range(1, 9):
        crowd.say(n)

    await crowd.first()

    assert crowd.shown == {"r1": "said 1\nsaid 2\nsaid 3"}


async def test_a_refused_post_is_not_the_end_of_all_that_was_in_it(
    crowd: Crowd,
) -> None:
    crowd.say(1)
    crowd.say(2)
    crowd.stage.sender.failures = [Refused("bad word")]

    ending = await crowd.first()

    assert isinstance(ending, Later)
    assert ending.delivery.tries == 1
    assert crowd.books.states == [AttemptState.RETRY]
    ending = await crowd.stage.courier.deliver(
        replace(ending.delivery, not_before_us=0), LEASE
    )
    assert crowd.shown == {"r1": "said 1"}
    assert ending == Ended()


@pytest.mark.parametrize("failure", [Throttled("wait", 3.0), Ambiguous("no answer")])
async def test_after_a_setback_it_is_known_what_was_meant_only_if_it_may_stand(
    crowd: Crowd, failure: DeliveryFailed
) -> None:
    crowd.say(1)
    crowd.say(2)
    crowd.stage.sender.failures = [failure]

    ending = await crowd.first()

    assert isinstance(ending, Later)
    lost = isinstance(failure, Ambiguous)
    assert len(ending.delivery.joined) == (2 if lost else 0)
    assert ending.delivery.lost is lost


async def lost(crowd: Crowd) -> Delivery:
    """Let the answer to a shared post be lost; returns its delivery."""
    for n in (1, 2, 3):
        crowd.say(n)
    crowd.stage.sender.failures = [Ambiguous("no answer")]
    ending = await crowd.first()
    assert isinstance(ending, Later)
    crowd.stage.now += 60_000_000
    return ending.delivery


async def test_a_shared_post_whose_answer_was_lost_is_found_for_all(
    crowd: Crowd,
) -> None:
    delivery = await lost(crowd)
    crowd.edit(2, "better", 50)
    crowd.stage.sender.found = "r9"

    ending = await crowd.stage.courier.deliver(delivery, LEASE)

    [sought] = crowd.stage.sender.sought
    documents = [sought.document, *sought.earlier]
    assert [plain_text(each) for each in documents] == [
        "said 1\nbetter\nsaid 3",
        "said 1\nsaid 2\nsaid 3",
    ]
    assert isinstance(ending, Ended)
    assert [each.message for each in ending.also] == ["m2", "m3"]
    crowd.stage.sender.shown["r9"] = sought
    await crowd.deliver(Operation.EDIT, 2)
    assert crowd.shown == {"r9": "said 1\nbetter\nsaid 3"}


async def test_what_cannot_be_looked_up_is_parked_for_all(crowd: Crowd) -> None:
    delivery = await lost(crowd)
    crowd.stage.sender.blindness = CannotTell("no right")

    ending = await crowd.stage.courier.deliver(delivery, LEASE)

    [outcome] = crowd.books.written
    assert outcome.state is AttemptState.PARKED
    assert [o.outcome.state for o in outcome.others] == [AttemptState.PARKED] * 2
    assert all(o.delivery.joined == delivery.joined for o in outcome.others)
    assert all(o.delivery.unknown_since_us for o in outcome.others)
    assert isinstance(ending, Ended)
    assert len(ending.also) == 2


async def test_what_never_arrived_is_sent_one_by_one(crowd: Crowd) -> None:
    delivery = await lost(crowd)

    ending = await crowd.stage.courier.deliver(delivery, LEASE)

    assert isinstance(ending, Later)
    assert ending.delivery.joined == ()
    await crowd.stage.courier.deliver(replace(ending.delivery, not_before_us=0), LEASE)
    assert crowd.shown == {"r1": "said 1"}


@pytest.mark.parametrize("more", [{"fault": "it does not open"}, {"erased": True}])
async def test_what_cannot_be_read_any_more_cannot_be_looked_up(
    crowd: Crowd, more: dict[str, Any]
) -> None:
    delivery = await lost(crowd)
    crowd.tell(3, **more)

    await crowd.stage.courier.deliver(delivery, LEASE)

    [outcome] = crowd.books.written
    assert outcome.state is AttemptState.PARKED
    assert len(outcome.others) == 2


async def test_a_courier_that_broke_knows_what_it_had_noted(crowd: Crowd) -> None:
    crowd.say(1)
    crowd.say(2)
    courier = crowd.stage.courier

    async def breaks(post: object) -> str:
        raise RuntimeError

    crowd.stage.sender.post = breaks  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await courier.deliver(crowd.waiting[0], LEASE)

    assert len(courier.as_noted(crowd.waiting[0]).joined) == 2
    assert courier.as_noted(crowd.waiting[0]).joined == ()


async def test_a_deleted_share_leaves_a_line_where_a_link_wants_one() -> None:
    crowd = Crowd()
    marking: Link = replace(LINK, options=LinkOptions(deletes=Deletes.MARK))
    crowd.stage.links = FakeLinks([marking])
    for n in (1, 2):
        crowd.say(n)
    await crowd.first()

    crowd.tell(1, deleted=True)
    await crowd.deliver(Operation.DELETE, 1)
    assert crowd.shown == {"r1": "(deleted)\nsaid 2"}
    crowd.tell(2, deleted=True)
    await crowd.deliver(Operation.DELETE, 2)
    assert crowd.shown == {"r1": "(deleted)"}
    crowd.tell(2, deleted=False)
    await crowd.deliver(Operation.POST, 2)
    assert crowd.shown == {"r1": "(deleted)\nsaid 2"}


async def test_what_was_erased_is_taken_out_of_a_shared_copy() -> None:
    crowd = Crowd()
    for n in (1, 2):
        crowd.say(n)
    await crowd.first()

    crowd.tell(1, erased=True, document=words(""))
    await crowd.deliver(Operation.DELETE, 1)
    assert crowd.shown == {"r1": "said 2"}
    crowd.tell(2, erased=True, document=words(""))
    await crowd.deliver(Operation.DELETE, 2)
    assert crowd.shown == {}


CHANGES = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["edit", "delete", "restore"]),
        st.integers(1, 40),
        st.booleans(),
    ),
    max_size=12,
)


@given(CHANGES)
async def test_whatever_is_done_to_shares_the_copy_says_what_stands(
    changes: list[tuple[int, str, int, bool]],
) -> None:
    """
    Texts may outgrow a part, and changes may be told before earlier ones are made.
    """
    crowd = Crowd()
    crowd.stage.tuning = Tuning(tries=3, teams_part=260)
    crowd.stage.limits = Limits(teams_channel=UNLIMITED, teams_tenant=UNLIMITED)
    for n in range(1, 5):
        crowd.say(n)
    await crowd.first()
    todo: list[tuple[Operation, int]] = []
    for version, (n, change, size, at_once) in enumerate(changes, 10):
        story = crowd.books.history_of[f"m{n}"]
        if change == "edit" and not story.deleted:
            crowd.edit(n, f"m{n}v{version} " + "so " * size, version)
            todo.append((Operation.EDIT, n))
        elif change == "delete" and not story.deleted:
            crowd.tell(n, deleted=True)
            todo.append((Operation.DELETE, n))
        elif change == "restore" and story.deleted:
            crowd.tell(n, deleted=False)
            todo.append((Operation.POST, n))
        if at_once:
            await _made(crowd, todo)
    await _made(crowd, todo)

    shown = " ".join(" ".join(crowd.shown.values()).split())
    for n in range(1, 5):
        story = crowd.books.history_of[f"m{n}"]
        said = plain_text(story.document).split()
        wanted = 0 if story.deleted else 1
        marked = f"m{n}v" if said[0] != "said" else f"said {n}"
        assert shown.count(marked) == wanted
    told = sum(
        plain_text(crowd.books.history_of[f"m{n}"].document).split().count("so")
        for n in range(1, 5)
        if not crowd.books.history_of[f"m{n}"].deleted
    )
    assert shown.split().count("so") == told


async def _made(crowd: Crowd, todo: list[tuple[Operation, int]]) -> None:
    for operation, n in todo:
        assert isinstance(await crowd.deliver(operation, n), Ended)
    todo.clear()
