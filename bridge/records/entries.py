"""
What is on record about records: who saw and did what, on which decision.

Each function makes one entry of the compliance log; nothing is written here. Values
that were changed are in `detail`, which the log seals with the rest of the body; the
line for people holds none. The platforms and the business systems have ids of their
own for what happened: `correlation` holds together what belongs to one wish, over all
systems, and `request` is the system's own id of the call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from bridge.access import Action, Decision
from bridge.messages import Channel
from bridge.ports import Receipt
from bridge.records.books import CardInstance, LeftAct, Subscription
from bridge.records.cards import RecordCard
from bridge.records.connections import Connection
from bridge.records.desk import Asker
from bridge.records.forms import Deed
from bridge.records.model import (
    ChangeKind,
    RecordChange,
    RecordRef,
    Remark,
    Revision,
    System,
)
from bridge.records.ports import Done

ATOM = "atom"


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """
    One entry: `actor` did something, and `text` says what in one line.

    `outcome` is `allow`, `deny` or `none` where nothing was decided. `key` makes it the
    only one of its kind: written again, it is a duplicate; with `again_us`, only for so
    long.
    """

    tenant: str
    etype: str
    actor: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    channel: Channel | None = None
    message: str = ""
    outcome: str = "none"
    key: str = ""
    again_us: int = 0


class RecordLog(Protocol):
    """The compliance log, as far as records are concerned."""

    async def note(self, entry: RecordEntry) -> Receipt:
        """
        Write an entry before it is acted upon. Raises `StoreUnavailable`, and then
        nothing may be shown or done.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants what, and what was decided about it, as every entry about it says."""

    asker: Asker
    correlation: str
    decision: Decision | None = None
    card_id: str = ""

    @property
    def told(self) -> dict[str, Any]:
        place = self.asker.channel
        return {
            "platform": str(self.asker.person.platform),
            "account": self.asker.account,
            "channel": str(place or ""),
            "card": self.card_id,
            "correlation": self.correlation,
            "decision": decided(self.decision),
        }


def decided(decision: Decision | None) -> dict[str, Any]:
    """Return a decision as the log keeps it: enough to take it again years later."""
    if decision is None:
        return {}
    return {
        "allowed": decision.allowed,
        "rule": decision.rule,
        "policy": decision.policy,
        "directory": decision.directory,
        "action": str(decision.action),
        "reason": decision.reason,
        "duties": list(decision.duties),
        "evidence": decision.evidence,
    }


def viewed(wish: Wish, card: RecordCard, withheld: Sequence[str] = ()) -> RecordEntry:
    """Somebody is about to see a record alone; `withheld` are fields kept from them."""
    detail = {
        "record": str(card.ref),
        "rev": card.rev,
        "standing": str(card.standing),
        "fields": [each.id for each in card.fields if each.text is not None],
        "withheld": list(withheld),
        "hidden": card.hidden,
    }
    return _by(wish, "record.view", f"looks at {card.ref}", detail)


def shown(
    instance: CardInstance,
    card: RecordCard,
    decision: Decision | None,
    *,
    withheld: Sequence[str] = (),
    cause: str = "",
) -> RecordEntry:
    """A card is about to be posted or changed; `cause` is what made it so."""
    detail = {
        "record": str(card.ref),
        "rev": card.rev,
        "card": instance.card_id,
        "level": str(instance.level),
        "standing": str(card.standing),
        "fields": [each.id for each in card.fields if each.text is not None],
        "withheld": list(withheld),
        "hidden": card.hidden,
        "digest": instance.digest,
        "cause": cause or instance.cause,
        "decision": decided(decision),
    }
    verb = "shows anew" if instance.message else "shows"
    return RecordEntry(
        instance.tenant,
        "record.show",
        ATOM,
        f"{verb} {card.ref} as {card.standing}",
        detail,
        instance.channel,
        instance.message,
        _outcome(decision),
    )


def intended(wish: Wish, deed: Deed) -> RecordEntry:
    """Somebody is about to write, with what they saw and what they want there."""
    detail = _deed(deed) | {"seen": dict(deed.seen), "wanted": dict(deed.values)}
    text = f"is about to {deed.act} {_what(deed)}"
    return _by(wish, "record.intent", text, detail, f"record-intent:{deed.key}")


def done(wish: Wish, deed: Deed, made: Done, right: Action) -> RecordEntry:
    """It was written, as this person, and read back."""
    detail = _deed(deed) | {
        "record": str(made.record.ref),
        "rev": made.record.rev.text or str(made.record.rev.order),
        "before": dict(made.before),
        "after": dict(made.after),
        "unsaved": list(made.unsaved),
        "request": made.request,
        "again": made.again,
        "note": made.note,
    }
    etype = {
        Action.RECORD_CREATE: "record.create",
        Action.RECORD_APPROVE: "record.approve",
    }.get(right, "record.update")
    fields = ", ".join(sorted({*made.before, *made.after}))
    text = f"{deed.act}: {made.record.ref}{f' ({fields})' if fields else ''}"
    return _by(wish, etype, text, detail, f"record-done:{deed.key}")


def failed(
    wish: Wish, deed: Deed, why: str, *, unsure: bool = False, request: str = ""
) -> RecordEntry:
    """It was not written; or, if `unsure`, nobody knows. `why` holds no values."""
    detail = _deed(deed) | {"why": why, "unsure": unsure, "request": request}
    verb = "may or may not have done" if unsure else "did not"
    return _by(wish, "record.failed", f"{verb} {deed.act} {_what(deed)}", detail)


def denied(wish: Wish, act: str, ref: RecordRef | None, why: str) -> RecordEntry:
    """Somebody may not see or do this: the policy, the button or the system says so."""
    detail = {"act": act, "record": str(ref or ""), "why": why}
    text = f"may not {act} {ref}" if ref else f"may not {act}"
    return replace(_by(wish, "record.denied", text, detail), outcome="deny")


def explained(asker: Asker, where: str, why: str, cause: str) -> RecordEntry:
    """Somebody is about to be told, alone, why nothing of a system is shown."""
    detail = {"person": asker.name, "system": where, "why": why, "cause": cause}
    text = f"tells {asker.name} why nothing of {where} is shown"
    return RecordEntry(asker.tenant, "record.notice", ATOM, text, detail, asker.channel)


def interrupted(asker: Asker, left: LeftAct, *, done: bool | None) -> RecordEntry:
    """Somebody is about to be told, alone, of an act of theirs that was cut short."""
    act = left.act
    detail = {
        "person": asker.name,
        "act": act.act,
        "record": str(act.ref or ""),
        "kind": act.kind,
        "deed": left.deed,
        "done": done,
    }
    text = f"tells {asker.name} that {act.act} was cut short"
    key = f"record-left:{left.id}:{left.at_us}"
    return RecordEntry(asker.tenant, "record.left", ATOM, text, detail, key=key)


def searched(
    wish: Wish, words: str, found: Sequence[RecordRef], systems: Sequence[str]
) -> RecordEntry:
    """Somebody is about to see what was found for their words."""
    detail = {
        "words": words,
        "found": [str(ref) for ref in found],
        "systems": list(systems),
    }
    return _by(wish, "record.find", f"found {len(found)} records", detail)


def told(
    tenant: str,
    subscription: str,
    refs: Sequence[RecordRef],
    channel: Channel | None,
    *,
    unchecked: int = 0,
) -> RecordEntry:
    """
    A follower is about to be told of changes, and that there were `unchecked` ones.
    """
    many = {str(ref) for ref in refs}
    detail: dict[str, Any] = {"subscription": subscription, "records": sorted(many)}
    if unchecked:
        detail["unchecked"] = unchecked
    text = f"tells of {len(many)} record{'' if len(many) == 1 else 's'}"
    return RecordEntry(tenant, "record.told", ATOM, text, detail, channel)


def followed(wish: Wish, subscription: Subscription) -> RecordEntry:
    """Somebody wants a channel, or themselves alone, to be told of changes."""
    return _subscribed(wish, "record.follow", "follows", subscription)


def unfollowed(wish: Wish, subscription: Subscription) -> RecordEntry:
    """Somebody wants that no longer."""
    return _subscribed(wish, "record.unfollow", "does not follow", subscription)


def remarked(
    instance: CardInstance,
    remark: Remark,
    mark: str,
    decisions: Sequence[Decision],
) -> RecordEntry:
    """What somebody said on a record is about to be shown in a card's thread."""
    detail = {
        "record": str(instance.ref),
        "card": instance.card_id,
        "remark": remark.id,
        "by": remark.by,
        "words": remark.text,
        "class": remark.cls,
        "decisions": [decided(each) for each in decisions],
    }
    return RecordEntry(
        instance.tenant,
        "record.remark",
        ATOM,
        f"shows what was said on {instance.ref}",
        detail,
        instance.channel,
        instance.message,
        "allow",
        key=f"record-remark:{mark}",
    )


