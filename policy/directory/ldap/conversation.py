"""
Questions and answers over one open connection, in one thread.

Answers come out as they come in, so that 20,000 entries or an endless feed need no
more memory than one piece of it.
"""

import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from ldap3 import Connection
from ldap3.core.exceptions import LDAPException
from ldap3.operation.abandon import abandon_operation
from ldap3.operation.search import search_operation
from ldap3.protocol.convert import build_controls_list
from ldap3.protocol.rfc4511 import LDAPMessage, MessageID, ProtocolOp
from ldap3.utils.asn1 import encode

from bridge.errors import BadInput, ServiceUnavailable
from policy.directory.ldap import ber
from policy.directory.ldap.answers import Answer, Done, Notice, answer
from policy.directory.ldap.results import meaning
from policy.directory.ldap.transport import leave

_LARGEST_MESSAGE = 64 * 1024 * 1024  # bytes; a group of 500,000 is smaller
_AT_ONCE = 256 * 1024  # bytes read from the socket in one go
_ANSWERS_AT_ONCE = 500
_LINGER = 0.002  # seconds that more answers are waited for once there is one


class Scope(IntEnum):
    """How deep a search looks, as ldap3 numbers it."""

    BASE = 0
    ONE_LEVEL = 1
    SUBTREE = 2


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. Aliases are never followed; limits of 0 are the server's."""

    base: str
    filter: str = "(objectClass=*)"
    attributes: tuple[str, ...] = ("1.1",)
    scope: Scope = Scope.SUBTREE
    size_limit: int = 0
    time_limit: int = 0


@dataclass(frozen=True, slots=True)
class Control:
    """Something asked in addition. A `critical` one is obeyed or the answer is 12."""

    oid: str
    value: bytes | None = None
    critical: bool = False


class Conversation:
    """
    Several questions may be open at once; each is known by a number.

    Everything but `interrupt` is for one thread at a time.
    """

    def __init__(self, connection: Connection, where: str, patience: float) -> None:
        self.where = where
        self._connection = connection
        self._socket: socket.socket = connection.socket
        self._patience = patience
        self._buffer = bytearray()
        self._heard: dict[int, list[Answer]] = {}
        self._dropped: list[int] = []
        self._next = 1000  # clear of the numbers ldap3 used to sign in

    def ask(self, search: Search, controls: Sequence[Control] = ()) -> int:
        """Send a question and return its number. Raises BadInput for a bad filter."""
        try:
            request = search_operation(
                search.base,
                search.filter,
                int(search.scope),
                0,  # never dereference: a change feed allows nothing else
                list(search.attributes),
                search.size_limit,
                search.time_limit,
                types_only=False,
                auto_escape=False,
                auto_encode=False,
            )
        except (LDAPException, AttributeError, IndexError) as error:  # by its parser
            raise BadInput(f"not a search filter: {search.filter}") from error
        while self._dropped:
            self._send("abandonRequest", abandon_operation(self._dropped.pop()), ())
        number = self._send("searchRequest", request, controls)
        self._heard[number] = []
        return number

    def hear(self, number: int, seconds: float) -> list[Answer]:
        """Return the next answers to a question; none if it stays silent that long."""
        deadline = time.monotonic() + seconds
        while not (heard := self._heard.get(number)):
            if heard is None:  # nobody wants them any more
                return []
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            self._receive(left)
        # With TLS each read gives one answer: hand on many, for few changes of thread.
        while not isinstance(heard[-1], Done) and len(heard) < _ANSWERS_AT_ONCE:
            if not self._receive(_LINGER):
                break
        self._heard.pop(number, None)
        if not isinstance(heard[-1], Done):
            self._heard[number] = []
        return heard

    def drop(self, number: int) -> None:
        """Want no more answers to a question."""
        if self._heard.pop(number, None) is not None:
            self._dropped.append(number)

    def interrupt(self) -> None:
        """Wake whoever waits, from any thread. Nothing can be asked after it."""
        with contextlib.suppress(OSError):
            # Not SSLSocket's own: it takes the TLS state from under the other thread.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def leave(self) -> None:
        """Close. Leaving twice changes nothing."""
        self._heard.clear()
        leave(self._connection)

    def _send(self, kind: str, request: object, controls: Sequence[Control]) -> int:
        number, self._next = self._next, self._next + 1
        message = LDAPMessage()
        message["messageID"] = MessageID(number)
        message["protocolOp"] = ProtocolOp().setComponentByName(kind, request)
        if controls:
            message["controls"] = build_controls_list(
                [(each.oid, each.critical, each.value) for each in controls]
            )
        try:
            self._socket.settimeout(self._patience)
            self._socket.sendall(encode(message))
        except OSError as error:
            raise ServiceUnavailable(f"{self.where} closed the connection") from error
        return number

    def _receive(self, seconds: float) -> bool:
        """Take in what comes within the time; False if nothing does."""
        try:
            self._socket.settimeout(seconds)
            data = self._socket.recv(_AT_ONCE)
        except TimeoutError:
            return False
        except OSError as error:
            raise ServiceUnavailable(f"the connection to {self.where} broke") from error
        if not data:
            raise ServiceUnavailable(f"{self.where} closed the connection")
        self._buffer += data
        try:
            self._take_apart()
        except ber.NotBer as error:
            raise ServiceUnavailable(f"{self.where} does not speak LDAP") from error
        return True

    def _take_apart(self) -> None:
        """Sort the whole messages in the buffer by the question they answer."""
        data, at = bytes(self._buffer), 0
        while (size := ber.size(data, at)) is not None:
            if size > _LARGEST_MESSAGE:
                raise ber.NotBer("too large")
            if at + size > len(data):
                break
            number, told = answer(data[at : at + size])
            at += size
            if isinstance(told, Notice):
                reason = meaning(told.code, told.message)
                raise ServiceUnavailable(f"{self.where} hung up: {reason}")
            if number in self._heard:
                self._heard[number].append(told)
        del self._buffer[:at]
