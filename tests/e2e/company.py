"""A company in a YAML file beside ATOM, and its rules: who is where is edited there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bots.core import Core, core
from bots.sandbox.company import Company, Member
from bots.settings import Settings
from bridge.errors import AtomError
from policy.cedar.bundle import Draft
from tests.e2e.world import COMPANY, FALCON, PROJECT, World, world

PROJECT_GROUP = "g-falcon"
RULES = f"""
spaces:
  falcon: ["{FALCON}", "{PROJECT}"]
channels:
  "{FALCON}": {{classification: confidential}}
  "{PROJECT}": {{classification: confidential}}
rules:
  - id: falcon-talks
    allow: [bridge.post, bridge.edit, bridge.delete, bridge.react, bridge.file]
    who: {{group: Project Falcon}}
    where: {{links_between: [space:falcon, space:falcon]}}
    reason: Only Project Falcon talks here.
  - id: falcon-members
    allow: [channel.join]
    who: {{group: Project Falcon}}
    where: {{channel: "{FALCON}"}}
    reason: Project Falcon belongs here.
tests:
  - name: the project talks
    given: {{user: Alice Wong, groups: [Project Falcon]}}
    ask: {{action: bridge.post, from: "{FALCON}", to: "{PROJECT}"}}
    expect: {{effect: allow, rules: [falcon-talks]}}
  - name: the project belongs there
    given: {{user: Alice Wong, groups: [Project Falcon]}}
    ask: {{action: channel.join, channel: "{FALCON}"}}
    expect: {{effect: allow, rules: [falcon-members]}}
"""
_SOON = 60.0


def people() -> list[Member]:
    return [
        Member(
            "alice",
            "Alice Wong",
            "IT",
            "alice@acme.example",
            ("slack:T01ACME/U01ALICE",),
        ),
        Member("bob", "Bob Stone", "Sales", "bob@acme.example"),
        Member("carol", "Carol Díaz", "IT", "carol@acme.example"),
        Member("dave", "Dave O'Neil", "Sales", "dave@acme.example"),
    ]


@asynccontextmanager
async def employed(
    home: Path,
    database_url: str = "",
    rules: str = RULES,
    *,
    started: bool = True,
    **more: str,
) -> AsyncIterator[tuple[World, Company]]:
    """A world with a directory: Alice in Slack and Carol in Teams are in the project."""
    file = home / "people.yaml"
    company = Company(
        file,
        people(),
        {PROJECT_GROUP: "Project Falcon"},
        {PROJECT_GROUP: {"alice", "carol"}},
    )
    company.write()
    url = database_url or f"sqlite:///{home}/atom.db"
    given = {
        "ATOM_DIRECTORY_PEOPLE": str(file),
        "ATOM_TUNING_NOTICE_COOLDOWN": "0",
        **more,
    }
    async with world(home, url, **given) as made:
        await made.link()
        if started:
            await made.start()
            await publish(made, company, rules)
        yield made, company


def settings(here: World, company: Company) -> Settings:
    return Settings.model_validate(
        {
            "home": here.home,
            "database_url": here.database_url,
            "directory": {"people": company.path},
        }
    )


async def publish(here: World, company: Company, rules: str) -> None:
    """Put rules into force, once the people whom they name are known."""
    async with asyncio.timeout(_SOON):
        async with core(settings(here, company), "test") as built:
            while not (name := await _published(built, rules)):
                await asyncio.sleep(0.1)
                await built.sources.required(COMPANY).refresh()
        while f'"hash": "{name}"' not in _decided_by(here):
            await asyncio.sleep(0.05)


async def _published(built: Core, rules: str) -> str:
    """Publish a policy and return its hash; nothing if it is too early to."""
    desk = built.policies.desk
    try:
        shown = await desk.preview(COMPANY, "test", Draft(rules), "rules")
        version = await desk.apply(COMPANY, "test", shown.report.hash)
    except AtomError:
        return ""
    return version.hash


def _decided_by(here: World) -> str:
    """Return what the serving process says of the policies that it took over."""
    lines = here.stderr.splitlines()
    return "\n".join(line for line in lines if "policy in force" in line)


async def choose(here: World, company: Company, choice: str) -> None:
    """Let the link have another option."""
    async with core(settings(here, company), "test") as built:
        [link] = await built.links.all(COMPANY)
        await built.links.choose(link, link.options.said([choice]), "test")


async def known(here: World, company: Company) -> None:
    """Wait until the directory says what the file does."""
    wanted = {
        one.id: (
            one.disabled,
            {g for g, ids in company.inside.items() if one.id in ids},
        )
        for one in company.people
    }
    async with (
        core(settings(here, company), "test") as built,
        asyncio.timeout(_SOON),
    ):
        while _standing(built) != wanted:
            await asyncio.sleep(0.1)
            await built.sources.required(COMPANY).refresh()
    await asyncio.sleep(0.6)  # so does the serving process, which followed it first


def _standing(built: Core) -> dict[str, tuple[bool, set[str]]]:
    """Return whom the directory holds: whether they are disabled, and their groups."""
    view = built.sources.view
    return {
        kept.entry.id: (
            subject.standing == "disabled",
            {
                one.removeprefix("group:")
                for one in subject.ancestors - {g.ancestor for g in subject.kept}
                if one.startswith("group:")
            },
        )
        for subject in view.subjects(COMPANY)
        for kept in view.entries(COMPANY, subject.id)
    }
