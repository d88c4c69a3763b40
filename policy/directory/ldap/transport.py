"""
Reach a server, make sure it is the right one, and sign in: what ldap3 does for ATOM.

Everything here blocks, and runs in a connection's own thread.
"""

import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from ldap3 import ANONYMOUS, NONE, SIMPLE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException

from bridge.errors import BadInput, ServiceUnavailable
from policy.directory.ldap.results import meaning
from policy.directory.ldap.settings import LdapSettings

# Wrong words are wrong on every server, and a second try may lock the account.
_NO_OTHER_SERVER = frozenset({49})


class _CheckedTls(Tls):  # type: ignore[misc] # ldap3 has no types
    """TLS that checks the certificate and its name; ldap3's own default does not."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self.context = context
        self.failure: Exception | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as ldap3 calls it
        try:
            connection.socket = self.context.wrap_socket(
                connection.socket, server_hostname=connection.server.host
            )
        except Exception as failure:
            self.failure = failure  # ldap3 keeps its text alone
            raise


def signed_in(settings: LdapSettings) -> tuple[Connection, str]:
    """
    Return a connection to the first server that can be used, and that server's URL.

    Raises BadInput for settings that cannot work, ServiceUnavailable with one line.
    """
    context = _context(settings.checked())
    problems: list[str] = []
    for url in settings.servers:
        try:
            return _signed_in_at(url, settings, context), url
        except _Refused as refused:
            problems.append(f"{url}: {refused}")
            if refused.final:
                break
    raise ServiceUnavailable("directory not reached: " + "; ".join(problems))


class _Refused(Exception):
    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def _context(settings: LdapSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(f"no certificates can be read in {settings.ca_file}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _signed_in_at(
    url: str, settings: LdapSettings, context: ssl.SSLContext
) -> Connection:
    tls = _CheckedTls(context)
    connection = _connection(url, settings, tls)
    try:
        connection.open(read_server_info=False)
        if url.startswith("ldap://"):
            connection.start_tls(read_server_info=False)
        bound = connection.bind(read_server_info=False)
    except (LDAPException, OSError) as error:
        leave(connection)
        raise _Refused(_reason(error, tls, settings)) from error
    if not bound:
        code, told = int(connection.result["result"]), connection.result.get("message")
        leave(connection)
        reason = meaning(code, str(told or ""))
        raise _Refused(reason, final=code in _NO_OTHER_SERVER)
    return connection


def _connection(url: str, settings: LdapSettings, tls: Tls) -> Connection:
    parts = urlsplit(url)
    host = f"ldapi://{unquote(parts.netloc)}" if parts.scheme == "ldapi" else None
    server = Server(
        host or parts.hostname,
        port=None if host else parts.port or _port(parts.scheme),
        use_ssl=parts.scheme == "ldaps",
        get_info=NONE,
        tls=None if host else tls,
        connect_timeout=settings.connect_seconds,
    )
    return Connection(
        server,
        user=settings.bind_dn or None,
        password=settings.password or None,
        authentication=ANONYMOUS if settings.anonymous else SIMPLE,
        client_strategy=SYNC,
        auto_referrals=False,
        check_names=False,
        receive_timeout=settings.answer_seconds,
    )


def _port(scheme: str) -> int:
    return 636 if scheme == "ldaps" else 389


def leave(connection: Connection) -> None:
    """Say goodbye if that is still possible, and close."""
    opened = connection.socket
    with suppress(LDAPException, OSError, AttributeError):
        connection.unbind()
    if opened is not None:
        opened.close()  # ldap3 forgets a socket that it could not use


def _reason(error: Exception, tls: _CheckedTls, settings: LdapSettings) -> str:
    """Say in a few words why a server was not reached, certificates first."""
    match tls.failure:
        case ssl.SSLCertVerificationError() as failure:
            return f"its certificate is not trusted: {_why(failure, settings)}"
        case TimeoutError():
            return f"no answer within {settings.answer_seconds} seconds"
        case ConnectionError() | ssl.SSLEOFError():
            return "the connection broke"
        case ssl.SSLError():
            return "it did not agree on encryption"
        case _:
            pass
    text = str(error).lower()
    for sign, words in (
        ("timed out", f"no answer within {settings.connect_seconds} seconds"),
        ("refused", "connection refused"),
        ("starttls failed", "it does not offer StartTLS; use ldaps://"),
        ("invalid server address", "there is no such host"),
        ("name or service", "there is no such host"),
        ("no such file", "there is no such socket"),
    ):
        if sign in text:
            return words
    return "the connection broke"


def _why(failure: ssl.SSLCertVerificationError, settings: LdapSettings) -> str:
    """OpenSSL's own few words, and the CA file to look at."""
    against = settings.ca_file or "what this machine trusts"
    return f"{failure.verify_message.rstrip('.')} (checked against {against})"
