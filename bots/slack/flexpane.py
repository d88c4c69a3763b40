"""
The pane that Slack opens beside a conversation when somebody clicks a Work Object.

It shows what **My view** shows in a modal. Slack does not say how long its trigger
lives, nor whether it may be used twice: whoever waits long is told so while it lives,
and finds what was read by then when they refresh the pane.
"""

import asyncio
import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bots.commands.answering import NOT_SET_UP
from bots.record_talks import TOO_SLOW, Talks
from bots.slack import record_objects as objects
from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.payload import mapping, string
from bots.slack.work_objects import REFUSALS
from bridge.errors import AtomError
from bridge.messages import Event
from bridge.ports import People, Tenants
from bridge.records.cards import Standing
from bridge.records.desk import Asker, Opened, RecordDesk

log = structlog.get_logger()

_PATIENCE = 2.2  # seconds until somebody is told to wait; other triggers live for 3
_WITHIN = 60.0  # seconds for all of it
_KEPT = 30.0  # seconds in which a refresh finds what came too late

_SLOW = (
    "This takes a while",
    "The record is being read with your own account. Refresh in a few seconds.",
)
_FAILED = "Something went wrong inside ATOM. Please try again."
_UNSHOWN = (
    "Slack does not take this view",
    "Press My view on the record's card to see it in a window.",
)
_OVER = frozenset({"exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id"})

Key = tuple[str, str, str, str, str]  # whose, who, where, what by address and link


@dataclass(slots=True)
class Flexpane:
    """
    Answers `entity_details_requested` events that are on record already.

    `patience` and `kept` are in seconds.
    """

    desk: RecordDesk
    tenants: Tenants
    clients: Clients
    people: People | None = None
    patience: float = _PATIENCE
    kept: float = _KEPT
    talks: Talks = field(default_factory=Talks)
    _under_way: dict[Key, asyncio.Task[Opened]] = field(default_factory=dict)

    def begin(self, event: Event, body: Mapping[str, Any]) -> None:
        """Go about it in the background: Slack has its answer meanwhile."""
        _ = self.talks.hold(self._run(event, mapping(body, "event")))

    async def aclose(self) -> None:
        await self.talks.aclose()
        left = list(self._under_way.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(self, event: Event, asked: Mapping[str, Any]) -> None:
        """The outermost frame: without an answer the pane shows the room's preview."""
        try:
            await self._answer(event, asked)
        except AtomError as error:
            reason = getattr(error, "code", type(error).__name__)
            log.warning("record not presented", platform="slack", reason=reason)
        except Exception:
            log.exception("record not presented", platform="slack")

    async def _answer(self, event: Event, asked: Mapping[str, Any]) -> None:
        if not string(asked, "trigger_id"):
            return
        tenant = await self.tenants.tenant_of(event.platform, event.account)
        if tenant is None:
            told = objects.error(NOT_SET_UP.title, NOT_SET_UP.text)
            await self._present(event, asked, error=told)
            return
        asker = Asker(tenant, event.author, event.account, event.channel)
        key, opening = self._opening(asker, asked)
        _ = await asyncio.wait({opening}, timeout=self.patience)
        if not opening.done():
            await self._present(event, asked, error=objects.error(*_SLOW))
        opened = await asyncio.shield(opening)
        if await self._shown(event, asked, opened):
            self._forget(key, opening)

    def _opening(
        self, asker: Asker, asked: Mapping[str, Any]
    ) -> tuple[Key, asyncio.Task[Opened]]:
        """Return what somebody waits for already, or begin to read it."""
        reference = mapping(asked, "external_ref")
        link = string(asked, "entity_url") or string(mapping(asked, "link"), "url")
        address, url = string(reference, "id"), html.unescape(link)
        channel = str(asker.channel or "")
        key = (asker.tenant, asker.address, channel, address, url)
        if key not in self._under_way:
            task = asyncio.create_task(self._opened(asker, address, url))
            task.add_done_callback(lambda over: self._forget_later(key, over))
            self._under_way[key] = task
        return key, self._under_way[key]

    async def _opened(self, asker: Asker, address: str, url: str) -> Opened:
        """Return what the desk says, or that it said nothing. Never raises."""
        try:
            async with asyncio.timeout(_WITHIN):
                named = await self._named(asker)
                return await self.desk.opened(named, address, url)
        except TimeoutError:
            return Opened(Standing.UNAVAILABLE, TOO_SLOW.text)
        except Exception:  # the outermost frame of what somebody asked for
            log.exception("record not opened", platform="slack")
            return Opened(Standing.UNAVAILABLE, _FAILED)

    async def _named(self, asker: Asker) -> Asker:
        if self.people is None or asker.channel is None:
            return asker
        person = asker.person
        known = await self.people.lookup(asker.channel, [person.id])
        name = known.get(person.id, person).name
        return replace(asker, person=replace(person, name=name))

    def _forget_later(self, key: Key, over: asyncio.Task[Opened]) -> None:
        """Let go of what nobody came back for."""

        if over.cancelled():
            self._forget(key, over)
        else:
            over.get_loop().call_later(self.kept, self._forget, key, over)

    def _forget(self, key: Key, over: asyncio.Task[Opened]) -> None:
        if self._under_way.get(key) is over:  # and nothing that was begun since
            del self._under_way[key]

    async def _shown(
        self, event: Event, asked: Mapping[str, Any], opened: Opened
    ) -> bool:
        """Show what came of it; False if the trigger was over by then."""
        if opened.card is not None:
            made = objects.details(opened.card, asked)
            return await self._present(event, asked, metadata=made)
        buttons = opened.connect.buttons if opened.connect else ()
        for button in buttons:
            if button.url:
                way = {"user_auth_required": True, "user_auth_url": button.url}
                return await self._present(event, asked, **way)
        return await self._present(event, asked, error=objects.nothing(opened))

    async def _present(
        self, event: Event, asked: Mapping[str, Any], **what: Any
    ) -> bool:
        client = await self.clients.of(event.account)
        trigger = string(asked, "trigger_id")
        try:
            await done(client.entity_presentDetails(trigger_id=trigger, **what))
        except SlackRefused as refused:
            if refused.code in _OVER:
                log.info("record not presented", platform="slack", reason=refused.code)
                return False
            if refused.code not in REFUSALS or "metadata" not in what:
                raise
            log.warning("record not presented", platform="slack", reason=refused.code)
            told = objects.error(*_UNSHOWN)
            return await self._present(event, asked, error=told)
        return True
