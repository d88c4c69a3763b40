"""What Acme's organisation holds beside Acme itself, when the sandbox has one."""

from bots.sandbox.slack.model import Channel, Kind, User, Usergroup, Workspace

ORG = "E01ACME"
ORG_NAME = "Acme Group"
LABS, SALES = "T03LABS", "T04SALES"
ORG_BOT_TOKEN = "xoxb-sandbox-E01ACME"  # noqa: S105 - seeded, and worth nothing
ADMIN_TOKEN = "xoxp-sandbox-E01ACME"  # noqa: S105 - see above
COMPLIANCE_TOKEN = "xoxp-sandbox-compliance"  # noqa: S105 - see above
WORKSPACE_USER_TOKEN = "xoxp-sandbox-T01ACME"  # noqa: S105 - see above
ADMIN = "U01ALICE"
ADMIN_SCOPES = (
    "admin",
    "admin.conversations:read",
    "admin.conversations:write",
    "admin.teams:read",
    "admin.teams:write",
    "admin.usergroups:read",
    "admin.usergroups:write",
    "admin.users:read",
    "admin.users:write",
    "channels:write",
    "groups:write",
)
COMPLIANCE_SCOPES = (
    "admin.legalHolds:read",
    "admin.legalHolds:write",
    "auditlogs:read",
    "discovery:read",
)
TEAMS = ("T01ACME", LABS, SALES)


def workspaces() -> list[Workspace]:
    return [
        Workspace(LABS, "Acme Labs", "acme-labs"),
        Workspace(SALES, "Acme Sales", "acme-sales"),
    ]


def users() -> list[User]:
    return [
        User("U21NORA", LABS, "nora", "Nora Berg", "nora@acme.example", is_admin=True),
        User("U22OMAR", SALES, "omar", "Omar Haddad", "omar@acme.example"),
    ]


def channels() -> list[Channel]:
    return [
        Channel("C21LAB", LABS, "lab-notes", Kind.PUBLIC, "U21NORA", ["U21NORA"]),
        Channel("C22DEALS", SALES, "deals", Kind.PUBLIC, "U22OMAR", ["U22OMAR"]),
        Channel(
            "C23VAULT", LABS, "vault", Kind.PRIVATE, "U21NORA", ["U21NORA"], shared=[]
        ),
    ]


def idp_groups() -> list[Usergroup]:
    """Groups that the identity provider keeps, over SCIM."""
    return [
        Usergroup("S21RESEARCH", ORG, "", "Research", ["U03CHEN", "U21NORA"]),
        Usergroup("S22NOBODY", ORG, "", "Nobody", []),
    ]
