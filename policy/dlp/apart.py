"""
Documents read in a process of their own: what somebody else made may run for ever.

A PDF is a program of sorts. Its reader gets so much time and memory, and is ended when
they are used up; the file then counts as one that could not be read.
"""

import asyncio
import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import PurePath

from policy.dlp.extracting import MOST_BYTES, Extracted, is_document, text_of

_SECONDS = 20
_MEMORY = 1 << 30  # bytes
_AT_ONCE = asyncio.Semaphore(2)
_BROKEN = Extracted("", partial=True)


async def extracted_apart(name: str, data: bytes) -> Extracted:
    """Return a file's text; plain text is read here, documents are read apart."""
    if len(data) > MOST_BYTES:
        return _BROKEN
    if not is_document(name, data):
        return await asyncio.to_thread(text_of, name, data)
    async with _AT_ONCE:
        return await _read_apart(name, data)


async def _read_apart(name: str, data: bytes) -> Extracted:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        PurePath(name).suffix.lower(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},  # and nothing secret
    )
    try:
        async with asyncio.timeout(_SECONDS):
            out, _ = await process.communicate(data)
        told = json.loads(out)
        return Extracted(told["text"], told["partial"], told["known"], told["pictures"])
    except (TimeoutError, ValueError, KeyError, OSError):
        return _BROKEN
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def main() -> None:
    """Read a document from stdin and write its text as JSON."""
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    found = text_of(f"document{sys.argv[1]}", sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
