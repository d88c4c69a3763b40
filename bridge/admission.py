"""Whether the policy is for a delivery now, right before it is made."""

from dataclasses import dataclass

from bridge.access import Action, Asked
from bridge.delivery import Delivery, Operation
from bridge.ports import AccessPolicy, History

_ACTIONS = {
    Operation.POST: Action.POST,
    Operation.EDIT: Action.EDIT,
    Operation.DELETE: Action.DELETE,
    Operation.REACT: Action.REACT,
    Operation.FILE: Action.POST,
}


@dataclass(frozen=True, slots=True)
class Admission:
    """Asks again for what was decided when the message was heard."""

    policy: AccessPolicy

    async def denial(self, delivery: Delivery, history: History) -> str:
        """Return why the policy is against it now, or nothing if it is not."""
        action = _ACTIONS[delivery.operation]
        decision = await self.policy.decide(
            Asked(
                delivery.tenant,
                history.author,
                action,
                delivery.source,
                delivery.target,
                delivery.link,
            )
        )
        return "" if decision.allowed else f"not allowed: {decision.rule}"
