"""Text as Slack's composer makes it: mrkdwn, and the rich_text that stands for it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Element = dict[str, Any]
Style = dict[str, bool]

_ENTITY = r"<(?:[@#!][^<>\s]*|[^<>\s|]*(?:\|[^<>]*)?)>"
_MARKUP = re.compile(
    r"<@[UW][A-Z0-9]+>|<#[CG][A-Z0-9]+>|<!(?:here|channel|everyone)>|<!subteam\^S[A-Z0-9]+>"
)
_KEPT = re.compile(
    r"<(?:[@#][A-Z0-9]+(?:\|[^<>]*)?|![^<>\s|]+(?:\|[^<>]*)?|(?:https?|mailto|tel):[^<>\s|]+(?:\|[^<>]*)?)>"
    r"|&(?:amp|lt|gt);"
)
_URL = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"*_~`]")
_INLINE = re.compile(
    rf"(?P<entity>{_ENTITY})"
    r"|(?P<code>`[^`\n]+`)"
    r"|(?<!\w)\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?!\w)"
    r"|(?<!\w)_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?!\w)"
    r"|(?<!\w)~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?!\w)"
    r"|:(?P<emoji>[a-z0-9_+'-]+):(?::(?P<tone>skin-tone-[2-6]):)?"
    r"|(?P<url>https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"*_~`])"
)
_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_ITEM = re.compile(r"(?P<indent> *)(?:[-•*]|(?P<number>\d+)[.)]) (?P<text>.*)")
_QUOTE = "&gt;"
_WRAPPERS = (("bold", "*"), ("italic", "_"), ("strike", "~"), ("code", "`"))


def encode(text: str) -> str:
    """Escape what Slack escapes, and nothing more."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def decode(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def literal(text: str) -> list[Element]:
    """Blocks of text in which nothing is markup."""
    return [_block([_section([{"type": "text", "text": text}])])] if text else []


def typed(text: str) -> list[Element]:
    """
    Blocks of what a person typed, as the composer understands it.

    People and channels are meant only where their markup (`<@U01ALICE>`) stands.
    """
    kept = _MARKUP.split(text), _MARKUP.findall(text)
    encoded = encode(kept[0][0])
    for markup, after in zip(kept[1], kept[0][1:], strict=True):
        encoded += markup + encode(after)
    return blocks_of(encoded, lists=True)


def normalised(text: str) -> str:
    """Text as Slack stores what an app sent: strays escaped, addresses linked."""
    parts, end = [], 0
    for match in _KEPT.finditer(text):
        parts += [_linked(encode(text[end : match.start()])), match.group()]
        end = match.end()
    return "".join([*parts, _linked(encode(text[end:]))])


def escaped(blocks: Any) -> Any:
    """The blocks with every text escaped, as some say that Slack delivers them."""
    if isinstance(blocks, list):
        return [escaped(one) for one in blocks]
    if not isinstance(blocks, dict):
        return blocks
    return {
        name: encode(value)
        if name == "text" and isinstance(value, str)
        else escaped(value)
        for name, value in blocks.items()
    }


def blocks_of(mrkdwn: str, *, lists: bool = False) -> list[Element]:
    """The rich_text of an mrkdwn text."""
    elements: list[Element] = []
    pieces = _FENCE.split(mrkdwn)
    for number, piece in enumerate(pieces):
        if number % 2:
            code = {"type": "text", "text": decode(piece)}
            elements.append({"type": "rich_text_preformatted", "elements": [code]})
        elif piece.strip("\n"):
            elements += _prose(piece.strip("\n"), lists=lists)
    return [_block(elements)] if elements else []


def text_of(blocks: Iterable[Mapping[str, Any]]) -> str:
    """The mrkdwn text that Slack puts beside rich_text."""
    parts = [
        _element_text(element)
        for block in blocks
        if block.get("type") == "rich_text"
        for element in block.get("elements", ())
    ]
    return "\n".join(part.removesuffix("\n") for part in parts)


def _linked(encoded: str) -> str:
    return _URL.sub(lambda match: f"<{match.group()}>", encoded)


def _block(elements: list[Element]) -> Element:
    return {"type": "rich_text", "elements": elements}


def _section(elements: list[Element]) -> Element:
    return {"type": "rich_text_section", "elements": elements}


def _prose(text: str, *, lists: bool) -> Iterator[Element]:
    """Group lines into sections, quotes and lists."""
    for kind, lines in _grouped(text.split("\n"), lists=lists):
        if kind == "quote":
            quoted = "\n".join(line[len(_QUOTE) :].lstrip(" ") for line in lines)
            yield {"type": "rich_text_quote", "elements": list(_inline(quoted, {}))}
        elif kind == "text":
            yield _section(list(_inline("\n".join(lines), {})))
        else:
            style, indent = kind.split(":")
            items = [_ITEM.fullmatch(line) for line in lines]
            yield {
                "type": "rich_text_list",
                "style": style,
                "indent": int(indent),
                "border": 0,
                "elements": [
                    _section(list(_inline(item["text"], {}))) for item in items if item
                ],
            }


