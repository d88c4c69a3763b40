"""What every sandbox Slack starts with: two workspaces and the app in both."""

from collections.abc import Mapping
from types import MappingProxyType

from bots.sandbox.slack.model import (
    Channel,
    Installation,
    Kind,
    User,
    Usergroup,
    Workspace,
)

# The app's own. Nothing here opens anything outside the sandbox.
APP_ID = "A01ATOM"
APP_NAME = "ATOM"
CLIENT_ID = "1000000000.2000000000"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - seeded, and worth nothing
SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105 - see above
VERIFICATION_TOKEN = "sandbox-verification-token"  # noqa: S105 - see above
APP_TOKEN = "xapp-sandbox-A01ATOM"  # noqa: S105 - see above
BOT_TOKEN = "xoxb-sandbox-T01ACME"  # noqa: S105 - see above
SECOND_BOT_TOKEN = "xoxb-sandbox-T02GLOBEX"  # noqa: S105 - see above
APP_SCOPES = ("connections:write", "authorizations:read")
SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "commands",
    "emoji:read",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "links:read",
    "links:write",
    "metadata.message:read",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "pins:read",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users.profile:read",
    "users:read",
    "users:read.email",
)
# Whom the second installation belongs to does not matter to any token check.
TOKENS: Mapping[str, str] = MappingProxyType(
    {"T01ACME": BOT_TOKEN, "T02GLOBEX": SECOND_BOT_TOKEN}
)


def workspaces() -> list[Workspace]:
    emoji = {
        "party_atom": "https://emoji.example/party_atom.png",
        "atom_party": "alias:party_atom",
        "dancing_atom": "https://emoji.example/dancing_atom.gif",
        "tada2": "alias:tada",
    }
    return [
        Workspace("T01ACME", "Acme", "acme", emoji),
        Workspace("T02GLOBEX", "Globex", "globex"),
    ]


def users() -> list[User]:
    acme, globex = "T01ACME", "T02GLOBEX"
    return [
        User(
            "U01ALICE",
            acme,
            "alice",
            "Alice Wong",
            "alice@acme.example",
            is_admin=True,
            is_org_admin=True,
        ),
        User("U02BOB", acme, "bob", "Bob Stone", "bob@acme.example"),
        User("U03CHEN", acme, "chen", "Chen Li", "chen@acme.example"),
        User("U04DANA", acme, "dana", "Dana Fox", "dana@acme.example"),
        User("UATOM", acme, "atom", APP_NAME, is_bot=True),
        User(
            "U11GRACE",
            globex,
            "grace",
            "Grace Hill",
            "grace@globex.example",
            is_admin=True,
        ),
        User("U12HUGO", globex, "hugo", "Hugo Marsh", "hugo@globex.example"),
        User("UATOM2", globex, "atom", APP_NAME, is_bot=True),
    ]


def channels() -> list[Channel]:
    people = ["U01ALICE", "U02BOB", "U03CHEN", "U04DANA"]
    acme, globex = "T01ACME", "T02GLOBEX"
    everyone = [*people, "UATOM"]
    return [
        Channel("C01GENERAL", acme, "general", Kind.PUBLIC, "U01ALICE", list(everyone)),
        Channel(
            "C02FALCON",
            acme,
            "project-falcon",
            Kind.PUBLIC,
            "U01ALICE",
            list(everyone),
            topic="Falcon ships in spring",
        ),
        Channel("C03RANDOM", acme, "random", Kind.PUBLIC, "U01ALICE", list(everyone)),
        Channel(
            "C04BOARD", acme, "board", Kind.PRIVATE, "U01ALICE", ["U01ALICE", "U04DANA"]
        ),
        Channel("C05QUIET", acme, "quiet", Kind.PUBLIC, "U02BOB", list(people)),
        Channel(
            "C11GENERAL",
            globex,
            "general",
            Kind.PUBLIC,
            "U11GRACE",
            ["U11GRACE", "U12HUGO", "UATOM2"],
        ),
    ]


def installations() -> list[Installation]:
    return [
        Installation("T01ACME", "UATOM", "BATOM", TOKENS["T01ACME"]),
        Installation("T02GLOBEX", "UATOM2", "BATOM2", TOKENS["T02GLOBEX"]),
    ]


def usergroups() -> list[Usergroup]:
    return [
        Usergroup("S01ENG", "T01ACME", "engineers", "Engineers", ["U02BOB", "U03CHEN"])
    ]
