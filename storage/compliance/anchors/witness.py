"""
A witness's client (c2sp.org/tlog-witness, `add-checkpoint`).

A witness cosigns a checkpoint if it goes on from the one that it cosigned before. It
is told which one that was, with the proof; if we are wrong about it, it says so.
"""

import base64
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientResponse, ClientSession

from bridge.anchors import Evidence, Shown
from bridge.errors import Conflict, ServiceUnavailable
from storage.compliance.proofs.notes import NoteRefused, VerifierKey, opened
from storage.compliance.proofs.stored_tiles import StoredTree

_TAKEN, _STALE, _BAD_PROOF = 200, 409, 422
_LONGEST = 16_384
_MICRO = 1_000_000


@dataclass(slots=True)
class Witness:
    """Implements `bridge.anchors.Anchor`. `key` is of the cosigning type."""

    session: ClientSession
    url: str
    key: VerifierKey
    tree: StoredTree
    _seen: dict[str, int] = field(default_factory=dict)

    async def show(self, shown: Shown) -> Evidence:
        old = self._seen.get(shown.tenant, 0)
        status, body = await self._add(shown, min(old, shown.size))
        if status == _STALE and (told := _size(body)) is not None:
            if told > shown.size:
                raise Conflict(
                    f"the witness saw {told} entries, but the log has {shown.size}"
                )
            if told == old:
                raise Conflict(f"the witness saw another log of {told} entries")
            status, body = await self._add(shown, told)
        if status in {_STALE, _BAD_PROOF}:
            raise Conflict("the witness saw a log that does not begin this one")
        if status != _TAKEN:
            raise ServiceUnavailable(f"the witness answered with {status}")
        self._seen[shown.tenant] = shown.size
        return self._evidence(shown, body)

    async def _add(self, shown: Shown, old: int) -> tuple[int, bytes]:
        proof: list[bytes] = []
        if 0 < old < shown.size:
            proof = await self.tree.consistency(shown.tenant, old, shown.size)
        lines = [f"old {old}", *(base64.b64encode(p).decode() for p in proof), ""]
        data = ("\n".join(lines) + "\n" + shown.plain).encode()
        try:
            async with self.session.post(
                f"{self.url}/add-checkpoint", data=data, allow_redirects=False
            ) as answer:
                return answer.status, await _body(answer)
        except (ClientError, TimeoutError) as error:
            raise ServiceUnavailable("the witness does not answer") from error

    def _evidence(self, shown: Shown, body: bytes) -> Evidence:
        try:
            lines = body.decode()
            note = opened(shown.plain + lines, [self.key])
        except (UnicodeDecodeError, NoteRefused) as error:
            raise ServiceUnavailable("the witness's answer is not its own") from error
        mine = "".join(
            f"{line}\n" for line in lines.splitlines() if f" {self.key.name} " in line
        )
        time = max(signature.time for signature in note.signatures)
        return Evidence(mine.encode(), mine, time * _MICRO)


def _size(body: bytes) -> int | None:
    text = body.strip()
    return int(text) if text.isdigit() and len(text) < 20 else None  # noqa: PLR2004


async def _body(answer: ClientResponse) -> bytes:
    return await answer.content.read(_LONGEST)
