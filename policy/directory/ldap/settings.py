"""Where a directory is reached and who ATOM is there."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bridge.errors import BadInput

_SCHEMES = ("ldaps", "ldap", "ldapi")


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """
    How to reach one directory.

    `servers` are tried in turn: `ldaps://host[:636]`, `ldap://host[:389]` (StartTLS
    before anything else is said) or `ldapi://%2Fpath` (a socket on this machine). The
    certificate is always checked, against `ca_file` or what the system trusts. Nobody
    signs in without a password unless `anonymous` asks for it. `connect_seconds` is for
    one server, `answer_seconds` how long one may be silent before it counts as gone.
    """

    servers: tuple[str, ...]
    bind_dn: str = ""
    password: str = field(default="", repr=False)
    anonymous: bool = False
    ca_file: str = ""
    connect_seconds: int = 10
    answer_seconds: int = 60

    def checked(self) -> "LdapSettings":
        """Return these settings if they can be used. Raises BadInput with what to do."""
        if not self.servers:
            raise BadInput("name a directory server, such as ldaps://ldap.example.com")
        for server in self.servers:
            _check_server(server)
        self._check_account()
        if self.ca_file and not Path(self.ca_file).is_file():
            raise BadInput(f"there is no CA file at {self.ca_file}")
        if self.connect_seconds < 1 or self.answer_seconds < 1:
            raise BadInput("time limits are whole seconds, at least 1")
        return self

    def _check_account(self) -> None:
        if self.anonymous and (self.bind_dn or self.password):
            raise BadInput("give an account or say anonymous, not both")
        if self.anonymous:
            return
        if not self.bind_dn:
            raise BadInput("say which account reads the directory (bind_dn)")
        # A server takes an empty password for "nobody" and says yes (RFC 4513, 5.1.2).
        if not self.password:
            raise BadInput(f"the password of {self.bind_dn} is empty")


def _check_server(server: str) -> None:
    try:
        parts = urlsplit(server)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _SCHEMES or not (parts.hostname or parts.netloc):
        raise BadInput(f"not a directory server: {server!r}; write ldaps://HOST[:PORT]")
    if port == 0 or parts.username is not None or parts.query:
        raise BadInput(f"not a directory server: {server!r}; write ldaps://HOST[:PORT]")
    if parts.scheme != "ldapi" and parts.path not in {"", "/"}:
        raise BadInput(f"a base DN does not go into the server's address: {server}")
