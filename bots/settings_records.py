"""How ATOM is told of the company's business systems. Docs: records.md."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bots.settings_kinds import A_RATE, A_URL, Group, Rates, Secret, Url
from bridge.records.model import System

_HOST = r"^[a-z0-9*]([a-z0-9.-]{0,250}[a-z0-9])?$"

RecordName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Host = Annotated[str, StringConstraints(pattern=_HOST)]
SystemName = Literal["salesforce", "servicenow", "jira", "hubspot", "hr"]


class RecordSettings(Group, frozen=True):
    """One business system. Which of it is needed depends on `auth`."""

    system: SystemName = Field(
        description="salesforce, servicenow, jira, hubspot or hr"
    )
    url: Url = Field(
        description="where its people see it, such as https://acme.my.salesforce.com: "
        + A_URL
    )
    api_url: Url | None = Field(
        default=None, description=f"where programs ask it, if elsewhere: {A_URL}"
    )
    login_url: Url | None = Field(
        default=None, description=f"where people sign in, if elsewhere: {A_URL}"
    )
    company: str = Field(
        default="", description="the company's id, if there are several"
    )
    auth: Literal["client-credentials", "jwt", "token"] = Field(
        default="client-credentials",
        description="how ATOM itself gets in to read: client-credentials, jwt "
        "(Salesforce) or token",
    )
    client_id: str = Field(default="", description="the id of ATOM's app there")
    client_secret: Secret | None = Field(
        default=None, description="that app's secret, one word"
    )
    scopes: str = Field(
        default="", description="what people are asked for, if not the usual"
    )
    token: Secret | None = Field(
        default=None, description="a token or API key made there, with auth token"
    )
    username: str = Field(default="", description="who ATOM is there, with auth jwt")
    private_key: SecretStr | None = Field(
        default=None,
        description="a private RSA key in PEM, with auth jwt: better a file",
    )
    audience: Url = Field(
        default="https://login.salesforce.com",
        description="who the signature is for, with auth jwt; "
        "https://test.salesforce.com for a sandbox",
    )
    webhook_secret: Secret | None = Field(
        default=None, description="what the system signs its calls to ATOM with"
    )
    webhook_secret_old: Secret | None = Field(
        default=None, description="the one before it, while it is being replaced"
    )
    poll: float = Field(
        default=60.0,
        ge=0,
        le=86_400,
        description="seconds between questions for changes, 0 to only be told of them",
    )
    calls: Rates | None = Field(
        default=None, description=f"calls of all together: {A_RATE}"
    )
    calls_each: Rates | None = Field(
        default=None, description=f"calls of each account: {A_RATE}"
    )
    calls_daily: int | None = Field(
        default=None, ge=0, description="calls a day, where the system does not say"
    )
    book: bool = Field(
        default=True,
        description="whether to know all its accounts and contacts by keyed hashes, to "
        "find whose contact somebody is (Salesforce)",
    )
    page_hosts: tuple[Host, ...] = Field(
        default=(),
        description="further hosts whose links are its records, such as "
        '["acme.lightning.force.com"]',
    )
    approval_admins: tuple[str, ...] = Field(
        default=(),
        description="the addresses of people who may hand approvals on to others there, "
        'such as ["erin@acme.example"]: they are told of those of leavers (ServiceNow)',
    )
    options: Mapping[str, str | int | float | bool] = Field(
        default_factory=dict, description="a table of what else its kind knows"
    )

    @property
    def kind(self) -> System:
        return System(self.system)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """What calls may be signed with, the newest first: not for printing."""
        given = (self.webhook_secret, self.webhook_secret_old)
        return tuple(each.get_secret_value() for each in given if each)

    @property
    def has_sign_in(self) -> bool:
        """Whether people can connect accounts of their own."""
        return bool(self.client_id and self.client_secret and self.system != "hr")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.client_id) != bool(self.client_secret) and self.auth != "jwt":
            raise _wrong("client_id and client_secret go together")
        match self.auth:
            case "client-credentials" if self.system == "hr":
                raise _wrong("auth of an HR system is token")
            case "client-credentials" if not self.client_secret:
                raise _wrong("auth = client-credentials needs client_id, client_secret")
            case "token" if not self.token:
                raise _wrong("auth = token needs token, or token_file")
            case "jwt" if self.system != "salesforce":
                raise _wrong("auth = jwt is Salesforce's alone")
            case "jwt" if not (self.client_id and self.username and self.private_key):
                raise _wrong("auth = jwt needs client_id, username and private_key")
            case _:
                return self


def from_environment(values: Mapping[str, object]) -> dict[str, object]:
    """
    Sort what the environment says of systems by their names.

    `ATOM_RECORDS_ACME_CLIENT_SECRET` is `client_secret` of `[records.acme]`; a `-` in a
    name is written `_`.
    """
    fields = sorted(RecordSettings.model_fields, key=len, reverse=True)
    ends = [f"_{each}{more}" for each in fields for more in ("_file", "")]
    found: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found[key] = {**_table(found, key), **value}
            continue
        end = next((each for each in ends if key.endswith(each)), "")
        name = key.removesuffix(end).replace("_", "-")
        if not (end and name):
            found[key] = value  # refused in its own name
            continue
        found[name] = {**_table(found, name), end[1:]: value}
    return found


def is_of_a_system(variable: str) -> bool:
    """Say whether a variable of the environment is a setting of some system."""
    fields = "|".join(name.upper() for name in RecordSettings.model_fields)
    return bool(re.fullmatch(rf"ATOM_RECORDS_\w+?_({fields})(_FILE)?", variable))


def _table(found: Mapping[str, object], name: str) -> Mapping[str, object]:
    known = found.get(name)
    return known if isinstance(known, Mapping) else {}


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError(
        "missing_setting", "[records.NAME]: {text}", {"text": text}
    )
