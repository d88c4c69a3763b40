"""
Bulk requests: RFC 7644 section 3.7.

Operations refer to what others of the same request make by `bulkId:NAME`. They are done
in the order in which they come, but for those that wait for what they refer to. Groups
that refer to each other in a circle are made first and get those members after.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from policy.directory.scim.problems import Problem, invalid_syntax, invalid_value

REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
MOST_OPERATIONS = 1_000

_REFERENCE = "bulkid:"
_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a bulk request."""

    method: str
    path: str
    bulk_id: str = ""
    version: str = ""
    data: Any = None


@dataclass(frozen=True, slots=True)
class Done:
    """How an operation ended: a status, and where its resource is."""

    status: int
    id: str = ""
    location: str = ""
    version: str = ""
    body: Mapping[str, Any] | None = None

    @property
    def failed(self) -> bool:
        return self.status >= 400  # noqa: PLR2004 - HTTP's own line


class Executes(Protocol):
    """What does one operation; a failure is an answer, too."""

    def __call__(self, step: Step) -> Awaitable[Done]: ...


@dataclass(slots=True)
class Bulk:
    """A bulk request under way. `fail_on` errors end it; 0 says that none does."""

    steps: Sequence[Step]
    fail_on: int
    execute: Executes
    _done: dict[int, Done] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)
    _later: list[tuple[int, list[Any]]] = field(default_factory=list)

    @classmethod
    def of(cls, payload: object, execute: Executes) -> "Bulk":
        """Read a request. Raises `Problem`."""
        if not isinstance(payload, dict):
            raise invalid_syntax("the body has to be an object")
        given = {name.lower(): value for name, value in payload.items()}
        schemas = given.get("schemas")
        named = schemas if isinstance(schemas, list) else []
        if REQUEST.lower() not in [str(each).lower() for each in named]:
            raise invalid_syntax(f"schemas has to name {REQUEST}")
        several = given.get("operations")
        if not isinstance(several, list):
            raise invalid_syntax("Operations has to be a list")
        if len(several) > MOST_OPERATIONS:
            raise Problem(
                413, f"a bulk request has {MOST_OPERATIONS} operations at most"
            )
        fail_on = given.get("failonerrors") or 0
        if not isinstance(fail_on, int) or isinstance(fail_on, bool) or fail_on < 0:
            raise invalid_value("failOnErrors has to be a whole number")
        steps = [_step(each) for each in several]
        ids = [step.bulk_id for step in steps if step.bulk_id]
        if len(ids) != len(set(ids)):
            raise invalid_value("two operations have the same bulkId")
        return cls(steps, fail_on, execute)

    async def run(self) -> dict[str, Any]:
        """Do what was asked for, and return the answer's body."""
        waiting = list(range(len(self.steps)))
        while waiting and not self._is_over():
            ready = next((n for n in waiting if self._is_ready(n)), None)
            circle = ready is None
            number = waiting[0] if ready is None else ready
            if circle:
                number = next(
                    (n for n in waiting if self.steps[n].method == "POST"), number
                )
            waiting.remove(number)
            await self._do(number, circle=circle)
        for number, members in self._later:
            if not self._is_over():
                await self._complete(number, members)
        return {
            "schemas": [RESPONSE],
            "Operations": [
                _told(self.steps[n], self._done[n]) for n in sorted(self._done)
            ],
        }

    def _is_over(self) -> bool:
        errors = sum(1 for done in self._done.values() if done.failed)
        return bool(self.fail_on) and errors >= self.fail_on

    def _is_ready(self, number: int) -> bool:
        step = self.steps[number]
        settled = {*self._ids, *self._failed}
        known = {each.bulk_id for each in self.steps if each.bulk_id}
        return all(name in settled or name not in known for name in _references(step))

    async def _do(self, number: int, *, circle: bool) -> None:
        step = self.steps[number]
        unmade = {name for name in _references(step) if name not in self._ids}
        if circle and step.method == "POST" and not unmade & self._failed:
            data, members = _without(step.data, unmade)
            step = Step(step.method, step.path, step.bulk_id, step.version, data)
            self._later.append((number, members))
            unmade = {name for name in _references(step) if name not in self._ids}
        if unmade:
            problem = invalid_value(
                f"it refers to bulkId {min(unmade)}, which made nothing"
            )
            done = Done(problem.status, body=problem.answer().body)
        else:
            data = _resolved(step.data, self._ids)
            path = _resolved_path(step.path, self._ids)
            done = await self.execute(
                Step(step.method, path, step.bulk_id, step.version, data)
            )
        self._done[number] = done
        if step.bulk_id and done.failed:
            self._failed.add(step.bulk_id)
        elif step.bulk_id:
            self._ids[step.bulk_id] = done.id

    async def _complete(self, number: int, members: list[Any]) -> None:
        """Give a group the members that had to be made after it."""
        made = self._done[number]
        if made.failed or not members:
            return
        value = _resolved(members, self._ids)
        patch = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "add", "path": "members", "value": value}],
        }
        path = f"{self.steps[number].path.rstrip('/')}/{made.id}"
        done = await self.execute(Step("PATCH", path, data=patch))
        status = done.status if done.failed else made.status
        self._done[number] = Done(
            status, made.id, made.location, done.version or made.version, done.body
        )


