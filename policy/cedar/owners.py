"""What somebody may change who owns channels, and nothing but channels."""

from collections.abc import Mapping

from bridge.errors import NotAllowed
from bridge.messages import Channel
from policy.cedar.bundle import Bundle
from policy.cedar.front import Front, Rule, channel_named
from policy.cedar.schema import family
from policy.cedar.yaml_reading import Node

_FAMILIES = {"bridge", "channel"}
_PLACES = ("channel", "links_between")


def refuse_foreign(old: Bundle, new: Bundle, owner: str) -> None:
    """
    Raise `NotAllowed` unless a change is about the owner's own channels alone.

    Whether they own a channel is what the version in force says. Rules are theirs that
    are about talking or joining, in channels that are named and all theirs; a rule that
    was theirs has to be so before and after.
    """
    mine = {address for address, place in old.places.items() if owner in place.owners}
    if not mine:
        raise NotAllowed("You own no channel, so the policy is not yours to change.")
    if new.draft.cedar != old.draft.cedar or _rest(old.front) != _rest(new.front):
        raise NotAllowed("Owners of channels change rules, and nothing else.")
    before, after = _rules(old.front), _rules(new.front)
    for id_ in before.keys() | after.keys():
        first, second = before.get(id_), after.get(id_)
        if first and second and first.node.plain() == second.node.plain():
            continue
        for rule, front in ((first, old.front), (second, new.front)):
            if rule and not _about(rule, front) <= mine:
                raise NotAllowed(
                    f"Rule {id_} is not about your channels alone: name them "
                    "under where."
                )


def _rules(front: Front) -> Mapping[str, Rule]:
    return {rule.id: rule for rule in front.rules}


def _rest(front: Front) -> object:
    """Return all of a front but its rules and their tests."""
    plain = front.nodes.plain() or {}
    return {key: value for key, value in plain.items() if key not in {"rules", "tests"}}


def _about(rule: Rule, front: Front) -> set[str]:
    """Return the channels that a rule is about, `*` if it may be about others too."""
    where = rule.where.mapping()
    named = [key for key in _PLACES if key in where]
    if not named or any(family(action) not in _FAMILIES for action in rule.actions):
        return {"*"}
    return {_channel(node, front) for key in named for node in where[key].items()}


def _channel(node: Node, front: Front) -> str:
    text = node.text()
    if text.startswith("space:") or text in front.spaces:
        return "*"
    text = text.removeprefix("channel:")
    channel: Channel = channel_named(Node(text, node.line, node.column), front.aliases)
    return str(channel)
