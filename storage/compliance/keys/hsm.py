"""
Tenants' key-encryption keys in an HSM, reached through PKCS#11.

Each version is an AES key of 256 bits that the HSM makes and never gives away, labelled
`atom/TENANT/VERSION`. It wraps with AES-GCM (PKCS#11 v2.40 section 2.12.3). A module
may block for as long as it likes, so it is asked in a thread of its own.
"""

import asyncio
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from pkcs11.exceptions import (
    EncryptedDataInvalid,
    EncryptedDataLenRange,
    GeneralError,
    NoSuchKey,
    NoSuchToken,
    PinIncorrect,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from bridge.errors import BadInput, StoreUnavailable
from bridge.keys import WrapBroken
from storage.compliance.keys.files import bound_to

_NONCE_BYTES = 12
_BITS = 256
_DEADLINE = 2.0  # seconds; a platform waits three for its answer
T = TypeVar("T")


@dataclass(slots=True)
class HsmKeys:
    """
    Implements `bridge.keys.KeyEncryption` with a PKCS#11 token.

    What does not answer within `deadline` seconds raises `StoreUnavailable`.
    """

    module: Path
    token: str
    pin: str = field(repr=False)
    deadline: float = _DEADLINE
    provider: str = "pkcs11"
    _session: Any = field(default=None, repr=False)
    _refused: str = ""
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "pkcs11"), repr=False
    )

    async def versions(self, tenant: str) -> list[int]:
        return await self._asked(lambda session: _versions(session, tenant))

    async def add(self, tenant: str, version: int) -> bool:
        return await self._asked(lambda session: _added(session, tenant, version))

    async def check(self, tenant: str, version: int) -> None:
        def tried(session: Any) -> None:
            key = _key(session, tenant, version)
            nonce = os.urandom(_NONCE_BYTES)
            sealed = _encrypted(key, nonce, bytes(32), b"check")
            if _decrypted(key, nonce, sealed, b"check") != bytes(32):
                raise StoreUnavailable("the HSM does not decrypt what it encrypted")

        await self._asked(tried)

    async def wrap(self, tenant: str, version: int, ref: str, secret: bytes) -> bytes:
        nonce, context = os.urandom(_NONCE_BYTES), bound_to(tenant, version, ref)

        def wrapped(session: Any) -> bytes:
            key = _key(session, tenant, version)
            return nonce + _encrypted(key, nonce, secret, context)

        return await self._asked(wrapped)

    async def unwrap(
        self, tenant: str, version: int, ref: str, wrapped: bytes
    ) -> bytes:
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        context = bound_to(tenant, version, ref)

        def unwrapped(session: Any) -> bytes:
            key = _key(session, tenant, version)
            try:
                return _decrypted(key, nonce, sealed, context)
            except (EncryptedDataInvalid, EncryptedDataLenRange) as error:
                raise WrapBroken(f"key {ref} was changed, or another's") from error
            except GeneralError as error:
                # Some modules say no more than this; if the key works, the text is bad.
                again = os.urandom(_NONCE_BYTES)
                _decrypted(key, again, _encrypted(key, again, b"works", b""), b"")
                raise WrapBroken(f"key {ref} was changed, or another's") from error

        return await self._asked(unwrapped)

    async def destroy(self, tenant: str, version: int) -> None:
        def gone(session: Any) -> None:
            with suppress(NoSuchKey):
                session.get_key(label=_label(tenant, version)).destroy()

        await self._asked(gone)

    def close(self) -> None:
        """Log out and let go of the thread; what hangs is not waited for."""
        # Where the session is used: a module may mind two threads in one.
        closed = self._thread.submit(self._end)
        self._thread.shutdown(wait=False)
        with suppress(TimeoutError):
            closed.result(self.deadline)

    async def _asked(self, question: Callable[[Any], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.deadline):
                return await loop.run_in_executor(self._thread, self._ask, question)
        except TimeoutError as error:
            raise StoreUnavailable("the HSM takes too long") from error

    def _ask(self, question: Callable[[Any], T]) -> T:
        try:
            if self._session is None:
                self._session = self._opened()
            return question(self._session)
        except PKCS11Error as error:
            # A session that broke is not used again.
            self._session = None
            raise StoreUnavailable(
                f"the HSM does not answer as it should ({type(error).__name__})"
            ) from error

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(PKCS11Error):
                session.close()

    def _opened(self) -> Any:
        if self._refused:
            raise BadInput(self._refused)
        library = _loaded(self.module)
        try:
            return _logged_in(library.get_token(token_label=self.token), self.pin)
        except NoSuchToken as error:
            raise BadInput(f"the HSM has no token '{self.token}'") from error
        except (PinIncorrect, PinLocked) as error:
            # Asked once only: after some wrong ones the token would be locked.
            self._refused = "the HSM refuses ATOM_KEYS_PIN: correct it and start again"
            raise BadInput(self._refused) from error


def _loaded(module: Path) -> Any:
    try:
        return pkcs11.lib(str(module))
    except PKCS11Error as error:
        # What the module itself says has a kind of its own; this is the system's word.
        if type(error) is not PKCS11Error:
            raise
        raise BadInput(
            f"ATOM_KEYS_MODULE names {module}, which cannot be loaded: correct it"
        ) from error


def _logged_in(token: Any, pin: str) -> Any:
    try:
        return token.open(rw=True, user_pin=pin)
    except UserAlreadyLoggedIn:
        return token.open(rw=True)  # a login counts for the whole process


def _label(tenant: str, version: int) -> str:
    return f"atom/{tenant}/{version}"


def _key(session: Any, tenant: str, version: int) -> Any:
    try:
        return session.get_key(
            label=_label(tenant, version), object_class=pkcs11.ObjectClass.SECRET_KEY
        )
    except NoSuchKey as error:
        label = _label(tenant, version)
        raise BadInput(f"the HSM has no key {label}: run 'atom setup'") from error


def _versions(session: Any, tenant: str) -> list[int]:
    kind = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY}
    named = re.compile(re.escape(f"atom/{tenant}/") + r"([1-9]\d*)")
    # A search that is broken off would end itself later, when its session may be gone.
    keys = list(session.get_objects(kind))
    found = (named.fullmatch(key.label) for key in keys)
    return sorted(int(match[1]) for match in found if match)


def _added(session: Any, tenant: str, version: int) -> bool:
    if version in _versions(session, tenant):
        return False
    session.generate_key(
        pkcs11.KeyType.AES,
        _BITS,
        label=_label(tenant, version),
        store=True,
        template={
            pkcs11.Attribute.SENSITIVE: True,
            pkcs11.Attribute.EXTRACTABLE: False,
        },
    )
    return True


def _encrypted(key: Any, nonce: bytes, text: bytes, context: bytes) -> bytes:
    sealed: bytes = key.encrypt(
        text,
        mechanism=pkcs11.Mechanism.AES_GCM,
        mechanism_param=pkcs11.GCMParams(nonce, aad=context),
    )
    return sealed


def _decrypted(key: Any, nonce: bytes, sealed: bytes, context: bytes) -> bytes:
    text: bytes = key.decrypt(
        sealed,
        mechanism=pkcs11.Mechanism.AES_GCM,
        mechanism_param=pkcs11.GCMParams(nonce, aad=context),
    )
    return text
