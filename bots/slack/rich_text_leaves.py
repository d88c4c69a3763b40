"""The leaves of Slack's `rich_text`, and safe ways into whatever Slack sends."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bots.slack.emoji_names import character, with_tone
from bots.slack.mrkdwn_tokens import link
from bridge.document import (
    Audience,
    Broadcast,
    ChannelMention,
    Emoji,
    GroupMention,
    Inline,
    Mention,
    Moment,
    Style,
    Styles,
    Text,
)
from bridge.leaves import merged, styled
from bridge.text import clean, one_line, safe_url

_LONGEST_EMOJI = 16
_BEYOND = 10**15
_LAST_CODE_POINT = 0x10FFFF
_STYLES = {
    "bold": Style.BOLD,
    "italic": Style.ITALIC,
    "strike": Style.STRIKE,
    "code": Style.CODE,
}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a list; anything else holds none."""
    if not isinstance(value, list | tuple):
        return []
    return [each for each in value if isinstance(each, dict)]


def string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def number(element: Mapping[str, Any], key: str) -> int:
    """Return a whole number; one that nothing in Slack can mean is none."""
    value = element.get(key)
    return value if isinstance(value, int) and abs(value) < _BEYOND else 0


def leaves(value: Any) -> tuple[Inline, ...]:
    """Read the elements of a section, a quote or a code block."""
    return merged(each for element in mappings(value) for each in _styled_leaf(element))


def _styled_leaf(element: Mapping[str, Any]) -> Iterator[Inline]:
    leaf = _leaf(element)
    if leaf is None:
        return
    style = element.get("style")
    if isinstance(style, dict) and (styles := _styles(style)):
        yield replace(leaf, styles=styles)
    else:
        yield leaf


def _styles(wanted: Mapping[str, Any]) -> Styles:
    return styled(style for key, style in _STYLES.items() if wanted.get(key) is True)


def _leaf(element: Mapping[str, Any]) -> Inline | None:
    reader = _READERS.get(string(element.get("type")), _unknown)
    return reader(element)


def _link(element: Mapping[str, Any]) -> Inline | None:
    url, label = string(element.get("url")), one_line(string(element.get("text")))
    return link(url, label) if url else None


def _broadcast(element: Mapping[str, Any]) -> Inline:
    audience = string(element.get("range"))
    known = audience in set(Audience)
    return Broadcast(Audience(audience)) if known else Text(f"@{one_line(audience)}")


def _emoji(element: Mapping[str, Any]) -> Emoji:
    name = one_line(string(element.get("name")))
    char = _from_hex(string(element.get("unicode"))) or character(name)
    tone = number(element, "skin_tone")
    return Emoji(name, with_tone(char, tone) if char and tone else char)


def _from_hex(points: str) -> str:
    """Read `1f44b-1f3fc`; whatever is no emoji's code points is nothing."""
    try:
        values = [int(point, 16) for point in points.split("-")]
    except ValueError:
        return ""
    if len(values) > _LONGEST_EMOJI or not all(
        0 < value <= _LAST_CODE_POINT for value in values
    ):
        return ""
    return clean("".join(map(chr, values)))


def _moment(element: Mapping[str, Any]) -> Moment:
    fallback = one_line(string(element.get("fallback")))
    url = safe_url(string(element.get("url")))
    return Moment(number(element, "timestamp"), fallback, url)


def _unknown(element: Mapping[str, Any]) -> Inline | None:
    """Slack adds kinds of elements; most of them say what to show instead."""
    for key in ("text", "fallback", "label", "name", "title"):
        if words := one_line(string(element.get(key))):
            url = string(element.get("url"))
            return link(url, words) if url else Text(words)
    url = safe_url(string(element.get("url")))
    return link(url, "") if url else None


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Inline | None]] = {
    "text": lambda element: Text(clean(string(element.get("text")))),
    "link": _link,
    "user": lambda element: Mention(string(element.get("user_id"))),
    "channel": lambda element: ChannelMention(string(element.get("channel_id"))),
    "usergroup": lambda element: GroupMention(string(element.get("usergroup_id"))),
    "broadcast": _broadcast,
    "emoji": _emoji,
    "date": _moment,
    "color": lambda element: Text(one_line(string(element.get("value")))),
}
