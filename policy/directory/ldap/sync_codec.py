"""
Content synchronization (RFC 4533): its request, and the three things said about it.

Cookies are the server's own and are never looked into.
"""

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from policy.directory.ldap import ber
from policy.directory.ldap.conversation import Control

SYNC_REQUEST = "1.3.6.1.4.1.4203.1.9.1.1"
SYNC_STATE = "1.3.6.1.4.1.4203.1.9.1.2"
SYNC_DONE = "1.3.6.1.4.1.4203.1.9.1.3"
SYNC_INFO = "1.3.6.1.4.1.4203.1.9.1.4"

_NEW_COOKIE, _REFRESH_DELETE, _REFRESH_PRESENT, _ID_SET = 0x80, 0xA1, 0xA2, 0xA3


class Mode(IntEnum):
    """Whether the server stops when it has told everything, or goes on telling."""

    REFRESH_ONLY = 1
    REFRESH_AND_PERSIST = 3


class What(IntEnum):
    """What the entry that this comes with is."""

    PRESENT = 0
    ADD = 1
    MODIFY = 2
    DELETE = 3


@dataclass(frozen=True, slots=True)
class SyncState:
    """Said with each entry. An empty cookie is none."""

    what: What
    id: UUID
    cookie: bytes = b""


@dataclass(frozen=True, slots=True)
class SyncDone:
    """Said with the end of a search: whether what is gone was named."""

    cookie: bytes = b""
    refresh_deletes: bool = False


@dataclass(frozen=True, slots=True)
class NewCookie:
    cookie: bytes


@dataclass(frozen=True, slots=True)
class PhaseEnd:
    """
    The end of a phase: `deletes` of the one that names what is gone.

    Otherwise it was the one that names what is there, and all else is gone. `done` says
    that nothing but changes will follow.
    """

    deletes: bool
    cookie: bytes = b""
    done: bool = True


@dataclass(frozen=True, slots=True)
class IdSet:
    """Many entries at once: gone if `deletes`, else there and unchanged."""

    ids: frozenset[UUID]
    cookie: bytes = b""
    deletes: bool = False


SyncInfo = NewCookie | PhaseEnd | IdSet


def sync_request(
    mode: Mode, cookie: bytes = b"", *, reload_hint: bool = False
) -> bytes:
    parts = [ber.integer(mode, ber.ENUMERATED), *_cookie(cookie)]
    if reload_hint:
        parts.append(ber.boolean(True))
    return ber.sequence(*parts)


def sync_control(mode: Mode, cookie: bytes = b"") -> Control:
    """Ask for content synchronization, or for a refusal by whoever does not know it."""
    return Control(SYNC_REQUEST, sync_request(mode, cookie), critical=True)


def sync_state(value: bytes) -> SyncState:
    """Read what came with an entry. Raises NotBer."""
    start, stop = ber.inside(value, ber.SEQUENCE)
    fields = list(ber.parts(value, start, stop))
    if [tag for tag, _, _ in fields[:2]] != [ber.ENUMERATED, ber.OCTETS]:
        raise ber.NotBer("no sync state")
    number = ber.number(value, *fields[0][1:])
    if number not in list(What):
        raise ber.NotBer(f"sync state {number}")
    cookies = [value[a:b] for tag, a, b in fields[2:] if tag == ber.OCTETS]
    return SyncState(
        What(number), _uuid(value[fields[1][1] : fields[1][2]]), *cookies[:1]
    )


def sync_done(value: bytes) -> SyncDone:
    """Read what came with the end. Raises NotBer."""
    cookie, flag, _ = _fields(value, *ber.inside(value, ber.SEQUENCE))
    return SyncDone(cookie, bool(flag))


def sync_info(value: bytes) -> SyncInfo:
    """Read what was said between entries. Raises NotBer."""
    tag, start, stop = ber.head(value, 0, len(value))
    if stop != len(value):
        raise ber.NotBer("more than a sync info")
    if tag == _NEW_COOKIE:
        return NewCookie(value[start:stop])
    cookie, flag, ids = _fields(value, start, stop)
    if tag == _ID_SET and ids is not None:
        return IdSet(ids, cookie, bool(flag))
    if tag in {_REFRESH_DELETE, _REFRESH_PRESENT} and ids is None:
        done = True if flag is None else flag
        return PhaseEnd(tag == _REFRESH_DELETE, cookie, done)
    raise ber.NotBer(f"sync info of kind {tag:#04x}")


def written_state(state: SyncState) -> bytes:
    """Write what `sync_state` reads."""
    what = ber.integer(state.what, ber.ENUMERATED)
    return ber.sequence(
        what, ber.value(ber.OCTETS, state.id.bytes), *_cookie(state.cookie)
    )


def written_done(done: SyncDone) -> bytes:
    """Write what `sync_done` reads."""
    flag = [ber.boolean(True)] if done.refresh_deletes else []
    return ber.sequence(*_cookie(done.cookie), *flag)


def written_info(info: SyncInfo) -> bytes:
    """Write what `sync_info` reads."""
    match info:
        case NewCookie(cookie):
            return ber.value(_NEW_COOKIE, cookie)
        case PhaseEnd(deletes, cookie, done):
            tag = _REFRESH_DELETE if deletes else _REFRESH_PRESENT
            flag = [] if done else [ber.boolean(False)]
            return ber.value(tag, b"".join([*_cookie(cookie), *flag]))
        case IdSet(ids, cookie, deletes):
            flag = [ber.boolean(True)] if deletes else []
            each = [ber.value(ber.OCTETS, one.bytes) for one in sorted(ids)]
            listed = ber.value(ber.SET, b"".join(each))
            return ber.value(_ID_SET, b"".join([*_cookie(cookie), *flag, listed]))


def _cookie(cookie: bytes) -> list[bytes]:
    return [ber.value(ber.OCTETS, cookie)] if cookie else []


def _fields(
    value: bytes, start: int, stop: int
) -> tuple[bytes, bool | None, frozenset[UUID] | None]:
    """Return the cookie, the flag and the ids that stand in a value, each if it does."""
    cookie, flag, ids = b"", None, None
    for tag, a, b in ber.parts(value, start, stop):
        match tag:
            case ber.OCTETS:
                cookie = value[a:b]
            case ber.BOOLEAN:
                flag = any(value[a:b])
            case ber.SET:
                each = ber.parts(value, a, b)
                ids = frozenset(_uuid(value[x:y]) for _, x, y in each)
            case _:
                raise ber.NotBer(f"unknown field {tag:#04x}")
    return cookie, flag, ids


def _uuid(data: bytes) -> UUID:
    try:
        return UUID(bytes=data)
    except ValueError as error:
        raise ber.NotBer("no entryUUID") from error
