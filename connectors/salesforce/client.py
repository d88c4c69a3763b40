"""
The calls that ATOM makes, each through simple-salesforce on a guarded session.

The library is given no token and no way to renew one ("direct" sign-in), so that its own
retries never happen; ids are checked before they reach its `urljoin`. Every call names
its client, so that change events tell ours from others'.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote

from simple_salesforce.api import Salesforce, SFType
from simple_salesforce.exceptions import SalesforceError

from bridge.records.ports import Access
from connectors.guarded import Line, Session
from connectors.remembered import Remembered
from connectors.salesforce import ids, manners

VERSION = "62.0"
CLIENT = "ATOM"
DATA = f"/services/data/v{VERSION}"
PATHS = ("/services/data/", "/services/oauth2/userinfo", "/cometd/")
_HEADERS = {"Sforce-Call-Options": f"client={CLIENT}"}
_PAUSES = (0.2, 0.6)  # seconds before another try at a locked record
_PAGES = 10
_KEPT = 3600.0

_Result = TypeVar("_Result")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to: the record's id, the request's, whether it was made."""

    id: str
    request: str
    created: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One answer of a composite call."""

    status: int
    body: Any


class Client:
    """Calls as one account or another; every one of them may raise what a line raises."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._ids = Remembered[str](_KEPT, most=10_000)  # of users, by digest

    async def query(
        self, access: Access, soql: str, *, urgent: bool = True
    ) -> Sequence[Row]:
        """Return a query's rows."""

        def work(library: Salesforce, _session: Session) -> Sequence[Row]:
            answer = library.query(soql, headers=_HEADERS)
            rows = list(answer["records"])
            for _ in range(_PAGES - 1):
                if answer["done"]:
                    break
                url = answer["nextRecordsUrl"]
                answer = library.query_more(url, identifier_is_url=True)
                rows += answer["records"]
            return rows

        return await self._call(access, work, urgent=urgent, calls=_PAGES)

    async def first(self, access: Access, soql: str) -> tuple[Sequence[Row], bool]:
        """
        Return what one call gives of a query, what is in the bin as well, and whether
        that is all. Nobody waits for it.
        """

        def work(library: Salesforce, _session: Session) -> tuple[Sequence[Row], bool]:
            answer = library.query(soql, include_deleted=True, headers=_HEADERS)
            return list(answer["records"]), bool(answer["done"])

        return await self._call(access, work, urgent=False)

    async def row(
        self, access: Access, object_: str, id_: str, fields: Sequence[str]
    ) -> tuple[Row, float]:
        """Return a record's fields, and the org's time in seconds since 1970."""

        def work(library: Salesforce, session: Session) -> tuple[Row, float]:
            path = f"sobjects/{object_}/{ids.long(id_)}"
            asked = {"fields": ",".join(fields)}
            row = library.restful(path, params=asked, headers=_HEADERS)
            return row or {}, _time(session)

        return await self._call(access, work)

    async def composite(
        self,
        access: Access,
        parts: Sequence[Mapping[str, Any]],
        *,
        writes: bool = False,
        urgent: bool = True,
    ) -> tuple[Sequence[Part], str]:
        """
        Make several calls in one, all or none of them when they write; returns each
        one's answer, and the request's id. The call itself succeeds whatever they say.
        """
        numbered = [{**one, "referenceId": f"r{n}"} for n, one in enumerate(parts)]
        asked = {"allOrNone": writes, "compositeRequest": numbered}

        def work(library: Salesforce, session: Session) -> tuple[Sequence[Part], str]:
            answer = library.restful(
                "composite", method="POST", json=asked, headers=_HEADERS
            )
            told = {
                one["referenceId"]: one for one in (answer or {})["compositeResponse"]
            }
            found = [told[one["referenceId"]] for one in numbered]
            made = [Part(one["httpStatusCode"], one["body"]) for one in found]
            return made, _request(session)

        return await self._call(access, work, writes=writes, urgent=urgent)

    async def update(
        self,
        access: Access,
        object_: str,
        id_: str,
        values: Mapping[str, Any],
        unmodified_since: datetime,
    ) -> Written:
        """Change a record, unless it was changed since. Raises `manners.Changed`."""
        headers = {**_HEADERS, "If-Unmodified-Since": http_date(unmodified_since)}
        known = ids.long(id_)

        def work(library: Salesforce, session: Session) -> Written:
            _type(library, object_).update(known, dict(values), headers=headers)
            return Written(known, _request(session))

        return await self._unlocked(lambda: self._call(access, work, writes=True))

    async def create(
        self, access: Access, object_: str, values: Mapping[str, Any]
    ) -> Written:
        def work(library: Salesforce, session: Session) -> Written:
            made = _type(library, object_).create(dict(values), headers=dict(_HEADERS))
            return Written(ids.long(made["id"]), _request(session), created=True)

        return await self._unlocked(lambda: self._call(access, work, writes=True))

    async def delete(self, access: Access, object_: str, id_: str) -> Written:
        """Put a record into the bin. Raises `Gone` for what is there already."""
        known = ids.long(id_)

        def work(library: Salesforce, session: Session) -> Written:
            _type(library, object_).delete(known, headers=dict(_HEADERS))
            return Written(known, _request(session))

        return await self._unlocked(lambda: self._call(access, work, writes=True))

    async def put(
        self,
        access: Access,
        object_: str,
        field: str,
        key: str,
        values: Mapping[str, Any],
    ) -> Written:
        """Make a record with an external key, or change the one that has it."""
        path = f"sobjects/{object_}/{field}/{quote(key, safe='')}"

        def work(library: Salesforce, session: Session) -> Written:
            made = library.restful(
                path, method="PATCH", json=dict(values), headers=_HEADERS
            )
            told = made or {}
            return Written(
                ids.long(told["id"]), _request(session), bool(told.get("created"))
            )

        return await self._unlocked(lambda: self._call(access, work, writes=True))

    async def describe(
        self, access: Access, object_: str, since: str = ""
    ) -> tuple[Row | None, str]:
        """Return an object's description and its date, None if nothing changed since."""
        headers = {**_HEADERS, **({"If-Modified-Since": since} if since else {})}

        def work(library: Salesforce, session: Session) -> tuple[Row | None, str]:
            try:
                described: Row = _type(library, object_).describe(headers=headers)
            except SalesforceError as error:
                if error.status == 304:  # noqa: PLR2004 - HTTP's own number
                    return None, since
                raise
            return described, session.heard.get("Last-Modified", "")

        return await self._call(access, work)

    async def choices(
        self, access: Access, object_: str, type_: str
    ) -> Mapping[str, frozenset[str]]:
        """Return the values of an object's picklists in a record type, by field."""
        path = f"ui-api/object-info/{object_}/picklist-values/{ids.long(type_)}"

        def work(
            library: Salesforce, _session: Session
        ) -> Mapping[str, frozenset[str]]:
            told: Row = library.restful(path, headers=_HEADERS) or {}
            return {
                str(name): frozenset(str(v["value"]) for v in one.get("values") or ())
                for name, one in (told.get("picklistFieldValues") or {}).items()
            }

        return await self._call(access, work)

    async def search(
        self, access: Access, words: str, wanted: Sequence[Row], limit: int
    ) -> Sequence[Row]:
        """Search for plain words: nothing in them is syntax."""
        asked = {"q": words, "in": "ALL", "sobjects": wanted, "overallLimit": limit}

        def work(library: Salesforce, _session: Session) -> Sequence[Row]:
            found = library.restful(
                "parameterizedSearch", method="POST", json=asked, headers=_HEADERS
            )
            rows: Sequence[Row] = (found or {}).get("searchRecords", [])
            return rows

        return await self._call(access, work)

    async def me(self, access: Access) -> str:
        """Return the id of the user whom an account belongs to."""

        def work(library: Salesforce, _session: Session) -> str:
            return ids.long(str((library.oauth2("userinfo") or {})["user_id"]))

        # Kept by token, since a person may connect another account at any time.
        token = await access.token()
        key = hashlib.sha256(f"{access.account}\0{token}".encode()).hexdigest()
        known = self._ids.get(key)
        if known is None:
            known = await self._call(access, work)
            self._ids.keep(key, known)
        return known

    async def _call(
        self,
        access: Access,
        work: Callable[[Salesforce, Session], _Result],
        *,
        writes: bool = False,
        urgent: bool = True,
        calls: int = 1,
    ) -> _Result:
        base = self.line.pin.base

        def inside(session: Session) -> _Result:
            library = Salesforce(
                session_id="-", instance_url=base, session=session, version=VERSION
            )
            try:
                return work(library, session)
            except SalesforceError as error:
                # The library's error shows the address and the whole answer.
                raise manners.meant(error, writes=writes) from None
            except (KeyError, TypeError, ValueError):
                raise session.lost("gave an answer that cannot be read") from None

        return await self.line.call(
            access, inside, writes=writes, urgent=urgent, calls=calls
        )

    async def _unlocked(self, attempt: Callable[[], Awaitable[Written]]) -> Written:
        """Write, and again a little later while somebody else holds the record."""
        for pause in _PAUSES:
            with suppress(manners.Locked):
                return await attempt()
            await asyncio.sleep(pause)
        return await attempt()


def http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _type(library: Salesforce, object_: str) -> SFType:
    made = getattr(library, object_)
    assert isinstance(made, SFType)  # noqa: S101 - for the type checker: names are ours
    return made


def _request(session: Session) -> str:
    return session.heard.get("X-SFDC-Request-Id", "")


def _time(session: Session) -> float:
    try:
        return parsedate_to_datetime(session.heard["Date"]).timestamp()
    except (KeyError, ValueError):
        return 0.0
