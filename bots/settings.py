"""
How ATOM is told what to do: the environment, `atom.toml`, and files with secrets.

Everything is read once, by `read_settings` in `bots.settings_sources`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bots.directory_settings import DirectorySettings
from bots.settings_kinds import A_RATE, A_URL, Group, Rates, Secret, Url, on_loopback
from bots.settings_records import RecordName, RecordSettings
from bots.settings_scim import ScimSettings
from bridge.errors import BadInput
from bridge.limits import (
    SLACK_CHANNEL,
    SLACK_METHOD,
    SLACK_WORKSPACE,
    TEAMS_CHANNEL,
    TEAMS_REACTION,
    TEAMS_TENANT,
)
from bridge.tuning import SLACK_PART, TEAMS_PART
from policy.scanning.clamd import ClamdAddress

_HEX = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID = rf"^{_HEX}$"
_UUIDS = rf"^({_HEX}( {_HEX})*)?$"


def _of_a_person(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value().startswith(("xoxp-", "xoxe.xoxp-")):
        return secret
    raise ValueError("no user token")


def _address_of_clamd(text: str) -> str:
    try:
        ClamdAddress.parse(text)
    except BadInput as error:
        raise ValueError("no address") from error
    return text


ScannerAddress = Annotated[str, AfterValidator(_address_of_clamd)]
AdminToken = Annotated[Secret, AfterValidator(_of_a_person)]
Uuid = Annotated[str, StringConstraints(pattern=_UUID, to_lower=True)]
Uuids = Annotated[str, StringConstraints(pattern=_UUIDS, to_lower=True)]

_LOGIN = "https://login.microsoftonline.com"
_ENDPOINT = "/oauth2/v2.0/token"
_A_UUID = "a UUID such as 6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a02"


def _token_url(given: Mapping[str, Any]) -> str:
    several = given.get("more_tenants") or given.get("multi_tenant_bot")
    tenant = "{tenant}" if several else given["tenant_id"]
    return f"{_LOGIN}/{tenant}{_ENDPOINT}"


class SlackSettings(Group, frozen=True):
    """Slack's side. Events come over HTTP, or through a socket that ATOM opens."""

    signing_secret: Secret | None = Field(
        default=None,
        description="the Signing Secret under Basic Information, App Credentials",
    )
    bot_token: Secret | None = Field(
        default=None, description="a bot token: it begins with xoxb-"
    )
    app_token: Secret | None = Field(
        default=None,
        description="an app-level token for Socket Mode: it begins with xapp-",
    )
    client_id: str | None = Field(default=None, description="the app's Client ID")
    client_secret: Secret | None = Field(
        default=None, description="the app's Client Secret"
    )
    admin_token: AdminToken | None = Field(
        default=None,
        description="the admin app's user token: it begins with xoxp-",
    )
    compliance_token: AdminToken | None = Field(
        default=None,
        description="an Org Owner's user token with auditlogs:read, and for legal "
        "holds admin.legalHolds:read and :write: it begins with xoxp-",
    )
    api_url: Url = Field(default="https://slack.com/api/", description=A_URL)
    discovery: bool = Field(
        default=False,
        description="true or false: whether the compliance token has discovery:read, "
        "with which channels are compared by their edits and deletions as well",
    )
    work_objects: bool = Field(
        default=False,
        description="true or false: whether records are sent as Work Objects too, which "
        "open at the side of a conversation",
    )
    audit_url: Url = Field(default="https://api.slack.com/audit/v1/", description=A_URL)
    history_page: int = Field(
        default=200,
        ge=1,
        le=999,
        description="a number from 1 to 999; 15 for an app that is sold outside "
        "Slack's Marketplace",
    )

    @property
    def socket_mode(self) -> bool:
        """Whether ATOM calls Slack, because Slack may not call in."""
        return self.app_token is not None and self.signing_secret is None

    @property
    def installable(self) -> bool:
        """Whether further workspaces can install ATOM by themselves."""
        return self.client_id is not None and self.client_secret is not None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.signing_secret is None and self.app_token is None:
            raise _missing(
                "ATOM_SLACK_SIGNING_SECRET",
                "or, for Socket Mode, ATOM_SLACK_APP_TOKEN",
            )
        if (self.client_id is None) != (self.client_secret is None):
            name = "CLIENT_ID" if self.client_id is None else "CLIENT_SECRET"
            raise _missing(f"ATOM_SLACK_{name}", "client id and secret go together")
        if self.discovery and self.compliance_token is None:
            raise _missing(
                "ATOM_SLACK_COMPLIANCE_TOKEN", "ATOM_SLACK_DISCOVERY needs it"
            )
        if self.bot_token is None and not self.installable:
            raise _missing(
                "ATOM_SLACK_BOT_TOKEN",
                "or, for several workspaces, ATOM_SLACK_CLIENT_ID and "
                "ATOM_SLACK_CLIENT_SECRET",
            )
        return self


