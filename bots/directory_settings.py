"""How ATOM is told from where a company's directory is read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bots.settings_kinds import Group
from bridge.directory.lifecycle import Deed, Happening

_JOIN = r"(\*|[\w-]+)\.(\w+) = (\*|[\w-]+)\.(\w+)"
IN_SHORT = "directory"  # what the one source is called that needs no table
_NAME = r"^[a-z0-9][a-z0-9-]{0,79}$"

Joined = Annotated[str, StringConstraints(pattern=rf"^({_JOIN}|\w+)$")]
SourceName = Annotated[str, StringConstraints(pattern=_NAME)]
Kept = Annotated[
    str, StringConstraints(pattern=r"^(\*|(group|unit|department|role):.+)$")
]
Days = Annotated[float, Field(ge=0, le=365)]
SourceKind = Literal[
    "yaml",
    "ldap",
    "active-directory",
    "entra",
    "scim",
    "hr-csv",
    "bamboohr",
    "workday",
]


class SourceSettings(Group, frozen=True):
    """One source. Which of it is needed depends on its kind; docs/directory.md says."""

    name: SourceName = Field(description="a short name in lower case such as ad")
    kind: SourceKind = Field(
        description="yaml, ldap, active-directory, entra, scim, hr-csv, bamboohr or "
        "workday"
    )
    path: Path | None = Field(default=None, description="the file, for yaml and hr-csv")
    url: str = Field(
        default="", description="such as ldaps://dc1.acme.com or https://…"
    )
    base: str = Field(default="", description="where in the tree to begin, a DN")
    bind: str = Field(default="", description="who signs in, a DN or a name")
    password: SecretStr | None = Field(default=None, description="that one's password")
    token: SecretStr | None = Field(default=None, description="a bearer token or key")
    tenant_id: str = Field(default="", description="the Entra tenant's UUID")
    client_id: str = Field(default="", description="an application's id")
    client_secret: SecretStr | None = Field(
        default=None, description="that application's secret"
    )
    ca: Path | None = Field(
        default=None, description="a file with the certificates to trust, PEM"
    )
    people: str = Field(default="", description="a filter that finds the people")
    groups: str = Field(default="", description="a filter that finds the groups")
    attributes: Mapping[str, str] = Field(
        default_factory=dict,
        description="a table: ATOM's name for an attribute = the source's name for it",
    )
    options: Mapping[str, str | int | float | bool] = Field(
        default_factory=dict, description="a table of what else its kind knows"
    )
    advisory: bool = Field(
        default=False,
        description="true or false: it says nothing about who is disabled or gone",
    )
    braked: bool = Field(
        default=True,
        description="true or false: whether large changes wait for an admin's word",
    )

    @property
    def spelled(self) -> str:
        """Where an operator finds it."""
        short = self.name == IN_SHORT
        return "ATOM_DIRECTORY_URL" if short else f"directory source {self.name}"


class LimitSettings(Group, frozen=True):
    """What a source may change within an hour before the rest waits."""

    people: int = Field(default=5, ge=0, description="people, 0 or more")
    people_percent: float = Field(default=2, ge=0, le=100, description="0 to 100")
    memberships: int = Field(default=25, ge=0, description="memberships, 0 or more")
    memberships_percent: float = Field(default=5, ge=0, le=100, description="0 to 100")
    group: int = Field(default=50, ge=1, description="members of a large group")
    group_percent: float = Field(default=30, ge=0, le=100, description="0 to 100")
    newcomers: int = Field(default=25, ge=0, description="people, 0 or more")
    newcomers_percent: float = Field(default=10, ge=0, description="0 or more")


class RunSettings(Group, frozen=True):
    """What is done by itself about joiners, movers and leavers."""

    on: bool = Field(
        default=False, description="true or false: whether anything is done by itself"
    )
    rooms: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="a table: group:ID, unit:ID, department:ID or role:ID = the links "
        "whose channels its people are added to",
    )
    joiner: tuple[Deed, ...] = Field(default=(Deed.ADD,), description="add, or nothing")
    mover: tuple[Deed, ...] = Field(
        default=(Deed.REMOVE, Deed.ADD), description="remove, add"
    )
    leaver: tuple[Deed, ...] = Field(
        default=(Deed.END_SESSIONS, Deed.REMOVE, Deed.REVOKE, Deed.HAND_OVER),
        description="end sessions, remove, revoke, hand over",
    )
    keep: Mapping[Kept, Days] = Field(
        default_factory=dict,
        description="a table: group:ID, unit:ID, department:ID, role:ID or * = for how "
        "many days, up to 365, movers keep it",
    )
    asks: tuple[Happening, ...] = Field(
        default=(Happening.CONVERSION,),
        description="what waits for an admin: joiner, returner, mover, leaver, "
        "conversion (which always does)",
    )
    every: float = Field(
        default=30.0,
        gt=0,
        le=3_600.0,
        description="seconds between looks for what another process or a command "
        "line agreed to, at most 3600",
    )


class DirectorySettings(Group, frozen=True):
    """The company's directory: one source given here, or several as tables."""

    company: str = Field(
        default="", description="the company's id, if there are several"
    )
    people: Path | None = Field(
        default=None, description="a YAML file of people and groups, as a source"
    )
    kind: Literal["ldap", "active-directory"] = Field(
        default="ldap", description="ldap or active-directory, for the url"
    )
    url: str = Field(
        default="", description="an LDAP server, as a source: ldaps://HOST"
    )
    base: str = Field(default="", description="where in its tree to begin, a DN")
    bind: str = Field(default="", description="who signs in there, a DN or a name")
    password: SecretStr | None = Field(default=None, description="that one's password")
    ca: Path | None = Field(
        default=None, description="a file with the certificates to trust there, PEM"
    )
    precedence: Mapping[str, tuple[SourceName, ...]] = Field(
        default_factory=dict,
        description="a table: an attribute = the names of sources, weightiest first",
    )
    joins: tuple[Joined, ...] = Field(
        default=(),
        description="ids that make entries of two sources one person, such as "
        '"ad.id = entra.immutable_id" or "employee_id"',
    )
    admins: tuple[str, ...] = Field(
        default=(),
        description="ids or names of groups and roles that nobody gets into without "
        "a second person's word",
    )
    tell: str = Field(
        default="",
        pattern=r"^((slack|teams):[^/\s]+/\S+)?$",
        description="the admins' channel, slack:TEAM_ID/CHANNEL_ID or "
        "teams:TEAM_ID/CHANNEL_ID, to be told there of changes that wait, and of "
        "messages that are held for review",
    )
    limits: LimitSettings = LimitSettings()
    runs: RunSettings = RunSettings()
    whole_every: float = Field(
        default=86_400.0,
        gt=0,
        description="seconds between readings of everything, above 0",
    )
    retry: float = Field(
        default=15.0, gt=0, le=600, description="seconds after a failure, at most 600"
    )
    refresh: float = Field(
        default=0.5,
        gt=0,
        le=10,
        description="seconds until another process's changes are seen, at most 10",
    )
    mark_confirmed: bool = Field(
        default=False,
        description="true or false: put ✓ behind the names of those whom the directory "
        "knows, on their messages' copies",
    )
    stale_after: float = Field(
        default=900.0,
        gt=0,
        description="seconds without word from a source until writing waits, above 0",
    )
    missed_grace: float = Field(
        default=3_600.0, ge=0, description="seconds that nobody may be named, 0 or more"
    )
    quarantine_days: float = Field(
        default=7, ge=0, description="days that somebody is only suspended, 0 or more"
    )
    bury_days: float = Field(
        default=30, ge=0, description="days in quarantine after that, 0 or more"
    )
    sources: tuple[SourceSettings, ...] = Field(
        default=(), description="tables [[directory.sources]], the weightiest first"
    )

    @property
    def all_sources(self) -> tuple[SourceSettings, ...]:
        """Every source, those given in short first."""
        short = []
        if self.people:
            short.append(SourceSettings(name="people", kind="yaml", path=self.people))
        if self.url:
            short.append(
                SourceSettings(
                    name=IN_SHORT,
                    kind=self.kind,
                    url=self.url,
                    base=self.base,
                    bind=self.bind,
                    password=self.password,
                    ca=self.ca,
                )
            )
        return (*short, *self.sources)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [source.name for source in self.all_sources]
        for name in names:
            if names.count(name) > 1:
                raise _wrong(f"two sources of the directory are called {name}")
        asked = {one for order in self.precedence.values() for one in order}
        asked |= {
            match[side]
            for join in self.joins
            if (match := re.fullmatch(_JOIN, join))
            for side in (1, 3)
        } - {"*"}
        for name in sorted(asked - set(names)):
            raise _wrong(f"ATOM_DIRECTORY names a source {name} that is not there")
        return self


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("missing_setting", text)
