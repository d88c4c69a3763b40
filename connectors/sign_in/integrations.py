"""The integration's own account: by a grant of its own, or with a configured token."""

import time
from dataclasses import dataclass, field, replace

import jwt

from bridge.errors import NotAllowed
from bridge.records.connections import Tokens
from bridge.records.model import System
from connectors.sign_in.asking import Asking
from connectors.sign_in.vendors import VENDORS, Client, Place

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE = 180  # seconds; Salesforce takes at most five minutes


@dataclass(frozen=True, slots=True)
class ConfiguredToken:
    """
    A token that an admin made in the system: a HubSpot private app's, an API key.

    Implements `bridge.records.connections.Integration`.
    """

    system: System
    instance: str
    token: str = field(repr=False)

    async def tokens(self) -> Tokens:
        return Tokens(self.token)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """
    The grant of RFC 6749 4.4: the system runs it as the user that was chosen there.

    Implements `bridge.records.connections.Integration`.
    """

    system: System
    instance: str
    asking: Asking
    place: Place
    client: Client

    async def tokens(self) -> Tokens:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client.id,
            "client_secret": self.client.secret,
        }
        return await _granted(self.system, self.asking, self.place, form)


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """
    A signed assertion (RFC 7523) for one user, who was let in before by an admin.

    Implements `bridge.records.connections.Integration`. `key` is a private RSA key in
    PEM; `audience` is Salesforce's login address, or test.salesforce.com's.
    """

    system: System
    instance: str
    asking: Asking
    place: Place
    client_id: str
    username: str
    key: str = field(repr=False)
    audience: str = "https://login.salesforce.com"

    async def tokens(self) -> Tokens:
        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience,
            "exp": int(time.time()) + _LIFE,
        }
        try:
            assertion = jwt.encode(claims, self.key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise NotAllowed("private_key is no RSA key in PEM") from error
        form = {"grant_type": _JWT_BEARER, "assertion": assertion}
        return await _granted(self.system, self.asking, self.place, form)


async def _granted(
    system: System, asking: Asking, place: Place, form: dict[str, str]
) -> Tokens:
    vendor = VENDORS[system]
    base = place.login if vendor.at_login else place.api
    tokens, said = await asking.tokens(base / vendor.token, form)
    site = said.get("instance_url")
    return replace(tokens, site=site) if isinstance(site, str) else tokens
