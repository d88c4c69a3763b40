"""Addresses below a system's own, built of steps that cannot lead anywhere else."""

import re
from collections.abc import Mapping, Sequence

from yarl import URL

from bridge.errors import BadInput

# A step names one thing: no separators, nothing that a server would take apart again.
_STEP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,199}")


def joined(base: URL, path: Sequence[str], params: Mapping[str, str]) -> URL:
    """
    Return the address of a path below `base`. Raises `BadInput` for what is no step.

    Where a path leads is checked again when it is built, whatever it was built of.
    """
    for step in path:
        if not _STEP.fullmatch(step) or ".." in step:
            raise BadInput("that is no record's address: copy its number or link")
    url = base.joinpath(*path) if path else base
    root = base.path.rstrip("/")
    inside = url.path == root or url.path.startswith(f"{root}/")
    if not same_place(url, base) or not inside:
        raise BadInput("that is no record's address: copy its number or link")
    return url.with_query(dict(params)) if params else url


def same_place(one: URL, other: URL) -> bool:
    """Say whether two addresses are of the same scheme, host and port."""
    # Of equal origins, yarl says that they differ if only one names the usual port.
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