def unretracted(
    instance: CardInstance, card: RecordCard, withheld: Sequence[str], why: str
) -> RecordEntry:
    """A card shows what it should not any more, and cannot be changed where it stands."""
    detail = {
        "record": str(instance.ref),
        "card": instance.card_id,
        "standing": str(card.standing),
        "withheld": list(withheld),
        "why": why,
    }
    return RecordEntry(
        instance.tenant,
        "record.unretracted",
        ATOM,
        f"could not retract {instance.ref}",
        detail,
        instance.channel,
        instance.message,
        key=f"record-unretracted:{instance.card_id}",
    )


def heard(  # noqa: PLR0913 - what a call says
    tenant: str,
    system: System,
    instance: str,
    *,
    events: int,
    refused: str = "",
    calls: int = 1,
    changes: Sequence[RecordChange] = (),
) -> RecordEntry:
    """
    A webhook was called: by the system, or, with `refused`, by who proves nothing.

    Of the latter one entry may tell of several `calls`.

    `changes` are kept so that whoever follows the log takes them up, whatever happens
    to the process that was told.
    """
    detail: dict[str, Any] = {
        "instance": instance,
        "events": events,
        "refused": refused,
        "changes": [change_told(each) for each in changes],
    }
    if calls > 1:
        detail["calls"] = calls
    name = f"{system}:{instance}"
    text = f"refused a call that claims to be {name}" if refused else f"heard {name}"
    return RecordEntry(
        tenant,
        "record.heard",
        ATOM,
        text,
        {"system": str(system)} | detail,
        outcome="deny" if refused else "none",
    )


