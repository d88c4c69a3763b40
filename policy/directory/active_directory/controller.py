"""The domain controller that answers, and the domain it is of."""

from dataclasses import dataclass

from bridge.errors import ServiceUnavailable
from policy.directory.active_directory.identifiers import object_id, sid_text
from policy.directory.ldap.connection import Incomplete, LdapConnection
from policy.directory.ldap.dn import Dn, dn

_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"


@dataclass(frozen=True, slots=True)
class Controller:
    """
    One controller, met over an open connection.

    `invocation` changes when the controller is restored from a backup: its numbers then
    start to mean something else. `usn` is the highest it had given when it was met.
    """

    connection: LdapConnection
    root: str
    domain: str
    sid: str
    invocation: str
    usn: int

    @property
    def name(self) -> Dn:
        return dn(self.root)


async def met(connection: LdapConnection) -> Controller:
    """Ask a controller who it is. Raises ServiceUnavailable if it is none."""
    told = await connection.root()
    if _ACTIVE_DIRECTORY not in told.texts("supportedCapabilities"):
        raise ServiceUnavailable(
            f"{connection.where} is not Active Directory; use kind ldap for it"
        )
    root = told.text("defaultNamingContext")
    domain = await connection.one(root, ("objectGUID", "objectSid"))
    settings = await connection.one(told.text("dsServiceName"), ("invocationId",))
    ids = domain.attributes.get("objectguid") if domain else None
    sids = domain.attributes.get("objectsid") if domain else None
    invocations = settings.attributes.get("invocationid") if settings else None
    if not ids or not sids or not invocations:
        raise Incomplete(f"{connection.where}: ATOM's account may not read the domain")
    return Controller(
        connection,
        root,
        object_id(ids[0]),
        sid_text(sids[0]),
        object_id(invocations[0]),
        int(told.text("highestCommittedUSN") or 0),
    )


async def usn(connection: LdapConnection) -> int:
    """Return the number that grows with every change on this controller."""
    return int((await connection.root()).text("highestCommittedUSN") or 0)
