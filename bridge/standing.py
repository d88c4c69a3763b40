"""Which copy a delivery is about."""

from bridge.delivery import Copy, Delivery
from bridge.ports import Copies, History


async def standing(copies: Copies, delivery: Delivery, history: History) -> Copy | None:
    """
    Return the copy that was made of the delivery's message already, if there is one.

    Copies come from deliveries, and those from what the log tells of the message: the
    first delivery of the only entry about it need not ask. That is nearly every one.
    """
    if delivery.fresh and history.alone:
        return None
    return await copies.copy_of(
        delivery.tenant,
        delivery.link,
        delivery.source,
        delivery.message,
        delivery.target,
    )
