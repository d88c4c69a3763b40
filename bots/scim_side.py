"""The SCIM server, put together, and how the directory follows what it is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bots.directory_side import DirectorySide
from bots.settings_scim import ScimSettings
from bots.syncing import Outcome
from bots.web.scim.pages import ScimPages
from bridge.directory.frozen import Frozen
from bridge.directory.model import Reading
from bridge.directory.scim import Receipt
from bridge.directory.scim_server import ScimAnswer, ScimRequest, ScimServer
from bridge.errors import StoreUnavailable
from bridge.ports import Limiter
from policy.directory.scim.mapping import SOURCE, Translation
from policy.directory.scim.source import ScimSource
from storage.compliance.acts import Acts
from storage.hot import HotStore
from storage.scim.resources import StoredScim
from storage.scim.tokens import StoredTokens


@dataclass(frozen=True, slots=True)
class Followed:
    """
    Implements `bridge.directory.scim.Receives`: the directory follows at once.

    A company whose directory has no source of the kind `scim` has its users and groups
    kept all the same; they count for nothing.
    """

    directory: DirectorySide
    store: StoredScim
    settings: ScimSettings

    @property
    def translation(self) -> Translation:
        return Translation(
            self.settings.role_names,
            self.settings.external_id,
            admin_roles=self.settings.admin_roles,
            source=source_name(self.directory) or SOURCE,
        )

    @property
    def source(self) -> ScimSource:
        return ScimSource(self.directory.tenant, self.store, self.translation)

    async def receive(self, tenant: str, reading: Reading) -> Receipt:
        if not self.follows(tenant):
            return Receipt()
        try:
            outcome = await self.directory.push(tenant, reading)
            # Another process may have handed over something newer before this.
            async for newer in self.source.read(reading.cursor):
                if newer.entries or newer.gone:
                    await self.directory.push(tenant, newer)
        except StoreUnavailable:
            # It is stored, and read from there as soon as the database takes it.
            return Receipt(held="the directory follows in a moment")
        return Receipt(str(outcome.version), _held(reading, outcome))

    def follows(self, tenant: str) -> bool:
        """Say whether what is pushed for a company counts."""
        return self.directory.tenant == tenant and bool(source_name(self.directory))


def source_name(directory: DirectorySide) -> str:
    """Return what the directory calls its source of this kind; empty without one."""
    several = directory.settings.all_sources
    return next((each.name for each in several if each.kind == "scim"), "")


def _held(reading: Reading, outcome: Outcome) -> str:
    """Return why some of a reading waits for an admin's word; empty if none does."""
    told = {entry.id for entry in reading.entries} | {gone.id for gone in reading.gone}
    edges = {(e.member, e.group) for e in (*reading.joined, *reading.left)}

    def concerns(frozen: Frozen) -> bool:
        return any(
            (change.id, change.group) in edges
            or (not change.group and change.id in told)
            for change in frozen.changes
        )

    reasons = [each.reason for each in outcome.frozen if concerns(each)]
    return "; ".join(reason or "it waits" for reason in reasons)


@dataclass(frozen=True, slots=True)
class ScimSide:
    """What the server keeps, and where changes of it go."""

    settings: ScimSettings
    store: StoredScim
    tokens: StoredTokens
    followed: Followed

    def source(self) -> ScimSource:
        """Return what identity providers pushed, as a source of the directory's."""
        return self.followed.source

    def pages(self, limiter: Limiter) -> ScimPages:
        """Return what serves `/scim/v2`."""
        return ScimPages(
            OnceAsked(self._server),
            self.tokens,
            limiter,
            self.settings.per_minute,
            self.settings.url,
        )

    def _server(self) -> ScimServer:
        from policy.directory.scim.brake import Brake
        from policy.directory.scim.server import ScimEndpoints
        from policy.directory.scim.service import ScimService

        service = ScimService(
            self.store,
            self.followed,
            self.store.allowed,
            self.followed.translation,
            Brake(self.settings.few, self.settings.percent),
        )
        return ScimEndpoints(service)


@dataclass(slots=True)
class OnceAsked:
    """
    Implements `ScimServer`, by one that is made when somebody asks first.

    RFC 7643's definitions are a tenth of what all of ATOM takes to start, and most
    companies have no provider that pushes.
    """

    make: Callable[[], ScimServer]
    made: ScimServer | None = None
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer(self, request: ScimRequest) -> ScimAnswer:
        async with self._making:
            if self.made is None:
                # Beside the event loop: messages go on meanwhile.
                self.made = await asyncio.to_thread(self.make)
        return await self.made.answer(request)


def scim_side(
    settings: ScimSettings,
    store: HotStore,
    acts: Acts,
    clock: Callable[[], int],
    directory: DirectorySide,
) -> ScimSide:
    kept = StoredScim(store, clock)
    return ScimSide(
        settings,
        kept,
        StoredTokens(store, acts, clock),
        Followed(directory, kept, settings),
    )
