"""
A company in one YAML file: people, groups, units, departments, roles and accounts.

    people:
      - id: ana
        name: Ana Weber
        mail: ana@acme.com
        department: finance
        unit: emea
        groups: [team]
        roles: [service-desk]
        accounts: [slack:T1/U1, teams:TENANT/OBJECT]
    groups:
      team: {name: The team, members: [ana], in: [everybody]}
      everybody:
    units:
      emea: EMEA
    departments:
      finance: Finance
    roles:
      service-desk: {members: [team], others: [5a95e986-e47e-473b-a74e-ab2ba77ed154]}

`others` are ids of another source. All mistakes are told at once, each with its line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.directory.model import Entry, Kind, Standing
from policy.directory.yaml_nodes import Value, Wrong, fields, parsed

_MOST = 20  # mistakes that are told
_ATTRIBUTES = (
    "mail",
    "user_name",
    "title",
    "manager",
    "employee_id",
    "given_name",
    "family_name",
    "phone",
    "clearance",
    "immutable_id",
    "slack_id",
    "entra_id",
)
_SECTIONS = {
    "groups": Kind.GROUP,
    "units": Kind.UNIT,
    "departments": Kind.DEPARTMENT,
    "roles": Kind.ROLE,
}
_ID_LIMIT = 200


class Mistakes(Exception):
    """What is wrong with a file, one line each."""

    def __init__(self, found: list[Wrong]) -> None:
        ordered = sorted(found, key=lambda wrong: wrong.line)
        told = [str(wrong) for wrong in ordered[:_MOST]]
        if len(ordered) > _MOST:
            told.append(f"and {len(ordered) - _MOST} more")
        super().__init__("; ".join(told))


@dataclass(slots=True)
class _Draft:
    """An entry as far as it was read; `line` is where it begins."""

    kind: Kind
    id: str
    line: int
    name: str = ""
    unit: str = ""
    parents: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)
    standing: Standing = Standing.ACTIVE
    guest: bool = False

    def entry(self) -> Entry:
        thing = self.kind is not Kind.PERSON
        return Entry(
            self.kind,
            self.id,
            self.name or self.id,
            unit=self.unit,
            parents=frozenset(self.parents),
            members=frozenset(self.members) if thing else None,
            attributes=self.attributes,
            standing=self.standing,
            guest=self.guest,
        )


@dataclass(frozen=True, slots=True)
class _Reference:
    """That a line names something of another section."""

    line: int
    id: str
    kinds: frozenset[Kind]


@dataclass(slots=True)
class _File:
    drafts: dict[str, _Draft] = field(default_factory=dict)
    references: list[_Reference] = field(default_factory=list)
    mistakes: list[Wrong] = field(default_factory=list)


def people_in(text: str) -> tuple[Entry, ...]:
    """Return all that a file tells of. Raises `Mistakes`."""
    file = _File()
    _guarded(file, lambda: _sections(file, text))
    for reference in file.references:
        found = file.drafts.get(reference.id)
        if found is None or found.kind not in reference.kinds:
            kinds = " or ".join(sorted(reference.kinds))
            told = f"there is no {kinds} {reference.id} in this file"
            file.mistakes.append(Wrong(reference.line, told))
    if file.mistakes:
        raise Mistakes(file.mistakes)
    return tuple(draft.entry() for draft in file.drafts.values())


def _guarded(file: _File, read: Callable[[], None]) -> None:
    """Go on behind a mistake, so that all of them can be told."""
    try:
        read()
    except Wrong as wrong:
        file.mistakes.append(wrong)


def _sections(file: _File, text: str) -> None:
    value = parsed(text)
    if value is None:
        raise Wrong(1, "the file is empty: it has to name people")
    known: dict[str, Callable[[Value], None]] = {
        section: lambda inner, kind=kind: _things(file, kind, inner)  # type: ignore[misc]
        for section, kind in _SECTIONS.items()
    }
    fields(value, {"people": lambda inner: _people(file, inner), **known})


def _people(file: _File, value: Value) -> None:
    for item in value.items():
        _guarded(file, lambda item=item: _person(file, item))  # type: ignore[misc]


def _person(file: _File, value: Value) -> None:
    draft = _Draft(Kind.PERSON, "", value.line)
    attributes = {
        name: lambda v, name=name: draft.attributes.update({name: v.text()})
        for name in _ATTRIBUTES
    }
    fields(
        value,
        {
            **attributes,
            "id": lambda v: setattr(draft, "id", _id(v)),
            "name": lambda v: setattr(draft, "name", v.text()),
            "unit": lambda v: setattr(draft, "unit", _named(file, v, Kind.UNIT)),
            "department": lambda v: _department(file, draft, v),
            "groups": lambda v: draft.parents.update(_list(file, v, Kind.GROUP)),
            "roles": lambda v: draft.parents.update(_list(file, v, Kind.ROLE)),
            "standing": lambda v: setattr(draft, "standing", _standing(v)),
            "guest": lambda v: setattr(draft, "guest", v.flag()),
            "accounts": lambda v: _accounts(draft, v),
        },
    )
    if not draft.id:
        raise value.wrong("somebody has no id")
    if not draft.attributes.get("clearance", "0").isdigit():
        raise value.wrong("clearance has to be a number, 0 or more")
    _put(file, draft)


def _things(file: _File, kind: Kind, value: Value) -> None:
    for key, inner in value.pairs():
        _guarded(file, lambda k=key, i=inner: _thing(file, kind, k, i))  # type: ignore[misc]


def _thing(file: _File, kind: Kind, key: Value, value: Value) -> None:
    draft = _Draft(kind, _id(key), key.line)
    _put(file, draft)
    if not value.is_mapping:
        for name in value.items():
            draft.name = name.text()
        return
    mine = frozenset({Kind.PERSON, Kind.GROUP, Kind.UNIT, Kind.DEPARTMENT, Kind.ROLE})
    inside = {kind} if kind in {Kind.UNIT, Kind.DEPARTMENT} else {Kind.GROUP, Kind.ROLE}
    fields(
        value,
        {
            "name": lambda v: setattr(draft, "name", v.text()),
            "members": lambda v: draft.members.update(_list(file, v, *mine)),
            "others": lambda v: draft.members.update(_id(each) for each in v.items()),
            "in": lambda v: draft.parents.update(_list(file, v, *inside)),
        },
    )


def _put(file: _File, draft: _Draft) -> None:
    known = file.drafts.get(draft.id)
    if known:
        told = f"the id {draft.id} is taken already (line {known.line})"
        raise Wrong(draft.line, told)
    file.drafts[draft.id] = draft


def _id(value: Value) -> str:
    told = value.text()
    if told and told.isprintable() and len(told) <= _ID_LIMIT:
        return told
    raise value.wrong(f"an id has 1 to {_ID_LIMIT} characters")


def _named(file: _File, value: Value, *kinds: Kind) -> str:
    id_ = _id(value)
    file.references.append(_Reference(value.line, id_, frozenset(kinds)))
    return id_


def _list(file: _File, value: Value, *kinds: Kind) -> list[str]:
    return [_named(file, each, *kinds) for each in value.items()]


def _department(file: _File, draft: _Draft, value: Value) -> None:
    id_ = _named(file, value, Kind.DEPARTMENT)
    draft.parents.add(id_)
    draft.attributes["department"] = id_


def _standing(value: Value) -> Standing:
    told = value.text().lower()
    if told in {*Standing}:
        return Standing(told)
    raise value.wrong(f"a standing is one of {', '.join(Standing)}")


def _accounts(draft: _Draft, value: Value) -> None:
    found = []
    for each in value.items():
        told = each.text()
        platform, _, rest = told.partition(":")
        if platform not in {"slack", "teams"} or not rest or " " in rest:
            raise each.wrong(
                "an account is slack:WORKSPACE/USER, teams:TENANT/OBJECT, or either "
                "without the first part"
            )
        found.append(told)
    draft.attributes["accounts"] = " ".join(found)
