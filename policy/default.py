"""
The policy for a company that has no directory configured.

Whoever may speak in a linked channel, by the platform's own membership, is heard on
the other side. The decision is taken and recorded all the same, so that nothing
changes in kind when a directory comes.
"""

from dataclasses import dataclass
from hashlib import sha256

from bridge.access import Action, Asked, Decision

_TEXT = b"permit(principal, action, resource) // by the platforms' own membership"
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


@dataclass(frozen=True, slots=True)
class MembershipPolicy:
    """Implements `bridge.ports.AccessPolicy`."""

    async def decide(self, asked: Asked) -> Decision:
        return _ALLOWED[asked.action]
