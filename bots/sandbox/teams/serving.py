"""Calls to the sandbox's Teams: faults, refusals and the journal around each."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp.web import Request, Response, StreamResponse

from bots.sandbox.faults import Fault
from bots.sandbox.http import under_fault
from bots.sandbox.teams.errors import Refusal, faulty
from bots.sandbox.world import World

Handler = Callable[[Request], Awaitable[StreamResponse]]
Named = Callable[[Request], str]

_SECRET = frozenset({"client_secret", "client_assertion"})
_SHOWN = 20_000  # characters of a body that is not JSON


def served(world: World, name: str | Named, handler: Handler) -> Handler:
    """
    Put a handler under the world's faults and into its journal.

    `name` is the call's name after "teams.", or a function that tells it.
    """

    async def serve(request: Request) -> StreamResponse:
        call = name if isinstance(name, str) else name(request)
        # Before a fault can cut the connection: the journal shows what was asked.
        await request.read()
        fault = world.faults.take(f"teams.{call}", _facts(request))

        async def effect() -> StreamResponse:
            try:
                return await handler(request)
            except Refusal as refusal:
                return refusal.answer()

        answer = await under_fault(request, fault, effect, faulty)
        status = 0 if fault is not None and _cuts(fault) else answer.status
        shown, told = await _asked(request), _answered(answer)
        world.journal.note(
            "teams", "in", call, status, shown, told, fault.kind if fault else None
        )
        return answer

    return serve


def thread_of(conversation: str) -> tuple[str, str]:
    """Split a conversation id into the channel and the thread's root, if any."""
    channel, _, root = conversation.partition(";messageid=")
    return channel, root


def _facts(request: Request) -> dict[str, str]:
    facts = _named(request)
    if "conversation" in facts:
        facts["channel"], facts["thread"] = thread_of(facts["conversation"])
    return facts


def _named(request: Request) -> dict[str, str]:
    """What the path names, but not how the address is spelt."""
    return {
        name: value for name, value in request.match_info.items() if name != "slash"
    }


def _cuts(fault: Fault) -> bool:
    return fault.status is None and fault.what not in {"delay", "error"}


async def _asked(request: Request) -> dict[str, Any]:
    """The request as the journal keeps it: without tokens and secrets."""
    asked: dict[str, Any] = {
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        **_named(request),
    }
    if request.content_type == "application/x-www-form-urlencoded":
        form = await request.post()
        asked["body"] = {
            key: "…" if key in _SECRET else str(value) for key, value in form.items()
        }
    elif request.can_read_body:
        asked["body"] = _parsed(await request.read())
    return asked


def _answered(answer: StreamResponse) -> Any:
    if not isinstance(answer, Response) or not isinstance(answer.body, bytes):
        return None
    if answer.content_type == "application/json":
        return _without_token(_parsed(answer.body))
    return {"type": answer.content_type, "bytes": len(answer.body)}


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return body[:_SHOWN].decode("utf-8", "replace")


def _without_token(answer: Any) -> Any:
    if isinstance(answer, dict) and "access_token" in answer:
        return {**answer, "access_token": "…"}
    return answer
