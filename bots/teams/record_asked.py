"""
Read what people ask of records in Teams: cards, dialogs, message extensions.

The library's model of a click drops `trigger`, which alone tells a client that draws a
card anew from somebody who pressed a button; so everything is read as it came.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bots.teams.html_in import parse_activity
from bots.teams.record_cards import TOKEN, VERB_PREFIX
from bots.teams.record_forms import REDRAW, SUBMIT, values_of
from bots.teams.wire import mapping, mappings, text_of
from bridge.plain import plain_text

VIEW = f"{VERB_PREFIX}view"
WAIT = f"{VERB_PREFIX}wait"  # asks again for an answer that took long
WAITED = "w"  # the name under which a waiting answer's id comes back
RECORD = "record"  # the detail that says what is asked of a record, and how
SEARCH, CREATE = "findRecord", "createRecord"  # the extension's commands
REACTIONS = "whoReacted"  # one that is not about records

_TOKEN = 500
_WORDS = 200
_ACT = 80
_LINK = 2_000


class Kind(StrEnum):
    """What is asked. The values are kept in the log."""

    CLICK = "click"
    REFRESH = "refresh"
    SUBMIT = "submit"
    REDRAW = "redraw"
    WAIT = "wait"
    SEARCH = "search"
    LINK = "link"
    ANONYMOUS = "anonymous"
    SELECT = "select"
    FROM_MESSAGE = "from_message"
    NEW = "new"
    MALFORMED = "malformed"


# Asking again changes nothing, so that whoever repeats is answered again.
READING = frozenset(
    {Kind.REFRESH, Kind.REDRAW, Kind.WAIT, Kind.SEARCH, Kind.LINK, Kind.SELECT}
)


class Surface(StrEnum):
    """Where the answer is shown, which decides its shape."""

    CARD = "card"
    DIALOG = "dialog"
    LIST = "list"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Source:
    """A message that a record is made from."""

    id: str
    text: str
    author: str
    name: str = ""
    thread: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One wish. `token` is the button's or the form's, or a waiting answer's id."""

    kind: Kind
    surface: Surface
    act: str = ""
    token: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    url: str = ""
    source: Source | None = None


def asked_in(activity: Mapping[str, Any]) -> Asked | None:
    """Return what an activity asks of records, None if it is about something else."""
    value = mapping(activity.get("value"))
    if activity.get("type") == "message":
        return _submitted(activity, value)
    if activity.get("type") != "invoke":
        return None
    read = _INVOKES.get(text_of(activity.get("name")))
    return read(value) if read else None


def _executed(value: Mapping[str, Any]) -> Asked | None:
    action = mapping(value.get("action"))
    verb, data = text_of(action.get("verb")), mapping(action.get("data"))
    if not verb.startswith(VERB_PREFIX):
        return None
    if verb == VIEW and value.get("trigger") == "automatic":
        return _pressed(verb, data, Surface.CARD, Kind.REFRESH)
    return _pressed(verb, data, Surface.CARD)


def _submitted(activity: Mapping[str, Any], data: Mapping[str, Any]) -> Asked | None:
    """An old client's button is a message that has a value and says nothing."""
    verb = text_of(data.get("verb"))
    if text_of(activity.get("text")).strip() or not verb.startswith(VERB_PREFIX):
        return None
    return _pressed(verb, data, Surface.MESSAGE)


def _in_dialog(value: Mapping[str, Any]) -> Asked:
    data = mapping(value.get("data"))
    return _pressed(text_of(data.get("verb")), data, Surface.DIALOG)


def _pressed(
    verb: str, data: Mapping[str, Any], surface: Surface, kind: Kind = Kind.CLICK
) -> Asked:
    act = verb.removeprefix(VERB_PREFIX)[:_ACT]
    token = text_of(data.get(TOKEN))[:_TOKEN]
    match verb:
        case _ if verb == WAIT:
            waited = text_of(data.get(WAITED))[:_TOKEN]
            return Asked(Kind.WAIT, surface, act, waited)
        case _ if not token or not verb.startswith(VERB_PREFIX):
            return Asked(Kind.MALFORMED, surface, act)
        case _ if verb == SUBMIT:
            return Asked(Kind.SUBMIT, surface, act, token, values_of(data))
        case _ if verb == REDRAW:
            return Asked(Kind.REDRAW, surface, act, token, values_of(data))
        case _:
            return Asked(kind, surface, act, token)


def _search(value: Mapping[str, Any]) -> Asked:
    if text_of(value.get("commandId")) != SEARCH:
        return Asked(Kind.MALFORMED, Surface.LIST)
    said = [text_of(one.get("value")) for one in mappings(value.get("parameters"))]
    words = " ".join(" ".join(said).split())[:_WORDS]
    return Asked(Kind.SEARCH, Surface.LIST, words="" if words == "true" else words)


def _link(value: Mapping[str, Any], kind: Kind = Kind.LINK) -> Asked:
    url = text_of(value.get("url"))
    if not url.startswith(("https://", "http://")) or len(url) > _LINK:
        return Asked(Kind.MALFORMED, Surface.LIST)
    return Asked(kind, Surface.LIST, url=url)


def _selected(value: Mapping[str, Any]) -> Asked:
    return _link(value, Kind.SELECT)


def _anonymous(_value: Mapping[str, Any]) -> Asked:
    """Somebody without ATOM: nobody vouches for what they may see."""
    return Asked(Kind.ANONYMOUS, Surface.LIST)


def _create(value: Mapping[str, Any]) -> Asked | None:
    if text_of(value.get("commandId")) == REACTIONS:
        return None
    if text_of(value.get("commandId")) != CREATE:
        return Asked(Kind.MALFORMED, Surface.DIALOG)
    payload = mapping(value.get("messagePayload"))
    if not text_of(payload.get("id")):
        return Asked(Kind.NEW, Surface.DIALOG)
    return Asked(Kind.FROM_MESSAGE, Surface.DIALOG, source=_source(payload))


def _source(payload: Mapping[str, Any]) -> Source:
    body = mapping(payload.get("body"))
    content = text_of(body.get("content"))
    if text_of(body.get("contentType")) == "html":
        html = {"contentType": "text/html", "content": content}
        document, _ = parse_activity({"attachments": [html]})
        content = plain_text(document)
    author = mapping(mapping(payload.get("from")).get("user"))
    return Source(
        text_of(payload.get("id")),
        content,
        text_of(author.get("id")),
        text_of(author.get("displayName")),
        text_of(payload.get("replyToId")),
        text_of(payload.get("linkToMessage")),
    )


_INVOKES: Mapping[str, Callable[[Mapping[str, Any]], Asked | None]] = {
    "adaptiveCard/action": _executed,
    "task/fetch": _in_dialog,
    "task/submit": _in_dialog,
    "composeExtension/submitAction": _in_dialog,
    "composeExtension/query": _search,
    "composeExtension/queryLink": _link,
    "composeExtension/anonymousQueryLink": _anonymous,
    "composeExtension/selectItem": _selected,
    "composeExtension/fetchTask": _create,
}
