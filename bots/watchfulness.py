"""What the operator changes is on record, and silence is seen: settings, starts, age."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Gauge
from pydantic import SecretStr

from bots.core import Core, clock_us
from bots.settings import Settings
from bridge.errors import AtomError
from storage.compliance.rights.watching import Watching

log = structlog.get_logger()

_FIRST_LOOK = 60.0
_HOUR = 3600.0

UNSIGNED = Gauge(
    "atom_checkpoint_age_seconds",
    "Since the company's log was last signed; above 60 nobody signs it",
    ["company"],
)
# What differs between processes of one deployment, or says where they are.
_OWN = {"host", "port", "home"}


def settings_of(settings: Settings) -> dict[str, str]:
    """Return every setting that was chosen, by name, with secrets in the open."""
    return dict(_flat(settings.model_dump(exclude=_OWN, exclude_none=True)))


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        elif isinstance(value, SecretStr):
            yield f"{above}{name}", value.get_secret_value()
        else:
            yield f"{above}{name}", str(value)


@dataclass(slots=True)
class Watchfulness:
    """Writes starts and stops down, and shows how old the newest checkpoint is."""

    core: Core
    refresh_others: Callable[[], Awaitable[None]]
    _watching: Watching = field(init=False)

    def __post_init__(self) -> None:
        core = self.core
        self._watching = Watching(core.database.hot, core.ring, core.acts, clock_us)

    async def start(self) -> None:
        """Note the start in every company's log. Raises `StoreUnavailable`."""
        settings = settings_of(self.core.settings)
        for tenant in await self.core.company_ids():
            if changed := await self._watching.started(tenant, settings):
                log.info("settings changed", company=tenant, names=changed)

    async def run(self) -> None:
        """Open the impact assessments that something new takes, every hour."""
        pause = _FIRST_LOOK
        while True:
            await asyncio.sleep(pause)
            pause = _HOUR
            try:
                for tenant in await self.core.company_ids():
                    links = await self.core.links.all(tenant)
                    for opened in await self.core.register.look(tenant, links):
                        log.info("assessment opened", company=tenant, id=opened.id)
            except AtomError as error:
                log.warning("no look at assessments", reason=str(error))

    async def stop(self) -> None:
        """Note the stop, if the database still takes it: stopping goes on anyway."""
        try:
            for tenant in await self.core.company_ids():
                await self._watching.stopped(tenant)
        except AtomError as error:
            log.warning("the stop is not on record", reason=str(error))

    async def refresh(self) -> None:
        """Bring the figures up to date. What is not known is not shown."""
        await self.refresh_others()
        UNSIGNED.clear()
        try:
            for tenant in await self.core.company_ids():
                age = await self._watching.silent_us(tenant)
                UNSIGNED.labels(tenant).set(age / 1_000_000)
        except AtomError as error:
            log.warning("no age of checkpoints", reason=str(error))
