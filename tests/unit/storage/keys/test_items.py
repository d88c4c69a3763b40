"""What entries are sealed and committed to with."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from storage.compliance.keys.items import mac


@given(key=st.binary(max_size=200), data=st.binary(max_size=3000))
def test_the_short_way_to_a_mac_is_the_same_mac(key: bytes, data: bytes) -> None:
    assert mac(key, data) == hmac.digest(key, data, "sha256")
