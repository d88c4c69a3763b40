"""
Where Entra ID and Microsoft Graph are, in the worldwide cloud and in national ones.

Source: Microsoft's table of national clouds' endpoints. A tenant is in exactly one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bridge.errors import BadInput


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud's login, and its Graph; tokens are asked for Graph's own host."""

    login: str
    graph: str

    @property
    def scope(self) -> str:
        return f"{self.graph}/.default"

    @property
    def base(self) -> str:
        return f"{self.graph}/v1.0"

    @property
    def token_url(self) -> str:
        return f"{self.login}/{{tenant}}/oauth2/v2.0/token"


CLOUDS: Mapping[str, Cloud] = MappingProxyType(
    {
        "global": Cloud(
            "https://login.microsoftonline.com", "https://graph.microsoft.com"
        ),
        "us-government": Cloud(
            "https://login.microsoftonline.us", "https://graph.microsoft.us"
        ),
        "us-defense": Cloud(
            "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"
        ),
        "china": Cloud(
            "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"
        ),
    }
)


def cloud(name: str) -> Cloud:
    """Return a cloud by its name. Raises `BadInput` for one there is not."""
    if name not in CLOUDS:
        raise BadInput(f"cloud must be one of {', '.join(CLOUDS)}, not {name!r}")
    return CLOUDS[name]
