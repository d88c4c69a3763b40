"""A digest tells what was said, by whom and when, oldest first."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.digest import Said, first_part, heading, standing, told
from bridge.document import Document
from bridge.messages import Event, EventKind, File, Person, PersonKind, Platform
from bridge.plain import plain_text
from tests.events import message, words

HOUR = 3_600_000_000
NOW = 1_700_000_000_000_000


def said_at(us: int, text: str = "hello", ts: str = "") -> Event:
    made = message(ts=ts or str(us), text=text)
    return replace(made, sent_us=us)


def shown(said: Said) -> str:
    return plain_text(Document(tuple(told(said, {"U9": "Zoë"}))))


def test_only_what_still_stands_is_told_as_it_is_now_and_in_order() -> None:
    old, young, gone = (said_at(NOW + n, f"m{n}") for n in (1, 2, 3))
    edit = replace(
        old, kind=EventKind.MESSAGE_EDIT, version_us=9, document=words("m1 again")
    )
    stale = replace(edit, version_us=5, document=words("older"))
    deleted = replace(gone, kind=EventKind.MESSAGE_DELETE)
    bot = replace(
        said_at(NOW + 4), author=Person(Platform.SLACK, "B1", kind=PersonKind.BOT)
    )
    early, late = said_at(NOW - 1), said_at(NOW + HOUR)
    events = [young, deleted, gone, old, edit, stale, bot, early, late]

    found = standing(events, NOW, NOW + HOUR)

    assert [plain_text(one.newest.document) for one in found] == ["m1 again", "m2"]


def test_a_message_deleted_and_restored_stands() -> None:
    one = said_at(NOW)
    deleted = replace(one, kind=EventKind.MESSAGE_DELETE)
    restored = replace(one, kind=EventKind.MESSAGE_RESTORE)

    assert len(standing([one, deleted, restored], NOW, NOW + 1)) == 1


def test_a_message_shows_who_said_it_when_and_with_which_files() -> None:
    made = replace(
        said_at(NOW),
        author=Person(Platform.SLACK, "U9"),
        thread="1",
        files=(File("F1", "plan.pdf"), File("F2", "")),
    )

    text = shown(Said(made, made))

    assert text.splitlines()[0] == "Zoë  2023-11-14 22:13  in a thread"
    assert "hello" in text
    assert "📎 plan.pdf" in text


def test_the_heading_counts() -> None:
    assert "History of #falcon, 7 days, 212 messages" in plain_text(
        heading("#falcon", 7, 212)
    )
    assert "1 day, 1 message\n" in plain_text(heading("#falcon", 1, 1))


@given(st.lists(st.integers(min_value=0, max_value=9_000), min_size=1, max_size=60))
def test_parts_hold_everything_once_in_order_and_within_their_room(
    lengths: list[int],
) -> None:
    rest = [
        Said(event, event)
        for event in (said_at(NOW + n, "x" * size) for n, size in enumerate(lengths))
    ]
    parts: list[list[Said]] = []

    while left := rest[sum(map(len, parts)) :]:
        parts.append(first_part(left))

    assert [one for part in parts for one in part] == rest
    for part in parts:
        assert 1 <= len(part) <= 20
        length = sum(len(plain_text(one.newest.document)) for one in part)
        assert len(part) == 1 or length <= 3_000
