"""
The keys that a company's notes are signed with: files beside its other key.

`ATOM_HOME/keys/COMPANY.signing-N`, mode 0600, one a version, the highest signs. A
file's one line is `NAME SEED`: the log's origin, which changes only with a restored backup, and
32 bytes in hexadecimal. The origin has random digits, so that no other installation's log of a
company of the same id is ever taken for this one.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes, token_hex

from bridge.errors import BadInput
from storage.compliance.proofs.notes import SigningKey

_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Every company's signing keys."""

    folder: Path

    @classmethod
    def under(cls, home: Path) -> "SigningKeys":
        return cls(home / "keys")

    def path(self, tenant: str, version: int) -> Path:
        return self.folder / f"{tenant}.signing-{version}"

    def versions(self, tenant: str) -> list[int]:
        """Return which versions there are, lowest first."""
        named = re.compile(re.escape(tenant) + r"\.signing-([1-9]\d*)")
        found = (named.fullmatch(path.name) for path in self.folder.glob("*.signing-*"))
        return sorted(int(match[1]) for match in found if match)

    def create(self, tenant: str) -> bool:
        """Make the first key. Returns False, and changes nothing, if there is one."""
        if self.versions(tenant):
            return False
        return self._write(tenant, 1, _origin(tenant))

    def sign(self, tenant: str, text: str) -> str:
        """Return a note of `text`, which ends with a newline, signed by the company."""
        return self.current(tenant).sign(text)

    def current(self, tenant: str) -> SigningKey:
        """Return the key that signs now; it is made if there was never any."""
        self.create(tenant)
        return self.load(tenant, self.versions(tenant)[-1])

    def add(self, tenant: str) -> SigningKey:
        """Make the next version, of the same origin, and return it."""
        current = self.current(tenant)
        version = self.versions(tenant)[-1] + 1
        if not self._write(tenant, version, current.name):
            raise BadInput("another process is making a signing key: try again")
        return self.load(tenant, version)

    def begin(self, tenant: str) -> SigningKey:
        """Make the next version, of an origin of its own, and return it."""
        version = self.versions(tenant)[-1] + 1
        if not self._write(tenant, version, _origin(tenant)):
            raise BadInput("another process is making a signing key: try again")
        return self.load(tenant, version)

    def load(self, tenant: str, version: int) -> SigningKey:
        """Read one version, or raise `BadInput` saying what is wrong with the file."""
        path = self.path(tenant, version)
        try:
            mode, text = path.stat().st_mode & 0o777, path.read_text().strip()
            name, seed = text.split(" ")
            key = SigningKey(name, bytes.fromhex(seed))
        except FileNotFoundError as error:
            raise BadInput(f"{path} is missing: restore it from a backup") from error
        except (OSError, ValueError, BadInput) as error:
            raise BadInput(f"{path} cannot be read as a signing key") from error
        if mode & 0o077:
            raise BadInput(f"{path} is readable by others: run 'chmod 600 {path}'")
        return key

    def _write(self, tenant: str, version: int, name: str) -> bool:
        """Write a whole file or none: others may look for it at the same moment."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.folder / f".{tenant}.{token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(draft, flags, _OWNER_ONLY), "wb") as stream:
            stream.write(f"{name} {token_bytes(32).hex()}\n".encode())
            stream.flush()
            os.fsync(stream.fileno())
        try:
            self.path(tenant, version).hardlink_to(draft)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True


def _origin(tenant: str) -> str:
    return f"atom-log/{tenant}/{token_hex(4)}"
