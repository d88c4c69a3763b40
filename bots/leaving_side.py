"""Put together what keeps things from leaving: rules, detectors, keys, the review list."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from bridge.errors import BadInput, StoreUnavailable
from bridge.leaving.files import FilesLeaving
from bridge.leaving.findings import taken_apart
from bridge.leaving.leaving import Leaving
from bridge.leaving.rules import Where
from policy.cedar.cases import Expected, Leaves
from policy.dlp.cases import fault, tried
from policy.dlp.inspector import Inspector
from policy.dlp.rulebook import DEFAULT, Prepared, prepared
from policy.dlp.version import detectors_version
from storage.compliance.acts import Acts
from storage.compliance.keys import Keyring
from storage.dead_letters import StoredDeadLetters
from storage.hot import HotStore
from storage.journal import Journal
from storage.leaving.desk import StoredFindings, StoredReleases, StoredReviews
from storage.leaving.rules import StoredRules
from storage.ledger import StoredLedger
from storage.links import StoredLinks

log = structlog.get_logger()

HASHES = "dlp"  # the purpose of the company's secret that values are hashed with
_LOOK = 1.0  # seconds until rules that another process published hold here


@dataclass(slots=True)
class CurrentRules:
    """Every company's rules as they were last read; `run` keeps them so."""

    stored: StoredRules
    _known: dict[str, tuple[int, Prepared]] = field(default_factory=dict)

    def of(self, tenant: str) -> Prepared:
        """Return a company's rules, or those that hold without any."""
        known = self._known.get(tenant)
        return known[1] if known else prepared(DEFAULT)

    async def read(self) -> None:
        """
        Read what is new. Raises `StoreUnavailable`.

        Rules that this version of ATOM cannot read do not replace those that hold.
        """
        # Done once, and long enough to keep the first message waiting.
        await asyncio.to_thread(prepared, DEFAULT)
        for tenant, newest in (await self.stored.newest()).items():
            if (known := self._known.get(tenant)) and known[0] >= newest:
                continue
            version = await self.stored.version(tenant, newest)
            if version is None:
                continue
            # Large dictionaries take their time.
            rules = await asyncio.to_thread(prepared, version.text)
            self._known[tenant] = (version.number, rules)

    async def run(self) -> None:
        """Keep them up to date until cancelled."""
        while True:
            await asyncio.sleep(_LOOK)
            try:
                await self.read()
            except (StoreUnavailable, BadInput) as error:
                log.warning("rules for what may leave not read", reason=str(error))


@dataclass(frozen=True, slots=True)
class LeavingOnRecord:
    """Implements `bots.policy_desk.LeavingRules`."""

    stored: StoredRules
    current: Callable[[str], Prepared]

    def leaves(self, tenant: str) -> Leaves:
        rules = self.current(tenant)

        def leaves(text: str, where: Where, expected: Expected) -> str:
            return fault(tried(rules, text, where), *expected)

        return leaves

    async def looked_at(self, tenant: str, name: str) -> str:
        rules, detectors = taken_apart(name)
        number = await self.stored.named(tenant, rules)
        which = f"version {number} of the rules for what may leave"
        if not number:
            default = rules == prepared(DEFAULT).name
            which = "ATOM's own rules" if default else f"rules {rules[:12]}"
        now = detectors_version()
        if not detectors:
            return f"{which}, by detectors of before they had versions (now {now})"
        same = "" if detectors == now else f" (now {now})"
        return f"{which}, by detectors {detectors}{same}"


@dataclass(frozen=True, slots=True)
class LeavingSide:
    """Everything about what may leave."""

    stored: StoredRules
    rules: CurrentRules
    inspector: Inspector
    leaving: Leaving
    files: FilesLeaving
    reviews: StoredReviews


@dataclass(slots=True)
class CompanyKeys:
    """The key that each company's values are hashed with, once it was asked for."""

    ring: Keyring
    _known: dict[str, bytes] = field(default_factory=dict, repr=False)

    async def of(self, tenant: str) -> bytes:
        """Return it. Raises `StoreUnavailable` while the company's keys are away."""
        if tenant not in self._known:
            try:
                company = await self.ring.company(tenant)
            except BadInput as error:
                # A key file that is away comes back; until then nothing is taken in.
                raise StoreUnavailable(str(error)) from error
            self._known[tenant] = company.secret(HASHES)
        return self._known[tenant]


def leaving_side(  # noqa: PLR0913 - each is a part of the database
    *,
    store: HotStore,
    ring: Keyring,
    journal: Journal,
    acts: Acts,
    links: StoredLinks,
    letters: StoredDeadLetters,
    ledger: StoredLedger,
) -> LeavingSide:
    """Build it on the database."""
    clock = acts.clock
    stored = StoredRules(store, acts, clock)
    rules = CurrentRules(stored)
    inspector = Inspector(rules.of, CompanyKeys(ring).of, clock)
    leaving = Leaving(inspector, links, StoredReleases(store))
    return LeavingSide(
        stored,
        rules,
        inspector,
        leaving,
        FilesLeaving(leaving, StoredFindings(journal, clock)),
        StoredReviews(letters, ledger, acts, clock),
    )