def _grouped(lines: list[str], *, lists: bool) -> Iterator[tuple[str, list[str]]]:
    group: list[str] = []
    current = ""
    for line in lines:
        kind = _line_kind(line, lists=lists)
        if kind != current and group:
            yield current, group
            group = []
        current = kind
        group.append(line)
    if group:
        yield current, group


def _line_kind(line: str, *, lists: bool) -> str:
    if line.startswith(_QUOTE):
        return "quote"
    item = _ITEM.fullmatch(line) if lists else None
    if item is None:
        return "text"
    style = "ordered" if item["number"] else "bullet"
    return f"{style}:{min(len(item['indent']) // 2, 8)}"


def _inline(text: str, style: Style) -> Iterator[Element]:
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            yield _plain(text[end : match.start()], style)
        yield from _matched(match, style)
        end = match.end()
    if end < len(text):
        yield _plain(text[end:], style)


def _matched(match: re.Match[str], style: Style) -> Iterator[Element]:
    for name in ("bold", "italic", "strike"):
        if match[name] is not None:
            yield from _inline(match[name], style | {name: True})
            return
    if match["code"]:
        yield _plain(match["code"][1:-1], style | {"code": True})
    elif match["emoji"]:
        yield _emoji(match["emoji"], match["tone"])
    elif match["url"]:
        yield _styled({"type": "link", "url": decode(match["url"])}, style)
    else:
        yield _styled(_entity(match["entity"][1:-1]), style)


def _plain(text: str, style: Style) -> Element:
    return _styled({"type": "text", "text": decode(text)}, style)


def _styled(element: Element, style: Style) -> Element:
    return {**element, "style": style} if style else element


def _emoji(name: str, tone: str | None) -> Element:
    if tone is None:
        return {"type": "emoji", "name": name}
    return {"type": "emoji", "name": name, "skin_tone": int(tone[-1])}


def _entity(inner: str) -> Element:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target in {"!here", "!channel", "!everyone"}:
        return {"type": "broadcast", "range": target[1:]}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target[len("!subteam^") :]}
    if target.startswith("!") or not target:
        return {"type": "text", "text": decode(label or inner)}
    link = {"type": "link", "url": decode(target)}
    return {**link, "text": decode(label)} if label else link


def _element_text(element: Mapping[str, Any]) -> str:
    kind, elements = element.get("type"), element.get("elements", ())
    inner = "".join(_leaf_text(leaf) for leaf in elements)
    if kind == "rich_text_quote":
        return "\n".join(f"&gt; {line}" for line in inner.split("\n"))
    if kind == "rich_text_preformatted":
        return f"```{inner}```"
    if kind == "rich_text_list":
        return "\n".join(_items_text(element))
    return inner


def _items_text(element: Mapping[str, Any]) -> Iterator[str]:
    pad = "    " * int(element.get("indent", 0))
    first = int(element.get("offset", 0)) + 1
    for number, item in enumerate(element.get("elements", ()), start=first):
        mark = f"{number}." if element.get("style") == "ordered" else "•"
        yield f"{pad}{mark} {_element_text(item)}"


def _leaf_text(leaf: Mapping[str, Any]) -> str:
    text = _BARE.get(str(leaf.get("type")), _unknown)(leaf)
    style = leaf.get("style") or {}
    core = text.strip()
    if not core:
        return text
    marked = core
    for name, mark in reversed(_WRAPPERS):
        if style.get(name):
            marked = f"{mark}{marked}{mark}"
    return text.replace(core, marked, 1)


def _unknown(leaf: Mapping[str, Any]) -> str:
    return encode(str(leaf.get("text") or leaf.get("fallback") or ""))


def _link_text(leaf: Mapping[str, Any]) -> str:
    url, label = encode(str(leaf.get("url", ""))), leaf.get("text")
    return f"<{url}|{encode(str(label))}>" if label else f"<{url}>"


def _emoji_text(leaf: Mapping[str, Any]) -> str:
    tone = leaf.get("skin_tone")
    return f":{leaf.get('name')}:" + (f":skin-tone-{tone}:" if tone else "")


def _date_text(leaf: Mapping[str, Any]) -> str:
    shape = f"<!date^{leaf.get('timestamp')}^{leaf.get('format', '{date}')}"
    return f"{shape}|{encode(str(leaf.get('fallback', '')))}>"


_BARE: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "link": _link_text,
    "emoji": _emoji_text,
    "date": _date_text,
    "user": lambda leaf: f"<@{leaf.get('user_id')}>",
    "channel": lambda leaf: f"<#{leaf.get('channel_id')}>",
    "usergroup": lambda leaf: f"<!subteam^{leaf.get('usergroup_id')}>",
    "broadcast": lambda leaf: f"<!{leaf.get('range')}>",
    "color": lambda leaf: encode(str(leaf.get("value", ""))),
}
