"""Finding users and groups: RFC 7644 section 3.4."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.directory.scim import Kept, Lookup, ScimKind, ScimStore
from policy.directory.scim.asking import Query
from policy.directory.scim.comparing import folded
from policy.directory.scim.filters import Filter, parsed
from policy.directory.scim.problems import Problem, invalid_filter
from policy.directory.scim.rendering import shown
from policy.directory.scim.schemas import shape
from policy.directory.scim.showing import Wanted, in_order
from policy.directory.scim.targets import Caller

_SCANNED = 500  # resources read at once
_AT_ONCE = 25  # resources compared without a pause
_MOST = 100_000  # resources that one answer may be taken from

_Document = dict[str, Any]
_NONE = Wanted(only=("id",))


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what a query found. `start` counts from 1."""

    total: int
    start: int
    documents: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Needs:
    """Which of the attributes that are looked up elsewhere are needed."""

    members: bool = True
    groups: bool = True

    @classmethod
    def of(
        cls,
        kind: ScimKind,
        wanted: Wanted,
        matching: Filter | None = None,
        sort_by: str = "",
    ) -> "Needs":
        def needed(attribute: str) -> bool:
            asked = matching is not None and matching.names(attribute)
            sorted_by = sort_by.lower().startswith(attribute)
            return asked or sorted_by or wanted.shows(shape(kind), attribute)

        return cls(
            members=kind is ScimKind.GROUP and needed("members"),
            groups=kind is ScimKind.USER and needed("groups"),
        )


@dataclass(frozen=True, slots=True)
class Finder:
    """Reads resources as they are shown."""

    store: ScimStore

    async def search(
        self, caller: Caller, kinds: Sequence[ScimKind], query: Query
    ) -> Found:
        """Return a page of what a query finds among some kinds. Raises `Problem`."""
        if len(kinds) == 1 and not query.filter and not query.sort_by:
            return await self._page(caller, kinds[0], query)
        filters = _filters(kinds, query.filter)
        found: list[_Document] = []
        kept: dict[str, Kept] = {}
        for kind in kinds:
            matching = filters[kind]
            async for one, document in self._candidates(caller, kind, matching, query):
                if matching is None or matching.matches(document):
                    found.append(document)
                    kept[one.id] = one
            if len(found) > _MOST:
                raise Problem(
                    400, f"more than {_MOST} resources: narrow the filter", "tooMany"
                )
        if query.sort_by:
            found = _sorted(kinds, found, query)
        page = found[query.start - 1 : query.start - 1 + query.count]
        documents = await self._whole(
            caller, [kept[each["id"]] for each in page], query
        )
        return Found(len(found), query.start, documents)

    async def _whole(
        self, caller: Caller, page: Sequence[Kept], query: Query
    ) -> list[_Document]:
        """Return a page as it is wanted; what costs is looked up for it alone."""
        documents: dict[str, _Document] = {}
        for kind in ScimKind:
            some = [kept for kept in page if kept.kind is kind]
            needs = Needs.of(kind, query.wanted)
            for document in await self.render(caller, some, needs):
                documents[document["id"]] = query.wanted.of(shape(kind), document)
        return [documents[kept.id] for kept in page]

    async def render(
        self, caller: Caller, several: Sequence[Kept], needs: Needs
    ) -> list[_Document]:
        """Return resources as they are shown; what is not needed is not looked up."""
        groups = [kept.id for kept in several if kept.kind is ScimKind.GROUP]
        people = [kept.id for kept in several if kept.kind is ScimKind.USER]
        inside, around = {}, {}
        if needs.members and groups:
            inside = dict(await self.store.members(caller.tenant, groups))
        if needs.groups and people:
            around = dict(await self.store.memberships(caller.tenant, people))
        return [
            shown(kept, caller.base, inside.get(kept.id, ()), around.get(kept.id, ()))
            for kept in several
        ]

    async def _page(self, caller: Caller, kind: ScimKind, query: Query) -> Found:
        total = await self.store.count(caller.tenant, kind)
        page: Sequence[Kept] = ()
        if query.count and query.start <= total:
            page = await self.store.page(
                caller.tenant, kind, query.start - 1, query.count
            )
        documents = await self._whole(caller, page, query)
        return Found(total, query.start, documents)

    async def _candidates(
        self, caller: Caller, kind: ScimKind, matching: Filter | None, query: Query
    ) -> AsyncIterator[tuple[Kept, _Document]]:
        """Yield resources as they are shown, among them every one that matches."""
        needs = Needs.of(kind, _NONE, matching, query.sort_by)
        lookup = matching.lookup() if matching else Lookup()
        if lookup != Lookup():
            lookup = replace(lookup, label=folded(lookup.label))
            some = await self.store.found(caller.tenant, kind, lookup)
            for pair in zip(some, await self.render(caller, some, needs), strict=True):
                yield pair
            return
        after, more = 0, True
        while more:
            some, after = await self.store.scan(caller.tenant, kind, after, _SCANNED)
            rendered = await self.render(caller, some, needs)
            for number, pair in enumerate(zip(some, rendered, strict=True)):
                yield pair
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # people's messages come first
            more = bool(after)


def _filters(kinds: Sequence[ScimKind], text: str) -> Mapping[ScimKind, Filter | None]:
    if not text:
        return dict.fromkeys(kinds)
    node, several = parsed(text), len(kinds) > 1
    made = {kind: Filter(shape(kind), node, lenient=several) for kind in kinds}
    if several and not any(each.knows_all() for each in made.values()):
        raise invalid_filter("the filter asks for what no type of resource has")
    for each in made.values():
        each.check()
    return dict(made)


def _sorted(
    kinds: Sequence[ScimKind], found: list[_Document], query: Query
) -> list[_Document]:
    """Sort by what an attribute is in the first type that has it."""
    for kind in kinds:
        try:
            ordered = in_order(
                shape(kind), found, query.sort_by, descending=query.descending
            )
        except Problem:
            if kind is kinds[-1]:
                raise
        else:
            return ordered
    return found
