"""
Comments, as few writes as Jira lets one issue have.

Jira limits writes to one issue by themselves, which a conversation that is carried into
one meets at once. Whoever is refused waits a moment, and what the same person says
meanwhile becomes part of the same comment.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import NotAllowed
from bridge.records.model import RecordRef, Remark
from bridge.records.ports import Access, Gone, NotThere, Spent, Unsure
from connectors.jira import adf
from connectors.jira.api import DEEDS, Api, keys_in, objects
from connectors.jira.issues import moment_us
from connectors.made import GONE, Made
from connectors.rest import Call

_LOOKED_AT = 50  # comments in which an earlier try is looked for

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a comment: the request's id, and whether it was there before."""

    request: str
    again: bool = False
    made: str = ""


@dataclass(slots=True)
class _Waiting:
    key: str
    text: str
    said: asyncio.Future[Said]


@dataclass(slots=True)
class Comments:
    """Says things about issues; waits at most `patience` seconds for Jira to let it."""

    api: Api
    patience: float = 8.0
    sleep: Sleep = asyncio.sleep
    _waiting: dict[tuple[str, str], list[_Waiting]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def say(self, access: Access, ref: RecordRef, key: str, text: str) -> Said:
        """Comment once for each key. Raises `Unsure`, `Spent`, `Rejected`."""
        if (found := await self._of(access, ref, key)) is not None:
            return Said("", again=True, made=_made(found))
        one = _Waiting(key, text, asyncio.get_running_loop().create_future())
        lane = (ref.id, access.account)
        if lane in self._waiting:
            self._waiting[lane].append(one)
        else:
            self._waiting[lane] = [one]
            task = asyncio.create_task(self._spoken(access, ref, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await one.said

    async def since(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        """Return what everybody who sees the issue may read, customers included."""
        told = await self.api.get(
            access,
            "issue",
            ref.id,
            "comment",
            urgent=False,
            orderBy="-created",
            maxResults=str(_LOOKED_AT),
        )
        found = [
            _remark(each)
            for each in objects(told.get("comments"))
            if not each.get("visibility") and each.get("jsdPublic") is not False
        ]
        return [each for each in reversed(found) if each.said_us >= since_us]

    async def amend(
        self, access: Access, ref: RecordRef, named: tuple[str, str], text: str
    ) -> Said:
        """
        Change the words that were said for a key, as `take_back` deletes them.

        Raises `NotThere`. With the same words it was done by an earlier try.
        """
        key, left = named
        found = await self._of(access, ref, key)
        if found is None:
            raise NotThere(GONE)
        body = adf.document(text)
        if adf.plain(found.get("body")) == adf.plain(body):
            return Said("", again=True, made=_made(found))
        _still_ours(found, key, left)
        path = ("issue", ref.id, "comment", str(found["id"]))
        try:
            answer = await self.api.write(access, "PUT", path, {"body": body})
        except Gone:
            raise NotThere(GONE) from None
        except Unsure:
            found = await self._of(access, ref, key)
            if found is None or adf.plain(found.get("body")) != adf.plain(body):
                raise
            return Said("", made=_made(found))
        return Said(self.api.rest.request_id(answer), made=_made(answer.object))

    async def take_back(
        self, access: Access, ref: RecordRef, key: str, left: str = ""
    ) -> Said | None:
        """
        Delete what was said for a key, None if it is not there.

        What was edited since, or shares its comment with something else that was said,
        stays: `NotAllowed`. Jira itself lets people delete their own, if at all.
        """
        found = await self._of(access, ref, key)
        if found is None:
            return None
        _still_ours(found, key, left)
        path = ("issue", ref.id, "comment", str(found["id"]))
        try:
            answer = await self.api.write(access, "DELETE", path, None)
        except Gone:
            return Said("")
        except Unsure:
            if await self._of(access, ref, key) is not None:
                raise
            return Said("")
        return Said(self.api.rest.request_id(answer))

    async def _spoken(
        self, access: Access, ref: RecordRef, lane: tuple[str, str]
    ) -> None:
        waited = 0.0
        while batch := list(self._waiting[lane]):
            try:
                said = await self._write(access, ref, batch)
            except Spent as spent:
                if waited + spent.retry_after > self.patience:
                    self._failed(lane, spent)
                    return
                waited += spent.retry_after
                await self.sleep(spent.retry_after)
            except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
                self._failed(lane, error)
                return
            else:
                self._waiting[lane] = self._waiting[lane][len(batch) :]
                for each in batch:
                    if not each.said.done():
                        each.said.set_result(said)
        del self._waiting[lane]

    async def _write(
        self, access: Access, ref: RecordRef, batch: list[_Waiting]
    ) -> Said:
        keys = [each.key for each in batch]
        body = {
            "body": adf.document("\n\n".join(each.text for each in batch)),
            "properties": [{"key": DEEDS, "value": {"keys": keys}}],
        }
        path = ("issue", ref.id, "comment")
        try:
            answer = await self.api.write(access, "POST", path, body)
        except Unsure:
            found = await self._of(access, ref, keys[0])
            if found is None:
                raise
            return Said("", made=_made(found))
        return Said(self.api.rest.request_id(answer), made=_made(answer.object))

    def _failed(self, lane: tuple[str, str], error: Exception) -> None:
        for each in self._waiting.pop(lane):
            if not each.said.done():
                each.said.set_exception(error)

    async def _of(
        self, access: Access, ref: RecordRef, key: str
    ) -> Mapping[str, Any] | None:
        """Return the comment of a deed, with its properties."""
        told = await self.api.get(
            access,
            "issue",
            ref.id,
            "comment",
            orderBy="-created",
            maxResults=str(_LOOKED_AT),
        )
        ids = [int(each["id"]) for each in objects(told.get("comments"))]
        if not ids:
            return None
        listed = await self.api.rest.send(access, _listing(ids))
        values = self.api.granted(listed).object.get("values")
        return next((said for said in objects(values) if key in _keys_of(said)), None)


def _remark(comment: Mapping[str, Any]) -> Remark:
    author = comment.get("author")
    name = author.get("displayName") if isinstance(author, Mapping) else ""
    id_ = str(comment.get("id", ""))
    said_us = moment_us(str(comment.get("created", "")))
    text = adf.plain(comment.get("body"))
    return Remark(
        id_,
        str(name or ""),
        text,
        said_us,
        names=frozenset({str(Made("comment", id_))}),
    )


def _made(comment: Mapping[str, Any]) -> str:
    return str(Made("comment", str(comment.get("id")), str(comment.get("updated"))))


def _still_ours(found: Mapping[str, Any], key: str, left: str) -> None:
    """Raise `NotAllowed` unless a comment is this deed's alone, and as it was left."""
    if _keys_of(found) != [key]:
        raise NotAllowed("something else was said in the same comment.")
    if found.get("updated") != (left or found.get("created")):
        raise NotAllowed("it was edited since.")


def _keys_of(said: Mapping[str, Any]) -> list[str]:
    return [
        key
        for each in objects(said.get("properties"))
        if each.get("key") == DEEDS
        for key in keys_in(each.get("value"))
    ]


def _listing(ids: list[int]) -> Call:
    return Call(
        "POST",
        ("comment", "list"),
        params={"expand": "properties"},
        json={"ids": ids},
        repeatable=True,
    )
