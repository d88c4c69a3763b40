"""
What is done to HubSpot's objects, once for each deed.

HubSpot has no condition for writes, so that an object is read just before one is made.
Changing a property to what it is already is no change. Notes and tasks have the mark of
their deed in their text, and new objects have it in a property whose values are unique,
where the company made one (`atom_deed`): then HubSpot itself refuses the second.
"""

import hashlib
import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.errors import BadInput, NotAllowed
from bridge.records.forms import AMEND, DEED, MADE, TAKE_BACK, Deed
from bridge.records.model import Record, RecordRef
from bridge.records.ports import (
    Access,
    Done,
    EditConflict,
    Gone,
    NotThere,
    Rejected,
    Unsure,
)
from connectors.hubspot.api import Api, Json, Taken, dicts
from connectors.hubspot.fields import Field, described
from connectors.hubspot.forms import DUE, SUBJECT, TEXT, now
from connectors.hubspot.objects import moment_ms, revision
from connectors.hubspot.portal import KINDS, Kind, Portal, kind_of
from connectors.made import CHANGED, GONE, Made, deleted
from connectors.remembered import Remembered

_LOOKED_AT = 100  # notes and tasks in which an earlier try is looked for
_AT_NINE = 9 * 3_600_000  # a task is due on its day at nine, UTC
# The number of "note to deal" and so on; HubSpot, "Associations v4", defined types.
_TO = {
    "notes": {"contact": 202, "company": 190, "deal": 214, "ticket": 228},
    "tasks": {"contact": 204, "company": 192, "deal": 216, "ticket": 230},
}
_BODY = {"notes": "hs_note_body", "tasks": "hs_task_body"}
_WRITTEN = {
    "notes": ("hs_note_body", "hs_timestamp"),
    "tasks": ("hs_task_subject", "hs_task_body", "hs_task_status", "hs_timestamp"),
}

Reads = Callable[[Access, Kind, Json], Awaitable[Record]]


