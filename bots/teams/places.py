"""Where things are in Teams: which address serves a channel, and what it is called."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bots.teams.wire import mapping, text_of
from bridge.errors import NotSent, Refused, StoreUnavailable
from bridge.messages import Channel, Platform
from bridge.places import Place, PlaceBook

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_THREAD = ";messageid="


async def place_of(places: PlaceBook, channel: Channel, cause: str = "") -> Place:
    """
    Return from where a channel is served. Raises `NotSent` or, if nobody knows, `Refused`.

    `cause` is a `bridge.holds.Cause`, for what says something of the channel itself.
    """
    try:
        place = await places.find(channel)
    except StoreUnavailable as error:
        raise NotSent(str(error)) from error
    if place is None or not place.service_url:
        raise Refused(
            "ATOM was never heard from in this team: add it there first", cause
        )
    return place


def places_in(activity: Mapping[str, Any]) -> list[Place]:
    """Return what an activity tells about places: its team, then its channel."""
    data = mapping(activity.get("channelData"))
    team, channel = mapping(data.get("team")), mapping(data.get("channel"))
    team_id, channel_id = team_of(activity), channel_of(activity)
    if not team_id:
        return [_chat(activity)] if conversation_of(activity) else []

    account, service_url = tenant_of(activity), text_of(activity.get("serviceUrl"))
    group = text_of(team.get("aadGroupId"))
    whole = Place(
        account, team_id, "", service_url, text_of(team.get("name")), group_id=group
    )
    if not channel_id:
        return [whole]
    return [
        whole,
        Place(
            account,
            team_id,
            channel_id,
            service_url,
            name=text_of(channel.get("name")),
            group_id=group,
            kind=text_of(channel.get("type")),
        ),
    ]


def _chat(activity: Mapping[str, Any]) -> Place:
    chat = conversation_of(activity)
    service_url = text_of(activity.get("serviceUrl"))
    return Place(tenant_of(activity), chat, chat, service_url, kind="chat")


def channel_in(activity: Mapping[str, Any]) -> Channel | None:
    """Return the channel an activity happened in; a chat is a channel of its own."""
    team, channel = team_of(activity), channel_of(activity)
    if team:
        return Channel(Platform.TEAMS, team, channel or team)
    chat = conversation_of(activity)
    return Channel(Platform.TEAMS, chat, chat) if chat else None


def tenant_of(activity: Mapping[str, Any]) -> str:
    """Return the tenant's id. botbuilder's own model never has it."""
    data = mapping(activity.get("channelData"))
    conversation = mapping(activity.get("conversation"))
    return text_of(mapping(data.get("tenant")).get("id")) or text_of(
        conversation.get("tenantId")
    )


def team_of(activity: Mapping[str, Any]) -> str:
    data = mapping(activity.get("channelData"))
    team = text_of(data.get("teamsTeamId")) or text_of(
        mapping(data.get("team")).get("id")
    )
    return team or (channel_of(activity) if _in_channel(activity) else "")


def channel_of(activity: Mapping[str, Any]) -> str:
    """Return the channel's id; empty for what concerns a team as a whole."""
    data = mapping(activity.get("channelData"))
    settings = mapping(data.get("settings"))
    named = (
        text_of(data.get("teamsChannelId"))
        or text_of(mapping(data.get("channel")).get("id"))
        or text_of(mapping(settings.get("selectedChannel")).get("id"))
    )
    return named or (conversation_of(activity) if _in_channel(activity) else "")


def conversation_of(activity: Mapping[str, Any]) -> str:
    """Return the conversation's id without the thread."""
    return _conversation_id(activity).partition(_THREAD)[0]


def root_of(activity: Mapping[str, Any]) -> str:
    """Return the id of the thread's root, which for a root is its own id."""
    return _conversation_id(activity).partition(_THREAD)[2]


def threaded(channel: str, root: str) -> str:
    """
    Return the conversation id that addresses a thread.

    `replyToId` alone would start a new thread; updates and deletes want it as well.
    """
    return f"{channel}{_THREAD}{root}" if root else channel


def is_safe_address(url: str) -> bool:
    """Say whether tokens may be sent there: https, or this very machine."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return False
    return parts.scheme == "https" or is_loopback(url)


def is_loopback(url: str) -> bool:
    """Say whether an http or https address is this very machine's."""
    parts = _split(url)
    return bool(
        parts and parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK
    )


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _conversation_id(activity: Mapping[str, Any]) -> str:
    return text_of(mapping(activity.get("conversation")).get("id"))


def _in_channel(activity: Mapping[str, Any]) -> bool:
    conversation = mapping(activity.get("conversation"))
    return text_of(conversation.get("conversationType")) == "channel"