class TeamsSettings(Group, frozen=True):
    """Teams' side: one bot registration, which serves its own tenant or several."""

    app_id: Uuid = Field(description=_A_UUID)
    app_password: Secret = Field(description="a client secret's value (not its id)")
    tenant_id: Uuid = Field(description=_A_UUID)
    more_tenants: Uuids = Field(
        default="",
        description="UUIDs of further tenants with blanks between; the app's "
        "registration has to be for several tenants",
    )
    multi_tenant_bot: bool = Field(
        default=False,
        description="true or false: whether the bot's type at Azure is Multi Tenant, "
        "which no new bot's is",
    )
    openid_url: Url = Field(
        default="https://login.botframework.com/v1/.well-known/openidconfiguration",
        description=A_URL,
    )
    issuer: str = Field(
        default="https://api.botframework.com",
        description="the issuer that signs for Teams",
    )
    token_url: Url = Field(
        default_factory=_token_url,
        description=f"{A_URL}, with {{tenant}} in it if there are several tenants",
    )
    graph_url: Url = Field(
        default="https://graph.microsoft.com/v1.0", description=A_URL
    )
    notice_url: Url | None = Field(
        default=None,
        description="the https:// URL at which Graph reaches /hooks/graph",
    )
    admin_app_id: Uuid | None = Field(
        default=None, description=f"the admin app's id, {_A_UUID}"
    )
    admin_app_password: Secret | None = Field(
        default=None, description="the value of a client secret of the admin app"
    )
    native_reactions: bool = Field(
        default=False,
        description="true or false: react in Teams itself, which is a preview there",
    )
    on_behalf_of: bool = Field(
        default=False,
        description="true or false: have Teams show copies as from their authors, "
        "through ATOM, where these have an account there; not all clients do so",
    )
    private_notices: bool = Field(
        default=False,
        description="true or false: tell people alone why something did not cross, "
        "which is a preview there",
    )

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants that are served, the bot's own first."""
        return (self.tenant_id, *self.more_tenants.split())

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if (self.admin_app_id is None) != (self.admin_app_password is None):
            name = "ID" if self.admin_app_id is None else "PASSWORD"
            raise _missing(
                f"ATOM_TEAMS_ADMIN_APP_{name}", "id and password go together"
            )
        several = self.more_tenants or self.multi_tenant_bot
        if several and "{tenant}" not in self.token_url:
            raise PydanticCustomError(
                "missing_setting",
                "ATOM_TEAMS_TOKEN_URL needs {tenant} in it, since "
                "ATOM_TEAMS_MORE_TENANTS or ATOM_TEAMS_MULTI_TENANT_BOT is set",
            )
        return self


