"""Who may speak with a stand-in: codes, access tokens, refresh tokens."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, replace

from connectors.sandbox.clock import Clock

CODE_LIFE = 600.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody allowed a client. `until` is in seconds since 1970, None for ever."""

    user: str
    client: str
    scope: str
    access: str
    refresh: str
    until: float | None


@dataclass(frozen=True, slots=True)
class _Code:
    user: str
    client: str
    redirect: str
    scope: str
    challenge: str
    until: float


class Tokens:
    """
    Tokens of one stand-in. `life` is how long an access token holds, in seconds, None
    for ever; `rotating` says that a refresh token is good for one use.
    """

    def __init__(
        self, clock: Clock, life: float | None = None, *, rotating: bool = False
    ) -> None:
        self.life = life
        self.rotating = rotating
        self._clock = clock
        self._codes: dict[str, _Code] = {}
        self._grants: dict[str, Grant] = {}  # by access token
        self._refreshing: dict[str, Grant] = {}  # by refresh token
        self.renewals = 0

    def issue(self, user: str, client: str = "atom", scope: str = "") -> Grant:
        grant = Grant(user, client, scope, "", f"rt-{secrets.token_hex(20)}", None)
        return self._keep(grant)

    def user_of(self, access: str) -> str | None:
        """Return whose token it is, None if it is nobody's or has run out."""
        grant = self._grants.get(access)
        if grant is None:
            return None
        if grant.until is not None and grant.until <= self._clock.now():
            return None
        return grant.user

    def code(
        self, user: str, client: str, redirect: str, scope: str, challenge: str
    ) -> str:
        code = secrets.token_urlsafe(24)
        until = self._clock.now() + CODE_LIFE
        self._codes[code] = _Code(user, client, redirect, scope, challenge, until)
        return code

    def redeem(
        self, code: str, client: str, redirect: str, verifier: str
    ) -> Grant | None:
        """Give tokens for a code, once; None if it does not fit (RFC 7636 for PKCE)."""
        kept = self._codes.pop(code, None)
        if kept is None or kept.until <= self._clock.now():
            return None
        if (kept.client, kept.redirect) != (client, redirect):
            return None
        digest = hashlib.sha256(verifier.encode()).digest()
        shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if kept.challenge and kept.challenge != shown:
            return None
        return self.issue(kept.user, client, kept.scope)

    def renew(self, refresh: str, client: str) -> Grant | None:
        """Give a new access token; None if the refresh token is not good (any more)."""
        grant = self._refreshing.get(refresh)
        if grant is None or grant.client != client:
            return None
        self.renewals += 1
        if self.rotating:
            del self._refreshing[refresh]
            grant = replace(grant, refresh=f"rt-{secrets.token_hex(20)}")
        return self._keep(grant)

    def expire(self, access: str) -> None:
        """Let an access token run out; its refresh token still holds."""
        self._grants.pop(access, None)

    def expire_all(self) -> None:
        self._grants.clear()

    def revoke(self, token: str) -> bool:
        """End an access or refresh token, and what belongs to it."""
        grant = self._refreshing.pop(token, None) or self._grants.pop(token, None)
        if grant is None:
            return False
        self._refreshing.pop(grant.refresh, None)
        kept = self._grants.items()
        self._grants = {
            access: one for access, one in kept if one.refresh != grant.refresh
        }
        return True

    def clear(self) -> None:
        self._codes.clear()
        self._grants.clear()
        self._refreshing.clear()
        self.renewals = 0

    def _keep(self, grant: Grant) -> Grant:
        until = None if self.life is None else self._clock.now() + self.life
        made = replace(grant, access=f"at-{secrets.token_hex(20)}", until=until)
        self._grants[made.access] = made
        self._refreshing[made.refresh] = made
        return made
