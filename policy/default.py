"""
The policy for a company that has no directory configured.

Whoever may speak in a linked channel, by the platform's own membership, is heard on
the other side. The decision is taken and recorded all the same, so that nothing
changes in kind when a directory comes.

Of a record a room sees what is public: it is read with ATOM's own account, and nobody
says whose the rest is. The same holds for employees' records wherever they are seen.
"""

from dataclasses import dataclass
from hashlib import sha256

from bridge.access import Action, Asked, Decision
from bridge.records.model import PUBLIC, System

_TEXT = b"""\
permit(principal, action, resource) // by the platforms' own membership
forbid(principal, action, resource) // what is not public of records, in rooms and of HR
"""
_HASH = sha256(_TEXT).hexdigest()
_ALLOWED = {
    action: Decision(
        allowed=True,
        rule="default: the platform's own membership",
        policy=_HASH,
        directory="none",
        action=action,
    )
    for action in Action
}
_DENIED = Decision(
    allowed=False,
    rule="default: public fields alone",
    policy=_HASH,
    directory="none",
    action=Action.RECORD_VIEW,
    reason="Without a directory only public fields are shown to a room, and of HR.",
)


@dataclass(frozen=True, slots=True)
class MembershipPolicy:
    """Implements `bridge.ports.AccessPolicy`."""

    async def decide(self, asked: Asked) -> Decision:
        return _DENIED if _is_kept_back(asked) else _ALLOWED[asked.action]


def _is_kept_back(asked: Asked) -> bool:
    if asked.action is not Action.RECORD_VIEW or asked.field in {"", PUBLIC}:
        return False
    return asked.channel is not None or asked.thing.startswith(f"{System.HR}/")
