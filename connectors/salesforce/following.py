"""
What changed: change data capture over CometD, or lists of ids where there is none.

A position is `replay@time`: the last event's replay id, -1 at first, and the time up to
which everything was seen. When events were lost (after three days, or in a gap) the
position's time says from where ids have to be listed.
Source: https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from requests.cookies import RequestsCookieJar

from bridge.errors import AtomError, BadInput, ServiceUnavailable
from bridge.records.model import NEVER, ChangeKind, RecordChange, Revision, System
from bridge.records.ports import Access
from connectors.guarded import Line, Session
from connectors.salesforce import manners
from connectors.salesforce.client import CLIENT, DATA, VERSION, Client
from connectors.salesforce.kinds import Kinds
from connectors.salesforce.recognition import Recognition
from connectors.salesforce.rendering import moment

ALL = "/data/ChangeEvents"
_WINDOW = timedelta(days=29)  # the org lists ids of the last 30 days
# A poll is answered when something happens: at the latest after `_PATIENCE`, which
# the org is asked for, or after the 110 seconds that it takes otherwise.
_PATIENCE, _POLL = 20, 118.0  # seconds
_WHAT = {
    "CREATE": ChangeKind.CREATED,
    "UPDATE": ChangeKind.CHANGED,
    "DELETE": ChangeKind.DELETED,
    "UNDELETE": ChangeKind.RESTORED,
}
# Objects whose changes are changes of a record that they belong to.
_BELONGS = {"CaseComment": "ParentId"}


class NoEvents(AtomError):
    """The org does not publish changes, or not to this account."""


class Lost(AtomError):
    """Events after the position are not kept any more."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far changes were seen."""

    replay: int
    until: datetime

    def __str__(self) -> str:
        return f"{self.replay}@{self.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read what `str` wrote; nothing is now. Raises `BadInput`."""
        if not text:
            return cls(-1, datetime.now(UTC))
        replay, _at, until = text.partition("@")
        try:
            return cls(int(replay), moment(until))
        except ValueError:
            raise BadInput(
                f"{text!r} is no position: start from an empty one"
            ) from None


