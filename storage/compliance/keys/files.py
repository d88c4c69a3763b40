"""
Tenants' key-encryption keys in files, readable by their owner alone.

`ATOM_HOME/keys/TENANT.key` is version 1 and what `atom setup` makes; later versions
end with their number, as in `TENANT.key.2`. A file's one line is 32 bytes in
hexadecimal; the key that encrypts is derived from them.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.errors import BadInput
from bridge.keys import WrapBroken
from storage.compliance.keys.derived import TenantKey
from storage.compliance.keys.items import KEY_BYTES, expand

_OWNER_ONLY = 0o600
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class KeyFile:
    """
    Implements `bridge.keys.KeyEncryption`: files under `ATOM_HOME/keys`.

    What was read once is remembered, so that a process that runs goes on while the
    files are away.
    """

    folder: Path
    provider: str = "file"
    _known: dict[tuple[str, int], bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def under(cls, home: Path) -> "KeyFile":
        return cls(home / "keys")

    def path(self, tenant: str, version: int = 1) -> Path:
        suffix = "" if version == 1 else f".{version}"
        return self.folder / f"{tenant}.key{suffix}"

    def create(self, tenant: str, version: int = 1) -> bool:
        """Make a version. Returns False, and changes nothing, if it is there."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            file = os.open(self.path(tenant, version), flags, _OWNER_ONLY)
        except FileExistsError:
            return False
        with os.fdopen(file, "wb") as stream:
            stream.write(token_bytes(KEY_BYTES).hex().encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self._sync_folder()
        return True

    def load(self, tenant: str, version: int = 1) -> TenantKey:
        """Read a version, or raise `BadInput` saying what is wrong with its file."""
        path = self.path(tenant, version)
        try:
            mode, text = path.stat().st_mode & 0o777, path.read_text().strip()
            secret = bytes.fromhex(text)
        except FileNotFoundError as error:
            raise BadInput(
                f"{path} is missing: run 'atom setup', or restore it from a backup"
            ) from error
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read as a key file") from error
        if mode & 0o077:
            raise BadInput(f"{path} is readable by others: run 'chmod 600 {path}'")
        if len(secret) != KEY_BYTES:
            raise BadInput(f"{path} does not hold {KEY_BYTES} bytes in hexadecimal")
        return TenantKey(secret, version)

    async def versions(self, tenant: str) -> list[int]:
        named = re.compile(re.escape(tenant) + r"\.key(?:\.([1-9]\d*))?")
        found = (named.fullmatch(path.name) for path in self.folder.glob("*.key*"))
        return sorted(int(match[1] or 1) for match in found if match)

    async def add(self, tenant: str, version: int) -> bool:
        return self.create(tenant, version)

    async def check(self, tenant: str, version: int) -> None:
        self.load(tenant, version)

    async def wrap(self, tenant: str, version: int, ref: str, secret: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(self._key(tenant, version))
        return nonce + cipher.encrypt(nonce, secret, bound_to(tenant, version, ref))

    async def unwrap(
        self, tenant: str, version: int, ref: str, wrapped: bytes
    ) -> bytes:
        cipher = AESGCM(self._key(tenant, version))
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, sealed, bound_to(tenant, version, ref))
        except (InvalidTag, ValueError) as error:
            raise WrapBroken(f"key {ref} was changed, or another's") from error

    async def destroy(self, tenant: str, version: int) -> None:
        """Overwrite the file, then remove it. What a disk keeps besides stays there."""
        self._known.pop((tenant, version), None)
        path = self.path(tenant, version)
        try:
            with path.open("r+b") as stream:
                stream.write(b"0" * (2 * KEY_BYTES) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            path.unlink()
        except FileNotFoundError:
            return
        self._sync_folder()

    def _key(self, tenant: str, version: int) -> bytes:
        if (tenant, version) not in self._known:
            # Not the secret itself: keys of earlier entries were derived from that.
            secret = self.load(tenant, version).secret
            self._known[tenant, version] = expand(secret, b"atom/kek/v1")
        return self._known[tenant, version]

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def bound_to(tenant: str, version: int, ref: str) -> bytes:
    """Return what a wrapped key is bound to, besides the key that wraps it."""
    return f"{tenant}|{ref}|{version}".encode()
