"""What a real clamd says, and what becomes of it when it says nothing."""

from collections.abc import AsyncIterator

import pytest

from bridge.errors import BadInput, ServiceUnavailable
from bridge.files import Fate, StaysBehind
from policy.scanning.clamd import Clamd, ClamdAddress
from tests.clamd_server import EICAR, LARGEST, ClamdServer
from tests.sandbox import serving_bytes
from tests.servers import free_port


@pytest.fixture(params=["socket", "port"])
def scanner(request: pytest.FixtureRequest, clamd: ClamdServer) -> Clamd:
    address = clamd.path if request.param == "socket" else clamd.address
    return Clamd(ClamdAddress.parse(address), patience=30.0)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_the_test_virus_is_found_wherever_it_is_cut(scanner: Clamd) -> None:
    found = await scanner.scan(chunks(EICAR[:20], EICAR[20:]))

    assert found.startswith("Eicar-Test")


async def test_what_is_harmless_is_clean(scanner: Clamd) -> None:
    assert await scanner.scan(chunks(b"hello", b" world" * 10_000)) == ""


async def test_it_tells_its_version(scanner: Clamd) -> None:
    assert (await scanner.version()).startswith("ClamAV ")


async def test_what_is_too_large_for_it_is_never_taken_for_clean(
    scanner: Clamd,
) -> None:
    part = b"x" * 100_000

    with pytest.raises(StaysBehind) as stays:
        await scanner.scan(chunks(*[part] * (2 * LARGEST // len(part))))

    assert stays.value.fate is Fate.UNSCANNED


async def test_a_scanner_that_is_away_does_not_make_files_clean() -> None:
    scanner = Clamd(ClamdAddress.parse(f"127.0.0.1:{free_port()}"), patience=2.0)

    with pytest.raises(ServiceUnavailable):
        await scanner.scan(chunks(b"hello"))


ANSWERS = [b"", b"stream: OKAY\0", b"OK\0", b"\xff\xfe", b"stream: Unable to ERROR\0"]


@pytest.mark.parametrize("answer", ANSWERS)
async def test_whatever_else_is_answered_is_no_clean_file(answer: bytes) -> None:
    async with serving_bytes(answer) as port:
        scanner = Clamd(ClamdAddress.parse(f"127.0.0.1:{port}"), patience=2.0)

        with pytest.raises(ServiceUnavailable):
            await scanner.scan(chunks(b"hello"))


def test_addresses_are_read() -> None:
    assert ClamdAddress.parse("/run/clamd") == ClamdAddress(path="/run/clamd")
    assert ClamdAddress.parse("av:3310") == ClamdAddress(host="av", port=3310)
    assert ClamdAddress.parse("[::1]:3310") == ClamdAddress(host="::1", port=3310)


@pytest.mark.parametrize("text", ["", "av", ":3310", "av:", "av:0", "av:99999", "a:b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        ClamdAddress.parse(text)
