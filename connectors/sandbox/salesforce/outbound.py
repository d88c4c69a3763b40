"""Outbound messages: SOAP that is sent again until somebody says that it arrived."""

from aiohttp import ClientSession, ClientTimeout

_BODY = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound">
<OrganizationId>{organisation}</OrganizationId><ActionId>04k5g0000000001AAA</ActionId>
<SessionId xsi:nil="true"/><EnterpriseUrl>https://acme.my.salesforce.com</EnterpriseUrl>
<Notification><Id>04l5g0000000001AAA</Id>
<sObject xsi:type="sf:{kind}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
<sf:Id>{id}</sf:Id></sObject></Notification></notifications>
</soapenv:Body></soapenv:Envelope>"""


def message(organisation: str, kind: str, id_: str) -> str:
    return _BODY.format(organisation=organisation, kind=kind, id=id_)


async def send(url: str, organisation: str, kind: str, id_: str) -> bool:
    """Send one; returns whether the other side acknowledged it."""
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    async with (
        ClientSession(timeout=ClientTimeout(10)) as client,
        client.post(
            url, data=message(organisation, kind, id_).encode(), headers=headers
        ) as response,
    ):
        text = await response.text()
        return response.ok and "<Ack>true</Ack>" in text.replace(" ", "")
