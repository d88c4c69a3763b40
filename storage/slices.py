"""
What happens once in a while, whichever process does it.

Time is cut into slices, and what is done takes its own slice and those that follow
within the cooldown, as keys that the log knows entries again by. A second one that
comes too early wants a slice that is taken, and becomes a duplicate.
"""

from collections.abc import Iterator
from hashlib import blake2b

_SLICES = 8  # to a cooldown, which thus lasts at most an eighth too long
SHORTEST_US = _SLICES


def slices(prefix: str, what: str, now_us: int, cooldown_us: int) -> Iterator[str]:
    """
    Return the keys of `what` for a cooldown of at least `SHORTEST_US`.

    It may name people, so that it is hashed: these keys are no place for them.
    """
    name = hashed(prefix, what)
    first = now_us // (cooldown_us // _SLICES)
    for number in range(first, first + _SLICES + 1):
        yield f"{name}:{cooldown_us}:{number}"


def hashed(prefix: str, what: str) -> str:
    return f"{prefix}:" + blake2b(what.encode(), digest_size=16).hexdigest()
