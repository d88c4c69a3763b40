"""How what is to be written becomes rows that both databases take."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bridge.delivery import Again, Copy, Delivery, Joined
from storage.compliance.leaf import canonical
from storage.writes import Attempt, Letter

_ID_LIMIT = 200


def canonical_body(body: Mapping[str, Any]) -> bytes:
    """Return the body's canonical bytes; what is no Unicode text becomes '?'."""
    return canonical_and_exact(body)[0]


def canonical_and_exact(body: Mapping[str, Any]) -> tuple[bytes, bool]:
    """Return the body's canonical bytes, and whether they say exactly what it says."""
    try:
        return canonical(body), True
    except (TypeError, orjson.JSONEncodeError):
        return canonical(_text_only(body)), False


def _text_only(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case Mapping():
            return {_text_only(k): _text_only(v) for k, v in value.items()}
        case list() | tuple():
            return [_text_only(v) for v in value]
    return value


def clean_id(text: str) -> str:
    """Make an id storable: PostgreSQL takes no NUL, nothing takes lone surrogates."""
    return clean_text(text)[:_ID_LIMIT]


def clean_text(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def uuid7(moment_us: int) -> int:
    """Return a UUIDv7 (RFC 9562 section 5.7): the time, then randomness."""
    random = uuid.uuid4().int
    stamp = (moment_us // 1000) << 80
    return stamp | (0x7 << 76) | (random & ((0xFFF << 64) | (1 << 62) - 1)) | 1 << 63


def outbox_row(delivery: Delivery) -> dict[str, Any]:
    return {
        "tenant": delivery.tenant,
        "seq": delivery.seq,
        "n": delivery.n,
        "shard": delivery.shard,
        "link": delivery.link,
        "operation": delivery.operation,
        "source": str(delivery.source),
        "target": str(delivery.target),
        "message": clean_id(delivery.message),
        "thread": clean_id(delivery.thread),
        "version_us": delivery.version_us,
        "created_us": delivery.created_us,
        "file": clean_id(delivery.file),
    }


def attempt_row(attempt: Attempt, moment: int) -> dict[str, Any]:
    delivery = attempt.delivery
    return {
        "tenant": delivery.tenant,
        "seq": delivery.seq,
        "n": delivery.n,
        "attempt": attempt.number,
        "shard": delivery.shard,
        "epoch": attempt.epoch,
        "link": delivery.link,
        "state": attempt.state,
        "tries": attempt.tries,
        "until_us": attempt.until_us,
        "reason": attempt.reason,
        "at_us": moment,
        "part": delivery.part,
        "budget": delivery.budget,
        "joined": joined_text(delivery.joined),
    }


def copy_row(copy: Copy, moment: int) -> dict[str, Any]:
    return {
        "tenant": copy.tenant,
        "target": str(copy.target),
        "remote": copy.remote,
        "link": copy.link,
        "source": str(copy.source),
        "message": clean_id(copy.message),
        "remote_thread": copy.remote_thread,
        "version_us": copy.version_us,
        "deleted": 2 if copy.marked else int(copy.deleted),
        "created_us": moment,
        "part": copy.part,
        "parts": copy.parts,
        "budget": copy.budget,
        "segment": copy.segment,
    }


def letter_row(letter: Letter, moment: int) -> dict[str, Any]:
    delivery = letter.delivery
    return {
        "tenant": delivery.tenant,
        "seq": delivery.seq,
        "n": delivery.n,
        "link": delivery.link,
        "state": letter.state,
        "tries": delivery.tries,
        "reason": letter.reason,
        "unknown_us": letter.unknown_us,
        "at_us": moment,
        "joined": joined_text(delivery.joined),
    }


def requeued_row(delivery: Delivery, again: Again) -> dict[str, Any]:
    return {
        "tenant": delivery.tenant,
        "seq": delivery.seq,
        "n": delivery.n,
        "entry": again.entry,
        "marker": again.marker,
        "unknown_us": delivery.unknown_since_us,
        "joined": joined_text(delivery.joined),
    }


def joined_text(joined: Sequence[Joined]) -> str:
    """Return the messages of one post as they are stored; nothing if it has one."""
    if not joined:
        return ""
    listed = [[j.seq, j.n, clean_id(j.message), j.version_us] for j in joined]
    return orjson.dumps(listed).decode()


def joined_of(text: str) -> tuple[Joined, ...]:
    """Read what `joined_text` wrote."""
    return tuple(Joined(*each) for each in orjson.loads(text)) if text else ()