class Tuning(Group, frozen=True):
    """What rarely needs changing. Times in seconds, sizes in bytes."""

    body_limit: int = Field(
        default=1 << 20, ge=1 << 16, description="bytes, at least 65536"
    )
    capture_patience: float = Field(
        default=2.5,
        gt=0,
        le=60,
        description="seconds that an event waits for the database, at most 60",
    )
    lease: float = Field(default=10.0, ge=1, description="seconds, at least 1")
    poll: float = Field(
        default=0.25, gt=0, le=10, description="seconds, above 0, at most 10"
    )
    at_once: int = Field(
        default=64, ge=1, le=1024, description="a number from 1 to 1024"
    )
    tries: int = Field(default=8, ge=1, le=50, description="a number from 1 to 50")
    spool: int = Field(
        default=0,
        ge=0,
        description="bytes of events that are kept on this machine's disk while the "
        "database is away, 0 for none",
    )
    first_pause: float = Field(default=0.5, gt=0, description="seconds, above 0")
    longest_pause: float = Field(default=60.0, gt=0, description="seconds, above 0")
    reconcile_after: float = Field(default=5.0, ge=0, description="seconds, 0 or more")
    orphan_patience: float = Field(default=3.0, ge=0, description="seconds, 0 or more")
    paused_link: float = Field(default=1.0, gt=0, description="seconds, above 0")
    dormant: float = Field(
        default=14 * 86_400.0,
        ge=0,
        description="seconds that messages wait for a dormant link, 0 or more",
    )
    settled_days: int = Field(
        default=400,
        ge=0,
        description="days that the queue remembers deliveries which ended, 0 for ever",
    )
    probe: float = Field(default=300.0, gt=0, description="seconds, above 0")
    call_timeout: float = Field(default=10.0, gt=0, description="seconds, above 0")
    teams_channel_limit: Rates = Field(default=TEAMS_CHANNEL, description=A_RATE)
    teams_tenant_limit: Rates = Field(default=TEAMS_TENANT, description=A_RATE)
    teams_reaction_limit: Rates = Field(default=TEAMS_REACTION, description=A_RATE)
    slack_channel_limit: Rates = Field(default=SLACK_CHANNEL, description=A_RATE)
    slack_workspace_limit: Rates = Field(default=SLACK_WORKSPACE, description=A_RATE)
    slack_method_limit: Rates = Field(default=SLACK_METHOD, description=A_RATE)
    slack_part: int = Field(
        default=SLACK_PART, ge=500, le=4_000, description="a number from 500 to 4000"
    )
    teams_part: int = Field(
        default=TEAMS_PART,
        ge=4_000,
        le=100_000,
        description="bytes of UTF-16, from 4000 to 100000",
    )
    limit_care: float = Field(
        default=60.0,
        ge=0,
        description="seconds with half the limits after Redis was lost, 0 or more",
    )
    limit_patience: float = Field(
        default=0.25,
        gt=0,
        le=10,
        description="seconds that Redis has for an answer on limits, at most 10",
    )
    limit_margin: float = Field(default=0.1, ge=0, description="seconds, 0 or more")
    deletions: Rates = Field(
        default="50/60",
        description="DELETIONS/SECONDS that cross from a channel without an admin's "
        "word, several of them with blanks between, or none",
    )
    edits: Rates = Field(
        default="100/60",
        description="MESSAGES/SECONDS of a channel whose edits cross without an "
        "admin's word, several of them with blanks between, or none",
    )
    echoes: Rates = Field(
        default="20/600",
        description="MESSAGES/SECONDS of a channel that may be cut as echoes before "
        "ATOM raises an alarm, several of them with blanks between, or none",
    )
    look_back: float = Field(
        default=7 * 86_400.0,
        ge=0,
        le=30 * 86_400.0,
        description="seconds from 0 to 2592000 (30 days)",
    )
    joins_every: float = Field(
        default=3600.0, gt=0, le=86_400, description="seconds, at most 86400 (a day)"
    )
    digest_every: float = Field(
        default=900.0, gt=0, le=86_400, description="seconds, at most 86400 (a day)"
    )
    digest_lines: int = Field(
        default=50, ge=1, le=200, description="a number from 1 to 200"
    )
    notice_cooldown: float = Field(
        default=600.0,
        ge=0,
        le=30 * 86_400.0,
        description="seconds from 0 to 2592000 (30 days)",
    )
    thread_settle: float = Field(
        default=20.0,
        ge=0,
        le=3_600,
        description="seconds from 0 to 3600 after its last edit before a message that "
        "is in a record is changed there",
    )
    history_days: int = Field(
        default=30, ge=0, le=30, description="a number of days from 0 to 30"
    )
    history_pause: float = Field(
        default=4.0, ge=0, le=60, description="seconds from 0 to 60"
    )
    anchor_every: float = Field(
        default=600.0,
        gt=0,
        le=86_400.0,
        description="seconds between showings of the checkpoint in channels and to "
        "time-stamping authorities, at most 86400",
    )
    approval: float = Field(
        default=86_400.0,
        gt=0,
        le=30 * 86_400.0,
        description="seconds that a second person's word counts, at most 2592000",
    )
    grid_every: float = Field(
        default=300.0,
        gt=0,
        le=43_200.0,
        description="seconds between readings of the organisation's audit log",
    )
    hold_grace: float = Field(
        default=30 * 86_400.0,
        ge=0,
        le=366 * 86_400.0,
        description="seconds that a released hold goes on holding, at most 31622400",
    )
    reconcile_every: float = Field(
        default=6 * 3_600.0,
        gt=0,
        le=12 * 3_600.0,
        description="seconds between comparisons of a channel with its platform's "
        "history, at most 43200 (12 hours)",
    )
    reconcile_calls: int = Field(
        default=0,
        ge=0,
        description="calls that one round of comparisons may make, 0 for no limit",
    )
    reconcile_apart: float = Field(
        default=0.0,
        ge=0,
        le=3_600.0,
        description="seconds between such calls to Slack; 60 for an app that is sold "
        "outside Slack's Marketplace",
    )
    reconcile_settled: float = Field(
        default=60.0,
        ge=0,
        le=3_600.0,
        description="seconds that a message may be on its way, 0 to 3600",
    )
    kept_file_mb: int = Field(
        default=1_000,
        ge=0,
        le=100_000,
        description="megabytes that a file may have to be kept on record, 0 to 100000",
    )
    grace: float = Field(default=60.0, gt=0, description="seconds, above 0")
    beat: float = Field(default=30.0, gt=0, le=300, description="seconds, at most 300")


