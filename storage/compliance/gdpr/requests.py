"""
What people asked for, and until when it is due: a month, and two more if that is told.

A month ends on the day of the next one with the same number, or on its last day, at
midnight in UTC (Regulation 1182/71, Art. 3).
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from secrets import token_hex

from bridge.compliance import Officer
from bridge.errors import Conflict, NotFound
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Statement

_COLUMNS = "id, kind, subject, received_us, due_us, extended_us, answered_us"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Times are microseconds UTC; 0 says that it has not happened."""

    id: str
    kind: str
    subject: str
    received_us: int
    due_us: int
    extended_us: int = 0
    answered_us: int = 0

    @property
    def open(self) -> bool:
        return not self.answered_us


def due(received: date, months: int = 1) -> date:
    """Return the last day on which it can be answered in time."""
    count = received.year * 12 + received.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(received.day, monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class StoredRequests:
    """Keeps requests, each step of which is an entry."""

    store: HotStore
    acts: Acts
    clock: Callable[[], int]

    async def all(self, tenant: str) -> list[Request]:
        """Return every request, what is due first at the top."""
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM subject_request WHERE tenant = :tenant "
                "ORDER BY due_us, id",
                {"tenant": tenant},
            )
        )
        return [Request(*row) for row in rows]

    async def receive(
        self, tenant: str, officer: Officer, kind: str, subject: str, received: date
    ) -> Request:
        """Return the open request of this kind and person; it is made if need be."""
        for known in await self.all(tenant):
            if known.open and (known.kind, known.subject) == (kind, subject):
                return known
        made = Request(
            f"R-{token_hex(4)}", kind, subject, _start(received), _end(due(received))
        )
        text = f"{kind} asked on {received}, due on {due(received)}"
        act = Act(tenant, "subject.request", officer.name, text, _detail(made))
        await self.acts.note(act, (_insert(tenant, made),))
        return made

    async def extend(
        self, tenant: str, officer: Officer, request: str, why: str
    ) -> Request:
        """Give it two months more, once. Raises `NotFound` or `Conflict`."""
        known = await self._one(tenant, request)
        if known.extended_us or not known.open:
            raise Conflict(f"{request} was extended or answered already.")
        now = self.clock()
        until = _end(due(_day(known.received_us), 3))
        text = f"{request} extended by two months: {why}"
        act = Act(tenant, "subject.extend", officer.name, text, _detail(known))
        changed = _update(tenant, request, due_us=until, extended_us=now)
        await self.acts.note(act, (changed,), f"extended:{request}")
        return await self._one(tenant, request)

    def answered(self, tenant: str, request: Request) -> Statement:
        """Return the change that goes with the act of answering it."""
        return _update(tenant, request.id, answered_us=self.clock())

    async def _one(self, tenant: str, request: str) -> Request:
        for known in await self.all(tenant):
            if known.id == request:
                return known
        raise NotFound(f"There is no request {request}.")


def _detail(request: Request) -> dict[str, object]:
    return {"request": request.id, "kind": request.kind, "due_us": request.due_us}


def _insert(tenant: str, made: Request) -> Statement:
    return Statement(
        f"INSERT INTO subject_request (tenant, {_COLUMNS}) VALUES (:tenant, :id, "
        ":kind, :subject, :received_us, :due_us, :extended_us, :answered_us)",
        {
            "tenant": tenant,
            "id": made.id,
            "kind": made.kind,
            "subject": made.subject,
            "received_us": made.received_us,
            "due_us": made.due_us,
            "extended_us": 0,
            "answered_us": 0,
        },
    )


def _update(tenant: str, request: str, **changes: int) -> Statement:
    sets = ", ".join(f"{name} = :{name}" for name in changes)
    return Statement(
        f"UPDATE subject_request SET {sets} WHERE tenant = :tenant AND id = :id",
        {"tenant": tenant, "id": request, **changes},
    )


def _start(day: date) -> int:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000


def _end(day: date) -> int:
    return _start(day + timedelta(days=1)) - 1


def _day(moment_us: int) -> date:
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).date()
