"""How the SCIM server is told what to take from an identity provider."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bots.settings_kinds import Group

_ROLE = r"[^=;]+=[^=;]+"
_ROLES = rf"^({_ROLE}(;{_ROLE})*)?$"

Roles = Annotated[str, StringConstraints(pattern=_ROLES)]


class ScimSettings(Group, frozen=True):
    """SCIM 2.0 at /scim/v2. Nobody gets in without a token. Docs: directory.md."""

    url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="the URL at which identity providers reach /scim/v2; else what "
        "they call it",
    )
    roles: Roles = Field(
        default="",
        description="what values of the attribute roles mean: VALUE=ROLE, several of "
        "them with ; between",
    )
    admin_roles: bool = Field(
        default=False,
        description="true or false: whether roles that administer ATOM may be among "
        "them",
    )
    external_id: str = Field(
        default="external_id",
        pattern=r"^[a-z][a-z_]{0,40}$",
        description="what externalId is: external_id, employee_id, entra_id, "
        "immutable_id or another attribute that joins sources",
    )
    few: int = Field(
        default=10,
        ge=0,
        description="members that may leave a group by one request without a word",
    )
    percent: int = Field(
        default=30,
        ge=0,
        le=100,
        description="percent of a group that may leave by one request without a word",
    )
    per_minute: int = Field(
        default=3_000,
        ge=0,
        description="requests of one token in a minute, 0 for no limit",
    )

    @model_validator(mode="after")
    def _no_admins(self) -> Self:
        from policy.directory.scim.mapping import administers

        for role in self.role_names.values():
            if administers(role) and not self.admin_roles:
                raise PydanticCustomError(
                    "missing_setting",
                    "ATOM_SCIM_ADMIN_ROLES has to be true, since ATOM_SCIM_ROLES "
                    "gives a role that administers ATOM",
                )
        return self

    @property
    def role_names(self) -> dict[str, str]:
        """ATOM's roles by the identity provider's values."""
        pairs = (each.split("=") for each in self.roles.split(";") if each)
        return {value.strip(): role.strip() for value, role in pairs}
