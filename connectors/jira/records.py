"""A company's Jira as a system of records."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge.errors import AtomError, BadInput, ServiceUnavailable
from bridge.records.forms import Deed, Form
from bridge.records.model import (
    NEVER,
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
from connectors.jira import adf
from connectors.jira.api import MOST_FETCHED, Api, objects
from connectors.jira.comments import Comments, Sleep
from connectors.jira.deeds import Deeds
from connectors.jira.forms import Forms
from connectors.jira.hooks import heard
from connectors.jira.issues import fields_of, moment_us, record
from connectors.jira.jql import about, changed_since, words_of
from connectors.jira.recognition import key_in, mentions
from connectors.jira.site import KIND, Site
from connectors.jira.tending import Tending
from connectors.remembered import Remembered
from connectors.rest import Rest
from connectors.turns import OwnTurns

_MOST_FOUND = 50
_MOST_RECONCILED = 50
_AGAIN = 3600.0  # seconds until a webhook that could not be kept is tried again
_PAGE = 100
_PAGES = 20
_OVERLAP_MS = 60_000  # how far a look at changes goes back: the index may be behind


class JiraRecords:
    """Implements `bridge.records.ports.Records`, `Amends`, `Remarks`, `TakesBack`."""

    def __init__(self, site: Site, rest: Rest, sleep: Sleep = asyncio.sleep) -> None:
        self._site = site
        self._api = Api(rest)
        self._forms = Forms(site, self._api)
        self._comments = Comments(self._api, sleep=sleep)
        tried: Remembered[bool] = Remembered(site.settle)
        self._deeds = Deeds(site, self._api, self._comments, tried)
        # What was written lately, by id: searches are told to look at it themselves.
        self._written: Remembered[Revision] = Remembered(600.0)
        self._turns = OwnTurns()
        self._tended_until = 0.0
        self.tending = Tending(site, self._api)

    @property
    def system(self) -> System:
        return System.JIRA

    @property
    def instance(self) -> str:
        return self._site.instance

    @property
    def kinds(self) -> tuple[str, ...]:
        return (KIND,)

    def recognise(self, text: str) -> Sequence[Mention]:
        return mentions(text, self._site)

    async def resolve(
        self, access: Access, mentions: Sequence[Mention]
    ) -> Mapping[str, RecordRef]:
        keys = list(dict.fromkeys(each.key for each in mentions if each.key))
        found: dict[str, RecordRef] = {}
        for some in _chunks(keys):
            issues, _ = await self._api.fetched(access, some, ["summary"])
            for issue in issues:
                if self._allowed(issue):
                    found[str(issue["key"])] = self._site.ref(str(issue["id"]))
        return found

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        # An issue's id is a number; a key would lead to it too, and to others later.
        ids = list(dict.fromkeys(each.id for each in refs if each.id.isdecimal()))
        known: dict[str, Record | Absence] = {}
        for some in _chunks(ids):
            known |= await self._read(access, some, urgent=urgent)
        return {ref: known.get(ref.id, Absence.GONE) for ref in refs}

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        wanted = words_of(words)
        if not wanted or limit <= 0:
            return []
        found: dict[str, Record] = {}
        if key := key_in(words, self._site):
            fields = fields_of(self._site)
            issues, _ = await self._api.fetched(access, [key], fields)
            for issue in issues:
                found[str(issue["id"])] = self._record(issue)
        body = {
            "jql": about(wanted, self._site.projects),
            "fields": [*fields_of(self._site), "comment"],
            "maxResults": min(limit * 2, _MOST_FOUND),
            "reconcileIssues": self._fresh(),
        }
        told = await self._api.ask(access, ("search", "jql"), body)
        issues = [each for each in objects(told.get("issues")) if self._allowed(each)]
        issues = [each for each in issues if _says(each, wanted)]
        # Best are those that say it in their title; Jira's own order is by time.
        issues.sort(key=lambda each: not _in(_title(each), wanted))
        for issue in issues:
            found.setdefault(str(issue["id"]), self._record(issue))
        return list(found.values())[:limit]

    async def form(
        self, access: Access, act: str, ref: RecordRef | None = None, kind: str = ""
    ) -> Form:
        if kind not in {"", KIND}:
            raise BadInput("Jira has issues only")
        _checked(ref)
        return await self._forms.form(access, act, ref)

    async def perform(self, access: Access, deed: Deed) -> Done:
        _checked(deed.ref)
        # Comments are joined while they wait, so that they take no turns.
        if deed.act == "comment":
            done = await self._deeds.perform(access, deed)
        else:
            async with self._turns.turn(str(deed.ref or deed.key)):
                done = await self._deeds.perform(access, deed)
        if not done.again and done.record.rev != NEVER:
            self._written.keep(done.record.ref.id, done.record.rev)
        return done

    def takes_back(self, act: str, kind: str) -> bool:  # noqa: ARG002 - all are issues
        return act in {"comment", "create"}

    def amends(self, act: str, kind: str) -> bool:  # noqa: ARG002 - all are issues
        return act == "comment"

    async def remarks(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        _checked(ref)
        return await self._comments.since(access, ref, since_us)

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        await self.tend(access)
        now = round(self._api.rest.clock() * 1000)
        if not since:
            return [], str(now)
        if not since.isdecimal():
            raise BadInput("that is no position in Jira's changes")
        jql = changed_since(max(0, int(since) - _OVERLAP_MS), self._site.projects)
        changes, token, newest = [], "", int(since)
        for _ in range(_PAGES):
            body: dict[str, Any] = {
                "jql": jql,
                "fields": ["updated", "created"],
                "maxResults": _PAGE,
            }
            if token:
                body["nextPageToken"] = token
            told = await self._api.ask(access, ("search", "jql"), body, urgent=False)
            for issue in objects(told.get("issues")):
                change = self._change(issue)
                changes.append(change)
                newest = max(newest, change.rev.order // 1000)
            token = str(told.get("nextPageToken") or "")
            if not token or told.get("isLast"):
                return changes, str(newest)
        return changes, str(newest)

    def heard(
        self,
        headers: Mapping[str, str],
        url: str,  # noqa: ARG002 - Jira does not sign it
        body: bytes,
        now: float,
    ) -> Sequence[RecordChange]:
        return [self._owned(each) for each in heard(headers, body, now, self._site)]

    async def aclose(self) -> None:
        await self._api.rest.aclose()

    async def tend(self, access: Access) -> float:
        """
        Keep ATOM's own webhook alive; without it changes are asked for.

        Implements `bridge.records.ports.Tends`.
        """
        now = self._api.rest.clock()
        if self._site.hook_url and now >= self._tended_until:
            self._tended_until = now + _AGAIN
            try:
                wait = await self.tending.tend(access, self._site.hook_url)
            except AtomError:
                return _AGAIN  # an account of no app may not, and is asked again later
            self._tended_until = now + wait
        return max(_AGAIN, self._tended_until - now)

    async def _read(
        self, access: Access, ids: Sequence[str], *, urgent: bool
    ) -> dict[str, Record | Absence]:
        fields = fields_of(self._site)
        try:
            told = await self._api.fetched(access, ids, fields, urgent=urgent)
        except NotConnected:
            return dict.fromkeys(ids, Absence.UNCONNECTED)
        except Spent:
            return dict.fromkeys(ids, Absence.SPENT)
        except ServiceUnavailable:
            return dict.fromkeys(ids, Absence.UNREACHABLE)
        issues, failed = told
        # What Jira could not give this time may well be there.
        known: dict[str, Record | Absence] = dict.fromkeys(failed, Absence.UNREACHABLE)
        for each in issues:
            if self._allowed(each):
                known[str(each["id"])] = self._record(each)
        return known

    def _change(self, issue: Mapping[str, Any]) -> RecordChange:
        fields = issue.get("fields") or {}
        written = str(fields.get("updated") or "")
        made = fields.get("created") == fields.get("updated")
        return self._owned(
            RecordChange(
                System.JIRA,
                self._site.instance,
                ChangeKind.CREATED if made else ChangeKind.CHANGED,
                f"{issue.get('id')}@{written}",
                self._site.ref(str(issue.get("id", ""))),
                Revision(moment_us(written), written) if written else NEVER,
            )
        )

    def _owned(self, change: RecordChange) -> RecordChange:
        """Say of a change whether it is ATOM's own: the state that a write left."""
        ours = change.ref is not None and self._written.get(change.ref.id) == change.rev
        return replace(change, ours=True) if ours else change

    def _fresh(self) -> list[int]:
        ids = [int(id_) for id_ in self._written.names() if id_.isdecimal()]
        return ids[:_MOST_RECONCILED]

    def _allowed(self, issue: Mapping[str, Any]) -> bool:
        project = str(issue.get("key", "")).rpartition("-")[0]
        return project in self._site.projects

    def _record(self, issue: Mapping[str, Any]) -> Record:
        as_of_us = round(self._api.rest.clock() * 1_000_000)
        return record(issue, self._site, as_of_us)


def _checked(ref: RecordRef | None) -> None:
    if ref is not None and not ref.id.isdecimal():
        raise Gone("there is no such issue")


def _title(issue: Mapping[str, Any]) -> str:
    fields = issue.get("fields") or {}
    return f"{issue.get('key', '')} {fields.get('summary', '')}"


def _says(issue: Mapping[str, Any], words: Sequence[str]) -> bool:
    """
    Say whether an issue is about the words, as far as can be told from outside.

    Jira looks for words of the same stem too, so that their beginnings are enough.
    """
    fields = issue.get("fields") or {}
    comments = fields.get("comment") or {}
    said = [adf.plain(each.get("body")) for each in objects(comments.get("comments"))]
    text = " ".join([_title(issue), adf.plain(fields.get("description")), *said])
    return _in(text, [word[: max(3, len(word) - 3)] for word in words])


def _in(text: str, words: Sequence[str]) -> bool:
    told = text.casefold()
    return all(word in told for word in words)


def _chunks(values: Sequence[str]) -> list[Sequence[str]]:
    starts = range(0, len(values), MOST_FETCHED)
    return [values[start : start + MOST_FETCHED] for start in starts]
