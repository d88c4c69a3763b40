"""When a delivery need not be made any more."""

from typing import assert_never

from bridge.delivery import Delivery, Operation
from bridge.ports import History
from bridge.standing import Standing

_UNKNOWN = "the outcome of an earlier call is unknown: retry that one"


def needless(delivery: Delivery, history: History, standing: Standing) -> str:
    """
    Return why a delivery need not be made any more, or nothing if it must.

    A post always carries the newest content, so edits that came before it are stale.
    """
    match delivery.operation:
        case Operation.POST | Operation.DIGEST:
            return _needless_post(history, standing=not standing.missing)
        case Operation.EDIT:
            if history.deleted:
                return "deleted meanwhile"
            if not standing.stands:
                return "there is no copy to edit"
            if standing.holds(history.version_us):
                return "a newer edit was sent already"
            if history.in_doubt and standing.missing:
                return _UNKNOWN
            return "it says the same already" if _unchanged(history, standing) else ""
        case Operation.DELETE:
            # What was erased is taken down wherever it stands: recipients are told so.
            if not (history.deleted or history.erased):
                return "restored meanwhile"
            return "" if standing.stands else "there is no copy to delete"
        case Operation.REACT | Operation.FILE:
            return ""  # what these need, `bridge.reacting` and `bridge.filing` know
        case _:
            assert_never(delivery.operation)


def _unchanged(history: History, standing: Standing) -> bool:
    """Whether nothing that is said has changed since: a link's preview came, perhaps."""
    since = history.same_since_us
    return since is not None and standing.holds(since)


def _needless_post(history: History, *, standing: bool) -> str:
    if history.deleted:
        return "deleted before it was sent"
    if standing:
        return "it stands there already"
    if history.in_doubt:
        return _UNKNOWN
    return ""
