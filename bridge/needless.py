"""When a delivery need not be made any more."""

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
        case Operation.POST | Operation.DIGEST:
            return _needless_post(history, standing=standing)
        case Operation.EDIT:
            if history.deleted:
                return "deleted meanwhile"
            if copy is None or copy.deleted:
                return "there is no copy to edit"
            if copy.version_us >= history.version_us:
                return "a newer edit was sent already"
            return "it says the same already" if _unchanged(history, copy) else ""
        case Operation.DELETE:
            if not history.deleted:
                return "restored meanwhile"
            return "" if standing else "there is no copy to delete"
        case Operation.REACT | Operation.FILE:
            return ""  # what these need, `bridge.reacting` and `bridge.filing` know
        case _:
            assert_never(delivery.operation)


def _unchanged(history: History, copy: Copy) -> bool:
    """Whether nothing that is said has changed since: a link's preview came, perhaps."""
    since = history.same_since_us
    return since is not None and copy.version_us >= since


def _needless_post(history: History, *, standing: bool) -> str:
    if history.deleted:
        return "deleted before it was sent"
    if standing:
        return "it stands there already"
    if history.in_doubt:
        return "the outcome of an earlier call is unknown: retry that one"
    return ""
