"""Which key-encryption keys the settings ask for."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bots.settings import KeySettings, Settings
from bridge.errors import BadInput
from bridge.keys import KeyEncryption
from storage.compliance.keys import KeyFile, Keyring
from storage.hot import HotStore


@asynccontextmanager
async def keyring(settings: Settings, store: HotStore) -> AsyncIterator[Keyring]:
    """
    Build the ring: new versions where the settings say.

    Versions that were made elsewhere before are found there, as long as that is set.
    Raises `BadInput` if the HSM's module is not where the settings say.
    """
    async with AsyncExitStack() as stack:
        found: list[KeyEncryption] = [KeyFile.under(settings.home)]
        found += await _elsewhere(settings.keys, stack)
        chosen = [kek for kek in found if kek.provider == settings.keys.provider]
        others = tuple(kek for kek in found if kek not in chosen)
        yield Keyring(store, chosen[0], others)


async def _elsewhere(
    settings: KeySettings, stack: AsyncExitStack
) -> list[KeyEncryption]:
    # Both libraries take a moment to import, which most installations need not spend.
    found: list[KeyEncryption] = []
    if settings.module and settings.pin:
        from storage.compliance.keys.hsm import HsmKeys

        _there(settings.module)
        pin = settings.pin.get_secret_value()
        hsm = HsmKeys(settings.module, settings.token, pin)
        stack.callback(hsm.close)
        found.append(hsm)
    if settings.url and settings.secret:
        from storage.compliance.keys.kms import kms_keys

        secret = settings.secret.get_secret_value()
        found.append(await stack.enter_async_context(kms_keys(settings.url, secret)))
    return found


def _there(module: Path) -> None:
    # The HSM is asked when a key of its own is wanted, which may be long after the start.
    # A bare name is looked for where the system keeps its libraries.
    if len(module.parts) > 1 and not module.is_file():
        raise BadInput(f"ATOM_KEYS_MODULE names {module}, which is no file: correct it")