class KeySettings(Group, frozen=True):
    """Where the keys are that wrap everybody's keys. Docs: compliance-keys.md."""

    provider: Literal["file", "pkcs11", "kms"] = Field(
        default="file", description="file, pkcs11 (an HSM) or kms (over HTTP)"
    )
    module: Path | None = Field(
        default=None, description="the HSM's PKCS#11 module, a path that ends with .so"
    )
    token: str = Field(default="atom", description="the label of the HSM's token")
    pin: Secret | None = Field(default=None, description="the PIN of the HSM's user")
    url: Url | None = Field(default=None, description=f"the KMS: {A_URL}")
    secret: Secret | None = Field(
        default=None, description="the bearer token that the KMS takes"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.provider == "pkcs11" and not (self.module and self.pin):
            name = "ATOM_KEYS_PIN" if self.module else "ATOM_KEYS_MODULE"
            raise _missing(name, "ATOM_KEYS_PROVIDER is pkcs11")
        if self.provider == "kms" and not (self.url and self.secret):
            name = "ATOM_KEYS_SECRET" if self.url else "ATOM_KEYS_URL"
            raise _missing(name, "ATOM_KEYS_PROVIDER is kms")
        return self


class Settings(Group, frozen=True):
    """Everything that an operator can choose. A platform left out is switched off."""

    home: Path = Field(default=Path("var"), description="a folder for data and keys")
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(
        default=8080, ge=0, le=65535, description="a port from 0 to 65535"
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
    )
    redis_url: Secret | None = Field(
        default=None,
        description="redis://HOST:PORT/0, redis+sentinel://HOST:PORT,HOST:PORT/SERVICE "
        "or redis+cluster://HOST:PORT,HOST:PORT; rediss for TLS",
    )
    console_token: Secret | None = Field(
        default=None, description="one word; whoever has it may read the log over HTTP"
    )
    public_url: Url | None = Field(
        default=None,
        description="the https:// URL at which people's browsers reach ATOM",
    )
    clamd_address: ScannerAddress | None = Field(
        default=None,
        description="/PATH or HOST:PORT at which clamd listens",
    )
    slack: SlackSettings | None = None
    teams: TeamsSettings | None = None
    keys: KeySettings = KeySettings()
    directory: DirectorySettings = DirectorySettings()
    scim: ScimSettings = ScimSettings()
    records: Mapping[RecordName, RecordSettings] = Field(
        default_factory=dict,
        description="tables [records.NAME], one for each business system",
    )
    tuning: Tuning = Tuning()

    @property
    def database(self) -> str:
        """The database's URL, password included: not for printing."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'atom.db'}"


__all__ = ["Settings", "on_loopback"]


def _missing(name: str, hint: str) -> PydanticCustomError:
    return PydanticCustomError("missing_setting", f"{name} is missing ({hint})")
