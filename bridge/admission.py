"""Whether the policy is for a delivery now, right before it is made."""

from dataclasses import dataclass, replace

from bridge.access import Action, Asked, Decision, Label
from bridge.delivery import Delivery, Operation
from bridge.document import Document, Paragraph, Style, Text
from bridge.enforcement import Enforcement, asked_of, outsiders
from bridge.labelling import Labeller
from bridge.links import Link
from bridge.messages import HISTORY
from bridge.notices import NOT_ALLOWED, explained
from bridge.ports import AccessPolicy, History

_ACTIONS = {
    Operation.POST: Action.POST,
    Operation.DIGEST: Action.POST,
    Operation.EDIT: Action.EDIT,
    Operation.DELETE: Action.DELETE,
    Operation.REACT: Action.REACT,
    Operation.FILE: Action.FILE,
}
_WITHHELD = Document(
    (Paragraph((Text("(what it says now may not be shown here)", (Style.ITALIC,)),)),)
)
_UNASKED = Decision(allowed=True, rule="", policy="", directory="")


@dataclass(frozen=True, slots=True)
class Admission:
    """
    Asks again for what was decided when the message was heard.

    People move, links and readers change, and the message may say something else by now.
    """

    policy: AccessPolicy
    labels: Labeller | None = None

    async def ruling(
        self, delivery: Delivery, history: History, link: Link | None
    ) -> Decision:
        """Return what the policy says now."""
        if delivery.message.startswith(HISTORY):
            # ATOM's own digest: each author in it was asked for as it was made.
            return _UNASKED
        if history.verdict.withholds:
            return replace(
                _UNASKED,
                allowed=False,
                rule=history.verdict.named,
                reason=history.verdict.says,
            )
        return await asked_of(self.policy, self._asked(delivery, history, link), link)

    async def denial(
        self, delivery: Delivery, history: History, link: Link | None
    ) -> str:
        """Return why the policy is against it now, or nothing if it is not."""
        decision = await self.ruling(delivery, history, link)
        return "" if decision.allowed else denied(decision)

    async def withheld(
        self, delivery: Delivery, history: History, link: Link, ruling: Decision
    ) -> History | None:
        """
        Return the message as it may be shown, if an edit is denied for what it says.

        What stands there is then replaced by a line that says no more than that.
        """
        if history.verdict.withholds:
            # It says no more than that already.
            return history if delivery.operation is Operation.EDIT else None
        asked = self._asked(delivery, history, link)
        if not await Enforcement(self.policy).hides(asked, ruling):
            return None
        return replace(history, document=_WITHHELD, files=(), earlier=())

    def _asked(self, delivery: Delivery, history: History, link: Link | None) -> Asked:
        label = history.label or Label.PUBLIC
        if self.labels and history.label is None:
            label = self.labels.label(delivery.tenant, history.document, history.files)
        return Asked(
            delivery.tenant,
            history.author,
            _ACTIONS[delivery.operation],
            delivery.source,
            delivery.target,
            delivery.link,
            label=label,
            outsiders=outsiders(link, delivery.target),
        )


def denied(decision: Decision) -> str:
    """Return how a delivery that the policy is against is said to have ended."""
    return f"{NOT_ALLOWED}: {explained(decision)}"
