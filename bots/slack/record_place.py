"""Let record cards stand in Slack: as messages of ATOM's, or under links of others."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.payload import mapping, mappings, string, timestamp
from bots.slack.record_cards import METADATA, unfurl
from bots.slack.record_drawing import alone, message_of
from bots.slack.record_objects import Part, object_of, objects_of
from bots.slack.work_objects import WorkObjects
from bridge.cards import Card
from bridge.errors import Ambiguous, CannotTell, Refused
from bridge.holds import Cause
from bridge.messages import Channel, Person
from bridge.records.books import CardInstance
from bridge.records.cards import RecordCard

_REMARK = "atom_record_remark"
_PAGE = 200
_PAGES = 10
_EARLIER = 900_000_000  # microseconds; clocks of two companies differ

# The message cannot be changed any more, whatever is asked for.
_OVER = frozenset(
    {
        "cannot_find_message",
        "cannot_unfurl_message",
        "cannot_unfurl_url",
        "cant_update_message",
        "edit_window_closed",
        "invalid_unfurl_id",
        "message_not_found",
    }
)


@dataclass(frozen=True, slots=True)
class SlackCardPlace:
    """Implements `bridge.records.places.CardPlace`."""

    clients: Clients
    objects: WorkObjects = field(default_factory=WorkObjects)

    async def post(self, instance: CardInstance, card: RecordCard) -> CardInstance:
        if instance.unfurl:
            await self._unfurl(instance, card)
            return replace(instance, message=instance.unfurl.get("ts", ""))
        client = await self.clients.of(instance.channel.team)

        async def call(objects: list[Part]) -> AsyncSlackResponse:
            return await client.chat_postMessage(
                channel=instance.channel.id,
                thread_ts=instance.thread or None,
                unfurl_links=False,
                unfurl_media=False,
                link_names=False,
                parse="none",
                **message_of(card, objects),
            )

        answer = await self.objects.sent(instance.channel.team, _alone(card), call)
        if not (ts := string(answer, "ts")):
            raise Ambiguous("Slack did not say where the card stands.")
        return replace(instance, message=ts)

    async def change(self, instance: CardInstance, card: RecordCard) -> None:
        try:
            if instance.unfurl:
                await self._unfurl(instance, card)
            else:
                await self._update(instance, card)
        except SlackRefused as refused:
            if refused.code in _OVER and not refused.cause:
                raise Refused(str(refused), Cause.DELETED) from refused
            raise

    async def look_for(self, instance: CardInstance) -> str | None:
        """Look for the card's id in what was written since it was made."""
        try:
            return await self._found(instance, (METADATA, "card_id", instance.card_id))
        except SlackRefused as refused:
            if refused.code == "thread_not_found":
                return None  # with its thread the card would be gone, too
            raise CannotTell(str(refused)) from refused

    async def whisper(
        self,
        tenant: str,  # noqa: ARG002  # a workspace is one company's
        channel: Channel,
        person: Person,
        card: RecordCard | Card,
    ) -> None:
        client = await self.clients.of(channel.team)
        await done(
            client.chat_postEphemeral(channel=channel.id, user=person.id, **alone(card))
        )

    async def alone(
        self, account: str, person: Person, card: RecordCard | Card
    ) -> None:
        client = await self.clients.of(account)
        # Slack takes a person's id for the conversation with them alone.
        await done(client.chat_postMessage(channel=person.id, **alone(card)))

    async def note(self, instance: CardInstance, text: str) -> None:
        client = await self.clients.of(instance.channel.team)
        root = _root(instance)
        await done(
            client.chat_postMessage(
                channel=instance.channel.id,
                thread_ts=root or None,
                text=html.escape(text, quote=False),
                unfurl_links=False,
                unfurl_media=False,
                link_names=False,
                parse="none",
            )
        )

    async def say(self, instance: CardInstance, mark: str, card: Card) -> str:
        client = await self.clients.of(instance.channel.team)
        payload = {"event_type": _REMARK, "event_payload": {"id": mark}}
        answer = await done(
            client.chat_postMessage(
                channel=instance.channel.id,
                thread_ts=_root(instance) or None,
                metadata=payload,
                unfurl_links=False,
                unfurl_media=False,
                link_names=False,
                parse="none",
                **alone(card),
            )
        )
        if not (ts := string(answer, "ts")):
            raise Ambiguous("Slack did not say where it stands.")
        return ts

    async def look_for_said(
        self, instance: CardInstance, mark: str, since_us: int
    ) -> str | None:
        where = replace(instance, thread=_root(instance), made_us=since_us)
        try:
            return await self._found(where, (_REMARK, "id", mark))
        except SlackRefused as refused:
            raise CannotTell(str(refused)) from refused

    async def _update(self, instance: CardInstance, card: RecordCard) -> None:
        client = await self.clients.of(instance.channel.team)

        async def call(objects: list[Part]) -> AsyncSlackResponse:
            return await client.chat_update(
                channel=instance.channel.id,
                ts=instance.message,
                link_names=False,
                parse="none",
                **message_of(card, objects),
            )

        await self.objects.sent(instance.channel.team, _alone(card), call)

    async def _unfurl(self, instance: CardInstance, card: RecordCard) -> None:
        """Show it under the link. Doing it again changes the same preview."""
        where = instance.unfurl
        # Slack tells links with `&` escaped, and knows them by that.
        url = html.escape(where.get("url", ""), quote=False)
        client = await self.clients.of(instance.channel.team)
        team = instance.channel.team
        await unfurled(client, self.objects, (team, {url: card}), where)

    async def _found(
        self, instance: CardInstance, named: tuple[str, str, str]
    ) -> str | None:
        """Look for the message whose metadata has an event, and a value in a field."""
        event, field_, value = named
        client = await self.clients.of(instance.channel.team)
        where: dict[str, Any] = {"channel": instance.channel.id, "limit": _PAGE}
        where["oldest"] = timestamp(instance.made_us - _EARLIER)
        where["include_all_metadata"] = True
        cursor = ""
        for _ in range(_PAGES):
            where["cursor"] = cursor or None
            if instance.thread:
                call = client.conversations_replies(ts=instance.thread, **where)
            else:
                call = client.conversations_history(**where)
            page = await done(call)
            for message in mappings(page, "messages"):
                if _named_in(message, event, field_) == value:
                    return string(message, "ts")
            cursor = string(mapping(page, "response_metadata"), "next_cursor")
            if not cursor:
                return None
        raise CannotTell(
            "Too much was said since: the card was not looked for further."
        )


