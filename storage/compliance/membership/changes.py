"""
What events change about intervals, in the transaction of the entry that says so.

Events may come twice and in any order: somebody who is in already does not come in
again.
"""

from collections.abc import Collection

from bridge.membership import joined, left
from bridge.messages import Channel, Event
from storage.hot import Statement
from storage.rows import clean_id

_CAME = (
    "INSERT INTO membership (tenant, platform, conv, subject, from_us, to_us) "
    "SELECT {tenant}, {platform}, {conv}, {subject}, {at}, NULL WHERE NOT EXISTS "
    "(SELECT 1 FROM membership m WHERE m.tenant = {tenant} "
    "AND m.platform = {platform} AND m.conv = {conv} AND m.subject = {subject} "
    "AND (m.to_us IS NULL OR m.to_us > {at})) ON CONFLICT DO NOTHING"
)
_NAMES = ("tenant", "platform", "conv", "subject")
_WENT = (
    "UPDATE membership SET to_us = :at WHERE tenant = :tenant "
    "AND platform = :platform AND conv = :conv AND subject = :subject "
    "AND to_us IS NULL AND from_us <= :at"
)


def followed(tenant: str, event: Event) -> tuple[Statement, ...]:
    """Return what an event changes about who is in its conversation."""
    if event.channel is None:
        return ()
    at = event.sent_us
    return (
        *came(tenant, event.channel, joined(event), at),
        *went(tenant, event.channel, left(event), at),
    )


def came(
    tenant: str, channel: Channel, people: Collection[str], at_us: int
) -> tuple[Statement, ...]:
    plain = {name: f":{name}" for name in (*_NAMES, "at")}
    typed = {name: f":{name}::text" for name in _NAMES} | {"at": ":at::bigint"}
    return tuple(
        Statement(
            _CAME.format_map(plain),
            row_of(tenant, channel, person, at_us),
            postgres=_CAME.format_map(typed),
        )
        for person in sorted(people)
    )


def went(
    tenant: str, channel: Channel, people: Collection[str], at_us: int
) -> tuple[Statement, ...]:
    return tuple(
        Statement(_WENT, row_of(tenant, channel, person, at_us))
        for person in sorted(people)
    )


def row_of(tenant: str, channel: Channel, person: str, at_us: int) -> dict[str, object]:
    return {
        "tenant": tenant,
        "platform": str(channel.platform),
        "conv": clean_id(channel.id),
        "subject": clean_id(person),
        "at": at_us,
    }


def forgotten(tenant: str, platform: str, subject: str) -> tuple[Statement, ...]:
    """Return what takes somebody out of all intervals, for an erasure."""
    return (
        Statement(
            "DELETE FROM membership WHERE tenant = :tenant AND platform = :platform "
            "AND subject = :subject",
            {"tenant": tenant, "platform": platform, "subject": clean_id(subject)},
        ),
    )
