"""Where a channel is reached, and what it is called, as its platform last said."""

from dataclasses import dataclass, replace
from typing import Protocol

from bridge.messages import Channel


@dataclass(frozen=True, slots=True)
class Place:
    """
    A team or one of its channels, as an activity spoke of it.

    `account` is the Teams tenant. `channel` is empty for the team itself. Empty
    `name`, `group_id` and `kind` mean that the activity did not say. `kind` is
    standard, private or shared for a channel.
    """

    account: str
    team: str
    channel: str
    service_url: str
    name: str = ""
    group_id: str = ""
    kind: str = ""

    def updated(self, newer: "Place") -> "Place":
        """Take over what `newer` says, and keep what it is silent about."""
        return replace(
            newer,
            service_url=newer.service_url or self.service_url,
            name=newer.name or self.name,
            group_id=newer.group_id or self.group_id,
            kind=newer.kind or self.kind,
        )


class PlaceBook(Protocol):
    """What ATOM remembers about teams and channels, across restarts."""

    async def remember(self, place: Place) -> None:
        """
        Keep the place; what it leaves empty stays as it was (`Place.updated`).

        Raises `StoreUnavailable` when it cannot be kept.
        """
        ...

    async def find(self, channel: Channel) -> Place | None:
        """
        Return the channel's place, or None for a team never heard of.

        A channel without an id stands for its team.

        `service_url`, `group_id` and `account` that are not known of the channel come
        from its team; of an unknown channel in a known team only those are filled in.
        """
        ...

    async def of_account(self, account: str) -> Place | None:
        """Return the place of a tenant that was heard of last, wherever that is."""
        ...
