"""From where to read on, as it is stored with what was read."""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass

from policy.directory.active_directory.settings import Way

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    A place in a domain's changes.

    `settings` and `domain` name what it is a place in. `cookie` is DirSync's, which any
    controller understands. `usn` is a number of one controller's own, `controller` its
    invocationId: with another one, the number means nothing. Accounts that expire are no
    change anybody tells of: up to `looked` (Unix seconds) they were looked for.
    """

    settings: str
    domain: str
    controller: str
    way: Way
    cookie: bytes = b""
    usn: int = 0
    looked: float = 0.0
    own_security: bool = False

    def encode(self) -> bytes:
        return json.dumps(
            {
                "version": _VERSION,
                "settings": self.settings,
                "domain": self.domain,
                "controller": self.controller,
                "way": self.way,
                "cookie": b64encode(self.cookie).decode(),
                "usn": self.usn,
                "looked": self.looked,
                "own_security": self.own_security,
            },
            separators=(",", ":"),
        ).encode()


def cursor(stored: bytes) -> Cursor | None:
    """Read a stored cursor; None if it is none, and everything has to be read."""
    try:
        told = json.loads(stored)
        if told["version"] != _VERSION:
            return None
        return Cursor(
            settings=str(told["settings"]),
            domain=str(told["domain"]),
            controller=str(told["controller"]),
            way=Way(told["way"]),
            cookie=b64decode(told["cookie"], validate=True),
            usn=int(told["usn"]),
            looked=float(told["looked"]),
            own_security=bool(told["own_security"]),
        )
    except (ValueError, KeyError, TypeError, NotBase64):
        return None
