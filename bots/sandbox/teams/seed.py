"""What every sandbox Teams starts with: two tenants and the app in both."""

from collections.abc import Mapping
from types import MappingProxyType

from bots.sandbox.teams.model import Channel, Kind, Person, Team, Tenant

BOT_APP_ID = "6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a02"
BOT_NAME = "ATOM"
BOT_PASSWORD = "sandbox-teams-password"  # noqa: S105 - seeded, and worth nothing
# A bot of somebody else's, for what bots must not see of each other.
OTHER_APP_ID = "0a3c5e7f-1b2d-4c6e-8f90-a1b2c3d4e5f6"
OTHER_NAME = "Standup"
OTHER_PASSWORD = "sandbox-other-password"  # noqa: S105 - see above
# The app that manages the organisation. It is no bot, and in no team.
ADMIN_APP_ID = "5b1e9c44-7a0d-4b53-8f2e-3c9d0a7b6e15"
ADMIN_NAME = "ATOM Admin"
ADMIN_PASSWORD = "sandbox-admin-password"  # noqa: S105 - see above

ACME = "7e4a4700-0000-4000-8000-000000000001"
GLOBEX = "7e4a4700-0000-4000-8000-000000000002"
ACME_TEAM = "19:acme@thread.tacv2"
LABS_TEAM = "19:labs@thread.tacv2"
GLOBEX_TEAM = "19:globex@thread.tacv2"

APPS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        BOT_APP_ID: (BOT_NAME, BOT_PASSWORD),
        OTHER_APP_ID: (OTHER_NAME, OTHER_PASSWORD),
        ADMIN_APP_ID: (ADMIN_NAME, ADMIN_PASSWORD),
    }
)


def tenants() -> list[Tenant]:
    return [
        Tenant(ACME, "Acme", "acme.example", region="amer"),
        Tenant(GLOBEX, "Globex", "globex.example", region="emea"),
    ]


def people() -> list[Person]:
    return [
        _person(1, "carol", "Carol", "Díaz", ACME),
        _person(2, "dave", "Dave", "O'Neil", ACME),
        _person(3, "erin", "Erin", "Park", ACME),
        _person(4, "frank", "Frank", "Moss", ACME),
        _person(5, "heidi", "Heidi", "Brandt", GLOBEX),
        _person(6, "ivan", "Ivan", "Petrov", GLOBEX),
    ]


def directory_roles() -> dict[str, str]:
    """Return who holds which role in their directory, by its template's id."""
    global_administrator = "62e90394-69f5-4237-9190-012177145e10"
    teams_administrator = "69091246-20e8-4a56-aa4d-066075b2a7a8"
    helpdesk_administrator = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
    return {
        "29:carol": global_administrator,
        "29:erin": teams_administrator,
        "29:frank": helpdesk_administrator,
        "29:heidi": global_administrator,
    }


def teams() -> list[Team]:
    acme = ["29:carol", "29:dave", "29:erin", "29:frank"]
    globex = ["29:heidi", "29:ivan"]
    return [
        Team(ACME_TEAM, ACME, "Acme", _group(1), ["29:carol"], acme, [BOT_APP_ID]),
        Team(LABS_TEAM, ACME, "Labs", _group(2), ["29:dave"], acme[:2]),
        Team(
            GLOBEX_TEAM, GLOBEX, "Globex", _group(3), ["29:heidi"], globex, [BOT_APP_ID]
        ),
    ]


def channels() -> list[Channel]:
    return [
        Channel(ACME_TEAM, ACME, ACME_TEAM, "General"),
        Channel("19:falcon@thread.tacv2", ACME, ACME_TEAM, "Project Falcon"),
        Channel("19:random@thread.tacv2", ACME, ACME_TEAM, "Random"),
        Channel(
            "19:board@thread.tacv2",
            ACME,
            ACME_TEAM,
            "Board",
            Kind.PRIVATE,
            ["29:carol", "29:dave"],
            owners=["29:carol"],
        ),
        Channel(LABS_TEAM, ACME, LABS_TEAM, "General"),
        Channel(GLOBEX_TEAM, GLOBEX, GLOBEX_TEAM, "General"),
    ]


def _person(number: int, name: str, given: str, surname: str, tenant: str) -> Person:
    domain = "acme.example" if tenant == ACME else "globex.example"
    directory_id = f"c0000000-0000-4000-8000-{number:012d}"
    return Person(
        f"29:{name}", tenant, given, surname, f"{name}@{domain}", directory_id
    )


def _group(number: int) -> str:
    return f"6a1c0de5-0000-4000-8000-{number:012d}"
