"""A message is found wherever it stands, from its original and from its copies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from bots.records.places import CopyPlaces
from bridge.delivery import Copy
from bridge.errors import StoreUnavailable
from bridge.messages import Channel, Platform
from tests.records_world import ELSEWHERE, SLACK, TEAMS, TENANT

COPY = Copy(TENANT, "l1", SLACK, "m1", TEAMS, "copy-1", "", 1)
COPIES = (
    COPY,
    replace(COPY, remote="copy-1b", part=2),
    replace(COPY, target=ELSEWHERE, remote="gone", deleted=True),
)


@dataclass
class FakeCopies:
    """As much of `bridge.ports.Copies` as is asked for."""

    down: bool = False

    async def origin_of(self, tenant: str, target: Channel, remote: str) -> Copy | None:
        if self.down:
            raise StoreUnavailable("down")
        at = (target, remote)
        return next((c for c in COPIES if (c.target, c.remote) == at), None)

    async def copies_of(
        self, tenant: str, source: Channel, message: str
    ) -> Sequence[Copy]:
        at = (source, message)
        return [c for c in COPIES if (c.source, c.message) == at]


class FakeAddresses:
    async def of(self, channel: Channel, message: str) -> str:
        return f"https://{channel.platform}.example/{message}"


def places(*platforms: Platform, down: bool = False) -> CopyPlaces:
    known = dict.fromkeys(platforms or tuple(Platform), FakeAddresses())

    async def told(_tenant: str, _at: Channel, remote: str) -> str:
        if down:
            raise StoreUnavailable("down")
        return "Hello" if remote == "copy-1" else ""

    return CopyPlaces(FakeCopies(down), known, told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("channel", "message", "found"),
    [
        (SLACK, "m1", ["https://teams.example/copy-1"]),
        (TEAMS, "copy-1", ["https://slack.example/m1"]),
        (TEAMS, "copy-1b", ["https://slack.example/m1"]),
        (SLACK, "m2", []),
    ],
    ids=["original", "copy", "further part", "uncopied"],
)
async def test_the_same_message_is_found_on_the_other_side(
    channel: Channel, message: str, found: list[str]
) -> None:
    assert await places().others(TENANT, channel, message) == found


async def test_where_it_cannot_be_found_nothing_is_said() -> None:
    assert await places(down=True).others(TENANT, SLACK, "m1") == []
    assert await places(Platform.SLACK).others(TENANT, SLACK, "m1") == []


async def test_a_copy_says_what_was_brought_there() -> None:
    assert await places().words(TENANT, TEAMS, "copy-1") == "Hello"
    assert await places().words(TENANT, SLACK, "m1") == ""
    assert await places(down=True).words(TENANT, TEAMS, "copy-1") == ""