def connected(connection: Connection, actor: str) -> RecordEntry:
    """Somebody connected an account of their own."""
    text = f"connected an account of {connection.where}"
    return _about(connection, "record.connect", actor, text)


def disconnected(connection: Connection, actor: str, why: str) -> RecordEntry:
    """Somebody's account is about to be let go of, and its tokens revoked."""
    text = f"an account of {connection.where} is not connected any more: {why}"
    return _about(connection, "record.disconnect", actor, text)


def changes_in(detail: Mapping[str, Any]) -> list[RecordChange]:
    """Return the changes that an entry about a webhook's call holds."""
    system, instance = System(detail["system"]), str(detail["instance"])
    return [
        RecordChange(
            system,
            instance,
            ChangeKind(told["kind"]),
            str(told["event"]),
            RecordRef.parse(told["record"]) if told["record"] else None,
            Revision(int(told["order"]), str(told["rev"])),
            bool(told["ours"]),
            str(told["actor"]),
            tuple(map(str, told["fields"])),
        )
        for told in detail.get("changes") or ()
    ]


def change_told(change: RecordChange) -> dict[str, Any]:
    """Return what `changes_in` reads again."""
    return {
        "kind": str(change.kind),
        "event": change.event,
        "record": str(change.ref or ""),
        "order": change.rev.order,
        "rev": change.rev.text,
        "ours": change.ours,
        "actor": change.actor,
        "fields": list(change.fields),
    }


def _subscribed(
    wish: Wish, etype: str, verb: str, subscription: Subscription
) -> RecordEntry:
    what = subscription.ref or f"{subscription.system}/{subscription.kind}"
    detail = {
        "subscription": subscription.id,
        "record": str(subscription.ref or ""),
        "system": str(subscription.system),
        "instance": subscription.instance,
        "kind": subscription.kind,
        "filter": subscription.filter,
        "person": subscription.person,
        "secured": subscription.secured,
    }
    return _by(wish, etype, f"{verb} {what}", detail)


def _about(connection: Connection, etype: str, actor: str, text: str) -> RecordEntry:
    detail = {
        "person": connection.person,
        "system": str(connection.system),
        "instance": connection.instance,
        "name": connection.name,
        "remote": connection.remote,
    }
    return RecordEntry(connection.tenant, etype, actor, text, detail)


def _by(
    wish: Wish,
    etype: str,
    text: str,
    detail: Mapping[str, Any],
    key: str = "",
) -> RecordEntry:
    return RecordEntry(
        wish.asker.tenant,
        etype,
        wish.asker.name,
        text,
        {**wish.told, **detail},
        wish.asker.channel,
        outcome=_outcome(wish.decision),
        key=key,
    )


def _outcome(decision: Decision | None) -> str:
    if decision is None:
        return "none"
    return "allow" if decision.allowed else "deny"


def _deed(deed: Deed) -> dict[str, Any]:
    return {
        "act": deed.act,
        "record": str(deed.ref or ""),
        "kind": deed.kind,
        "deed": deed.key,
        "base": (deed.base.text or str(deed.base.order)) if deed.base else "",
    }


def _what(deed: Deed) -> str:
    return str(deed.ref) if deed.ref else f"a new {deed.kind}"
