"""
For which command something is written down, and whether that still counts.

A command's claim is looked at in the transaction that writes what it does, and the
last thing that it did is noted there.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import orjson

from bridge.messages import Event
from bridge.unanswered import Claim, Stage, waits_for_an_answer
from storage.hot import Rows, Statement
from storage.rows import clean_id, clean_text

# What is written down about a command, and is not what it was given for.
_BESIDE = frozenset(
    {
        "access.refused",
        "item.view",
        "policy.decision",
        "record.denied",
        "record.find",
        "record.view",
        "search.run",
    }
)


class _Behalf:
    """For which command something is logged. Tasks that outlive it see none."""

    __slots__ = ("claim",)

    def __init__(self, claim: Claim | None) -> None:
        self.claim = claim


_behalf: ContextVar[_Behalf | None] = ContextVar("behalf", default=None)


def acting_for() -> Claim | None:
    """Return the claim of the command on whose behalf this is done, if any."""
    behalf = _behalf.get()
    return behalf.claim if behalf else None


@contextmanager
def on_behalf(claim: Claim) -> Iterator[None]:
    """Let what is written within be the command's doing."""
    behalf = _Behalf(claim)
    token = _behalf.set(behalf)
    try:
        yield
    finally:
        behalf.claim = None
        _behalf.reset(token)


def first_claim(tenant: str, event: Event, owner: str) -> Claim | None:
    """Return the claim of the process that captures a command, None if it is none."""
    if not waits_for_an_answer(event):
        return None
    return Claim(tenant, clean_text(event.delivery_key), owner)


def noted(tenant: str, event: Event, owner: str, now_us: int) -> tuple[Statement, ...]:
    """
    Return what puts a command on the list of those to answer.

    What was just heard is `owner`'s to answer; what was read later is nobody's yet.
    """
    claim = first_claim(tenant, event, owner)
    if claim is None:
        return ()
    row: dict[str, object] = {
        "tenant": tenant,
        "key": claim.key,
        "account": clean_id(event.account),
        "owner": owner if event.via == "push" else "",
        "stage": str(Stage.CAPTURED),
        "asked_us": min(event.sent_us, now_us),
    }
    return (
        Statement(
            "INSERT INTO unanswered (tenant, key, account, owner, epoch, stage, effect, "
            "asked_us, until_us) VALUES (:tenant, :key, :account, :owner, 1, :stage, "
            "-1, :asked_us, 0) ON CONFLICT (tenant, key) DO NOTHING",
            row,
        ),
    )


def claims_asked(tenant: str, claims: Collection[Claim]) -> Statement:
    """Ask which claims of a company still count, and let nobody change them meanwhile."""
    columns = "SELECT key, owner, epoch FROM unanswered WHERE tenant = :tenant"
    return Statement(
        f"{columns} AND key IN (SELECT value FROM json_each(:claimed))",
        {
            "tenant": tenant,
            "claimed": orjson.dumps(sorted({c.key for c in claims})).decode(),
        },
        # In one order everywhere, or two processes could wait for each other.
        postgres=f"{columns} AND key = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:claimed::text::jsonb))) ORDER BY key FOR UPDATE",
    )


def claims_held(tenant: str, rows: Rows) -> frozenset[Claim]:
    return frozenset(Claim(tenant, key, owner, epoch) for key, owner, epoch in rows)


def effect(claim: Claim, etype: str, seq: int) -> tuple[Statement, ...]:
    """Return what notes an entry as the last that a command was given for."""
    if etype in _BESIDE:
        return ()
    return (
        Statement(
            "UPDATE unanswered SET effect = :seq WHERE tenant = :tenant AND key = :key",
            {"tenant": claim.tenant, "key": claim.key, "seq": seq},
        ),
    )
