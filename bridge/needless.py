"""Which deliveries need not be made any more."""

from typing import assert_never

from bridge.delivery import Copy, Delivery, Operation
from bridge.ports import History


def needless(delivery: Delivery, history: History, copy: Copy | None) -> str:
    """
    Return why a delivery need not be made any more, or nothing if it must.

    A post always carries the newest content, so edits that came before it are stale.
    """
    standing = copy is not None and not copy.deleted
    match delivery.operation:
        case Operation.POST:
            if history.deleted:
                return "deleted before it was sent"
            return "it stands there already" if standing else ""
        case Operation.EDIT:
            if history.deleted:
                return "deleted meanwhile"
            if copy is None or copy.deleted:
                return "there is no copy to edit"
            stale = copy.version_us >= history.version_us
            return "a newer edit was sent already" if stale else ""
        case Operation.DELETE:
            if not history.deleted:
                return "restored meanwhile"
            return "" if standing else "there is no copy to delete"
        case Operation.REACT:
            return ""  # what a reaction needs, `bridge.reacting` knows
        case _:
            assert_never(delivery.operation)