@dataclass
class Stream:
    """One subscription to all change events of an org; it reconnects by itself."""

    line: Line
    _client: str = ""
    _cookies: RequestsCookieJar = field(default_factory=RequestsCookieJar)
    _replay: int = -1

    @property
    def open(self) -> bool:
        """Say whether there is a subscription that goes on from the last poll."""
        return bool(self._client)

    async def poll(self, access: Access, replay: int) -> Sequence[Mapping[str, Any]]:
        """
        Return the events after a replay id, waiting for some for a while.

        Raises `Lost` and `NoEvents`.
        """
        if not self._client or replay != self._replay:
            await self.begin(access, replay)
        connect = {
            "channel": "/meta/connect",
            "connectionType": "long-polling",
            "advice": {"timeout": _PATIENCE * 1000},
        }
        # Events of an answer that is lost are asked for again, by their number.
        client, self._client = self._client, ""
        answers = await self._ask(access, [{**connect, "clientId": client}])
        for one in answers:
            if one.get("channel") == "/meta/connect" and not one.get("successful"):
                raise ServiceUnavailable("Salesforce ended the stream of changes")
        self._client = client
        events = [one["data"] for one in answers if one.get("channel") == ALL]
        numbers = [int(one["event"]["replayId"]) for one in events]
        self._replay = max([replay, *numbers])
        return events

    async def begin(self, access: Access, replay: int) -> None:
        self._cookies = RequestsCookieJar()
        (shake,) = await self._ask(
            access,
            [
                {
                    "channel": "/meta/handshake",
                    "version": "1.0",
                    "supportedConnectionTypes": ["long-polling"],
                    "ext": {"replay": True},
                }
            ],
        )
        if not shake.get("successful"):
            raise NoEvents("Salesforce gives no stream of changes")
        self._client = str(shake["clientId"])
        (told,) = await self._ask(
            access,
            [
                {
                    "channel": "/meta/subscribe",
                    "subscription": ALL,
                    "ext": {"replay": {ALL: replay}},
                }
            ],
        )
        if not told.get("successful"):
            self._client = ""
            error = str(told.get("error", ""))
            raise Lost(error) if "replayId" in error else NoEvents(error)
        self._replay = replay

    async def _ask(
        self, access: Access, messages: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        told = {"clientId": self._client} if self._client else {}
        asked = [{**one, **told} for one in messages]

        def work(session: Session) -> Sequence[Mapping[str, Any]]:
            session.cookies.update(self._cookies)
            url = f"{self.line.pin.base}/cometd/{VERSION}/"
            answer = session.post(url, json=asked)
            self._cookies.update(session.cookies)
            if not answer.ok:
                raise ServiceUnavailable("Salesforce gives no stream of changes now")
            found: Sequence[Mapping[str, Any]] = answer.json()
            return found

        # What an answer told is not told again: it must not be asked for twice unseen.
        return await self.line.call(
            access, work, urgent=False, writes=True, deadline=_POLL
        )


class Following:
    """Follows one org's changes; `events` says whether it is to be asked for a stream."""

    def __init__(
        self,
        client: Client,
        kinds: Kinds,
        recognition: Recognition,
        instance: str,
        *,
        events: bool,
    ) -> None:
        self._client = client
        self._kinds = kinds
        self._recognition = recognition
        self._instance = instance
        self._events = events
        self._stream = Stream(client.line)

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        position = Position.parse(since)
        if not self._events:
            return await self._listed(access, position, -1)
        if since and position.replay < 0 and not self._stream.open:
            # Events begin now: what came before is listed, from where it was left.
            return await self._caught_up(access, position)
        try:
            events = await self._stream.poll(access, position.replay)
        except NoEvents:
            self._events = False
            return await self._listed(access, position, -1)
        except Lost:
            changes, after = await self._listed(access, position, -1)
            return [self._missed(f"lost-{position}"), *changes], after
        changes = [one for event in events for one in self._heard(event)]
        newest = [int(one["event"]["replayId"]) for one in events]
        # What happens while nobody follows is listed from here on: a little too much.
        until = (
            datetime.now(UTC) - timedelta(minutes=1) if not events else position.until
        )
        reached = Position(max([position.replay, *newest]), max(until, position.until))
        return changes, str(reached)

    async def _caught_up(
        self, access: Access, position: Position
    ) -> tuple[Sequence[RecordChange], str]:
        with suppress(NoEvents, Lost):
            await self._stream.begin(access, -1)
        return await self._listed(access, position, -1)

    def _heard(self, event: Mapping[str, Any]) -> Sequence[RecordChange]:
        payload = event["payload"]
        header = payload["ChangeEventHeader"]
        replay = event["event"]["replayId"]
        name, what = str(header["entityName"]), str(header["changeType"])
        ours = f"client={CLIENT}" in str(header.get("changeOrigin", "")).split(";")
        kind = self._kinds.of_object(name)
        records = [str(one) for one in header["recordIds"]]
        if what.startswith("GAP_"):
            return [self._missed(f"{replay}", name, one) for one in records]
        meaning = _WHAT.get(what)
        if meaning is None:
            return []
        if kind is None and name in _BELONGS:
            kind, meaning = self._kinds.of_object("Case"), ChangeKind.COMMENTED
            records = (
                [str(payload[_BELONGS[name]])] if payload.get(_BELONGS[name]) else []
            )
        if kind is None:
            return []
        rev = NEVER
        if meaning is ChangeKind.CHANGED and payload.get("LastModifiedDate"):
            told = str(payload["LastModifiedDate"])
            rev = Revision(int(moment(told).timestamp() * 1_000_000), told)
        return [
            RecordChange(
                System.SALESFORCE,
                self._instance,
                meaning,
                f"sf-{replay}-{one}",
                self._recognition.ref(kind.name, one),
                rev,
                ours,
                str(header.get("commitUser", "")),
                tuple(header.get("changedFields", ())),
            )
            for one in records
        ]

    def _missed(self, event: str, object_: str = "", id_: str = "") -> RecordChange:
        kind = self._kinds.of_object(object_)
        ref = (
            self._recognition.ref(kind.name, id_)
            if kind and id_[:1] != "0" * 18
            else None
        )
        return RecordChange(
            System.SALESFORCE, self._instance, ChangeKind.MISSED, f"sf-{event}", ref
        )

    async def _listed(
        self, access: Access, position: Position, replay: int
    ) -> tuple[Sequence[RecordChange], str]:
        """List what was changed and deleted since a time: one call for all kinds."""
        end = datetime.now(UTC)
        start = max(position.until, end - _WINDOW)
        missed = [self._missed(f"window-{position}")] if start > position.until else []
        if end - start < timedelta(seconds=1):
            return [], str(Position(replay, position.until))
        window = urlencode({"start": _utc(start), "end": _utc(end)})
        parts = [
            {"method": "GET", "url": f"{DATA}/sobjects/{kind.object}/{what}/?{window}"}
            for kind in self._kinds.all
            for what in ("updated", "deleted")
        ]
        told, _request = await self._client.composite(access, parts, urgent=False)
        changes: list[RecordChange] = []
        covered = end
        for number, part in enumerate(told):
            kind, gone = self._kinds.all[number // 2], number % 2 == 1
            if part.status != 200:  # noqa: PLR2004 - HTTP's own number
                error = manners.told(part.status, part.body)
                if isinstance(error, ServiceUnavailable):
                    raise error
                continue  # a kind that is not for this account
            covered = min(covered, moment(part.body["latestDateCovered"]))
            rows = part.body["deletedRecords"] if gone else part.body["ids"]
            what = ChangeKind.DELETED if gone else ChangeKind.CHANGED
            changes += [
                RecordChange(
                    System.SALESFORCE,
                    self._instance,
                    what,
                    f"sf-{what}-{one['id'] if gone else one}-{_utc(end)}",
                    self._recognition.ref(kind.name, one["id"] if gone else one),
                )
                for one in rows
            ]
        # Times are covered in whole minutes: the last one is asked for again.
        return [*missed, *changes], str(Position(replay, max(covered, position.until)))


def _utc(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