@dataclass(frozen=True, slots=True)
class Deeds:
    """Does things in one portal. `shown` makes a record of what was read."""

    portal: Portal
    api: Api
    shown: Reads
    tried: Remembered[bool]  # keys of new objects whose answers were lost lately

    async def perform(self, access: Access, deed: Deed) -> Done:
        if deed.act == "create":
            return await self._create(access, deed, kind_of(deed.kind))
        if deed.act == TAKE_BACK:
            return await self._take_back(access, deed)
        if deed.act == AMEND:
            return await self._amend(access, deed)
        if deed.ref is None:
            raise BadInput("say which record")
        kind = kind_of(deed.ref.kind)
        match deed.act:
            case "note":
                return await self._noted(access, deed, deed.ref, kind)
            case "task":
                return await self._task(access, deed, deed.ref, kind)
            case "stage" if kind.stage:
                values = {kind.stage: deed.values.get(kind.stage, "")}
                return await self._change(access, deed, deed.ref, kind, values)
            case "edit":
                return await self._change(access, deed, deed.ref, kind, deed.values)
        raise BadInput(f"that cannot be done with a {kind.name}")

    async def _change(
        self,
        access: Access,
        deed: Deed,
        ref: RecordRef,
        kind: Kind,
        values: Mapping[str, str],
    ) -> Done:
        fields = described(await self.api.properties(access, kind))
        told = await now(self.api, access, kind, ref.id)
        known = {
            n: f for n, f in fields.items() if f.writable and n in told["properties"]
        }
        if unknown := set(values) - set(known):
            reasons = dict.fromkeys(unknown, "cannot be set")
            raise Rejected("HubSpot does not let you set that", reasons)
        before = {n: f.decoded(told["properties"][n]) for n, f in known.items()}
        wanted = {
            name: text
            for name, text in values.items()
            if name in known and not known[name].same(text, before[name])
        }
        await self._unchanged(access, deed, kind, told, wanted, before, known)
        if not wanted:
            return Done(await self.shown(access, kind, told), again=True)
        request = await self._written(access, kind, ref.id, wanted, known)
        after = await now(self.api, access, kind, ref.id)
        saved = {n: known[n].decoded(after["properties"].get(n)) for n in wanted}
        lost = [n for n in wanted if not known[n].same(saved[n], wanted[n])]
        return Done(
            await self.shown(access, kind, after),
            request,
            {name: before[name] for name in wanted},
            saved,
            tuple(lost),
        )

    async def _unchanged(  # noqa: PLR0913, PLR0917 - everything that is compared
        self,
        access: Access,
        deed: Deed,
        kind: Kind,
        told: Json,
        wanted: Mapping[str, str],
        before: Mapping[str, str],
        fields: Mapping[str, Field],
    ) -> None:
        """Refuse to write over what the person did not see. Raises `EditConflict`."""
        newer = deed.base is not None and revision(told) > deed.base
        for name in wanted:
            seen = deed.seen.get(name)
            other = seen is not None and not fields[name].same(seen, before[name])
            if other or (seen is None and newer):
                latest = await self.shown(access, kind, told)
                raise EditConflict(
                    f"{fields[name].label} was changed meanwhile", latest, before
                )

    async def _written(
        self,
        access: Access,
        kind: Kind,
        id_: str,
        wanted: Mapping[str, str],
        fields: Mapping[str, Field],
    ) -> str:
        body = {"properties": {n: fields[n].encoded(t) for n, t in wanted.items()}}
        path = self.api.objects(kind.plural, id_)
        try:
            answer = await self.api.write(access, "PATCH", path, body)
        except Unsure:
            told = (await now(self.api, access, kind, id_))["properties"]
            done = (
                fields[n].same(fields[n].decoded(told.get(n)), t)
                for n, t in wanted.items()
            )
            if all(done):
                return ""
            raise
        return self.api.rest.request_id(answer)

    async def _noted(
        self, access: Access, deed: Deed, ref: RecordRef, kind: Kind
    ) -> Done:
        text = deed.values.get(TEXT, "").strip()
        if not text:
            raise Rejected("say something", {TEXT: "is empty"})
        values = {
            "hs_note_body": _body(text, deed.key),
            "hs_timestamp": str(round(self.api.rest.clock() * 1000)),
        }
        return await self._attached(access, deed, ref, kind, "notes", values)

    async def _task(
        self, access: Access, deed: Deed, ref: RecordRef, kind: Kind
    ) -> Done:
        subject, due = deed.values.get(SUBJECT, "").strip(), deed.values.get(DUE, "")
        wrong = {SUBJECT: "is empty"} if not subject else {}
        if not (day := moment_ms(due)):
            wrong[DUE] = "is no day such as 2026-12-24"
        if wrong:
            raise Rejected("say what is to be done, and when", wrong)
        values = {
            "hs_task_subject": subject,
            "hs_task_body": _body(deed.values.get(TEXT, ""), deed.key),
            "hs_task_status": "NOT_STARTED",
            "hs_timestamp": str(day + _AT_NINE),
        }
        return await self._attached(access, deed, ref, kind, "tasks", values)

    async def _attached(  # noqa: PLR0913, PLR0917 - what, to what, and how
        self,
        access: Access,
        deed: Deed,
        ref: RecordRef,
        kind: Kind,
        what: str,
        values: Mapping[str, str],
    ) -> Done:
        """Make a note or a task, and say with it what it belongs to."""
        told = await now(self.api, access, kind, ref.id)
        id_ = await self._found(access, ref, kind, what, deed.key)
        again, request = id_ is not None, ""
        if id_ is None:
            link = {
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": _TO[what][kind.name],
            }
            associations = [{"to": {"id": ref.id}, "types": [link]}]
            body = {"properties": values, "associations": associations}
            try:
                answer = await self.api.write(
                    access, "POST", self.api.objects(what), body
                )
                request = self.api.rest.request_id(answer)
                id_ = str(answer.object.get("id", ""))
            except Unsure:
                id_ = await self._found(access, ref, kind, what, deed.key)
                if id_ is None:
                    raise
        left = await self.api.read(access, what, [id_], _WRITTEN[what])
        made = str(Made(what, id_, _state(left.get(id_, {}), _WRITTEN[what])))
        after = {} if again else {n: deed.values[n] for n in deed.values}
        record = await self.shown(access, kind, told)
        return Done(record, request, after=after, again=again, made=made)

    async def _found(
        self, access: Access, ref: RecordRef, kind: Kind, what: str, key: str
    ) -> str | None:
        """Return the id of what an earlier try of the same deed added."""
        linked = await self.api.linked(access, kind.plural, [ref.id], what)
        newest = sorted(linked.get(ref.id, ()), key=int, reverse=True)[:_LOOKED_AT]
        if not newest:
            return None
        found = await self.api.read(access, what, newest, [_BODY[what]])
        for id_, each in found.items():
            body = (each.get("properties") or {}).get(_BODY[what])
            if mark(key) in str(body or ""):
                return id_
        return None

    async def _take_back(self, access: Access, deed: Deed) -> Done:
        """
        Archive what a deed added or made. Raises `NotAllowed` with why it stays.

        HubSpot archives without conditions, and says nothing of what is archived
        already: so it is read before. Its own values change by themselves; those that
        are read of a record for its card may not have.
        """
        made = Made.read(deed.values.get(MADE, ""))
        names, of = self._kept(made)
        stays = await self._standing(access, made, names)
        if stays is None:
            if not deed.tried_us:
                raise NotThere(GONE)
            return Done(await self._around(access, deed, made, of), again=True)
        _still_ours(deed, made, stays, names)
        try:
            path = self.api.objects(made.what, made.id)
            answer = await self.api.write(access, "DELETE", path, None)
            request = self.api.rest.request_id(answer)
        except Unsure:
            if await self._standing(access, made, names) is not None:
                raise
            request = ""
        return Done(await self._around(access, deed, made, of), request)

    async def _amend(self, access: Access, deed: Deed) -> Done:
        """Change the words of a note. Raises as taking back does."""
        made = Made.read(deed.values.get(MADE, ""))
        text = deed.values.get(TEXT, "").strip()
        if made.what != "notes" or not text:
            raise BadInput("those are no words that could be changed")
        names, _ = self._kept(made)
        stays = await self._standing(access, made, names)
        if stays is None:
            raise NotThere(GONE)
        words = {"hs_note_body": _body(text, deed.values.get(DEED, ""))}
        again, request = bool(deed.tried_us) and _same(stays, words), ""
        if not again:
            _still_ours(deed, made, stays, names)
            path = self.api.objects(made.what, made.id)
            try:
                answer = await self.api.write(
                    access, "PATCH", path, {"properties": words}
                )
                request = self.api.rest.request_id(answer)
            except Unsure:
                now_ = await self._standing(access, made, names)
                if now_ is None or not _same(now_, words):
                    raise
        left = await self._standing(access, made, names)
        state = Made(made.what, made.id, _state(left or {}, names))
        record = await self._around(access, deed, made, None)
        return Done(record, request, after={TEXT: text}, again=again, made=str(state))

    def _kept(self, made: Made) -> tuple[tuple[str, ...], Kind | None]:
        """Return the properties that have to be as they were left, and of what kind."""
        kinds = {each.plural: each for each in KINDS.values()}
        known = made.what in _WRITTEN or made.what in kinds
        if not known or not made.id.isdecimal():
            raise NotAllowed("ATOM does not know any more what was added.")
        if (kind := kinds.get(made.what)) is not None:
            return _own(kind), kind
        return _WRITTEN[made.what], None

    async def _standing(
        self, access: Access, made: Made, names: tuple[str, ...]
    ) -> Json | None:
        found = await self.api.read(access, made.what, [made.id], names)
        return found.get(made.id)

    async def _around(
        self, access: Access, deed: Deed, made: Made, of: Kind | None
    ) -> Record:
        """Return what it was added to, or what is left of the archived record."""
        if of is not None:
            ref = self.portal.ref(of, made.id)
            return deleted(ref, round(self.api.rest.clock() * 1_000_000))
        if deed.ref is None:
            raise BadInput("say which record")
        kind = kind_of(deed.ref.kind)
        told = await now(self.api, access, kind, deed.ref.id)
        return await self.shown(access, kind, told)

    async def _create(self, access: Access, deed: Deed, kind: Kind) -> Done:
        fields = described(await self.api.properties(access, kind))
        marker = self.portal.marker
        marked = marker in fields and fields[marker].unique
        if made := await self._made(access, deed, kind, marked=marked):
            return await self._created(access, kind, made)
        allowed = {*kind.asked, kind.stage, kind.pipeline}
        values = {
            name: fields[name].encoded(text)
            for name, text in deed.values.items()
            if name in fields and name in allowed and text.strip()
        }
        body = {"properties": values | ({marker: mark(deed.key)} if marked else {})}
        path = self.api.objects(kind.plural)
        try:
            answer = await self.api.write(access, "POST", path, body)
        except Unsure:
            self.tried.keep(deed.key, True)
            raise
        except Taken as taken:
            if made := await self._made(access, deed, kind, marked=marked):
                return await self._created(access, kind, made)
            told = (
                {"email": "belongs to another contact"}
                if kind.name == "contact"
                else {}
            )
            raise Rejected(str(taken), told) from taken
        id_ = str(answer.object.get("id", ""))
        read = await now(self.api, access, kind, id_)
        done = await self._created(access, kind, read)
        request = self.api.rest.request_id(answer)
        return replace(done, request=request, after=dict(values), again=False)

    async def _created(self, access: Access, kind: Kind, read: Json) -> Done:
        id_ = str(read.get("id", ""))
        made = str(Made(kind.plural, id_, _state(read, _own(kind))))
        return Done(await self.shown(access, kind, read), again=True, made=made)

    async def _made(
        self, access: Access, deed: Deed, kind: Kind, *, marked: bool
    ) -> Json | None:
        """Return the object that an earlier try made, None if none did."""
        if marked:
            path = self.api.objects(kind.plural, mark(deed.key))
            try:
                found = await self.api.get(access, *path, idProperty=self.portal.marker)
            except Gone:
                return None
            return await now(self.api, access, kind, str(found.get("id", "")))
        if not self.tried.get(deed.key):
            return None
        # Without a mark there is only what looks the same, and was made just now.
        since = round((self.api.rest.clock() - self.portal.settle * 2) * 1000)
        name = kind.title[-1]
        same = {
            "propertyName": name,
            "operator": "EQ",
            "value": deed.values.get(name, ""),
        }
        late = {"propertyName": "createdate", "operator": "GTE", "value": str(since)}
        body = {"filterGroups": [{"filters": [same, late]}], "limit": 1}
        for each in dicts((await self.api.search(access, kind, body)).get("results")):
            return await now(self.api, access, kind, str(each.get("id", "")))
        raise Unsure("HubSpot cannot say yet whether it was made")


