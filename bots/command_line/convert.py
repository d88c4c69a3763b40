"""Converting messages on the command line, a line of JSON at a time."""

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

from bots.convert import convert
from bridge.errors import AtomError, BadInput

_DIRECTIONS = ("slack-to-teams", "teams-to-slack")


def convert_lines(direction: str, source: BinaryIO, target: BinaryIO) -> bool:
    """
    Convert every line, each on its own; returns whether all could be.

    A line that cannot be used is answered with `{"error": …}` in its place.
    """
    if direction not in _DIRECTIONS:
        raise BadInput(f"'{direction}' is no direction: {' or '.join(_DIRECTIONS)}")
    whole = True
    for line in source:
        if line.strip():
            result = _converted(direction, line)
            whole = whole and "error" not in result
            # Escaped, because half an emoji is legal in JSON and in no encoding.
            target.write(json.dumps(result).encode() + b"\n")
            target.flush()
    return whole


def _converted(direction: str, line: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise BadInput("a line must be a JSON object with input and context")
        return convert(direction, request)
    except (ValueError, RecursionError):
        return {"error": "the line is not JSON"}
    except AtomError as error:
        return {"error": str(error)}
