"""Retention rules and labels: versioned rows, each change an entry of the log."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex

import orjson

from bridge.compliance import Duties, Duty, Officer
from bridge.errors import BadInput, NotFound
from bridge.messages import Channel
from bridge.retention import Policy, Rule, Scope
from storage.compliance.acts import Act, Acts
from storage.compliance.retention import barrier
from storage.compliance.retention.holding import read
from storage.compliance.retention.kin import Place
from storage.hot import HotStore, Program, Statement

_COLUMNS = "id, name, kind, value, keep_us, delete_us, floor, version, changed_us"
Labels = Mapping[Place, tuple[frozenset[str], int]]


@dataclass(frozen=True, slots=True)
class StoredRules:
    """
    A company's rules of retention.

    Changing one makes a new version of it; the old ones stay, as the log's entries
    name them. Every change raises the barrier: a disposition that was decided by
    former rules does not happen.
    """

    store: HotStore
    acts: Acts
    duties: Duties
    clock: Callable[[], int]

    async def policy(self, tenant: str) -> Policy:
        return await read(self.store, policy(tenant))

    async def set(self, tenant: str, officer: Officer, rule: Rule) -> Rule:
        """
        Make a rule, or a new version of it if there is one of its id.

        Raises `Refused` and `BadInput`.
        """
        await self.duties.require(tenant, officer, Duty.RETAIN)
        rule = _checked(rule)
        current = await self._current(tenant)
        before = current.get(rule.id)
        made = replace(
            rule,
            id=rule.id or f"R{token_hex(4)}",
            version=before[0].version + 1 if before else 1,
            changed_us=self.clock(),
        )
        verb = "changed" if before else "made"
        await self._note(tenant, officer, made, verb)
        return made

    async def remove(self, tenant: str, officer: Officer, name: str) -> Rule:
        """Take a rule away. Raises `Refused` and `NotFound`."""
        await self.duties.require(tenant, officer, Duty.RETAIN)
        known = (await self._current(tenant)).get(name)
        if known is None or known[1]:
            raise NotFound(f"there is no rule {name[:40]}: 'retention list' shows them")
        rule = replace(known[0], version=known[0].version + 1, changed_us=self.clock())
        await self._note(tenant, officer, rule, "removed")
        return rule

    async def label(
        self, tenant: str, officer: Officer, channel: Channel, message: str, label: str
    ) -> None:
        """Label a message, in all its revisions and copies."""
        await self.duties.require(tenant, officer, Duty.RETAIN)
        if not label.strip() or not message:
            raise BadInput("a label needs a name, and a message to be on")
        await self.acts.note(
            Act(
                tenant,
                "retention.apply",
                officer.name,
                f"a message was labelled {label}",
                {"label": label, "channel": str(channel), "message": message},
                team=channel.team,
                conv=channel.id,
                msg=message,
            ),
            (
                Statement(
                    "INSERT INTO item_label (tenant, conv, msg, label, at_us) VALUES "
                    "(:tenant, :conv, :msg, :label, :now) ON CONFLICT DO NOTHING",
                    {
                        "tenant": tenant,
                        "conv": channel.id,
                        "msg": message,
                        "label": label,
                        "now": self.clock(),
                    },
                ),
                barrier.raised(tenant),
            ),
        )

    async def _current(self, tenant: str) -> dict[str, tuple[Rule, bool]]:
        return await read(self.store, _newest(tenant))

    async def _note(self, tenant: str, officer: Officer, rule: Rule, verb: str) -> None:
        await self.acts.note(
            Act(
                tenant,
                "retention.apply",
                officer.name,
                f"retention rule {rule.id} was {verb}: {rule.name}",
                {"change": verb, **as_data(rule)},
            ),
            (
                _row(tenant, rule, officer, removed=verb == "removed"),
                barrier.raised(tenant),
            ),
            key=f"retention:{rule.id}:{rule.version}",
        )


def policy(tenant: str) -> Program[Policy]:
    """Return the rules as they are now."""
    newest = yield from _newest(tenant)
    changed = max((rule.changed_us for rule, _ in newest.values()), default=0)
    rules = tuple(rule for rule, removed in newest.values() if not removed)
    return Policy(rules, changed)


def labels(tenant: str, places: Collection[Place]) -> Program[Labels]:
    """Return each labelled message's labels, and when it got the last of them."""
    if not places:
        return {}
    ids = {(channel.rpartition("/")[2], message) for channel, message in places}
    rows = yield Statement(
        "SELECT i.conv, i.msg, i.label, i.at_us FROM json_each(:ids) AS p "
        "CROSS JOIN item_label i WHERE i.tenant = :tenant AND "
        "i.conv = json_extract(p.value, '$[0]') AND "
        "i.msg = json_extract(p.value, '$[1]')",
        {
            "tenant": tenant,
            "ids": orjson.dumps([list(i) for i in sorted(ids)]).decode(),
        },
        postgres="SELECT i.conv, i.msg, i.label, i.at_us FROM "
        "jsonb_array_elements(:ids::text::jsonb) AS p(at) JOIN item_label i "
        "ON i.tenant = :tenant AND i.conv = p.at->>0 AND i.msg = p.at->>1",
    )
    found: dict[Place, tuple[frozenset[str], int]] = {}
    for conv, msg, label, at_us in rows:
        known, since = found.get((conv, msg), (frozenset(), 0))
        found[conv, msg] = (known | {label}, max(since, at_us))
    return found


