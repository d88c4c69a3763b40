"""
Outbound messages: SOAP calls by the org, for companies without change data capture.

They are not signed. What proves a call is a secret in its path, known to the org's
admins alone, and the org's id; and it is believed no more than that somebody should
look: every record is read anew. The org sends again, for a day, until it is answered
with `ACKNOWLEDGED`.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from bridge.errors import BadInput, NotAllowed
from bridge.records.model import ChangeKind, RecordChange, System
from connectors.salesforce.kinds import Kinds
from connectors.salesforce.recognition import Recognition

ACKNOWLEDGED = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv='
    '"http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse'
    ' xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)
_MESSAGE = "{http://soap.sforce.com/2005/09/outbound}"
_OBJECT = "{urn:sobject.enterprise.soap.sforce.com}Id"
_PARTNER = "{urn:sobject.partner.soap.sforce.com}Id"
_MOST = 100


@dataclass(frozen=True, slots=True)
class Messages:
    """
    Reads one org's messages. `secret` is the last part of the path they are sent to,
    `organisation` the org's id, empty for any.
    """

    secret: str
    organisation: str
    kinds: Kinds
    recognition: Recognition

    def heard(self, body: bytes, url: str) -> tuple[RecordChange, ...]:
        """Return what a message says. Raises `NotAllowed` and `BadInput`."""
        shown = urlsplit(url).path.rstrip("/").rpartition("/")[2]
        proved = hmac.compare_digest(shown.encode(), self.secret.encode())
        if not self.secret or not proved:
            raise NotAllowed("that call is not proved to be Salesforce's")
        envelope = _read(body)
        told = envelope.findtext(f".//{_MESSAGE}OrganizationId", "")
        if self.organisation and told[:15] != self.organisation[:15]:
            raise NotAllowed("that call is from another org")
        found = envelope.findall(f".//{_MESSAGE}Notification")[:_MOST]
        return tuple(change for one in found for change in self._changes(one))

    def _changes(self, one: etree._Element) -> Iterator[RecordChange]:
        event = one.findtext(f"{_MESSAGE}Id", "")
        id_ = one.findtext(f".//{_OBJECT}", "") or one.findtext(f".//{_PARTNER}", "")
        kind = self.kinds.of_id(id_)
        if kind is not None:
            ref = self.recognition.ref(kind.name, id_)
            what = ChangeKind.CHANGED
            yield RecordChange(
                System.SALESFORCE, ref.instance, what, f"sf-om-{event}", ref
            )


def _read(body: bytes) -> etree._Element:
    """Read XML that comes from outside: no document type, no entities."""
    if b"<!" in body:
        raise BadInput("that is no outbound message")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise BadInput("that is no outbound message") from None
