"""
A time-stamping authority's client (RFC 3161).

The token says that the authority saw the checkpoint, and when. It is kept as it came,
so that `openssl ts -verify` reads it.
"""

from dataclasses import dataclass

from aiohttp import ClientError, ClientSession
from cryptography.x509 import Certificate
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from bridge.anchors import Evidence, Shown
from bridge.errors import ServiceUnavailable

_OK = 200
_LONGEST = 65_536
_MICRO = 1_000_000
_ASKED = {"Content-Type": "application/timestamp-query"}


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """Implements `bridge.anchors.Anchor`. `roots` are the authority's own."""

    session: ClientSession
    url: str
    roots: tuple[Certificate, ...]

    async def show(self, shown: Shown) -> Evidence:
        data = shown.plain.encode()
        request = _request(data)
        try:
            async with self.session.post(
                self.url,
                data=request.as_bytes(),
                headers=_ASKED,
                allow_redirects=False,
            ) as answer:
                status, token = answer.status, await answer.content.read(_LONGEST)
        except (ClientError, TimeoutError) as error:
            text = "the time-stamping authority does not answer"
            raise ServiceUnavailable(text) from error
        if status != _OK:
            raise ServiceUnavailable(
                f"the time-stamping authority answered with {status}"
            )
        return Evidence(token, time_us=self.verified(request, token, data))

    def verified(self, request: TimeStampRequest, token: bytes, data: bytes) -> int:
        """Return a token's time in microseconds. Raises `ServiceUnavailable`."""
        builder = VerifierBuilder.from_request(request)
        for root in self.roots:
            builder = builder.add_root_certificate(root)
        try:
            answer = decode_timestamp_response(token)
            builder.build().verify_message(answer, data)
            time = answer.tst_info.gen_time
        except (VerificationError, ValueError) as error:
            raise ServiceUnavailable(
                "the time-stamping authority's answer does not verify"
            ) from error
        return int(time.timestamp() * _MICRO)


def _request(data: bytes) -> TimeStampRequest:
    builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=True).build()
