"""How activities reach the bot: signed, in order, and again without an answer."""

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from bots.sandbox.faults import Fault
from bots.sandbox.http import Tasks
from bots.sandbox.teams import seed
from bots.sandbox.teams.activities import Activity, renewed
from bots.sandbox.teams.keys import Keys
from bots.sandbox.teams.state import stamp
from bots.sandbox.world import World

_PATH = "/api/messages"
_PATIENCE = 60.0  # seconds that a connection stays open for a late answer
_SHOWN = 20_000  # characters of an answer that the journal keeps
_TOKEN_LASTS = 3600
_TOKEN_FRESH = 300.0  # seconds for which a token is used again
_CALL = "deliver"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot said. Status 0 says that there was no answer."""

    status: int
    text: str = ""

    @property
    def body(self) -> Any:
        """The answer's JSON, if that is what it is."""
        try:
            return json.loads(self.text) if self.text else None
        except ValueError:
            return self.text


@dataclass(frozen=True, slots=True)
class Limits:
    """How many seconds a client waits for an answer, and how often it asks in all."""

    within: float
    times: int


class _Lane:
    """The order of one channel: who goes next, and who lets others pass."""

    def __init__(self) -> None:
        self.last = asyncio.Event()
        self.last.set()
        self.passing = asyncio.Event()


class Delivery:
    """Takes activities to wherever ATOM listens."""

    def __init__(self, world: World, keys: Keys) -> None:
        self._world = world
        self._keys = keys
        self._state = world.teams
        self._tasks = Tasks()
        self._lanes: dict[str, _Lane] = {}
        self._session: ClientSession | None = None
        self._tokens: dict[tuple[str, str, str], tuple[float, str]] = {}

    def send(self, activity: Activity) -> None:
        """Deliver in the background."""
        self._begin(activity, asyncio.get_running_loop().create_future())

    async def ask(self, activity: Activity, limits: Limits | None = None) -> Answer:
        """Deliver, and return the first answer that counts."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._begin(activity, answered, limits)
        return await answered

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something in the background, as long as the sandbox runs."""
        self._tasks.spawn(work)

    async def close(self) -> None:
        await self._tasks.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _begin(
        self,
        activity: Activity,
        answered: asyncio.Future[Answer],
        limits: Limits | None = None,
    ) -> None:
        if not self._world.settings.get("atom_url"):
            answered.set_result(Answer(0))
            return
        facts = _facts(activity)
        fault = self._world.faults.take("teams.deliver", facts)
        if fault is not None and fault.kind == "drop":
            self._note(activity, Answer(0), fault)
            answered.set_result(Answer(0))
            return
        lane = self._lanes.setdefault(facts["channel"], _Lane())
        generation = self._state.generation
        work = _Work(activity, fault, lane, lane.last, answered, generation, limits)
        lane.last = work.mine
        self._tasks.spawn(self._deliver(work))
        if fault is not None and fault.kind == "duplicate":
            self._tasks.spawn(self._attempt_alone(activity))

    async def _deliver(self, work: "_Work") -> None:
        answer = Answer(0)
        with self._world.delivering():
            try:
                await self._turn(work)
                answer = await self._layers(work)
            finally:
                work.over(answer)

    async def _turn(self, work: "_Work") -> None:
        """Wait until it is this activity's turn, or let others pass if so ordered."""
        await _within(work.before, self._state.setting("order_wait"))
        fault = work.fault
        if fault is not None and fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault is not None and fault.kind == "reorder":
            work.mine.set()
            work.lane.passing.clear()
            await _within(work.lane.passing, fault.seconds)

    async def _layers(self, work: "_Work") -> Answer:
        """The same activity again and again, then, as a second layer, a new one."""
        answer = await self._copies(work, work.activity, work.fault)
        kinds = self._state.setting("second_layer")
        kinds = [] if work.limits else kinds  # clients ask by themselves
        if answer.status or not {work.activity.get("type"), "*"} & set(kinds):
            return answer
        await asyncio.sleep(self._state.setting("second_layer_delay"))
        at = stamp(self._state.next_ms(work.tenant))
        return await self._copies(work, renewed(work.activity, at), None)

    async def _copies(
        self, work: "_Work", activity: Activity, fault: Fault | None
    ) -> Answer:
        copies, within = 1 + self._state.setting("resends"), self._within(work)
        if work.limits:
            copies = work.limits.times
        for left in range(copies, 0, -1):
            if not self._stands(work):
                break
            began = time.monotonic()
            answer = await self._answered(activity, fault, within)
            work.passed()
            if answer.status or left == 1:
                return answer
            fault = None
            pause = 0.0 if work.limits else self._state.setting("resend_pause")
            rest = within - (time.monotonic() - began)
            await asyncio.sleep(pause or max(0.0, rest))
        return Answer(0)

    def _stands(self, work: "_Work") -> bool:
        """Whether the world that the activity is of is still there."""
        return work.generation == self._state.generation

    def _within(self, work: "_Work") -> float:
        limits = work.limits
        return limits.within if limits else float(self._state.setting("answer_timeout"))

    async def _answered(
        self, activity: Activity, fault: Fault | None, within: float
    ) -> Answer:
        """One attempt. An answer that Teams would not wait for counts as none."""
        if fault is not None and not fault.after and _prevents(fault):
            self._note(activity, Answer(0), fault)
            return Answer(0)
        answers: list[Answer] = []

        async def ask() -> None:
            answers.append(await self._attempt(activity, fault))

        asking = self._tasks.begin(ask())
        await asyncio.wait({asking}, timeout=within)
        ignored = self._state.setting("resend_statuses")
        if not answers or answers[0].status in ignored:
            return Answer(0)
        if fault is not None and fault.after:
            return Answer(0)
        return answers[0]

    async def _attempt_alone(self, activity: Activity) -> None:
        with self._world.delivering():
            await self._attempt(activity, None)

    async def _attempt(self, activity: Activity, fault: Fault | None) -> Answer:
        address = str(self._world.settings.get("atom_url")).rstrip("/")
        try:
            async with self._open().post(
                address + _PATH,
                data=json.dumps(activity).encode(),
                headers=self._headers(activity),
            ) as response:
                text = await response.text(errors="replace")
                answer = Answer(response.status, text)
        except (ClientError, ConnectionError, TimeoutError):
            answer = Answer(0)
        self._note(activity, answer, fault)
        return answer

    def _headers(self, activity: Activity) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._token(_text(activity, 'serviceUrl'))}",
            "Content-Type": "application/json; charset=utf-8",
            "x-ms-conversation-id": _text(activity, "conversation", "id"),
            "x-ms-tenant-id": _text(activity, "conversation", "tenantId"),
        }

    def _token(self, service_url: str) -> str:
        issuer = self._state.setting("issuer")
        key = (issuer, service_url, self._keys.key_id)
        made, token = self._tokens.get(key, (0.0, ""))
        if not token or time.monotonic() - made > _TOKEN_FRESH:
            now = int(self._state.now())
            token = self._keys.sign(bot_claims(issuer, service_url, now))
            self._tokens = {key: (time.monotonic(), token)}
        return token

    def _note(self, activity: Activity, answer: Answer, fault: Fault | None) -> None:
        shown: Any = answer.text[:_SHOWN]
        self._world.journal.note(
            "teams",
            "out",
            _CALL,
            answer.status,
            {"body": activity},
            shown,
            fault.kind if fault else None,
        )

    def _open(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=0),
                timeout=ClientTimeout(total=_PATIENCE),
                headers={"User-Agent": "Microsoft-SkypeBotApi (sandbox)"},
            )
        return self._session


