"""People sign in at a system with their browser: authorization code with PKCE."""

import base64
import hashlib
from dataclasses import dataclass

from yarl import URL

from bridge.errors import NotAllowed
from bridge.records.connections import Identity, RefreshRefused, Tokens
from bridge.records.model import System
from connectors.sign_in.asking import Asking
from connectors.sign_in.vendors import VENDORS, Client, Place, Vendor


@dataclass(frozen=True, slots=True)
class BrowserSignIn:
    """
    Implements `bridge.records.connections.SignIn` for one instance.

    `back` is the address of ATOM's own that the system sends browsers back to, the same
    that is registered there. `scopes` are the vendor's usual ones where empty.
    """

    system: System
    instance: str
    asking: Asking
    place: Place
    client: Client
    back: str
    scopes: str = ""

    def address(self, state: str, verifier: str) -> str:
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self.back,
            "scope": self.scopes or self._vendor.scopes,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **self._vendor.extra,
        }
        return str((self.place.login / self._vendor.authorize).with_query(query))

    async def exchange(self, code: str, verifier: str) -> tuple[Tokens, Identity]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            "code_verifier": verifier,
            **self._ours,
        }
        try:
            tokens, said = await self.asking.tokens(self._endpoint("token"), form)
        except RefreshRefused as error:
            raise NotAllowed(
                f"{self.system.shown} did not accept the sign-in: ask for a new link "
                "in chat."
            ) from error
        return await self._vendor.whose(
            self.asking, self.place, self.client, tokens, said
        )

    async def renew(self, tokens: Tokens) -> Tokens:
        if not tokens.refresh:
            raise RefreshRefused(f"{self.system.shown} asks to sign in again.")
        form = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh,
            **self._ours,
        }
        url = self._endpoint("token")
        return (await self.asking.tokens(url, form, kept=tokens))[0]

    async def revoke(self, tokens: Tokens) -> None:
        # With the refresh token its access tokens end as well, where a vendor says so;
        # others keep theirs for minutes, so both are named.
        for token in (tokens.refresh, tokens.access):
            if token:
                form = {"token": token, **self._ours}
                await self.asking.post(self._endpoint("revoke"), form)

    @property
    def _vendor(self) -> Vendor:
        return VENDORS[self.system]

    @property
    def _ours(self) -> dict[str, str]:
        return {"client_id": self.client.id, "client_secret": self.client.secret}

    def _endpoint(self, name: str) -> URL:
        vendor = self._vendor
        base = self.place.login if vendor.at_login else self.place.api
        return base / (vendor.token if name == "token" else vendor.revoke)
