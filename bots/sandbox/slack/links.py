"""
What the app is told of links to domains of its own.

A link is told twice, while it is being written (`composer`) and when it was posted
(`conversations_history`).
"""

from typing import Any
from uuid import uuid4

from bots.sandbox.slack import compose, events
from bots.sandbox.slack.model import Channel, Message
from bots.sandbox.slack.state import SlackState

COMPOSER = "composer"
NOWHERE = "COMPOSER"  # in the place of a channel
HISTORY = "conversations_history"
_DRAFTS = 200


def tell_shared(state: SlackState, channel: Channel, message: Message) -> None:
    """Tell the app of links in a message that stands, but not of its own message."""
    text = str(message.body.get("text", ""))
    links = events.link_domains(text, state.setting("link_domains"))
    if not links:
        return
    unfurl_id = f"{channel.id}.{message.ts}.{uuid4().hex}"
    state.unfurls[unfurl_id] = (channel.id, message.ts)
    bot = state.installations.get(channel.team)
    shared = {
        "type": "link_shared",
        "user": message.body.get("user"),
        "channel": channel.id,
        "message_ts": message.ts,
        **({"thread_ts": message.root} if message.root else {}),
        "links": links,
        "unfurl_id": unfurl_id,
        "source": HISTORY,
        "is_bot_user_member": bool(bot and bot.bot_user in channel.members),
        "event_ts": state.next_ts(),
    }
    state.emit(channel.team, shared, channel)


def begin_draft(state: SlackState, team: str, user: str, text: str) -> dict[str, Any]:
    """
    Take note that somebody is writing, and tell the app of links in it.

    Slack names no channel then: `channel` and `message_ts` are good for chat.unfurl
    alone, and the latter is the `unfurl_id` as well.
    """
    marked = compose.text_of(compose.typed(text))
    links = events.link_domains(marked, state.setting("link_domains"))
    draft: dict[str, Any] = {
        "id": f"{user}-{uuid4()}-{uuid4().hex}",
        "team": team,
        "user": user,
        "text": marked,
        "attachments": [],
    }
    for known in [one for one in state.drafts.values() if one["user"] == user]:
        del state.drafts[known["id"]]
    if not links:
        return draft
    while len(state.drafts) >= _DRAFTS:
        del state.drafts[next(iter(state.drafts))]
    state.drafts[draft["id"]] = draft
    shared = {
        "type": "link_shared",
        "user": user,
        "channel": NOWHERE,
        "message_ts": draft["id"],
        "links": links,
        "unfurl_id": draft["id"],
        "source": COMPOSER,
        "is_bot_user_member": True,
        "event_ts": state.next_ts(),
    }
    state.emit(team, shared)
    return draft
