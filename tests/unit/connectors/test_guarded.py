"""What holds for every vendor's library, whatever it does with its session."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import requests
from aiohttp import web

from bridge.errors import ServiceUnavailable
from bridge.records.ports import NotConnected, Spent, Unsure
from connectors.guarded import Limits, Line, Session
from connectors.pinned import OffLimits
from connectors.sandbox.http import answer
from connectors.sandbox.stand_in import StandIn
from connectors.sandbox.users import Profile, User
from tests.stand_ins import Account, CountingBudget, Told, running

BUCKET = "plain:acme"


class Plain(StandIn):
    """A system that counts what is written to it."""

    name = "plain"
    written = 0

    def seed(self) -> None:
        self.written = 0
        self.users = {"ada": User("1", "ada", "Ada", Profile("all"))}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/thing", self._read),
            web.patch("/api/thing", self._write),
            web.get("/api/away", self._away),
            web.get("/api/trickle", self._trickle),
        ]

    async def _read(self, request: web.Request) -> web.Response:
        if self.user(request) is None:
            return answer({"error": "no"}, 401)
        return answer({"written": self.written}, headers={"X-Quota": "7/10"})

    async def _write(self, request: web.Request) -> web.Response:
        if self.user(request) is None:
            return answer({"error": "no"}, 401)
        self.written += 1
        return answer({"written": self.written})

    async def _away(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("http://evil.example/")

    async def _trickle(self, request: web.Request) -> web.StreamResponse:
        drops = web.StreamResponse()
        await drops.prepare(request)
        for _ in range(10_000):
            await drops.write(b" ")
            await asyncio.sleep(0.05)
        return drops


class Curt:
    """Implements `connectors.guarded.Manners`."""

    def refused(self, answer: requests.Response) -> bool:
        return answer.status_code == 401

    def quota(self, answer: requests.Response) -> tuple[int, int] | None:
        used, _, most = answer.headers.get("X-Quota", "").partition("/")
        return (int(used), int(most)) if most else None

    def pause(self, answer: requests.Response) -> tuple[str | None, float] | None:
        if answer.status_code == 429:
            return None, float(answer.headers["Retry-After"])
        return None


@pytest.fixture
async def plain() -> AsyncIterator[Told]:
    async with running(Plain()) as told:
        yield told


@pytest.fixture
def budget() -> CountingBudget:
    return CountingBudget()


@pytest.fixture
async def line(plain: Told, budget: CountingBudget) -> AsyncIterator[Line]:
    made = Line(
        plain.url,
        ("/api/",),
        bucket=BUCKET,
        shown="Plain",
        budget=budget,
        manners=Curt(),
        limits=Limits(deadline=20.0, longest=10_000, workers=4),
    )
    yield made
    await made.aclose()


@pytest.fixture
def ada(plain: Told) -> Account:
    return Account(plain.stand_in, "ada")


def read(session: Session) -> object:
    # As a library that insists on https would do it.
    base = session._line.pin.base.replace("http:", "https:").replace("/plain", "")
    return session.get(f"{base}/api/thing").json()["written"]


def write(session: Session) -> object:
    url = f"{session._line.pin.base}/api/thing"
    headers = {"If-Unmodified-Since": "Sun, 29 Nov 2026 01:00:00 GMT"}
    return session.patch(url, json={"a": 1}, headers=headers).json()["written"]


async def test_answers_come_back_and_quotas_are_told(
    line: Line, ada: Account, budget: CountingBudget
) -> None:
    assert await line.call(ada, read) == 0

    assert budget.spent == {"ada": 1}
    assert budget.quota == {BUCKET: (7, 10)}


async def test_a_refused_token_is_renewed_once_with_the_same_request(
    line: Line, ada: Account, plain: Told
) -> None:
    plain.fault("expire_token", "PATCH /api/thing")

    assert await line.call(ada, write, writes=True) == 1

    first, second = plain.stand_in.journal.all()
    assert (first.status, second.status) == (401, 200)
    assert first.headers["if-unmodified-since"] == second.headers["if-unmodified-since"]
    assert first.body == second.body
    assert first.headers["authorization"] != second.headers["authorization"]


async def test_a_system_that_refuses_every_token_is_asked_twice(
    line: Line, ada: Account, plain: Told, budget: CountingBudget
) -> None:
    plain.fault("expire_token", times=100)

    with pytest.raises(NotConnected):
        await line.call(ada, write, writes=True)

    assert len(plain.calls()) == 2
    assert budget.spent == {"ada": 2}


async def test_many_at_once_renew_once(line: Line, ada: Account, plain: Told) -> None:
    await ada.token()
    ada.run_out()

    answers = await asyncio.gather(*(line.call(ada, read) for _ in range(20)))

    assert answers == [0] * 20
    assert ada.renewals == 1
    assert len(plain.calls()) <= 40


async def test_without_a_right_to_renew_the_person_has_to_connect(
    line: Line, ada: Account, plain: Told
) -> None:
    await ada.token()
    ada.run_out()
    ada.renewable = False

    with pytest.raises(NotConnected):
        await line.call(ada, read)

    assert len(plain.calls()) == 1


async def test_an_empty_budget_makes_no_call(
    line: Line, ada: Account, plain: Told, budget: CountingBudget
) -> None:
    budget.left = 0

    with pytest.raises(Spent):
        await line.call(ada, read)

    assert plain.calls() == []


async def test_a_system_that_asks_to_wait_is_not_asked_again(
    line: Line, ada: Account, plain: Told, budget: CountingBudget
) -> None:
    plain.fault("ratelimit", arg=120)

    with pytest.raises(Spent) as told:
        await line.call(ada, read)
    with pytest.raises(Spent):
        await line.call(ada, read)

    assert told.value.retry_after == 120
    assert len(plain.calls()) == 1


@pytest.mark.parametrize("kind", ["drop_after_effect", "truncate"])
async def test_a_lost_answer_to_a_write_is_not_sent_again(
    line: Line, ada: Account, plain: Told, kind: str
) -> None:
    plain.fault(kind)

    with pytest.raises(Unsure):
        await line.call(ada, write, writes=True)

    assert plain.calls() == ["PATCH /api/thing"]


@pytest.mark.parametrize("kind", ["drop", "truncate"])
async def test_what_is_only_read_is_asked_for_once_more(
    line: Line, ada: Account, plain: Told, kind: str
) -> None:
    plain.fault(kind)

    assert await line.call(ada, read) == 0
    assert len(plain.calls()) == 2


async def test_a_page_for_people_is_no_answer(
    line: Line, ada: Account, plain: Told
) -> None:
    plain.fault("html", times=2)

    with pytest.raises(ServiceUnavailable, match="cannot be read"):
        await line.call(ada, read)
    with pytest.raises(Unsure):
        await line.call(ada, write, writes=True)


async def test_a_slow_system_frees_its_thread_at_the_deadline(
    line: Line, ada: Account, plain: Told
) -> None:
    plain.fault("delay", times=8, arg=600)

    with pytest.raises(ServiceUnavailable, match="too slow"):
        await asyncio.gather(*(line.call(ada, read, deadline=0.3) for _ in range(8)))
    plain.stand_in.faults.clear()

    # All four threads are there for the next.
    assert await asyncio.gather(*(line.call(ada, read) for _ in range(8))) == [0] * 8


async def test_a_trickle_of_bytes_does_not_hold_a_thread(
    line: Line, ada: Account, plain: Told
) -> None:
    def slow(session: Session) -> object:
        return session.get(f"{session._line.pin.base}/api/trickle").json()

    with pytest.raises(ServiceUnavailable, match="too slow"):
        await line.call(ada, slow, deadline=0.5)

    async with asyncio.timeout(30):
        while line._running:
            await asyncio.sleep(0.02)


async def test_a_write_that_is_late_is_unsure(
    line: Line, ada: Account, plain: Told
) -> None:
    plain.fault("delay_after_effect", arg=600)

    with pytest.raises(Unsure):
        await line.call(ada, write, writes=True, deadline=5.0)


async def test_a_caller_that_goes_away_takes_its_call_along(
    line: Line, ada: Account, plain: Told
) -> None:
    plain.fault("delay", arg=600)
    call = asyncio.create_task(line.call(ada, read))
    async with asyncio.timeout(30):
        while not line._running:
            await asyncio.sleep(0.01)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    async with asyncio.timeout(30):
        while line._running:
            await asyncio.sleep(0.02)


async def test_a_redirect_is_not_followed(line: Line, ada: Account) -> None:
    def away(session: Session) -> object:
        got = session.get(f"{session._line.pin.base}/api/away", allow_redirects=True)
        return got.status_code, len(got.history)

    assert await line.call(ada, away) == (302, 0)


async def test_the_token_goes_nowhere_else(
    line: Line, ada: Account, plain: Told
) -> None:
    def elsewhere(session: Session) -> object:
        return session.get("https://evil.example/steal")

    with pytest.raises(OffLimits):
        await line.call(ada, elsewhere)
    assert plain.calls() == []


async def test_an_endless_library_is_stopped(
    line: Line, ada: Account, plain: Told
) -> None:
    def again_and_again(session: Session) -> object:
        while True:
            read(session)

    with pytest.raises(ServiceUnavailable, match="too often"):
        await line.call(ada, again_and_again)

    assert len(plain.calls()) == 2


async def test_an_answer_that_is_too_large_is_not_read(
    line: Line, ada: Account, plain: Told
) -> None:
    def large(session: Session) -> object:
        session._line.limits = Limits(longest=5)
        return read(session)

    with pytest.raises(ServiceUnavailable, match="too large"):
        await line.call(ada, large)


async def test_nobody_there_is_no_lost_answer(
    plain: Told, budget: CountingBudget, ada: Account
) -> None:
    line = Line(
        "http://127.0.0.1:9/plain",
        ("/api/",),
        bucket=BUCKET,
        shown="Plain",
        budget=budget,
        manners=Curt(),
    )

    with pytest.raises(ServiceUnavailable) as told:
        await line.call(ada, write, writes=True)

    assert not isinstance(told.value, Unsure)
    await line.aclose()


async def test_a_closed_line_leaves_no_thread(
    plain: Told, budget: CountingBudget, ada: Account
) -> None:
    line = Line(
        plain.url,
        ("/api/",),
        bucket="plain:closing",
        shown="Plain",
        budget=budget,
        manners=Curt(),
    )
    plain.fault("delay", arg=600)
    call = asyncio.create_task(line.call(ada, read))
    async with asyncio.timeout(30):
        while plain.stand_in.faults._orders[0].left:
            await asyncio.sleep(0.01)

    await line.aclose()

    with pytest.raises(ServiceUnavailable):
        await call
    named = [one.name for one in threading.enumerate()]
    assert not [name for name in named if name.startswith("plain:closing")]
