"""What Slack writes between < and > in a text: links, mentions and the rest."""

import re

from bots.slack.emoji_names import character
from bridge.document import (
    Audience,
    Broadcast,
    ChannelMention,
    Emoji,
    GroupMention,
    Inline,
    Link,
    Mention,
    Moment,
    Text,
)
from bridge.text import one_line, safe_url

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def unescape(text: str) -> str:
    """Decode the three entities that Slack encodes, once."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """Encode the three characters that Slack reserves, and no others."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def leaf(token: str) -> Inline:
    """Read what stood between < and >. What is no token comes back as text."""
    target, bar, label = token.partition("|")
    label = one_line(unescape(label))
    match target[:1], target[1:]:
        case "@", id_ if id_:
            return Mention(id_, label.removeprefix("@"))
        case "#", id_ if id_:
            return ChannelMention(id_, label.removeprefix("#"))
        case "!", command:
            return _special(command, label)
    return link(unescape(target), label) if target else Text(f"<{bar}{label}>")


def link(url: str, label: str) -> Inline:
    """Return a link, or only its words if the address is not safe to follow."""
    if safe := safe_url(url):
        return Link(safe, "" if label in {url, safe} else label)
    if label:
        return Text(label)
    return Text(url if _SCHEME.match(url) else f"<{url}>")


def emoji(name: str) -> Emoji:
    return Emoji(name, character(name))


def _special(command: str, label: str) -> Inline:
    name, _, rest = command.partition("^")
    match name:
        case "here" | "channel" | "everyone":
            return Broadcast(Audience(name))
        case "subteam" if rest:
            return GroupMention(rest, label.removeprefix("@"))
        case "date":
            return _moment(rest, label)
    return Text(label)


def _moment(rest: str, label: str) -> Inline:
    timestamp, _, formatted = rest.partition("^")
    url = safe_url(unescape(formatted.partition("^")[2]))
    if re.fullmatch(r"-?[0-9]{1,15}", timestamp):
        return Moment(int(timestamp), label, url)
    return Text(label)
