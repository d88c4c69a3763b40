"""Let copies stand in Slack, under their authors' names."""

import html
import math
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.echo import MARKER
from bots.slack.payload import mapping, mappings, string, timestamp
from bots.slack.rich_text import render
from bots.slack.signature import SIGNATURE, Secret, is_genuine, signed
from bridge.attribution import MARK, attributed
from bridge.delivery import Post
from bridge.errors import Ambiguous, CannotTell, NotSent, ServiceUnavailable
from bridge.files import FileLine
from bridge.messages import Person, PersonKind, Platform
from bridge.naming import names_of
from bridge.reactions import footer

_NAME = 80
_WORKSPACE = 30
_NOTE = 1_000
_SECTION = 3_000
# An edit takes less text than a post. What is posted must stay editable.
_TEXT = 4_000
_BLOCKS = 50
_BLOCKS_TEXT = 12_000
_JOINERS = "\u200d"  # holds emoji together
_PAGES = 20
_PAGE = 200

_CUT = " … [cut: the rest is in {platform}]"
_PLATFORM_NAMES = {Platform.SLACK: "Slack", Platform.TEAMS: "Teams"}


@dataclass(frozen=True, slots=True)
class SlackSender:
    """
    Implements `bridge.ports.Sender`.

    `secret` gives what a workspace's copies are signed with; without it they are not.
    """

    clients: Clients
    secret: Secret | None = None

    async def post(self, post: Post) -> str:
        try:
            return await self._post(post)
        except SlackRefused as refused:
            if not post.thread or refused.code != "cannot_reply_to_message":
                raise
        # Its root was deleted a moment ago, and left nothing to reply to.
        return await self._post(post.outside_thread())

    async def _post(self, post: Post) -> str:
        client = await self.clients.of(post.target.team)
        answer = await done(
            client.chat_postMessage(
                channel=post.target.id,
                thread_ts=post.thread or None,
                username=display_name(post),
                icon_url=_picture(post),
                metadata=await self._marker(post),
                unfurl_links=False,
                unfurl_media=False,
                link_names=False,
                parse="none",
                **content(post),
            )
        )
        if not (ts := string(answer, "ts")):
            raise Ambiguous("Slack did not say where the message stands.")
        return ts

    def weight(self, post: Post) -> int:
        """Count characters; blocks count by how much of their own room they take."""
        text, blocks = _written(post)
        room = max(len(blocks) / _BLOCKS, _length(blocks) / _BLOCKS_TEXT)
        return max(len(text), math.ceil(room * _TEXT))

    async def edit(self, remote: str, post: Post) -> None:
        client = await self.clients.of(post.target.team)
        await done(
            client.chat_update(
                channel=post.target.id,
                ts=remote,
                metadata=await self._marker(post),
                link_names=False,
                parse="none",
                **content(post),
            )
        )

    async def delete(self, remote: str, post: Post) -> None:
        client = await self.clients.of(post.target.team)
        try:
            await done(client.chat_delete(channel=post.target.id, ts=remote))
        except SlackRefused as refused:
            if refused.code == "message_not_found":
                return
            if refused.code != "cant_delete_message":
                raise
            # A root with replies leaves a tombstone, which is nobody's to delete: an
            # earlier call, whose answer was lost, has done it.
            if not await _is_buried(client, post.target.id, remote):
                raise

    async def find(
        self, post: Post, since_us: int, known: Collection[str]
    ) -> str | None:
        """Look for our marker among the channel's, or the thread's, messages."""
        client = await self.clients.of(post.target.team)
        try:
            return await self._found(client, post, since_us, known)
        except SlackRefused as refused:
            if not post.thread or refused.code != "thread_not_found":
                raise CannotTell(str(refused)) from refused
        try:
            return await self._found(client, post.outside_thread(), since_us, known)
        except SlackRefused as refused:
            raise CannotTell(str(refused)) from refused

    async def _marker(self, post: Post) -> dict[str, Any]:
        made = marker(post)
        if self.secret is None:
            return made
        secret = await self.secret(post.target.team)
        payload = signed(made["event_payload"], post.target, secret)
        return {**made, "event_payload": payload}

    async def _found(
        self, client: AsyncWebClient, post: Post, since_us: int, known: Collection[str]
    ) -> str | None:
        """Look where it would stand. Raises `SlackRefused` if Slack does not let us."""
        cursor = ""
        for _ in range(_PAGES):
            page = await _read(client, post, timestamp(since_us), cursor)
            for message in mappings(page, "messages"):
                if string(message, "ts") not in known and await self._ours(
                    message, post
                ):
                    return string(message, "ts")
            cursor = string(mapping(page, "response_metadata"), "next_cursor")
            if not cursor:
                return None
        raise CannotTell(
            "Too much was said since: the copy was not looked for further."
        )

    async def _ours(self, message: Mapping[str, Any], post: Post) -> bool:
        """
        Say whether it is the post that ATOM made, and not another app's that says so.

        Versions of ATOM before signatures made none: theirs are told by who posted.
        """
        if not _is_marked(message, post):
            return False
        if self.secret is None:
            return True
        payload = mapping(mapping(message, "metadata"), "event_payload")
        if SIGNATURE in payload:
            secret = await self.secret(post.target.team)
            return is_genuine(payload, post.target, secret)
        try:
            identity = await self.clients.identity(post.target.team)
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
        return identity.wrote(message)


async def _is_buried(client: AsyncWebClient, channel: str, ts: str) -> bool:
    """Whether a tombstone stands in a root's place, or nothing any more."""
    try:
        answer = await done(
            client.conversations_replies(channel=channel, ts=ts, limit=1)
        )
    except SlackRefused as refused:
        if refused.code == "thread_not_found":
            return True
        raise
    found = [one for one in mappings(answer, "messages") if one.get("ts") == ts]
    return all(one.get("subtype") == "tombstone" for one in found)