def _step(told: object) -> Step:
    if not isinstance(told, dict):
        raise invalid_syntax("an operation has to be an object")
    given = {name.lower(): value for name, value in told.items()}
    method = given.get("method")
    if not isinstance(method, str) or method.upper() not in _METHODS:
        raise invalid_syntax("method has to be POST, PUT, PATCH or DELETE")
    texts = [given.get(name) or "" for name in ("path", "bulkid", "version")]
    if not all(isinstance(text, str) for text in texts) or not texts[0]:
        raise invalid_syntax("path, bulkId and version have to be texts")
    if method.upper() == "POST" and not texts[1]:
        raise invalid_syntax("a POST needs a bulkId")
    path, bulk_id, version = texts
    return Step(method.upper(), path, bulk_id, version, given.get("data"))


def _references(step: Step) -> set[str]:
    found: set[str] = set()
    _each_text([step.data, *step.path.split("/")], found.add, 0)
    return found


def _each_text(data: Any, found: Callable[[str], None], depth: int) -> None:
    if depth > _DEEPEST:
        return
    if isinstance(data, str):
        if data.lower().startswith(_REFERENCE):
            found(data[len(_REFERENCE) :])
    elif isinstance(data, list):
        for each in data:
            _each_text(each, found, depth + 1)
    elif isinstance(data, dict):
        for each in data.values():
            _each_text(each, found, depth + 1)


def _resolved(data: Any, ids: Mapping[str, str], depth: int = 0) -> Any:
    if depth > _DEEPEST:
        return data
    if isinstance(data, str) and data.lower().startswith(_REFERENCE):
        return ids.get(data[len(_REFERENCE) :], data)
    if isinstance(data, list):
        return [_resolved(each, ids, depth + 1) for each in data]
    if isinstance(data, dict):
        return {name: _resolved(each, ids, depth + 1) for name, each in data.items()}
    return data


def _resolved_path(path: str, ids: Mapping[str, str]) -> str:
    return "/".join(_resolved(part, ids) for part in path.split("/"))


def _without(data: Any, names: set[str]) -> tuple[Any, list[Any]]:
    """Return a group's data without the members of those names, and these."""
    if not isinstance(data, dict):
        return data, []
    key = next((name for name in data if name.lower() == "members"), "")
    if not key or not isinstance(data[key], list):
        return data, []

    def refers(member: Any) -> bool:
        found: set[str] = set()
        _each_text(member, found.add, 0)
        return bool(found & names)

    later = [member for member in data[key] if refers(member)]
    now = [member for member in data[key] if not refers(member)]
    return {**data, key: now}, later


def _told(step: Step, done: Done) -> dict[str, Any]:
    told: dict[str, Any] = {"method": step.method, "status": str(done.status)}
    if step.bulk_id:
        told["bulkId"] = step.bulk_id
    if done.location:
        told["location"] = done.location
    if done.version:
        told["version"] = done.version
    if done.failed and done.body is not None:
        told["response"] = dict(done.body)
    return told
