"""
A generated company for directory servers: departments, people, groups in groups.

`o=acme` is what ATOM reads; `ou=former` beside it is where it does not look.
"""

import base64
import random
from collections.abc import Iterator, Sequence

SUFFIX = "dc=atom,dc=test"
BASE = f"o=acme,{SUFFIX}"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
FORMER = f"ou=former,{SUFFIX}"
READER = f"cn=atom,ou=services,{SUFFIX}"
SMALL_READER = f"cn=visitor,ou=services,{SUFFIX}"  # gets 500 entries at most
ADMIN = f"cn=admin,{SUFFIX}"
PASSWORD = "only-in-tests"

DEPARTMENTS: dict[str, Sequence[str]] = {
    "Engineering": ("Platform", "Mobile"),
    "Sales": ("EMEA", "AMER"),
    "Finance": (),
    "Legal": (),
    "Vertrieb Österreich": (),
}
_GIVEN = ("Ana", "Björn", "Chloé", "Dmitri", "Fatima", "Göran", "Noor", "João", "美咲")
_FAMILY = ("Smith", "Müller", "O'Brien", "Nguyễn", "García", "Łukasz", "Okafor", "佐藤")

Pairs = Sequence[tuple[str, str]]


def person(number: int) -> str:
    """Return the DN of one of the generated people."""
    return f"uid=user{number:05d},{_unit_of(number)}"


def group(name: str) -> str:
    """Return the DN of one of the generated groups."""
    return f"cn={name},{GROUPS}"


def people_of(department: str, people: int) -> list[str]:
    return [person(each) for each in range(people) if _department(each) == department]


def base_ldif(people: int) -> Iterator[str]:
    """Write everything but groups, for loading into a stopped server."""
    top = [("objectClass", "dcObject"), ("objectClass", "organization")]
    yield entry(SUFFIX, [*top, ("dc", "atom"), ("o", "ATOM test")])
    yield entry(BASE, [("objectClass", "organization"), ("o", "acme")])
    for dn in (PEOPLE, GROUPS, FORMER, f"ou=services,{SUFFIX}"):
        yield _unit(dn)
    for department, teams in DEPARTMENTS.items():
        yield _unit(f"ou={department},{PEOPLE}")
        for team in teams:
            yield _unit(f"ou={team},ou={department},{PEOPLE}")
    for account in (READER, SMALL_READER):
        yield _account(account)
    for number in range(people):
        yield entry(person(number), _person(number))


def groups(people: int) -> Iterator[tuple[str, Pairs]]:
    """Name the groups: one a department, groups in groups, and two in each other."""
    names: list[str] = []
    for department in DEPARTMENTS:
        if members := people_of(department, people):
            names.append(f"dept-{department}")
            yield _group(names[-1], members)
    yield _group("deal-desk", people_of("Finance", people)[:3])
    yield _group("deal-room", [group("deal-desk"), person(1)])
    yield _group("readers", [group("deal-room"), person(0)])
    yield _group("all-staff", [group(name) for name in names])
    yield _group("cycle-a", [person(0), group("cycle-b")])
    yield _group("cycle-b", [person(1), group("cycle-a")])
    unix = [("objectClass", "posixGroup"), ("cn", "unix"), ("gidNumber", "100")]
    names_in_it = [("memberUid", "user00002"), ("memberUid", "user00003")]
    yield group("unix"), [*unix, *names_in_it]
    unique = [("objectClass", "groupOfUniqueNames"), ("cn", "unique")]
    yield group("unique"), [*unique, ("uniqueMember", person(4))]


def _group(name: str, members: Sequence[str]) -> tuple[str, Pairs]:
    kinds = [("objectClass", "groupOfNames"), ("cn", name)]
    return group(name), kinds + [("member", each) for each in members]


def entry(dn: str, pairs: Pairs) -> str:
    """Write one entry in LDIF."""
    return "".join(_line(*pair) for pair in (("dn", dn), *pairs)) + "\n"


def _line(name: str, value: str) -> str:
    plain = value.isascii() and value.isprintable() and value[:1] not in " :<"
    if plain and not value.endswith(" "):
        return f"{name}: {value}\n"
    return f"{name}:: {base64.b64encode(value.encode()).decode()}\n"


def _unit(dn: str) -> str:
    name = dn.partition(",")[0].removeprefix("ou=")
    return entry(dn, [("objectClass", "organizationalUnit"), ("ou", name)])


def _account(dn: str) -> str:
    kinds = [("objectClass", "organizationalRole")]
    kinds += [("objectClass", "simpleSecurityObject")]
    name = dn.partition(",")[0].removeprefix("cn=")
    return entry(dn, [*kinds, ("cn", name), ("userPassword", PASSWORD)])


def _department(number: int) -> str:
    return list(DEPARTMENTS)[number % len(DEPARTMENTS)]


def _unit_of(number: int) -> str:
    department = _department(number)
    unit = f"ou={department},{PEOPLE}"
    if teams := DEPARTMENTS[department]:
        unit = f"ou={teams[number // len(DEPARTMENTS) % len(teams)]},{unit}"
    return unit


def _person(number: int) -> Pairs:
    chosen = random.Random(number)
    given, family = chosen.choice(_GIVEN), chosen.choice(_FAMILY)
    manager = [("manager", person(0))] if number else []
    return [
        ("objectClass", "inetOrgPerson"),
        ("uid", f"user{number:05d}"),
        ("cn", f"{given} {family}"),
        ("sn", family),
        ("givenName", given),
        ("displayName", f"{given} {family}"),
        ("mail", f"user{number:05d}@acme.test"),
        ("departmentNumber", _department(number)),
        ("employeeNumber", str(10_000 + number)),
        ("title", "Director" if number % 50 == 0 else "Associate"),
        ("userPassword", f"pw-{number}"),
        *manager,
    ]