def display_name(post: Post) -> str:
    """Return whose name a copy carries, and that it comes from elsewhere."""
    author = replace(post.author, name=attributed(post.author.name, post.confirmed))
    return sender_name(
        author, post.source.platform, post.workspace, confirmed=bool(post.confirmed)
    )


def sender_name(
    author: Person, platform: Platform, workspace: str = "", *, confirmed: bool = False
) -> str:
    """Return a person's name, and where they are. A mark in it is not cut off."""
    origin = _PLATFORM_NAMES[platform]
    if workspace := " ".join(_visible(workspace).split())[:_WORKSPACE].rstrip():
        origin = f"{origin}, {workspace}"
    if author.kind is PersonKind.BOT:
        origin += ", app"
    suffix = f" ({origin})"
    name = " ".join(_visible(author.name).split()) or "Somebody"
    if confirmed and name.endswith(MARK):
        name, suffix = name.removesuffix(MARK), f" {MARK}{suffix}"
    return name[: _NAME - len(suffix)].rstrip() + suffix


def marker(post: Post) -> dict[str, Any]:
    """
    Return the metadata by which a copy is found again, and known for one.

    Its hops and origin are for other ATOMs that hear the channel: what went through a
    link does not go through it again.
    """
    payload = {
        "op": post.marker,
        "src": str(post.source.platform),
        "hops": [*post.hops],
        "origin": post.origin,
    }
    return {"event_type": MARKER, "event_payload": payload}


def content(post: Post) -> dict[str, Any]:
    """
    Return text and blocks, within what Slack takes.

    Blocks say everything where they fit, and the text is for notifications only.
    Where they do not, the text says what it can: what is too heavy for one message
    comes in parts, unless it cannot be cut.
    """
    text, blocks = _written(post)
    if not blocks or len(blocks) > _BLOCKS or _length(blocks) > _BLOCKS_TEXT:
        return {"text": _cut(text, post) or "(nothing to show)", "blocks": []}
    return {"text": _cut(text, post), "blocks": blocks}


def _written(post: Post) -> tuple[str, list[dict[str, Any]]]:
    """Return the post as text and as blocks, however long they are."""
    text, blocks = render(post.document, names_of(post))
    if post.note:
        note = html.escape(post.note, quote=False)
        text = f"{text}\n_{note}_" if text else f"_{note}_"
        blocks = [*blocks, _noted(post)] if blocks else blocks
    if post.files:
        listed = "\n".join(file_line(line) for line in post.files)
        text = f"{text}\n{listed}" if text else listed
        blocks = [*blocks, _listed(listed)] if blocks else blocks
    if below := footer(post.reactions):
        shown = html.escape(below, quote=False)
        text = f"{text}\n{shown}" if text else shown
        blocks = [*blocks, _note(below)] if blocks else blocks
    return text, [*blocks]


def file_line(line: FileLine) -> str:
    """Return what becomes of a file, as mrkdwn; its name leads to the original."""
    label = html.escape(line.label, quote=False).replace("|", "¦")
    name = f"<{html.escape(line.address)}|{label}>" if line.address else label
    return f":paperclip: {name}: {line.said}"


def _listed(text: str) -> dict[str, Any]:
    cut = text if len(text) <= _SECTION else text[:_SECTION].rpartition("\n")[0]
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": cut}]}


def _noted(post: Post) -> dict[str, Any]:
    if not post.address:
        return _note(post.note)
    told = html.escape(post.note[:_NOTE], quote=False)
    linked = {"type": "mrkdwn", "text": f"<{post.address}|{told}>"}
    return {"type": "context", "elements": [linked]}


def _note(text: str) -> dict[str, Any]:
    plain = {"type": "plain_text", "text": text[:_NOTE], "emoji": False}
    return {"type": "context", "elements": [plain]}


def _cut(text: str, post: Post) -> str:
    """Cut mrkdwn, but neither through an entity nor through `<…>`."""
    if len(text) <= _TEXT:
        return text
    end = _CUT.format(platform=_PLATFORM_NAMES[post.source.platform])
    kept = text[: _TEXT - len(end)]
    for opening, closing in ("<>", "&;"):
        opened = kept.rfind(opening)
        kept = kept[:opened] if opened > kept.rfind(closing) else kept
    return kept + end


def _picture(post: Post) -> str | None:
    """Slack fetches the picture itself, so only a public address is of use."""
    avatar = post.author.avatar
    return avatar if avatar.startswith(("https://", "http://")) else None


def _visible(name: str) -> str:
    """Drop what turns text around, hides in it, or cannot be encoded."""
    return "".join(c for c in name if c in _JOINERS or _shown(c))


def _shown(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] != "C"


def _length(part: Any) -> int:
    return sum(len(text) for text in _texts(part))


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for value in part.values() if isinstance(part, dict) else part:
            yield from _texts(value)


def _is_marked(message: Mapping[str, Any], post: Post) -> bool:
    metadata = mapping(message, "metadata")
    return (
        string(metadata, "event_type") == MARKER
        and string(mapping(metadata, "event_payload"), "op") == post.marker
    )


async def _read(
    client: AsyncWebClient, post: Post, oldest: str, cursor: str
) -> Mapping[str, Any]:
    if post.thread:
        return await done(
            client.conversations_replies(
                channel=post.target.id,
                ts=post.thread,
                oldest=oldest,
                cursor=cursor or None,
                limit=_PAGE,
                include_all_metadata=True,
            )
        )
    return await done(
        client.conversations_history(
            channel=post.target.id,
            oldest=oldest,
            cursor=cursor or None,
            limit=_PAGE,
            include_all_metadata=True,
        )
    )
