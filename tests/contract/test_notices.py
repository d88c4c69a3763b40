"""Who was told what is known to every process, and for as long as the cooldown."""

from dataclasses import dataclass, replace

from bridge.messages import Person, Platform
from bridge.notices import Cause, Notice
from storage.notices import StoredNotices
from tests.contract.conftest import TENANT, Store
from tests.events import ALICE, FALCON, PROJECT

NOTICE = Notice(TENANT, ALICE, FALCON, "1.2", "1.0", Cause.REFUSED)
BOB = Person(Platform.SLACK, "U02BOB", "Bob")
COOLDOWN = 600_000_000
MINUTE = 60_000_000


@dataclass
class Hand:
    """A clock's hand that a test moves."""

    us: int = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.us


async def test_a_notice_is_a_log_entry_without_what_was_said(store: Store) -> None:
    log = StoredNotices(store.journal, Hand())

    assert await log.note(NOTICE, "This did not cross.", COOLDOWN)

    [entry] = await store.reader.entries(TENANT, -1, 10)
    assert entry.etype == "bridge.notice"
    assert (entry.row["conv"], entry.body["about"]) == (FALCON.id, "1.2")
    assert entry.body["reason"] == "refused"
    assert entry.body["text"] == "This did not cross."


async def test_within_the_cooldown_nobody_is_told_again_by_any_process(
    store: Store,
) -> None:
    hand, other = Hand(), store.another_process("two")
    await StoredNotices(store.journal, hand).note(NOTICE, "text", COOLDOWN)
    log = StoredNotices(other.journal, hand)

    for _ in range(9):
        hand.us += MINUTE
        assert not await log.note(replace(NOTICE, message="1.3"), "text", COOLDOWN)


async def test_after_the_cooldown_people_are_told_again(store: Store) -> None:
    hand = Hand()
    log = StoredNotices(store.journal, hand)
    await log.note(NOTICE, "text", COOLDOWN)

    hand.us += COOLDOWN * 9 // 8

    assert await log.note(NOTICE, "text", COOLDOWN)


async def test_other_people_channels_and_causes_have_cooldowns_of_their_own(
    store: Store,
) -> None:
    log = StoredNotices(store.journal, Hand())
    await log.note(NOTICE, "text", COOLDOWN)

    for other in (
        replace(NOTICE, person=BOB),
        replace(NOTICE, channel=PROJECT),
        replace(NOTICE, cause=Cause.UNKNOWN),
    ):
        assert await log.note(other, "text", COOLDOWN)


async def test_without_a_cooldown_each_message_is_told_once(store: Store) -> None:
    log = StoredNotices(store.journal, Hand())

    assert await log.note(NOTICE, "text", 0)
    assert not await log.note(NOTICE, "text", 0)
    assert await log.note(replace(NOTICE, message="1.3"), "text", 0)
