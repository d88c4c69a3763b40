"""The demo's company: three departments, a guest, an admin, and who may talk where."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bots.core import Core, core
from bots.directory_side import Means, source_of
from bots.sandbox.company import Company, Member
from bots.settings import Settings
from bridge.messages import Channel
from policy.cedar.bundle import Draft

_FALCON, _COFFEE = "falcon-team", "coffee-club"
_GROUPS = {_FALCON: "Falcon team", _COFFEE: "Coffee club"}
_RULE = """
  - id: {id}-talks
    allow: [bridge.post, bridge.edit, bridge.delete, bridge.react, bridge.file, bridge.ping]
    who: {{group: {group}}}
    where: {{links_between: [space:{id}, space:{id}]}}
    reason: Only the {group} talks here.
"""
_RECORDS = """
  - id: records-are-for-employees
    allow: [record.view]
    where: {record: [salesforce, servicenow, jira, hubspot]}
    unless: {any: [{field: finance}, {guest: true}]}
    reason: Employees see business records, without amounts.
  - id: amounts-are-for-finance
    allow: [record.view]
    who: {department: Finance}
    where: {record: [salesforce, servicenow, jira, hubspot]}
    reason: Finance sees amounts.
  - id: employees-are-for-employees
    allow: [record.view]
    where: {record: hr/employee}
    when: {field: public}
    unless: {guest: true}
    reason: Employees see who works here, and in which role.
  - id: what-hr-knows-is-for-hr
    allow: [record.view]
    who: {person: dana@acme.example}
    where: {record: hr/employee}
    reason: Dana knows who joins and who leaves.
  - id: employees-work-on-records
    allow: [record.update, record.create, record.approve]
    where: {record: [salesforce, servicenow, jira, hubspot]}
    unless: {guest: true}
    reason: Employees work on records as far as the system lets them.
"""
_RECORD_TESTS = """
  - name: employees see a case
    given: {user: Alice Wong}
    ask: {action: record.view, record: salesforce/case/1, field: public}
    expect: {effect: allow, rules: [records-are-for-employees]}
  - name: employees see no amounts
    given: {user: Alice Wong}
    ask: {action: record.view, record: salesforce/opportunity/1, field: finance}
    expect: {effect: deny}
  - name: Finance sees amounts
    given: {user: Dana Fox}
    ask: {action: record.view, record: salesforce/opportunity/1, field: finance}
    expect: {effect: allow, rules: [amounts-are-for-finance]}
  - name: employees see who works here
    given: {user: Alice Wong}
    ask: {action: record.view, record: hr/employee/1, field: public}
    expect: {effect: allow, rules: [employees-are-for-employees]}
  - name: employees do not see who leaves
    given: {user: Alice Wong}
    ask: {action: record.view, record: hr/employee/1, field: hr}
    expect: {effect: deny}
  - name: HR sees who leaves
    given: {user: Dana Fox}
    ask: {action: record.view, record: hr/employee/1, field: hr}
    expect: {effect: allow, rules: [what-hr-knows-is-for-hr]}
  - name: employees approve changes
    given: {user: Erin Park}
    ask: {action: record.approve, record: servicenow/change/1}
    expect: {effect: allow, rules: [employees-work-on-records]}
"""
_TEST = """
  - name: the {group} talks
    given: {{user: Alice Wong, groups: [{group}]}}
    ask: {{action: bridge.post, from: "{one}", to: "{other}"}}
    expect: {{effect: allow, rules: [{id}-talks]}}
"""


def company_in(path: Path) -> Company:
    """Return the company, and write it down."""
    people = [
        _one("alice", "Alice Wong", "IT", "slack:T01ACME/U01ALICE", "teams:29:alice"),
        _one("erin", "Erin Park", "IT", "slack:T01ACME/U05ERIN", "teams:29:erin"),
        _one("bob", "Bob Stone", "Engineering", "slack:T01ACME/U02BOB"),
        _one("chen", "Chen Li", "Engineering", "slack:T01ACME/U03CHEN"),
        _one("carol", "Carol Díaz", "Engineering", "teams:29:carol"),
        _one("dana", "Dana Fox", "Finance", "slack:T01ACME/U04DANA"),
        _one("dave", "Dave O'Neil", "Finance", "teams:29:dave"),
        _one("frank", "Frank Moss", "Finance", "teams:29:frank"),
        Member(
            "gus",
            "Gus Novak",
            "",
            "gus@partner.example",
            ("slack:T01ACME/U06GUS",),
            True,
        ),
    ]
    bosses = dict.fromkeys(("erin", "bob", "chen", "carol"), "alice")
    bosses |= dict.fromkeys(("alice", "dave", "frank"), "dana")
    for one in people:
        one.manager = bosses.get(one.id, "")
    everybody = {one.id for one in people if not one.guest}
    made = Company(
        path, people, dict(_GROUPS), {_FALCON: set(everybody), _COFFEE: set(everybody)}
    )
    made.write()
    return made


def _one(id_: str, name: str, department: str, *accounts: str) -> Member:
    return Member(id_, name, department, f"{id_}@acme.example", accounts)


async def employ(
    settings: Settings,
    tenant: str,
    groups: tuple[Sequence[Channel], Sequence[Channel]],
    then: Callable[[Core], Awaitable[None]],
) -> None:
    """
    Read the company once, and put the rules into force that name its groups.

    `groups` are the channels of the Falcon team and of the coffee club. `then` is
    called while the company is open.
    """
    async with core(settings, "demo") as built:
        sync = built.sources.required(tenant)
        for each in settings.directory.all_sources:
            source = source_of(each, Means(None, sync.clock))
            async for reading in source.read(b""):
                await sync.apply(reading)
        desk, draft = built.policies.desk, Draft(rules(*groups))
        shown = await desk.preview(tenant, "atom demo", draft, "the demo's rules")
        await desk.apply(tenant, "atom demo", shown.report.hash)
        await then(built)


def rules(falcon: Sequence[Channel], coffee: Sequence[Channel]) -> str:
    """Return the company's rules: each group talks in the channels that are its."""
    spaces, said, tests = "spaces:\n", "rules:", "tests:"
    for id_, channels in ((_FALCON, falcon), (_COFFEE, coffee)):
        listed = ", ".join(f'"{channel}"' for channel in channels)
        spaces += f"  {id_}: [{listed}]\n"
        group, one, other = _GROUPS[id_], channels[0], channels[1]
        said += _RULE.format(id=id_, group=group)
        tests += _TEST.format(id=id_, group=group, one=one, other=other)
    return f"{spaces}{said}{_RECORDS}{tests}{_RECORD_TESTS}"
