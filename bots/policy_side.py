"""The policy that follows the directory, put together and kept up to date."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bots import metrics
from bots.commands.standard import NAMES
from bots.policy_desk import Desk
from bridge.access import Label
from bridge.directory.view import LiveDirectory
from bridge.errors import StoreUnavailable
from bridge.ports import LinkBook
from policy.cedar.engine import Engine
from policy.cedar.explaining import Explainer
from policy.default import MembershipPolicy
from storage.compliance.acts import Acts
from storage.hot import HotStore
from storage.log_reader import LogReader
from storage.policies.stored import StoredPolicies

log = structlog.get_logger()

_LOOK_EVERY = 1.0  # seconds until a version that another process published counts here


@dataclass(frozen=True, slots=True)
class PolicySide:
    """What decides, what explains it, and the desk at which it is changed."""

    engine: Engine
    desk: Desk
    explainer: Explainer
    companies: Sequence[str]

    def classification(self, tenant: str, channel: str) -> Label | None:
        """Return how a channel is classified; None if the company has no policy."""
        bundle = self.engine.bundle(tenant)
        return bundle.place(channel).classification if bundle else None

    async def follow(self) -> None:
        """Take over what other processes publish, for ever."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                for tenant in await self.desk.refresh(self.companies):
                    bundle = self.engine.bundle(tenant)
                    name = bundle.hash if bundle else ""
                    log.info("policy in force", tenant=tenant, hash=name)
            except StoreUnavailable as error:
                log.warning("policy not read", reason=str(error))


@dataclass(frozen=True, slots=True)
class Means:
    """What the policy stands on."""

    store: HotStore
    acts: Acts
    links: LinkBook
    reader: LogReader
    clock: Callable[[], int]


async def policy_side(
    means: Means, directory: LiveDirectory, companies: Sequence[str], stale_after: float
) -> PolicySide:
    """Build it, and load what is in force. Raises `StoreUnavailable`."""
    engine = Engine(
        directory, MembershipPolicy(), stale_after=int(stale_after), alarm=_alarm
    )
    desk = Desk(
        engine,
        directory,
        StoredPolicies(means.store, means.acts, means.clock),
        means.links,
        means.reader,
        NAMES,
        means.clock,
    )
    side = PolicySide(engine, desk, Explainer(engine, directory), tuple(companies))
    await desk.refresh(side.companies)
    return side


def _alarm(tenant: str, rule: str, what: str) -> None:
    """Say aloud that something was denied which should not have had to be."""
    metrics.POLICY_ALARMS.labels(rule).inc()
    log.error("policy alarm", tenant=tenant, rule=rule, reason=what)
