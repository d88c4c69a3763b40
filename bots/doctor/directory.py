"""What the doctor looks at of the directory: whether each source tells who is there."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing

from aiohttp import ClientSession

from bots.directory_settings import DirectorySettings, SourceSettings
from bots.directory_side import Means, source_of
from bots.doctor.findings import Finding, bad, good, poor
from bridge.directory.ports import Source
from bridge.errors import BadInput

_PATIENCE = 10.0  # seconds; a large directory takes longer, and is not at fault
_PUSHED = "scim"  # which is asked for nothing: it tells by itself


async def directory(settings: DirectorySettings) -> Sequence[Finding]:
    """Ask each source; nothing is said where there is none, and nothing is kept."""
    asked = [one for one in settings.all_sources if one.kind != _PUSHED]
    async with ClientSession() as session:
        means = Means(session, lambda: time.time_ns() // 1000)
        return await asyncio.gather(*(_source(one, means) for one in asked))


async def _source(settings: SourceSettings, means: Means) -> Finding:
    what = f"directory {settings.name}"
    try:
        source = source_of(settings, means)
    except BadInput as error:
        return bad(what, str(error), "correct it: see docs/directory.md")
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _first(what, source)
    except TimeoutError:
        fix = "look at 'atom directory status' once ATOM serves"
        return poor(what, f"did not tell all within {_PATIENCE:.0f} s", fix)


async def _first(what: str, source: Source) -> Finding:
    # What `read` returns is a generator, which holds connections until it is closed.
    async with aclosing(source.read(b"")) as readings:  # type: ignore[type-var]
        async for reading in readings:
            if not reading.complete and reading.why:
                return bad(what, reading.why, "nobody is removed meanwhile; mend it")
            return good(what, f"answers, with {len(reading.entries)} entries at first")
    return bad(what, "it told nothing", "see docs/directory.md")