@dataclass(slots=True)
class _Work:
    """One activity on its way. `generation` says of which world it is."""

    activity: Activity
    fault: Fault | None
    lane: _Lane
    before: asyncio.Event
    answered: asyncio.Future[Answer]
    generation: int
    limits: Limits | None = None
    mine: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def tenant(self) -> str:
        return _text(self.activity, "channelData", "tenant", "id")

    def passed(self) -> None:
        """Let the next one of the channel go, and who waited to be passed."""
        self.mine.set()
        self.lane.passing.set()

    def over(self, answer: Answer) -> None:
        self.passed()
        if not self.answered.done():
            self.answered.set_result(answer)


def bot_claims(issuer: str, service_url: str, now: int) -> dict[str, Any]:
    """What a token that Teams sends to the bot claims."""
    return {
        "serviceurl": service_url,
        "nbf": now,
        "exp": now + _TOKEN_LASTS,
        "iss": issuer,
        "aud": seed.BOT_APP_ID,
    }


def _prevents(fault: Fault) -> bool:
    return fault.kind not in {"delay", "duplicate", "reorder"}


def _facts(activity: Mapping[str, Any]) -> dict[str, str]:
    channel, _, thread = _text(activity, "conversation", "id").partition(";messageid=")
    return {
        "type": _text(activity, "type"),
        "id": _text(activity, "id"),
        "channel": channel,
        "thread": thread,
        "tenant": _text(activity, "channelData", "tenant", "id"),
        "event": _text(activity, "channelData", "eventType"),
        "user": _text(activity, "from", "id"),
    }


def _text(activity: Mapping[str, Any], *path: str) -> str:
    """Return what lies at a path. Raw activities may lack anything."""
    found: Any = activity
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
