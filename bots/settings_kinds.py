"""Kinds of values that several groups of settings have."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, SecretStr, StringConstraints

from bridge.limits import UNLIMITED

_RATE = r"[1-9]\d{0,6}/[1-9]\d{0,5}"
_RATES = rf"^({UNLIMITED}|{_RATE}( {_RATE})*)$"


class Group(
    BaseModel,
    frozen=True,
    extra="forbid",
    hide_input_in_errors=True,
    allow_inf_nan=False,  # nothing may wait for ever
):
    """Settings that belong together. Read once, and told to nobody when refused."""


def on_loopback(url: str) -> bool:
    """Say whether a URL leads to this machine and nowhere else."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _safe_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and on_loopback(url))
    ):
        return url
    raise ValueError("no https:// URL")


def _filled(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text.isascii() and text.isprintable() and not any(map(str.isspace, text)):
        return secret
    raise ValueError("not one word of printable characters")


Rates = Annotated[str, StringConstraints(pattern=_RATES)]
Url = Annotated[str, AfterValidator(_safe_url)]
Secret = Annotated[SecretStr, AfterValidator(_filled)]

A_RATE = "CALLS/SECONDS, several of them with blanks between, or none"
A_URL = "an https:// URL (http:// only on loopback)"
