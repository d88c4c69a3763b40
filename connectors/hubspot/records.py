"""A company's HubSpot as a system of records."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.errors import AtomError, BadInput, ServiceUnavailable
from bridge.records.forms import Deed, Form
from bridge.records.model import (
    Absence,
    ChangeKind,
    Mention,
    Record,
    RecordChange,
    RecordRef,
    Remark,
    Revision,
    System,
)
from bridge.records.ports import Access, Done, Gone, NotConnected, Spent
from connectors.hubspot.api import Api, Json, Sleep, dicts
from connectors.hubspot.deeds import Deeds
from connectors.hubspot.forms import Forms
from connectors.hubspot.hooks import heard
from connectors.hubspot.notes import Notes
from connectors.hubspot.objects import Around, moment_ms, record, revision
from connectors.hubspot.portal import COMPANY, KINDS, OWNER, Kind, Portal
from connectors.hubspot.recognition import mentions
from connectors.remembered import Remembered
from connectors.rest import Rest
from connectors.turns import OwnTurns

_LONGEST_QUERY = 200
_PAGE = 100
_PAGES = 20
_OVERLAP_MS = 60_000  # how far a look at changes goes back: searches may be behind


class HubSpotRecords:
    """Implements `bridge.records.ports.Records`, `Amends`, `Remarks`, `TakesBack`."""

    def __init__(
        self, portal: Portal, rest: Rest, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._portal = portal
        self._api = Api(rest, portal.version, sleep)
        self._forms = Forms(portal, self._api)
        tried: Remembered[bool] = Remembered(portal.settle)
        self._deeds = Deeds(portal, self._api, self._one, tried)
        self._notes = Notes(self._api)
        self._turns = OwnTurns()
        self._written: Remembered[Revision] = Remembered(600.0)

    @property
    def system(self) -> System:
        return System.HUBSPOT

    @property
    def instance(self) -> str:
        return self._portal.instance

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(KINDS)

    def recognise(self, text: str) -> Sequence[Mention]:
        return mentions(text, self._portal)

    async def resolve(
        self,
        access: Access,  # noqa: ARG002 - links hold ids, so that nobody is asked
        mentions: Sequence[Mention],
    ) -> Mapping[str, RecordRef]:
        return {each.key: each.ref for each in mentions if each.ref is not None}

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        by_kind: dict[str, list[RecordRef]] = defaultdict(list)
        for ref in refs:
            if ref.id.isdecimal():
                by_kind[ref.kind].append(ref)
        told = await asyncio.gather(
            *(
                self._told(access, KINDS[kind], [each.id for each in some], urgent)
                for kind, some in by_kind.items()
                if kind in KINDS
            )
        )
        # Companies' names are asked for once for all kinds: a card more, no call more.
        names = await self._names(access, told)
        found: dict[RecordRef, Record | Absence] = {}
        for one in told:
            found |= self._shown(one, names)
        return {ref: found.get(ref, Absence.GONE) for ref in refs}

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        query = " ".join(words.split())[:_LONGEST_QUERY]
        if not query or limit <= 0:
            return []
        found = await asyncio.gather(
            *(self._found(access, kind, query, limit) for kind in KINDS.values())
        )
        # What was found is read anew: a search shows what was, and may be behind.
        refs = [ref for each in found for ref in each]
        read = await self.read(access, refs)
        records = [each for each in read.values() if isinstance(each, Record)]
        wanted = query.casefold().split()
        records.sort(key=lambda each: not _in(each.title, wanted))
        return records[:limit]

    async def form(
        self, access: Access, act: str, ref: RecordRef | None = None, kind: str = ""
    ) -> Form:
        _checked(ref)
        return await self._forms.form(access, act, ref, kind)

    async def perform(self, access: Access, deed: Deed) -> Done:
        _checked(deed.ref)
        async with self._turns.turn(str(deed.ref or deed.key)):
            done = await self._deeds.perform(access, deed)
        if not done.again:
            self._written.keep(str(done.record.ref), done.record.rev)
        return done

    def takes_back(self, act: str, kind: str) -> bool:  # noqa: ARG002 - all alike
        return act in {"note", "task", "create"}

    def amends(self, act: str, kind: str) -> bool:  # noqa: ARG002 - all alike
        return act == "note"

    async def remarks(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        _checked(ref)
        return await self._notes.since(access, ref, since_us)

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        if not since:
            return [], str(round(self._api.rest.clock() * 1000))
        if not since.isdecimal():
            raise BadInput("that is no position in HubSpot's changes")
        changes: list[RecordChange] = []
        position = int(since)
        newest, unfinished = position, []
        for kind in KINDS.values():
            told, last, whole = await self._since(access, kind, position)
            changes += told
            newest = max(newest, last)
            if not whole:
                unfinished.append(last)
        # Where not everything was told, the next look begins there for all.
        return changes, str(min(unfinished, default=newest))

    def heard(
        self, headers: Mapping[str, str], url: str, body: bytes, now: float
    ) -> Sequence[RecordChange]:
        told = heard(headers, url, body, now, self._portal)
        return [self._owned(each) for each in told]

    async def aclose(self) -> None:
        await self._api.rest.aclose()

    async def _told(
        self,
        access: Access,
        kind: Kind,
        ids: Sequence[str],
        urgent: bool,  # noqa: FBT001
    ) -> "_Told":
        """Read objects of one kind and which companies they belong to."""
        try:
            objects = await self._api.read(
                access, kind.plural, ids, kind.read, urgent=urgent
            )
            around = await self._around(access, kind, list(objects.values()))
            linked = await self._linked(access, kind, objects)
        except _WHYS as error:
            return _Told(kind, {id_: {} for id_ in ids}, why=_why(error))
        return _Told(kind, objects, around, linked)

    async def _one(self, access: Access, kind: Kind, told: Json) -> Record:
        id_ = str(told.get("id"))
        around = await self._around(access, kind, [told])
        linked = await self._linked(access, kind, {id_: told})
        names = await self._api.names(access, linked.values())
        around = replace(around, companies=_named(linked, names))
        return record(told, kind, self._portal, around, self._now_us())

    async def _around(self, access: Access, kind: Kind, told: Sequence[Json]) -> Around:
        """Return what ids in objects mean, asked for once for all of them."""
        if not told:
            return Around()
        owned = any((each.get("properties") or {}).get(OWNER) for each in told)
        owners = await self._api.owners(access) if owned else {}
        pipelines = await self._api.pipelines(access, kind) if kind.stage else []
        return Around(owners, {}, tuple(pipelines))

    async def _linked(
        self, access: Access, kind: Kind, objects: Mapping[str, Json]
    ) -> dict[str, str]:
        """
        Return the company of each object that has one, where the kind shows it.

        The first company is a property of the object's own, which costs no call. Where
        an account is not told that property, associations are asked for.
        """
        if not kind.primary:
            return {}
        values = {id_: each.get("properties") or {} for id_, each in objects.items()}
        found = {
            i: str(v[kind.primary] or "")
            for i, v in values.items()
            if kind.primary in v
        }
        untold = [id_ for id_ in objects if id_ not in found]
        if untold:
            linked = await self._api.linked(access, kind.plural, untold, "companies")
            found |= {id_: others[0] for id_, others in linked.items() if others}
        return {id_: company for id_, company in found.items() if company}

    async def _names(
        self, access: Access, told: "Sequence[_Told]"
    ) -> Mapping[str, str] | Absence:
        """Return companies' names; those that were just read are not asked for again."""
        read = {
            id_: str((each.get("properties") or {}).get("name") or "")
            for one in told
            if one.kind.plural == "companies" and one.why is None
            for id_, each in one.objects.items()
        }
        wanted = {company for one in told for company in one.companies} - read.keys()
        try:
            return read | await self._api.names(access, sorted(wanted))
        except _WHYS as error:
            return _why(error)

    def _shown(
        self, told: "_Told", names: Mapping[str, str] | Absence
    ) -> dict[RecordRef, Record | Absence]:
        why = told.why
        if isinstance(names, Absence):
            why = why or (names if told.linked else None)
            names = {}
        if why is not None:
            return {self._portal.ref(told.kind, id_): why for id_ in told.objects}
        around = replace(told.around, companies=_named(told.linked, names))
        return {
            self._portal.ref(told.kind, id_): record(
                each, told.kind, self._portal, around, self._now_us()
            )
            for id_, each in told.objects.items()
            if not each.get("archived")
        }

    def _now_us(self) -> int:
        return round(self._api.rest.clock() * 1_000_000)

    async def _found(
        self, access: Access, kind: Kind, query: str, limit: int
    ) -> list[RecordRef]:
        names = [*kind.title, kind.body, *(each.property for each in kind.shown)]
        asked = [name for name in names if name and name != COMPANY]
        body = {
            "query": query,
            "limit": min(limit, _PAGE),
            "properties": [*asked, "description", "domain"],
            "sorts": [{"propertyName": kind.modified, "direction": "DESCENDING"}],
        }
        told = await self._api.search(access, kind, body)
        return [
            self._portal.ref(kind, str(each.get("id", "")))
            for each in dicts(told.get("results"))
            if _says(each, query)
        ]

    async def _since(
        self, access: Access, kind: Kind, position: int
    ) -> tuple[list[RecordChange], int, bool]:
        """Return changes, the time of the last one, and whether those are all."""
        changes: list[RecordChange] = []
        last, start = position, max(0, position - _OVERLAP_MS)
        body: dict[str, Any] = {
            "filterGroups": [
                {
                    "filters": [
                        {
                            "propertyName": kind.modified,
                            "operator": "GTE",
                            "value": str(start),
                        }
                    ]
                }
            ],
            "sorts": [{"propertyName": kind.modified, "direction": "ASCENDING"}],
            "properties": [kind.modified],
            "limit": _PAGE,
        }
        for _ in range(_PAGES):
            told = await self._api.search(access, kind, body, urgent=False)
            for each in dicts(told.get("results")):
                changes.append(self._change(kind, each))
                last = max(last, changes[-1].rev.order // 1000)
            after = ((told.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                return changes, last, True
            body["after"] = after
        return changes, last, False

    def _change(self, kind: Kind, told: Json) -> RecordChange:
        rev, id_ = revision(told), str(told.get("id", ""))
        values = told.get("properties") or {}
        modified = str(values.get(kind.modified) or "")
        if moment := moment_ms(modified):
            rev = Revision(moment * 1000, modified)
        made = str(told.get("createdAt", "")) == modified
        return self._owned(
            RecordChange(
                System.HUBSPOT,
                self._portal.instance,
                ChangeKind.CREATED if made else ChangeKind.CHANGED,
                f"{kind.name}-{id_}@{rev.text}",
                self._portal.ref(kind, id_),
                rev,
            )
        )

    def _owned(self, change: RecordChange) -> RecordChange:
        """Say of a change whether it is ATOM's own: the state that a write left."""
        ours = (
            change.ref is not None and self._written.get(str(change.ref)) == change.rev
        )
        return replace(change, ours=True) if ours else change


def _checked(ref: RecordRef | None) -> None:
    if ref is not None and not ref.id.isdecimal():
        raise Gone("there is no such record")


def _says(told: Json, query: str) -> bool:
    """Say whether an object has each of the words that were searched for."""
    values = told.get("properties") or {}
    return _in(" ".join(str(v) for v in values.values() if v), query.casefold().split())


def _in(text: str, words: Sequence[str]) -> bool:
    told = text.casefold()
    return all(word in told for word in words)


_WHYS = (NotConnected, Spent, ServiceUnavailable)


def _why(error: AtomError) -> Absence:
    """Return why a record cannot be shown now."""
    if isinstance(error, NotConnected):
        return Absence.UNCONNECTED
    return Absence.SPENT if isinstance(error, Spent) else Absence.UNREACHABLE


@dataclass(frozen=True, slots=True)
class _Told:
    """Objects of one kind by id, what their ids mean, and each one's company."""

    kind: Kind
    objects: Mapping[str, Json]
    around: Around = field(default_factory=Around)
    linked: Mapping[str, str] = field(default_factory=dict)
    why: Absence | None = None

    @property
    def companies(self) -> Iterable[str]:
        return self.linked.values()


def _named(linked: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {id_: names.get(company, "") for id_, company in linked.items()}
