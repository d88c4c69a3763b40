"""Legal holds of the organisation: `admin.legalHold.policies.*` and `.entities.*`."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.sandbox.slack import grid_seed
from bots.sandbox.slack.errors import SlackRefusal

PREFIX = "admin.legalHold."
_MOST, _AT_ONCE = 1000, 100

Answer = dict[str, Any]
Args = Mapping[str, Any]


@dataclass(slots=True)
class LegalHolds:
    """The organisation's holds. They cover people only, and give no content."""

    clock: Callable[[], float] = time.time
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    entities: dict[str, dict[str, Any]] = field(default_factory=dict)

    def clear(self) -> None:
        self.policies.clear()
        self.entities.clear()

    def serve(self, name: str, args: Args, scopes: list[str]) -> Answer:
        """Serve one method; without its scope there is no such method."""
        method = name.removeprefix(PREFIX)
        kind = "read" if method.endswith((".list", ".info")) else "write"
        calls = {
            "policies.create": self._create,
            "policies.info": self._info,
            "policies.list": self._list,
            "policies.set": self._set,
            "policies.release": self._release,
            "policies.activate": self._activate,
            "entities.add": self._add,
            "entities.remove": self._remove,
            "entities.list": self._entities,
        }
        if method not in calls or f"admin.legalHolds:{kind}" not in scopes:
            raise SlackRefusal("unknown_method")
        return calls[method](args)

    def _create(self, args: Args) -> Answer:
        name = str(args.get("name") or "")
        if not name or any(p["name"] == name for p in self.policies.values()):
            raise SlackRefusal("invalid_name" if not name else "name_taken")
        now = int(self.clock())
        made: dict[str, Any] = {
            "id": f"H{len(self.policies) + 1:05}SANDBOX",
            "team_id": grid_seed.ORG,
            "creator_id": grid_seed.ADMIN,
            "name": name,
            "description": str(args.get("description") or ""),
            "restrictions": ["NO_RESTRICTION"],
            "status": "ACTIVE",
            "date_created": now,
            "date_updated": now,
            "date_released": 0,
            "date_policy_start": int(args.get("policy_start_date") or 0),
            "date_policy_end": int(args.get("policy_end_date") or 0),
        }
        self.policies[made["id"]] = made
        return {"policy": made}

    def _info(self, args: Args) -> Answer:
        return {"policy": self._policy(args)}

    def _list(self, args: Args) -> Answer:
        wanted = str(args.get("status") or "")
        found = [p for p in self.policies.values() if wanted in {"", p["status"]}]
        page, cursor = _page(found, args)
        return {
            "policies": page,
            "policy_total_count": len(found),
            "response_metadata": {"next_cursor": cursor},
        }

    def _set(self, args: Args) -> Answer:
        policy = self._open(args)
        for name in ("name", "description"):
            if args.get(name):
                policy[name] = str(args[name])
        return {"policy": policy}

    def _release(self, args: Args) -> Answer:
        policy = self._open(args)
        policy |= {"status": "RELEASED", "date_released": int(self.clock())}
        return {"policy": policy}

    def _activate(self, args: Args) -> Answer:
        policy = self._policy(args)
        policy |= {"status": "ACTIVE", "date_released": 0}
        return {"policy": policy}

    def _add(self, args: Args) -> Answer:
        policy = self._open(args)
        wanted = args.get("entities") or []
        wanted = json.loads(wanted) if isinstance(wanted, str) else wanted
        if len(wanted) > _AT_ONCE:
            raise SlackRefusal("too_many_entities")
        held = self._of(policy["id"])
        known = {entity["entity_id"] for entity in held}
        new = [one for one in wanted if one["entity_id"] not in known]
        if len(held) + len(new) > _MOST:
            raise SlackRefusal("max_active_entities_reached")
        created = []
        for one in new:
            entity = {
                "id": f"He{len(self.entities) + 1:05}",
                "team_id": grid_seed.ORG,
                "policy_id": policy["id"],
                "entity_type": "USER",
                "entity_id": str(one["entity_id"]),
                "date_created": int(self.clock()),
                "date_deleted": 0,
            }
            self.entities[entity["id"]] = entity
            created.append(entity)
        return {"created_entities": created, "failed_entities": []}

    def _remove(self, args: Args) -> Answer:
        self._open(args)
        ids = args.get("ids") or []
        for one in json.loads(ids) if isinstance(ids, str) else ids:
            if one in self.entities:
                self.entities[one]["date_deleted"] = int(self.clock())
        return {}

    def _entities(self, args: Args) -> Answer:
        page, cursor = _page(self._of(self._policy(args)["id"]), args)
        return {"entities": page, "response_metadata": {"next_cursor": cursor}}

    def _of(self, policy: str) -> list[dict[str, Any]]:
        return [
            entity
            for entity in self.entities.values()
            if entity["policy_id"] == policy and not entity["date_deleted"]
        ]

    def _policy(self, args: Args) -> dict[str, Any]:
        try:
            return self.policies[str(args.get("policy_id"))]
        except KeyError:
            raise SlackRefusal("legal_hold_not_found") from None

    def _open(self, args: Args) -> dict[str, Any]:
        policy = self._policy(args)
        if policy["status"] != "ACTIVE":
            raise SlackRefusal("released_policy_edit_not_allowed")
        return policy


def _page(items: list[Any], args: Args) -> tuple[list[Any], str]:
    cursor = str(args.get("cursor") or "0")
    if not cursor.isdecimal():
        raise SlackRefusal("invalid_cursor")
    start, limit = int(cursor), min(int(args.get("limit") or _AT_ONCE), _MOST)
    end = start + limit
    return items[start:end], str(end) if end < len(items) else ""
