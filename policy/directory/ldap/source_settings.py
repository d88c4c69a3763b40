"""One directory as a source: how it is reached, what of it is read, how it looks."""

import hashlib
from dataclasses import dataclass

from bridge.errors import BadInput
from policy.directory.ldap.dn import dn
from policy.directory.ldap.settings import LdapSettings
from policy.directory.ldap.shape import OPENLDAP, Shape

_KIND = b"rfc4533"


@dataclass(frozen=True, slots=True)
class LdapSourceSettings:
    """
    What is read below `base`.

    `filter` narrows it; without one, everything of the shape's classes is read. It must
    let units through, or whoever moves with one is not noticed. `page` is how many
    entries are asked for at once, `poll_seconds` how often everything is read from a
    server that cannot say what changed, and `beat_seconds` after how much silence one
    that can has to show that it is still there. `look_seconds` is how often one that
    cannot is asked what was modified meanwhile. A part of the tree that another server
    holds makes a reading incomplete, unless `skip_referrals` says it is not wanted.
    """

    name: str
    ldap: LdapSettings
    base: str
    shape: Shape = OPENLDAP
    filter: str = ""
    page: int = 500
    poll_seconds: float = 60.0
    look_seconds: float = 5.0
    beat_seconds: float = 10.0
    skip_referrals: bool = False

    def checked(self) -> "LdapSourceSettings":
        """Return these settings if they can be used. Raises BadInput."""
        self.ldap.checked()
        if not dn(self.base).rdns:
            raise BadInput("say where in the directory to read (base DN)")
        times = (self.poll_seconds, self.look_seconds, self.beat_seconds)
        if self.page < 1 or min(times) <= 0:
            raise BadInput("page and the seconds of waiting must be above 0")
        return self

    def cursor(self, cookie: bytes) -> bytes:
        """Make a cursor that only the same question goes on from."""
        return b" ".join((_KIND, self._mark(), cookie))

    def cookie(self, cursor: bytes) -> bytes:
        """Return the server's own cookie in a cursor; empty if all is to be read."""
        kind, _, rest = cursor.partition(b" ")
        mark, _, cookie = rest.partition(b" ")
        return cookie if (kind, mark) == (_KIND, self._mark()) else b""

    def _mark(self) -> bytes:
        """Name what is asked for: another base or shape makes a cookie worthless."""
        asked = (dn(self.base).rdns, self.filter, self.shape.asked(), repr(self.shape))
        return hashlib.sha256(repr(asked).encode()).hexdigest()[:16].encode()
