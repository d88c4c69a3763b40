"""A key management service for tests: real keys, real HTTP, and faults on demand."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "token-of-the-tests"
_NONCE = 12


@dataclass
class KmsServer:
    """
    Holds versions of keys.

    `fault` is what it does instead of answering: `silent`, `broken`, `error`,
    `redirect` or `nonsense`. `asked` are the actions that came in.
    """

    url: str = ""
    fault: str = ""
    keys: dict[tuple[str, int], bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    contexts: list[Mapping[str, str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        action = request.match_info["action"]
        self.asked.append(action)
        match self.fault:
            case "silent":
                await asyncio.sleep(30)
            case "broken":
                request.transport.close()  # type: ignore[union-attr]
            case "error":
                return web.Response(status=500, text="oops")
            case "redirect":
                raise web.HTTPTemporaryRedirect("http://127.0.0.1:9/elsewhere")
            case "nonsense":
                return web.json_response({"Plaintext": 7, "Versions": "none"})
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"Error": "AccessDenied"}, status=403)
        asked = orjson.loads(await request.read())
        status, answer = self._answer(action, asked)
        return web.json_response(answer, status=status)

    def _answer(
        self, action: str, asked: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        name, version = asked["KeyId"], asked.get("Version", 0)
        if action == "ListVersions":
            return 200, {"Versions": [v for key, v in self.keys if key == name]}
        if action == "CreateVersion":
            new = (name, version) not in self.keys
            self.keys.setdefault((name, version), os.urandom(32))
            return 200, {"Created": new}
        if (key := self.keys.get((name, version))) is None:
            return 404, {"Error": "NotFound"}
        if action == "DestroyVersion":
            del self.keys[name, version]
            return 200, {}
        context = asked["EncryptionContext"]
        self.contexts.append(context)
        return _crypted(action, key, asked, orjson.dumps(context))


def _crypted(
    action: str, key: bytes, asked: Mapping[str, Any], context: bytes
) -> tuple[int, dict[str, Any]]:
    if action == "Encrypt":
        nonce = os.urandom(_NONCE)
        text = base64.b64decode(asked["Plaintext"])
        sealed = nonce + AESGCM(key).encrypt(nonce, text, context)
        return 200, {"CiphertextBlob": base64.b64encode(sealed).decode()}
    sealed = base64.b64decode(asked["CiphertextBlob"])
    try:
        text = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
    except (InvalidTag, ValueError):
        return 400, {"Error": "InvalidCiphertext"}
    return 200, {"Plaintext": base64.b64encode(text).decode()}


@asynccontextmanager
async def running_kms() -> AsyncIterator[KmsServer]:
    """Listen on loopback until the test is over."""
    server = KmsServer()
    app = web.Application()
    app.router.add_post("/{action}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
