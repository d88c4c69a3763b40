"""What systems call with is proved, on record, and only then acknowledged."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bots.records.hooks import RecordHooks
from bots.records.polling import Told
from bridge.errors import BadInput, NotAllowed, StoreUnavailable
from bridge.ports import Receipt
from bridge.records.entries import RecordEntry, changes_in
from bridge.records.model import RecordChange, System
from tests.records_world import TENANT, FakeLog, FakeSystem

Client = TestClient[web.Request, web.Application]


@dataclass
class Proved(FakeSystem):
    """A system that proves its calls with a header."""

    secret: str = "s1"
    urls: list[str] = field(default_factory=list)

    def heard(
        self, headers: Mapping[str, str], url: str, body: bytes, now: float
    ) -> Sequence[RecordChange]:
        self.urls.append(url)
        if headers.get("X-Secret") != self.secret:
            raise NotAllowed("not proved")
        if body == b"nonsense":
            raise BadInput("not read")
        return [self.told(record.ref) for record in self.records.values()]


@dataclass
class Log(FakeLog):
    down: bool = False

    async def note(self, entry: RecordEntry) -> Receipt:
        if self.down:
            raise StoreUnavailable("away")
        return await super().note(entry)


@dataclass
class Door:
    client: Client
    log: Log
    one: Proved
    two: Proved
    hooks: RecordHooks

    async def call(
        self, path: str = "/hooks/servicenow", word: str = "s1", body: object = b"{}"
    ) -> int:
        headers = {"X-Secret": word}
        async with self.client.post(path, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    log = Log()
    one, two = Proved(), Proved(instance="second", secret="s2")
    crm = Proved(System.SALESFORCE, "crm", ("case",))
    one.add("CHG1")
    two.add("CHG2")
    app = web.Application()
    hooks = RecordHooks(
        {TENANT: (one, two, crm)}, Told(log), lambda: 1.0, "https://atom.example"
    )
    hooks.add_routes(app)
    async with TestClient(TestServer(app)) as client:
        yield Door(client, log, one, two, hooks)


async def test_what_is_proved_is_on_record_with_its_changes(door: Door) -> None:
    assert await door.call() == 200

    [entry] = door.log.of("record.heard")
    [change] = changes_in(entry.detail)
    assert change.ref is not None
    assert change.ref.id == "id-CHG1"


async def test_of_several_instances_the_one_is_heard_that_proves_it(door: Door) -> None:
    assert await door.call(word="s2") == 200

    [entry] = door.log.of("record.heard")
    assert entry.detail["instance"] == "second"


async def test_d17_what_is_not_proved_is_refused_and_on_record(door: Door) -> None:
    assert await door.call(word="guessed") == 403

    [entry] = door.log.of("record.heard")
    assert entry.outcome == "deny"
    assert not changes_in(entry.detail)


async def test_who_calls_for_nothing_does_not_fill_the_log(door: Door) -> None:
    for _ in range(5):
        assert await door.call(word="guessed") == 403
    assert len(door.log.of("record.heard")) == 1

    await door.hooks.note_unproved()
    await door.call(word="guessed")
    await door.hooks.note_unproved()
    await door.hooks.note_unproved()
    await door.hooks.note_unproved()
    await door.call(word="guessed")

    calls = [e.detail.get("calls", 1) for e in door.log.of("record.heard")]
    assert calls == [1, 4, 1, 1]


async def test_calls_for_nothing_are_counted_while_the_log_is_away(door: Door) -> None:
    door.log.down = True
    assert [await door.call(word="guessed") for _ in range(3)] == [503, 403, 403]
    await door.hooks.note_unproved()

    door.log.down = False
    await door.hooks.note_unproved()

    [entry] = door.log.of("record.heard")
    assert entry.detail["calls"] == 3


async def test_what_cannot_be_read_is_refused(door: Door) -> None:
    assert await door.call(body=b"nonsense") == 400
    assert await door.call(body=BytesIO(b"x" * (1024 * 1024 + 1))) == 413
    assert not door.log.entries


async def test_what_is_not_on_record_is_not_acknowledged(door: Door) -> None:
    door.log.down = True

    assert await door.call() == 503


async def test_systems_sign_the_address_that_they_call(door: Door) -> None:
    await door.call("/hooks/servicenow/second?x=1")

    assert door.one.urls == ["https://atom.example/hooks/servicenow/second?x=1"]


async def test_salesforce_is_answered_in_its_own_words(door: Door) -> None:
    headers = {"X-Secret": "s1"}
    async with door.client.post("/hooks/salesforce", headers=headers) as answer:
        text = await answer.text()

    assert "<Ack>true</Ack>" in text
    assert answer.content_type == "text/xml"


async def test_unknown_systems_have_no_door(door: Door) -> None:
    assert await door.call("/hooks/oracle") == 404
