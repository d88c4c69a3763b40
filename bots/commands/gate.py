"""What the company's policy says about commands, beside what the platforms say."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.commands.base import Request
from bridge.access import Action, Asked, Decision
from bridge.errors import NotAllowed
from bridge.ports import AccessPolicy

# Whoever may do nothing may still ask why, say who they are, and let go of what ATOM
# has of theirs.
_FREE = frozenset({"disconnect", "help", "me", "why"})
_ASKING = frozenset(
    {"who"}
)  # free with one word behind it; with more it changes things

Record = Callable[[Request, Decision], Awaitable[None]]


async def unrecorded(_request: Request, _decision: Decision) -> None:
    """The default: the decision is on record elsewhere."""


@dataclass(frozen=True, slots=True)
class Gate:
    """
    Asks for each command by its name, `admin.link` for one.

    Where a command asks for an admin of the platform as well, both must agree.
    `record` writes decisions down that were taken with a directory.
    """

    policy: AccessPolicy
    record: Record = unrecorded

    async def check(self, request: Request, name: str) -> None:
        """Raise `NotAllowed` with the rule's own words if the policy is against it."""
        asks = name in _ASKING and len(request.arguments) <= 1
        if name in _FREE or asks:
            return
        decision = await self.policy.decide(
            Asked(
                request.tenant,
                request.person,
                Action.COMMAND,
                request.channel,
                account=request.account,
                thing=name,
            )
        )
        await self.record(request, decision)
        if decision.allowed:
            return
        said = decision.reason or "your company's rules do not allow it"
        raise NotAllowed(f"`{name}`: {said.rstrip('.')} ({decision.rule}).")
