"""A company in a YAML file: what it may say, and mistakes by their line."""

import json
from contextlib import suppress
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.links import accounts_of
from bridge.directory.model import Entry, Kind, Standing
from policy.directory.yaml_people import Mistakes, people_in

FULL = """
    people:
      - id: ana
        name: Ana Weber
        mail: ana@acme.com
        employee_id: 0042
        department: finance
        unit: emea
        groups: team
        roles: [service-desk]
        clearance: 2
        accounts: [slack:T1/U1, teams:t/o, slack:U9]
      - {id: gus, guest: yes, standing: Disabled}
    groups:
      team: {name: The team, members: [gus], in: everybody}
      everybody:
    units:
      emea: {name: EMEA, in: world}
      world: The world
    departments:
      finance: Finance
    roles:
      service-desk: {members: [team], others: 5a95e986-e47e-473b-a74e-ab2ba77ed154}
"""


def _read(text: str) -> dict[str, Entry]:
    return {entry.id: entry for entry in people_in(dedent(text))}


def test_everything_that_a_file_may_say_is_read() -> None:
    found = _read(FULL)

    ana = found["ana"]
    assert (ana.kind, ana.name, ana.unit) == (Kind.PERSON, "Ana Weber", "emea")
    assert ana.parents == {"finance", "team", "service-desk"}
    assert ana.members is None
    assert ana.attributes["employee_id"] == "0042"
    assert ana.attributes["department"] == "finance"
    accounts = ["slack:T1/U1", "teams:t/o", "slack:U9"]
    assert list(accounts_of(ana.attributes)) == accounts
    assert (found["gus"].guest, found["gus"].standing) == (True, Standing.DISABLED)
    assert found["team"].members == frozenset({"gus"})
    assert found["team"].parents == {"everybody"}
    assert found["everybody"].name == "everybody"
    assert found["everybody"].members == frozenset()
    assert found["emea"].parents == {"world"}
    assert found["world"].kind is Kind.UNIT
    assert found["service-desk"].members == frozenset(
        {"team", "5a95e986-e47e-473b-a74e-ab2ba77ed154"}
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "line 1: the file is empty"),
        ("people: [", "line 2: this is not YAML"),
        (
            "people:\n  - id: a\n  - id: a\n",
            "line 3: the id a is taken already (line 2)",
        ),
        ("people:\n  - name: Ana\n", "line 2: somebody has no id"),
        ("people:\n  - id: a\n    nmae: x\n", "line 3: nmae is not known here"),
        ("people:\n  - id: a\n    id: b\n", "line 3: id stands here again"),
        ("people:\n  - id: a\n    groups: [b]\n", "line 3: there is no group b"),
        ("people:\n  - id: a\n    standing: gone\n", "line 3: a standing is one of"),
        ("people:\n  - id: a\n    accounts: U1\n", "line 3: an account is slack:"),
        ("people:\n  - id: a\n    clearance: -1\n", "line 2: clearance has to be"),
        ("people:\n  - id: a\n    name:\n", "line 3: a value is missing here"),
        ("people:\n  - id: [a]\n", "line 2: one value is expected here"),
        ("people: 7\n", "line 1: names with values are expected here"),
        ("groups:\n  g: {members: [x]}\n", "line 2: there is no department or group"),
        (
            "groups:\n  g: {in: u}\nunits:\n  u:\n",
            "line 2: there is no group or role u",
        ),
        ("teams: {}\n", "line 1: teams is not known here; these are: departments"),
        ("people: &p\n  - id: a\ngroups: *p\n", "line 1: anchors and aliases"),
        ("a: " + "[" * 40 + "]" * 40, "line 1: this is nested too deeply"),
        (f"people:\n  - id: {'x' * 201}\n", "line 2: an id has 1 to 200 characters"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, mistake: str) -> None:
    with pytest.raises(Mistakes) as raised:
        people_in(text)

    assert mistake in str(raised.value)


def test_all_mistakes_are_told_at_once_up_to_twenty() -> None:
    text = "people:\n" + "".join(f"  - id: p{n}\n    age: 3\n" for n in range(30))

    with pytest.raises(Mistakes) as raised:
        people_in(text)

    told = str(raised.value)
    assert "line 3: age is not known" in told
    assert "line 41: age" in told
    assert told.endswith("and 10 more")


_NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1)


@given(st.text())
def test_whatever_a_file_holds_it_is_read_or_refused(text: str) -> None:
    with suppress(Mistakes):
        assert isinstance(people_in(text), tuple)


@given(st.dictionaries(_NAMES.filter(str.isprintable), _NAMES, min_size=1, max_size=5))
def test_any_name_can_be_written_in_quotes(names: dict[str, str]) -> None:
    people = [{"id": id_, "name": name} for id_, name in names.items()]

    found = people_in(json.dumps({"people": people}, ensure_ascii=False))

    assert {e.id: e.name for e in found} == names
