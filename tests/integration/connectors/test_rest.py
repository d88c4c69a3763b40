"""What is true of every call to a business system, whichever it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.ports import NotConnected, Spent, Unsure
from connectors.rest import Call, Manner, Quota, Rest, checked_base
from tests.fakes_connections import FakeAccess
from tests.stand_ins import CountingBudget

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BUCKET = "jira:acme"
PATCH = Call("PATCH", ("issue", "10042"), json={"a": 1}, headers={"If-Match": '"7"'})
GET = Call("GET", ("issue", "10042"))


@dataclass
class Service:
    """Answers each call with the next of its answers, and keeps what was asked."""

    answers: list[Handler] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.asked.append(request)
        return await self.answers.pop(0)(request)


def says(status: int = 200, body: object = None, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(
            {} if body is None else body, status=status, headers=told
        )

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "application/json"})
    stream.content_length = 100
    await stream.prepare(request)
    await stream.write(b'{"key": "ACM')
    return await hangs_up(request)


async def page(_: web.Request) -> web.Response:
    return web.Response(text="<html>Sign in</html>", content_type="text/html")


async def endless(_: web.Request) -> web.Response:
    return web.Response(body=b"[" + b"1," * 2_000 + b"1]")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def budget() -> CountingBudget:
    return CountingBudget()


@pytest.fixture
async def rest(service: Service, budget: CountingBudget) -> AsyncIterator[Rest]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    async with TestServer(app) as server, ClientSession() as session:
        base = URL(f"{server.make_url('/rest/api/3')}")
        yield Rest(session, "Jira", base, BUCKET, budget, largest=1_000)


async def test_one_refused_token_is_renewed_once_and_the_same_is_asked_again(
    rest: Rest, service: Service, budget: CountingBudget
) -> None:
    service.answers = [says(401), says(204)]
    access = FakeAccess(tokens=["old", "new"])

    answer = await rest.send(access, PATCH)

    assert answer.status == 204
    assert [one.headers["If-Match"] for one in service.asked] == ['"7"', '"7"']
    tokens = [one.headers["Authorization"] for one in service.asked]
    assert tokens == ["Bearer old", "Bearer new"]
    assert budget.spent == {access.account: 2}


async def test_twenty_calls_at_once_renew_a_token_once(
    rest: Rest, service: Service
) -> None:
    async def by_token(request: web.Request) -> web.StreamResponse:
        good = request.headers["Authorization"] == "Bearer new"
        return await says(200 if good else 401)(request)

    service.answers = [by_token] * 40
    access = FakeAccess(tokens=["old", "new"])

    answers = await asyncio.gather(*(rest.send(access, GET) for _ in range(20)))

    assert {each.status for each in answers} == {200}
    assert access.renewals == 1


async def test_a_token_that_is_refused_again_has_to_be_connected_anew(
    rest: Rest, service: Service
) -> None:
    service.answers = [says(401), says(401)]

    with pytest.raises(NotConnected):
        await rest.send(FakeAccess(tokens=["old", "new"]), PATCH)

    assert len(service.asked) == 2


async def test_whoever_is_asked_to_wait_makes_no_call(
    rest: Rest, service: Service, budget: CountingBudget
) -> None:
    service.answers = [says(429, Retry_After="7")]
    access = FakeAccess()

    with pytest.raises(Spent) as first:
        await rest.send(access, GET)
    with pytest.raises(Spent):
        await rest.send(access, GET)

    assert first.value.retry_after == 7
    assert budget.paused == {(BUCKET, access.account): 7}
    assert len(service.asked) == 1


async def test_a_wait_for_one_thing_does_not_stop_the_account(
    rest: Rest, service: Service, budget: CountingBudget
) -> None:
    manner = Manner(pauses=lambda answer: "RateLimit-Reason" not in answer.headers)
    service.answers = [says(429, Retry_After="7", RateLimit_Reason="per-issue")]

    with pytest.raises(Spent):
        await replace(rest, manner=manner).send(FakeAccess(), PATCH)

    assert budget.paused == {}


async def test_what_is_spent_is_not_asked(
    rest: Rest, service: Service, budget: CountingBudget
) -> None:
    budget.left = 0

    with pytest.raises(Spent):
        await rest.send(FakeAccess(), GET)

    assert service.asked == []


async def test_quotas_are_told_to_the_budget(
    rest: Rest, service: Service, budget: CountingBudget
) -> None:
    manner = Manner(quota=lambda headers: Quota(int(headers["Used"]), 100))
    service.answers = [says(Used="18")]

    await replace(rest, manner=manner).send(FakeAccess(), GET)

    assert budget.quota == {BUCKET: (18, 100)}


@pytest.mark.parametrize("lost", [hangs_up, half, page, says(503), endless])
async def test_a_read_is_asked_again_after_a_lost_answer(
    rest: Rest, service: Service, lost: Handler
) -> None:
    service.answers = [lost, says(body={"key": "ACME-42"})]

    answer = await rest.send(FakeAccess(), GET)

    assert answer.object == {"key": "ACME-42"}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("lost", [hangs_up, half, page, says(503), endless])
async def test_a_write_whose_answer_was_lost_is_not_sent_again(
    rest: Rest, service: Service, lost: Handler, method: str
) -> None:
    service.answers = [lost, says()]

    with pytest.raises(Unsure):
        await rest.send(FakeAccess(), replace(PATCH, method=method))

    assert len(service.asked) == 1


@pytest.mark.parametrize("lost", [hangs_up, half, page, says(500), endless, says(302)])
async def test_a_service_that_never_answers_is_unavailable(
    rest: Rest, service: Service, lost: Handler
) -> None:
    service.answers = [lost] * rest.attempts

    with pytest.raises(ServiceUnavailable):
        await rest.send(FakeAccess(), GET)

    assert service.answers == []


async def test_nobody_waits_longer_than_the_deadline(
    rest: Rest, service: Service
) -> None:
    over = asyncio.Event()

    async def waits(request: web.Request) -> web.StreamResponse:
        await over.wait()
        return await says()(request)

    service.answers = [waits, waits]

    with pytest.raises(Unsure):
        await replace(rest, deadline=0.05).send(FakeAccess(), PATCH)
    with pytest.raises(ServiceUnavailable):
        await replace(rest, deadline=0.05).send(FakeAccess(), GET)
    over.set()


async def test_nobody_follows_to_another_address(rest: Rest, service: Service) -> None:
    service.answers = [says(307, Location="https://elsewhere.example/")]

    with pytest.raises(Unsure):
        await rest.send(FakeAccess(), PATCH)

    assert len(service.asked) == 1


async def test_a_host_that_is_not_there_was_not_written_to(rest: Rest) -> None:
    nowhere = replace(rest, base=URL("http://127.0.0.1:9/rest"))

    with pytest.raises(ServiceUnavailable) as raised:
        await nowhere.send(FakeAccess(), PATCH)

    assert not isinstance(raised.value, Unsure)


async def test_a_path_that_leads_elsewhere_is_never_asked(
    rest: Rest, service: Service
) -> None:
    for step in ("..", "../oauth2", "https://evil.example/x", "a/b", "a?b", "%2e%2e"):
        with pytest.raises(BadInput):
            await rest.send(FakeAccess(), Call("GET", ("issue", step)))

    assert service.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://acme.atlassian.net",
        "https://user:secret@acme.example",
        "https://acme.example/?a=b",
        "ftp://acme.example",
        "acme.example",
        "",
        "http://127.0.0.1:80",
    ],
)
def test_an_address_that_would_give_tokens_away_is_refused(address: str) -> None:
    with pytest.raises(BadInput):
        checked_base(address)