def mark(key: str) -> str:
    """Return what names a deed in HubSpot: short, and nothing that was said."""
    return f"atom-{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def _still_ours(deed: Deed, made: Made, stays: Json, names: Sequence[str]) -> None:
    """Raise `NotAllowed` unless something is this deed's, and as it was left."""
    ours = mark(deed.values.get(DEED, ""))
    body = (stays.get("properties") or {}).get(_BODY.get(made.what, ""))
    if made.what in _BODY and ours not in str(body or ""):
        raise NotAllowed(CHANGED)
    if _state(stays, names) != made.state:
        raise NotAllowed(CHANGED)


def _same(stays: Json, words: Mapping[str, str]) -> bool:
    values = stays.get("properties") or {}
    return all(values.get(name) == text for name, text in words.items())


def _own(kind: Kind) -> tuple[str, ...]:
    """Return the properties that people change, of those that are read."""
    return tuple(name for name in kind.read if name != kind.modified)


def _state(read: Json, names: Sequence[str]) -> str:
    """Return a digest of what stands in some properties."""
    values = read.get("properties") or {}
    told = "\n".join(f"{name}={values.get(name)}" for name in sorted(names))
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def _body(text: str, key: str) -> str:
    lines = html.escape(text.strip()).replace("\n", "<br>")
    return f"<p>{lines}</p><p><small>{mark(key)}</small></p>"
