"""The keys that sign tokens, and their public halves as a JSON Web Key Set."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

_OPENED = 100  # tokens that are remembered at the most
# The library compares times with this machine's clock, which need not be the issuer's.
_WITHOUT_TIMES: jwt.types.Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class Keys:
    """
    One issuer's signing keys. The newest signs; older ones stay published.

    `clock` gives seconds since 1970, as the issuer's own clock has them.

    Making a key takes a while, so a process makes each only once; they are secret
    from nobody, as befits a sandbox.
    """

    def __init__(self, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._clock = clock
        self._numbers = count(1)
        self._held: list[int] = []
        self._opened: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.rotate()

    @property
    def key_id(self) -> str:
        return _key_id(self._issuer, self._held[-1])

    def rotate(self, *, forget: bool = False) -> str:
        """Sign with a new key from now on; `forget` takes the old ones away."""
        if forget:
            self._held.clear()
        self._held.append(next(self._numbers))
        return self.key_id

    def sign(
        self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None
    ) -> str:
        key = _private_key(self._issuer, self._held[-1])
        named = {"kid": self.key_id, "x5t": self.key_id, **(headers or {})}
        return jwt.encode(dict(claims), key, algorithm="RS256", headers=named)

    def claims(self, token: str, audience: str) -> dict[str, Any]:
        """
        Return what a token of ours claims; raises jwt.PyJWTError if it is bad.

        Whoever calls shows the same one each time, and reading it takes longer than
        most calls: while it lasts, and its key is held, it is read once.
        """
        number, claims = self._opened.get((token, audience), (0, {}))
        if number not in self._held or claims.get("exp", 0) <= self._clock():
            number, claims = self._read(token, audience)
            if len(self._opened) >= _OPENED:
                self._opened.clear()
            self._opened[token, audience] = number, claims
        return dict(claims)

    def _read(self, token: str, audience: str) -> tuple[int, dict[str, Any]]:
        named = jwt.get_unverified_header(token).get("kid")
        for number in self._held:
            if _key_id(self._issuer, number) == named:
                key = _private_key(self._issuer, number).public_key()
                claims = dict(
                    jwt.decode(
                        token,
                        key,
                        algorithms=["RS256"],
                        audience=audience,
                        options=_WITHOUT_TIMES,
                    )
                )
                if claims.get("exp", 0) <= self._clock():
                    raise jwt.ExpiredSignatureError("expired")
                return number, claims
        raise jwt.InvalidKeyError("unknown key")

    def published(self, endorsements: Sequence[str] = ()) -> dict[str, Any]:
        """Return the key set; endorsements say for which channels a key may sign."""
        more = {"endorsements": list(endorsements)} if endorsements else {}
        return {"keys": [self._public(number) | more for number in self._held]}

    def _public(self, number: int) -> dict[str, Any]:
        key = _private_key(self._issuer, number).public_key()
        named = _key_id(self._issuer, number)
        shown = RSAAlgorithm.to_jwk(key, as_dict=True)
        shown.pop("key_ops", None)
        return {**shown, "use": "sig", "kid": named, "x5t": named, "alg": "RS256"}


def wrong_key() -> rsa.RSAPrivateKey:
    """A key that nobody publishes."""
    return _private_key("nobody", 1)


@cache
def _private_key(issuer: str, number: int) -> rsa.RSAPrivateKey:  # noqa: ARG001 - what it is remembered by
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def _key_id(issuer: str, number: int) -> str:
    return hashlib.sha256(f"{issuer} {number}".encode()).hexdigest()[:27]
