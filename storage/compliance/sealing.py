"""How an entry's body and the platform's own words are kept: packed, then sealed."""

import zlib

from storage.compliance.keys import ItemKey

_BODY = b"atom/body/v1"
_RAW = b"atom/raw/v1"


def seal_body(key: ItemKey, body: bytes) -> bytes:
    return key.seal(body, _BODY)


def open_body(key: ItemKey, sealed: bytes) -> bytes:
    return key.open(sealed, _BODY)


def seal_raw(key: ItemKey, raw: bytes) -> bytes:
    return key.seal(zlib.compress(raw, 1), _RAW)


def open_raw(key: ItemKey, sealed: bytes) -> bytes:
    return zlib.decompress(key.open(sealed, _RAW))


def raw_commitment(key: ItemKey, raw: bytes | None) -> bytes | None:
    """Commit to the platform's own words, apart from what is made of them."""
    return key.commitment(_RAW + b"\x00" + raw) if raw is not None else None


def raw_fault(key: ItemKey, sealed: bytes | None, committed: bytes | None) -> str:
    """
    Say what is wrong with the platform's own words, or nothing.

    `committed` is what `raw_commitment` gave. Raises `SealBroken`.
    """
    if sealed is None:
        return "column raw_ct was removed" if committed is not None else ""
    raw = open_raw(key, sealed)
    if committed is None or raw_commitment(key, raw) == committed:
        return ""
    return "column raw_ct is not what was committed to"
