"""Whole workspaces are made and changed by admins, after being shown what is grave."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bots.commands.base import Commands, Request
from bots.commands.organisations import Organisations
from bots.commands.workspaces import ListWorkspaces
from bridge.cards import Card, Tone
from bridge.errors import Refused
from bridge.messages import Person, Platform
from bridge.workspaces import Administration, Workspace
from tests.fakes_organisation import FakeAudit, FakeOrganisation
from tests.unit.bots.commands.conftest import FALCON, TENANT, Office

HERE = FALCON[Platform.TEAMS]


@dataclass
class FakeSpaces:
    """Remembers what was asked of it."""

    done: list[str] = field(default_factory=list)

    async def create(self, name: str, owner: Person) -> None:
        self.done.append(f"create {name} {owner.id}")

    async def rename(self, workspace: Workspace, name: str) -> None:
        self.done.append(f"rename {workspace.id} {name}")

    async def archive(self, workspace: Workspace) -> None:
        self.done.append(f"archive {workspace.id}")

    async def unarchive(self, workspace: Workspace) -> None:
        raise Refused("It is open.")

    async def admit(
        self, workspace: Workspace, people: Sequence[Person], *, owners: bool
    ) -> Sequence[str]:
        welcome = [one.id for one in people if one.id != "stranger"]
        self.done += [f"{'own' if owners else 'invite'} {id_}" for id_ in welcome]
        return ["stranger: is not known"] * (len(people) - len(welcome))

    async def dismiss(self, workspace: Workspace, person: Person) -> None:
        self.done.append(f"remove {person.id}")


@dataclass
class Desk:
    """One admin's chat window."""

    spaces: FakeSpaces = field(default_factory=FakeSpaces)
    audit: FakeAudit = field(default_factory=FakeAudit)

    async def type(self, line: str, who: str = "admin") -> Card:
        fake = FakeOrganisation(Platform.TEAMS)
        administration: Administration = replace(
            fake.administration(), spaces=self.spaces
        )
        organisations = Organisations({Platform.TEAMS: administration}, self.audit)
        commands = Commands((ListWorkspaces(organisations),))
        person = Person(Platform.TEAMS, who)
        return await commands.answer(Request(TENANT, HERE, person, line))


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("create launch erin", ["create launch erin"]),
        ("rename acme-labs Lab", ["rename T03LABS Lab"]),
        ("archive acme-labs confirm", ["archive T03LABS"]),
        ("invite acme-labs a b", ["invite a", "invite b"]),
        ("OWN acme-labs a", ["own a"]),
        ("remove acme-labs a b", ["remove a", "remove b"]),
    ],
)
async def test_what_is_asked_for_is_done_and_on_record(
    line: str, done: list[str]
) -> None:
    desk = Desk()

    card = await desk.type(f"workspaces {line}")

    assert card.tone is Tone.GOOD
    assert desk.spaces.done == done
    assert len(desk.audit.lines) in {2, 4}
    assert desk.audit.lines[0].startswith("teams:admin wants to ")
    assert desk.audit.lines[-1].endswith(" done")


@pytest.mark.parametrize(
    "line", ["archive acme-labs confirm", "create launch erin", "invite acme a"]
)
async def test_only_the_organisations_admins_may(line: str) -> None:
    desk = Desk()

    card = await desk.type(f"workspaces {line}", who="somebody")

    assert card.title == "You may not do that"
    assert (desk.spaces.done, desk.audit.lines) == ([], [])


async def test_archiving_is_shown_first() -> None:
    desk = Desk()

    card = await desk.type("workspaces archive acme-labs")

    assert "Acme Labs would be closed for everybody" in card.text
    assert [b.command for b in card.buttons] == ["workspaces archive acme-labs confirm"]
    assert (desk.spaces.done, desk.audit.lines) == ([], [])


async def test_who_could_not_be_let_in_is_named() -> None:
    desk = Desk()

    part = await desk.type("workspaces invite acme a stranger")
    nobody = await desk.type("workspaces invite acme stranger")

    assert (part.tone, nobody.tone) == (Tone.WARNING, Tone.BAD)
    assert "stranger: is not known" in nobody.text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sell acme", "cannot do that"),
        ("create launch", "Type `workspaces create NAME OWNER`"),
        ("archive", "Type `workspaces archive WORKSPACE`"),
        ("list acme", "Type `workspaces list"),
        ("rename nowhere x", "no workspace nowhere"),
        ("unarchive acme", "It is open."),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_reason(
    line: str, told: str
) -> None:
    card = await Desk().type(f"workspaces {line}")

    assert card.tone is Tone.BAD
    assert told in card.text


async def test_a_platform_without_them_says_so(office: Office) -> None:
    card = await office.type(FALCON[Platform.SLACK], "workspaces rename acme x")

    assert card.text == "This platform cannot do that."
