"""Searching from chat: what people could read anyway, and everything for officers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bots.core import Core, clock_us
from bots.searching import Search
from bridge.compliance import Duty, Officer
from bridge.composing import Addresses
from bridge.errors import BadInput, ServiceUnavailable
from bridge.messages import Channel, Person, Platform
from bridge.ports import AccessPolicy, Announcer, Copies, LinkBook
from bridge.presence import joining, may_not_read
from bridge.search.fields import resolved
from bridge.search.finding import Findings, Hit, Memberships
from bridge.search.grammar import read
from bridge.search.syntax import Condition, Expression, leaves
from storage.compliance.rights.duties import StoredDuties
from storage.log_reader import LogReader
from storage.search.engine import Answer, Page
from storage.search.showing import Found, shown

_SHOWN = 5
_OFFICERS = frozenset({"hold", "dlp", "policy", "label", "eid"})


@dataclass(frozen=True, slots=True)
class ChatSearch:
    """
    Implements `bridge.search.finding.Finder`.

    In Slack an answer is for the asker's eyes alone. In Teams everybody in the channel
    reads it, so nothing is found there but what stands in that channel.
    """

    search: Search
    reader: LogReader
    duties: StoredDuties
    copies: Copies
    memberships: Mapping[Platform, Memberships]
    announcers: Mapping[Platform, Announcer]
    addresses: Mapping[Platform, Addresses]
    clock: Callable[[], int]
    policy: AccessPolicy
    links: LinkBook

    async def find(  # noqa: PLR0913, PLR0917 - who, where and what
        self,
        tenant: str,
        officer: Officer,
        person: Person,
        here: Channel,
        text: str,
        cursor: str,
    ) -> Findings:
        page = Page(_SHOWN, cursor)
        query = resolved(read(text), self.clock())
        alone = here.platform is Platform.SLACK
        if alone and await self.duties.has(tenant, officer, Duty.SEARCH):
            run = await self.search.officers.run(tenant, officer, text, page)
            scope = f"In everything on record; you searched as {officer.name}."
            return await self._told(
                tenant, run.answer, query.expression, scope, within=None
            )
        _for_everybody(query.expression)
        within = await self._readable(tenant, person, here, alone=alone)
        if alone:
            scope = "In the channels that you are in, on both sides of their links."
        else:
            scope = "In this channel: everybody here reads the answer."
        answer = await self.search.engine.answer(tenant, query, page, within)
        return await self._told(tenant, answer, query.expression, scope, within)

    async def _readable(
        self, tenant: str, person: Person, here: Channel, *, alone: bool
    ) -> Sequence[Channel]:
        """Leave out where the policy lets the asker not read what is bridged there."""
        channels: Sequence[Channel] = [here]
        if alone:
            memberships = self.memberships.get(here.platform)
            if memberships is None:
                raise ServiceUnavailable("Which channels you are in is not known now.")
            channels = await memberships.of(person, here)
        closed = {
            channel
            for link in await self.links.all(tenant)
            for channel in set(link.channels).intersection(channels)
            if await may_not_read(
                self.policy,
                joining(tenant, person, channel, link.id),
                link.others(channel),
            )
        }
        return [channel for channel in channels if channel not in closed]

    async def _told(
        self,
        tenant: str,
        answer: Answer,
        expression: Expression,
        scope: str,
        within: Sequence[Channel] | None,
    ) -> Findings:
        entries = {e.seq: e for e in await self.reader.at(tenant, answer.page)}
        hits = [
            await self._hit(tenant, shown(entries[seq], expression), within)
            for seq in answer.page
            if seq in entries and not entries[seq].erased
        ]
        size = (await self.reader.head(tenant)).size
        behind = 0 if answer.complete else max(size - answer.indexed, 1)
        return Findings(answer.count, tuple(hits), scope, behind, answer.next)

    async def _hit(
        self, tenant: str, found: Found, within: Sequence[Channel] | None
    ) -> Hit:
        """Lead to where the asker can read it: to the copy, if that is theirs."""
        channel, message = found.channel, found.message
        if channel and within is not None and channel not in within:
            for copy in await self.copies.copies_of(tenant, channel, message):
                if copy.target in within and not copy.deleted:
                    channel, message = copy.target, copy.remote
                    break
        if channel is None:
            return Hit(found.author, "", found.sent_us, found.snippet)
        announcer = self.announcers.get(channel.platform)
        addresses = self.addresses.get(channel.platform)
        return Hit(
            found.author or "somebody",
            await announcer.channel_name(channel) if announcer else str(channel),
            found.sent_us,
            found.snippet or ", ".join(found.files),
            await addresses.of(channel, message) if addresses else "",
        )


def _for_everybody(expression: Expression) -> None:
    """Refuse what would tell whether somebody is under a hold, or was found out."""
    for leaf in leaves(expression):
        if isinstance(leaf, Condition) and (
            leaf.field in _OFFICERS or (leaf.field, leaf.value) == ("is", "held")
        ):
            raise BadInput(f"{leaf.field}:{leaf.value} is for compliance officers.")


def chat_search(
    built: Core,
    announcers: Mapping[Platform, Announcer],
    addresses: Mapping[Platform, Addresses],
    memberships: Mapping[Platform, Memberships],
) -> ChatSearch:
    """Build what searches for people in chat, and let them call channels by name."""

    async def names(channels: Sequence[Channel]) -> Mapping[Channel, str]:
        return {
            channel: await announcers[channel.platform].channel_name(channel)
            for channel in channels
            if channel.platform in announcers
        }

    built.search.called(names)
    return ChatSearch(
        built.search,
        built.log,
        built.duties,
        built.copies,
        memberships,
        announcers,
        addresses,
        clock_us,
        built.policy,
        built.links,
    )