def as_data(rule: Rule) -> dict[str, object]:
    """Return a rule for programs, and for the log."""
    return {
        "rule": rule.id,
        "name": rule.name,
        "version": rule.version,
        "scope": rule.scope.name.lower(),
        "value": rule.value,
        "floor": rule.floor,
        "keep_us": rule.keep_us,
        "delete_us": rule.delete_us,
    }


def _newest(tenant: str) -> Program[dict[str, tuple[Rule, bool]]]:
    rows = yield Statement(
        f"SELECT {_COLUMNS}, removed FROM retention_rule r WHERE tenant = :tenant AND "
        "version = (SELECT max(n.version) FROM retention_rule n "
        "WHERE n.tenant = :tenant AND n.id = r.id) ORDER BY id",
        {"tenant": tenant},
    )
    found: dict[str, tuple[Rule, bool]] = {}
    for id_, name, kind, value, keep, delete, floor, version, at, gone in rows:
        scope = Scope[kind.upper()]
        rule = Rule(
            id_,
            name,
            scope,
            value,
            keep,
            delete,
            bool(floor),
            version,
            at,
        )
        found[id_] = (rule, bool(gone))
    return found


def _row(tenant: str, rule: Rule, officer: Officer, *, removed: bool) -> Statement:
    return Statement(
        f"INSERT INTO retention_rule (tenant, {_COLUMNS}, removed, changed_by) VALUES "
        "(:tenant, :id, :name, :kind, :value, :keep, :delete, :floor, :version, :now, "
        ":removed, :by)",
        {
            "tenant": tenant,
            "id": rule.id,
            "name": rule.name,
            "kind": rule.scope.name.lower(),
            "value": rule.value,
            "keep": rule.keep_us,
            "delete": rule.delete_us,
            "floor": int(rule.floor),
            "version": rule.version,
            "now": rule.changed_us,
            "removed": int(removed),
            "by": officer.name,
        },
    )


def _checked(rule: Rule) -> Rule:
    if rule.keep_us is None and rule.delete_us is None:
        raise BadInput("a rule keeps, or deletes, or both: give it a period")
    if rule.floor and (rule.delete_us is not None or rule.keep_us is None):
        raise BadInput("a regulatory floor keeps, and deletes nothing")
    if rule.scope is Scope.CHANNEL:
        Channel.parse(rule.value)
    elif rule.scope is Scope.LABEL and not rule.value.strip():
        raise BadInput("which label?")
    return rule
