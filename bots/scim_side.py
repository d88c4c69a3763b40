"""The SCIM server, put together."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bots.settings_scim import ScimSettings
from bots.web.scim.pages import ScimPages
from bots.web.scim.throttle import Throttle
from bridge.directory.model import Reading
from bridge.directory.scim import Receipt
from policy.directory.scim.brake import Brake
from policy.directory.scim.mapping import Translation
from policy.directory.scim.server import ScimEndpoints
from policy.directory.scim.service import ScimService
from policy.directory.scim.source import ScimSource
from storage.compliance.acts import Acts
from storage.hot import HotStore
from storage.scim.resources import StoredScim
from storage.scim.tokens import StoredTokens


@dataclass(slots=True)
class Followed:
    """
    Implements `bridge.directory.scim.Receives`: companies' sources hear of changes.

    What changed is stored by then, so a source that hears nothing reads it later.
    """

    sources: dict[str, ScimSource] = field(default_factory=dict)

    async def receive(self, tenant: str, reading: Reading) -> Receipt:
        if source := self.sources.get(tenant):
            source.changed.set()
        return Receipt(reading.cursor.decode())


@dataclass(frozen=True, slots=True)
class ScimSide:
    """What the server keeps, and where changes of it go."""

    settings: ScimSettings
    store: StoredScim
    tokens: StoredTokens
    followed: Followed

    @property
    def translation(self) -> Translation:
        return Translation(
            self.settings.role_names,
            self.settings.external_id,
            admin_roles=self.settings.admin_roles,
        )

    def source(self, tenant: str) -> ScimSource:
        """Return what a company's identity provider pushed, as a source."""
        if tenant not in self.followed.sources:
            made = ScimSource(tenant, self.store, self.translation)
            self.followed.sources[tenant] = made
        return self.followed.sources[tenant]

    def pages(self, steady: Callable[[], int]) -> ScimPages:
        """Return what serves `/scim/v2`; `steady` are microseconds that never go back."""
        service = ScimService(
            self.store,
            self.followed,
            self.store.allowed,
            self.translation,
            Brake(self.settings.few, self.settings.percent),
        )
        throttle = Throttle(steady, self.settings.per_minute)
        return ScimPages(
            ScimEndpoints(service), self.tokens, throttle, self.settings.url
        )


def scim_side(
    settings: ScimSettings, store: HotStore, acts: Acts, clock: Callable[[], int]
) -> ScimSide:
    return ScimSide(
        settings, StoredScim(store, clock), StoredTokens(store, acts, clock), Followed()
    )
