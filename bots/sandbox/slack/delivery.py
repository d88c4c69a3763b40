"""How events reach the app: in order per channel, and again when it does not answer."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from bots.sandbox.faults import Fault
from bots.sandbox.slack import seed
from bots.sandbox.slack.audience import audience, setting_of
from bots.sandbox.slack.events import envelope, subscription, without_addresses
from bots.sandbox.slack.model import Installation
from bots.sandbox.slack.outbound import Outbound, Outcome
from bots.sandbox.slack.sockets import Sockets
from bots.sandbox.slack.state import Happening
from bots.sandbox.world import World

_FAREWELLS = frozenset({"app_uninstalled", "tokens_revoked"})
CALL = "deliver"


class Delivery:
    """Takes what happens in the state to the app."""

    def __init__(
        self,
        world: World,
        outbound: Outbound,
        sockets: Sockets,
    ) -> None:
        self._world = world
        self._state = world.slack
        self._outbound = outbound
        self._sockets = sockets
        self._faults = world.faults
        self._journal = world.journal
        self._tasks = world.tasks
        self._numbers = count(1)
        self._born = int(time.time())
        self._last: dict[str, asyncio.Event] = {}
        self._passing = asyncio.Event()
        self._state.listen(self.happened)

    def happened(self, happening: Happening) -> None:
        """Deliver an event to each installation that is to hear of it."""
        for me in audience(self._state, happening):
            if self._hears(me, happening):
                self._tell(me, happening)

    def _tell(self, me: Installation, happening: Happening) -> None:
        payload = envelope(
            me,
            self._worded(happening.event),
            self._event_id(),
            self._state.now(),
            setting_of(self._state, me, happening.channel),
        )
        fault = self._faults.take("slack.deliver", _facts(happening))
        if fault is not None and fault.kind == "drop":
            self._journal.note("slack", "out", CALL, 0, {"body": payload}, None, "drop")
            return
        lane = happening.channel.id if happening.channel else happening.team
        before = self._last.get(lane)
        mine = self._last[lane] = asyncio.Event()
        told = _Told(payload, self._state.generation)
        self._tasks.spawn(self._deliver(told, fault, before, mine))
        if fault is not None and fault.kind == "duplicate":
            self._tasks.spawn(self._deliver(told, None, before, asyncio.Event()))

    def _worded(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._state.setting("event_files_have_urls"):
            return event
        return without_addresses(event)

    async def warn(self, team: str) -> Outcome:
        """Tell the app that a minute's events were more than it may have."""
        minute = int(self._state.now()) // 60 * 60
        told = {
            "token": seed.VERIFICATION_TOKEN,
            "type": "app_rate_limited",
            "team_id": team,
            "minute_rate_limited": minute,
            "api_app_id": seed.APP_ID,
        }
        return await self._outbound.send_json("app_rate_limited", told, {})

    async def verify(self) -> Outcome:
        """Ask the app whether it is there, as Slack does when a URL is entered."""
        challenge = {
            "token": seed.VERIFICATION_TOKEN,
            "challenge": f"sandbox-{time.time_ns()}",
            "type": "url_verification",
        }
        return await self._outbound.send_json("verify", challenge, {})

    def _hears(self, me: Installation, happening: Happening) -> bool:
        kind = happening.event.get("type")
        if not me.active and kind not in _FAREWELLS:
            return False
        wanted = self._state.setting("events")
        return "*" in wanted or subscription(happening.event) in wanted

    def _event_id(self) -> str:
        return f"Ev{self._born:X}{next(self._numbers):06X}"

    async def _deliver(
        self,
        told: "_Told",
        fault: Fault | None,
        before: asyncio.Event | None,
        mine: asyncio.Event,
    ) -> None:
        with self._world.delivering():
            try:
                await self._turn(before, fault, mine)
                outcome = await self._attempt(told, 0, "")
            finally:
                mine.set()
                self._passing.set()
            if fault is not None and fault.after:
                outcome = Outcome(0, reason="http_timeout")
            await self._again(told, outcome)

    async def _turn(
        self, before: asyncio.Event | None, fault: Fault | None, mine: asyncio.Event
    ) -> None:
        """Wait until it is this event's turn, or let others pass if so ordered."""
        if before is not None:
            await _within(before, self._state.setting("order_wait"))
        if fault is None:
            return
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "reorder":
            mine.set()
            self._passing.clear()
            await _within(self._passing, fault.seconds)

    async def _again(self, told: "_Told", outcome: Outcome) -> None:
        """Retry by Slack's rules: three times, later and later."""
        setting = self._state.setting
        delays = [*setting("retry_delays"), *setting("delayed_events")]
        for attempt, delay in enumerate(delays, start=1):
            if outcome.good or not outcome.may_retry:
                return
            await asyncio.sleep(delay)
            outcome = await self._attempt(told, attempt, outcome.reason)

    async def _attempt(self, told: "_Told", number: int, why: str) -> Outcome:
        if told.generation != self._state.generation:
            return Outcome(0)
        payload = told.payload
        if self._by_socket():
            return await self._sockets.send(CALL, "events_api", payload, number, why)
        if not self._outbound.aimed:
            return Outcome(0)
        headers = {}
        if number:
            headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": why}
        return await self._answered(payload, headers)

    async def _answered(
        self, payload: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Outcome:
        """Wait for the answer as long as Slack does; a late one changes nothing."""
        answers: list[Outcome] = []

        async def ask() -> None:
            answers.append(await self._outbound.send_json(CALL, payload, headers))

        asking = self._tasks.begin(ask())
        await asyncio.wait({asking}, timeout=self._state.setting("answer_timeout"))
        return answers[0] if answers else Outcome(0, reason="http_timeout")

    def _by_socket(self) -> bool:
        way = self._state.setting("delivery")
        return way == "socket" or (way == "auto" and self._sockets.connected)


@dataclass(frozen=True, slots=True)
class _Told:
    """An event on its way. `generation` says of which world it is."""

    payload: Mapping[str, Any]
    generation: int


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _facts(happening: Happening) -> dict[str, str]:
    event = happening.event
    facts = {
        name: str(event[name])
        for name in ("type", "subtype", "user", "ts", "thread_ts", "bot_id")
        if name in event
    }
    if happening.channel is not None:
        facts["channel"] = happening.channel.id
    return facts | {"team": happening.team}
