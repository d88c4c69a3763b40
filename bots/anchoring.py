"""Showing checkpoints to witnesses, time-stamping authorities and channels."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bridge.anchors import Anchor, Evidence, Shown
from bridge.cards import Card, Section
from bridge.errors import AtomError, BadInput, Conflict
from bridge.messages import Channel, Platform
from bridge.ports import Announcer
from storage.compliance.anchors.kept import Chosen, StoredAnchors
from storage.compliance.proofs.checkpoints import Seen
from storage.compliance.proofs.notes import first_signed
from storage.compliance.proofs.publisher import Publisher
from storage.journal import Journal
from storage.writes import Write

log = structlog.get_logger()

_MICRO = 1_000_000
_WITNESSED = 60.0  # seconds; the others are shown a checkpoint every `every`


@dataclass(frozen=True, slots=True)
class ChannelAnchor:
    """Implements `bridge.anchors.Anchor`: a post, which bears the platform's time."""

    announcer: Announcer
    channel: Channel

    async def show(self, shown: Shown) -> Evidence:
        text = (
            f"The record has {shown.size} entries. Keep this: whoever has it can prove "
            "later that nothing of them was changed."
        )
        note = Section(text=shown.plain)
        await self.announcer.announce(
            self.channel, Card("Checkpoint of the record", text, sections=(note,))
        )
        return Evidence()


@dataclass(frozen=True, slots=True)
class Anchoring:
    """
    Runs until cancelled. `made` makes the anchor that was chosen.

    Of several processes one shows a checkpoint; one anchor that fails stops no other.
    """

    publisher: Publisher
    anchors: StoredAnchors
    journal: Journal
    companies: Callable[[], Awaitable[Sequence[str]]]
    made: Callable[[Chosen], Anchor]
    clock: Callable[[], int]
    every: float = 600.0

    async def run(self) -> None:
        while True:
            try:
                for tenant in await self.companies():
                    await self.round(tenant)
            except AtomError as error:
                log.warning("checkpoints not shown", reason=str(error))
            await asyncio.sleep(min(self.every, _WITNESSED) / 4)

    async def round(self, tenant: str) -> None:
        """Show a company's newest checkpoint wherever it is time to."""
        due = [c for c in await self.anchors.all(tenant) if await self._due(tenant, c)]
        if not due or (newest := await self.publisher.newest(tenant)) is None:
            return
        shown = _shown(tenant, newest)
        await asyncio.gather(*(self.show(chosen, shown) for chosen in due))

    async def show(self, chosen: Chosen, shown: Shown) -> str:
        """Show a checkpoint in one place, and keep what came of it; returns a fault."""
        evidence, fault = Evidence(), ""
        try:
            async with asyncio.timeout(30):
                evidence = await self.made(chosen).show(shown)
        except TimeoutError:
            fault = "no answer in time"
        except Conflict as error:
            fault = f"CONTRADICTION: {error}"
        except AtomError as error:
            fault = str(error)
        except Exception as error:
            # One anchor that breaks must not keep the others from being shown.
            fault = f"broke: {type(error).__name__}"
            log.exception("an anchor broke", anchor=chosen.address)
        if fault:
            log.warning("checkpoint not shown", anchor=chosen.address, reason=fault)
        if evidence.time_us:
            self.publisher.told_time(shown.tenant, evidence.time_us)
        await self.anchors.keep(chosen.address, shown, evidence, fault)
        return fault

    async def _due(self, tenant: str, chosen: Chosen) -> bool:
        every = min(_WITNESSED, self.every) if chosen.kind == "witness" else self.every
        slot = self.clock() // int(every * _MICRO)
        key = f"anchor:{chosen.address}:{slot}"
        taken = await self.journal.write(Write(tenant, keys=(key,)))
        return not taken.duplicate


def channel_anchor(
    announcers: Mapping[Platform, Announcer], chosen: Chosen
) -> ChannelAnchor:
    """Raises `BadInput` if the platform is not switched on here."""
    channel = channel_of(chosen.address)
    if (announcer := announcers.get(channel.platform)) is None:
        raise BadInput(f"{channel.platform} is not switched on here")
    return ChannelAnchor(announcer, channel)


def channel_of(address: str) -> Channel:
    return Channel.parse(address)


def _shown(tenant: str, seen: Seen) -> Shown:
    return Shown(tenant, seen.checkpoint.size, seen.note, first_signed(seen.note))
