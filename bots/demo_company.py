"""The demo's company: three departments, a guest, an admin, and who may talk where."""

from collections.abc import Sequence
from pathlib import Path

from bots.core import core
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
    everybody = {one.id for one in people if not one.guest}
    made = Company(
        path, people, dict(_GROUPS), {_FALCON: set(everybody), _COFFEE: set(everybody)}
    )
    made.write()
    return made


def _one(id_: str, name: str, department: str, *accounts: str) -> Member:
    return Member(id_, name, department, f"{id_}@acme.example", accounts)


async def employ(
    home: Path,
    tenant: str,
    path: Path,
    falcon: Sequence[Channel],
    coffee: Sequence[Channel],
) -> None:
    """Read the company once, and put the rules into force that name its groups."""
    settings = Settings.model_validate({"home": home, "directory": {"people": path}})
    async with core(settings, "demo") as built:
        sync = built.sources.required(tenant)
        for each in settings.directory.all_sources:
            source = source_of(each, Means(None, sync.clock))
            async for reading in source.read(b""):
                await sync.apply(reading)
        desk, draft = built.policies.desk, Draft(rules(falcon, coffee))
        shown = await desk.preview(tenant, "atom demo", draft, "the demo's rules")
        await desk.apply(tenant, "atom demo", shown.report.hash)


def rules(falcon: Sequence[Channel], coffee: Sequence[Channel]) -> str:
    """Return the company's rules: each group talks in the channels that are its."""
    spaces, said, tests = "spaces:\n", "rules:", "tests:"
    for id_, channels in ((_FALCON, falcon), (_COFFEE, coffee)):
        listed = ", ".join(f'"{channel}"' for channel in channels)
        spaces += f"  {id_}: [{listed}]\n"
        group, one, other = _GROUPS[id_], channels[0], channels[1]
        said += _RULE.format(id=id_, group=group)
        tests += _TEST.format(id=id_, group=group, one=one, other=other)
    return f"{spaces}{said}{tests}"