def _named_in(message: Mapping[str, Any], event: str, field_: str) -> str:
    metadata = mapping(message, "metadata")
    if string(metadata, "event_type") != event:
        return ""
    return string(mapping(metadata, "event_payload"), field_)


def _root(instance: CardInstance) -> str:
    """Return the root of the thread that a card stands in, or begins."""
    root = instance.thread or instance.unfurl.get("thread_ts", "")
    return root or instance.message or instance.unfurl.get("ts", "")


async def unfurled(
    client: AsyncWebClient,
    objects: WorkObjects,
    cards: tuple[str, Mapping[str, RecordCard]],
    where: Mapping[str, str],
) -> None:
    """Show a workspace's cards under links, which are written as Slack told them."""
    team, shown = cards
    previews = {link: unfurl(card) for link, card in shown.items()}

    async def call(made: list[Part]) -> AsyncSlackResponse:
        metadata = {"entities": made} if made else None
        return await client.chat_unfurl(
            unfurls=previews, metadata=metadata, **spot(where)
        )

    await objects.sent(team, objects_of(shown), call)


def _alone(card: RecordCard) -> list[Part]:
    """Return the objects of a message that is one card's."""
    made = object_of(card)
    return [made] if made else []


def spot(where: Mapping[str, str]) -> dict[str, Any]:
    """Return where a preview stands, as chat.unfurl is told: one way or the other."""
    if where.get("unfurl_id") and where.get("source"):
        named = {name: where[name] for name in ("unfurl_id", "source")}
        # The library insists on these; Slack does not read them then.
        return {"channel": "", "ts": "", **named}
    return {"channel": where.get("channel", ""), "ts": where.get("ts", "")}
