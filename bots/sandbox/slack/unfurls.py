"""
The previews that the app gives to links: chat.unfurl.

The app names the place by `unfurl_id` and `source`, or by channel and `ts`; doing so
again changes the same attachments.
"""

from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import compose, entities, messages, seed
from bots.sandbox.slack.blocks import check_blocks
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.links import COMPOSER, HISTORY, NOWHERE
from bots.sandbox.slack.model import Channel


def unfurl(call: Call) -> Answer:
    """Serve chat.unfurl."""
    cards = call.args.get("unfurls")
    found, warning = entities.given(call, under_links=True)
    if cards is None and not found:
        _need_prompt(call)
    elif not all(isinstance(card, dict) for card in (cards or {}).values()):
        raise SlackRefusal("invalid_unfurls_format")
    made = dict(cards or {})
    for entity in found:
        link = entity["app_unfurl_url"]
        made[link] = {**made.get(link, {}), "entity": entity}
    warned = {"warning": warning} if warning else {}
    if call.text("unfurl_id") or call.text("source"):
        return _by_id(call, made) | warned
    if not call.text("channel"):
        raise SlackRefusal("missing_channel")
    if not call.text("ts"):
        raise SlackRefusal("missing_ts")
    if call.text("channel") == NOWHERE:
        return _in_draft(call, call.text("ts"), made) | warned
    return _shown(call, call.channel(), call.text("ts"), made) | warned


def _need_prompt(call: Call) -> None:
    if not call.flag("user_auth_required") and not call.text("user_auth_message"):
        raise SlackRefusal("missing_unfurls")


def _by_id(call: Call, cards: Mapping[str, Any]) -> Answer:
    if not call.text("unfurl_id"):
        raise SlackRefusal("missing_unfurl_id")
    if not call.text("source"):
        raise SlackRefusal("missing_source")
    if call.text("source") not in {COMPOSER, HISTORY}:
        raise SlackRefusal("invalid_source")
    if call.text("source") == COMPOSER:
        return _in_draft(call, call.text("unfurl_id"), cards)
    place = call.state.unfurls.get(call.text("unfurl_id"))
    if place is None:
        raise SlackRefusal("invalid_unfurl_id")
    channel = call.state.reachable(call.me, place[0], "")
    return _shown(call, channel, place[1], cards)


def _in_draft(call: Call, name: str, cards: Mapping[str, Any]) -> Answer:
    draft = call.state.drafts.get(name)
    if draft is None or draft["team"] != call.me.team:
        raise SlackRefusal("cannot_find_message")
    draft["attachments"] = _merged(draft["text"], draft["attachments"], cards)
    call.state.publish("draft", draft["team"], user=draft["user"])
    return {}


def _shown(call: Call, channel: Channel, ts: str, cards: Mapping[str, Any]) -> Answer:
    message = channel.messages.get(ts)
    if message is None or message.deleted:
        raise SlackRefusal("cannot_find_message")
    if not cards:
        return {}
    standing = list(message.body.get("attachments") or [])
    merged = _merged(str(message.body.get("text", "")), standing, cards)
    messages.edit(call.state, channel, message, {"attachments": merged}, editor=None)
    return {}


def _merged(
    text: str, standing: list[dict[str, Any]], cards: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the attachments after a call: its own changed in place, others kept."""
    merged = list(standing)
    for url, card in cards.items():
        if f"<{url}" not in text and f"<{compose.encode(url)}" not in text:
            raise SlackRefusal("cannot_unfurl_url")
        check_blocks(card.get("blocks") or [])
        made = {**card, "from_url": url, "app_unfurl_url": url}
        made |= {"app_id": seed.APP_ID, "is_app_unfurl": True}
        at = next((n for n, a in enumerate(merged) if a.get("from_url") == url), None)
        if not card:  # an empty one takes the preview away
            merged = [one for one in merged if one.get("from_url") != url]
        elif at is None:
            merged.append(made)
        else:
            merged[at] = made
    return [{**one, "id": number} for number, one in enumerate(merged, start=1)]


CALLS: Mapping[str, Serve] = {"chat.unfurl": unfurl}
