"""The port for keys that encrypt other keys: a file, an HSM, a cloud's KMS."""

from collections.abc import Sequence
from typing import Protocol

from bridge.errors import AtomError


class WrapBroken(AtomError):
    """A wrapped key does not open: it was changed, or belongs somewhere else."""


class KeyEncryption(Protocol):
    """
    Key-encryption keys (KEKs): versions of one key for each tenant.

    A wrapped key opens only with the tenant, the reference and the version that it
    was wrapped with. What has no key raises `BadInput`, what does not answer in time
    `StoreUnavailable`; neither is ever taken for a key that is gone. May be slow, and
    never blocks the event loop for it.
    """

    @property
    def provider(self) -> str:
        """Return the adapter's name, as it is kept with each version."""
        ...

    async def versions(self, tenant: str) -> Sequence[int]:
        """Return which versions can wrap and unwrap, lowest first."""
        ...

    async def add(self, tenant: str, version: int) -> bool:
        """Make a version. Returns False, and changes nothing, if it is there."""
        ...

    async def check(self, tenant: str, version: int) -> None:
        """Make sure that a version can be used now. Raises `BadInput` likewise."""
        ...

    async def wrap(self, tenant: str, version: int, ref: str, secret: bytes) -> bytes:
        """Encrypt a secret of 32 bytes. Another time the answer may be another one."""
        ...

    async def unwrap(
        self, tenant: str, version: int, ref: str, wrapped: bytes
    ) -> bytes:
        """Decrypt what `wrap` returned. Raises `WrapBroken`."""
        ...

    async def destroy(self, tenant: str, version: int) -> None:
        """Make a version unusable for good. One that is gone is no error."""
        ...
