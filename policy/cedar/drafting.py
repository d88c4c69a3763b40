"""Changing one rule of a front, as people do from chat."""

from typing import Any

import yaml

from bridge.errors import BadInput, NotFound
from policy.cedar import yaml_reading
from policy.cedar.bundle import Draft


def with_rule(draft: Draft, rule: str, here: str) -> Draft:
    """
    Return a draft with one rule more, or another in place of the one of its id.

    `rule` is YAML on one line; `here` in it stands for the channel. A `tests` list in
    it is taken out and added to the front's tests.
    """
    said = yaml_reading.read(rule).plain()
    if not isinstance(said, dict) or "id" not in said:
        raise BadInput(
            "write a rule such as {id: no-files, deny: bridge.file, "
            "where: {channel: here}, reason: No files here.}"
        )
    new: dict[str, Any] = _placed(said, here)
    tests = new.pop("tests", [])
    front = _plain(draft)
    rules = [each for each in front.get("rules") or [] if each["id"] != new["id"]]
    front["rules"] = [*rules, new]
    if tests:
        listed = tests if isinstance(tests, list) else [tests]
        front["tests"] = [*(front.get("tests") or []), *listed]
    return Draft(_dumped(front), draft.cedar)


def without_rule(draft: Draft, id_: str) -> Draft:
    """Return a draft without a rule, and without the tests that expect it."""
    front = _plain(draft)
    rules = front.get("rules") or []
    left = [each for each in rules if each["id"] != id_]
    if len(left) == len(rules):
        raise NotFound(f"The policy has no rule {id_}.")
    front["rules"] = left
    front["tests"] = [
        each
        for each in front.get("tests") or []
        if id_ not in ((each.get("expect") or {}).get("rules") or [])
    ]
    return Draft(_dumped(front), draft.cedar)


def _plain(draft: Draft) -> dict[str, Any]:
    return dict(yaml_reading.read(draft.front).plain() or {})


def _placed(value: Any, here: str) -> Any:
    if isinstance(value, dict):
        return {key: _placed(each, here) for key, each in value.items()}
    if isinstance(value, list):
        return [_placed(each, here) for each in value]
    return here if value == "here" else value


def _dumped(front: dict[str, Any]) -> str:
    return yaml.dump(front, Dumper=_Plain, sort_keys=False, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """Writes everything out: anchors are refused when it is read again."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
