"""How links and the offers that lead to them become rows."""

import json
from collections.abc import Mapping

from bridge.links import Link, Offer
from bridge.messages import Channel
from storage.hot import Program, Statement

# Later than every earlier change, whatever this process's clock says: others notice
# a change by it.
NEWEST = (
    "(SELECT CASE WHEN coalesce(max(m.changed_us), 0) >= :now "
    "THEN max(m.changed_us) + 1 ELSE :now END FROM link m WHERE m.tenant = :whose)"
)


def insert(link: Link) -> tuple[Statement, ...]:
    row = Statement(
        "INSERT INTO link (tenant, id, state, created_by, created_us, changed_us) "
        f"VALUES (:tenant, :id, :state, :actor, :created, {NEWEST})",
        {
            "tenant": link.tenant,
            "id": link.id,
            "state": str(link.state),
            "actor": link.created_by,
            "created": link.created_us,
            "now": link.created_us,
            "whose": link.tenant,
        },
    )
    channels = (
        Statement(
            "INSERT INTO link_channel (tenant, link, position, channel) "
            "VALUES (:tenant, :link, :position, :channel)",
            {
                "tenant": link.tenant,
                "link": link.id,
                "position": position,
                "channel": str(channel),
            },
        )
        for position, channel in enumerate(link.channels)
    )
    return (row, *channels)


def update(link: Link, now_us: int) -> Statement:
    return Statement(
        f"UPDATE link SET state = :state, changed_us = {NEWEST} "
        "WHERE tenant = :tenant AND id = :id",
        {
            "state": str(link.state),
            "now": now_us,
            "whose": link.tenant,
            "tenant": link.tenant,
            "id": link.id,
        },
    )


def touch(link: Link, now_us: int) -> Statement:
    """Let other processes notice that a link's channels changed."""
    return Statement(
        f"UPDATE link SET changed_us = {NEWEST} WHERE tenant = :tenant AND id = :id",
        {"now": now_us, "whose": link.tenant, "tenant": link.tenant, "id": link.id},
    )


def take_in(link: Link, channel: Channel, now_us: int) -> Statement:
    return Statement(
        "INSERT INTO link_channel (tenant, link, position, channel, joined_us) "
        "SELECT :tenant, :link, max(position) + 1, :channel, :joined "
        "FROM link_channel WHERE tenant = :whose AND link = :which",
        {
            "tenant": link.tenant,
            "link": link.id,
            "channel": str(channel),
            "joined": now_us,
            "whose": link.tenant,
            "which": link.id,
        },
    )


def take_out(link: Link, channel: Channel) -> Statement:
    return Statement(
        "DELETE FROM link_channel "
        "WHERE tenant = :tenant AND link = :link AND channel = :channel",
        {"tenant": link.tenant, "link": link.id, "channel": str(channel)},
    )


def keep_options(link: Link, now_us: int) -> Statement:
    return Statement(
        f"UPDATE link SET options = :options, changed_us = {NEWEST} "
        "WHERE tenant = :tenant AND id = :id",
        {
            "options": json.dumps(link.options.as_dict()),
            "now": now_us,
            "whose": link.tenant,
            "tenant": link.tenant,
            "id": link.id,
        },
    )


def keep_owner(link: Link, now_us: int) -> Statement:
    return Statement(
        f"UPDATE link SET created_by = :owner, changed_us = {NEWEST} "
        "WHERE tenant = :tenant AND id = :id",
        {
            "owner": link.created_by,
            "now": now_us,
            "whose": link.tenant,
            "tenant": link.tenant,
            "id": link.id,
        },
    )


def keep_offer(offer: Mapping[str, object]) -> Program[None]:
    yield Statement(
        "DELETE FROM link_offer WHERE expires_us < :now", {"now": offer["now"]}
    )
    yield Statement(
        "INSERT INTO link_offer (tenant, code_hash, channel, link, actor, expires_us) "
        "VALUES (:tenant, :code_hash, :channel, :link, :actor, :expires_us)",
        offer,
    )


def see_offer(wanted: Mapping[str, object]) -> Program[Offer | None]:
    rows = yield Statement(
        "SELECT channel, link FROM link_offer WHERE tenant = :tenant "
        "AND code_hash = :code_hash AND expires_us >= :now",
        wanted,
    )
    return Offer(Channel.parse(rows[0][0]), rows[0][1]) if rows else None


def take_offer(taken: Mapping[str, object]) -> Program[Offer | None]:
    rows = yield Statement(
        "DELETE FROM link_offer WHERE tenant = :tenant AND code_hash = :code_hash "
        "AND expires_us >= :now RETURNING channel, link",
        taken,
    )
    return Offer(Channel.parse(rows[0][0]), rows[0][1]) if rows else None
