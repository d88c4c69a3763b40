"""Members of groups, between the document that clients write and what is kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.directory.scim import Member, ScimKind
from policy.directory.scim.problems import invalid_value

_Document = dict[str, Any]


def taken_out(document: _Document) -> tuple[Member, ...]:
    """Take the members out of a document. Raises `Problem` for one without an id."""
    given: list[_Document] = document.pop("members", None) or []
    members: dict[str, Member] = {}
    for each in given:
        if not each.get("value"):
            raise invalid_value("members needs a value")
        # Of which kind it is, the storage knows, whatever the client says.
        member = Member(each["value"], ScimKind.USER, each.get("display", ""))
        members.setdefault(member.id, member)
    return tuple(members.values())


def put_in(document: Mapping[str, Any], members: Sequence[Member]) -> _Document:
    """Return a document with members, for a patch to work on."""
    if not members:
        return dict(document)
    return {**document, "members": [_value(member) for member in members]}


def difference(
    before: Sequence[Member], after: Sequence[Member]
) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """Return who joined and the ids of who left."""
    old, new = {m.id for m in before}, {m.id for m in after}
    joined = tuple(member for member in after if member.id not in old)
    return joined, tuple(member.id for member in before if member.id not in new)


def _value(member: Member) -> _Document:
    told = {"value": member.id, "type": str(member.kind)}
    return {**told, "display": member.display} if member.display else told
