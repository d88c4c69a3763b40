"""Find out what became of a post whose answer was lost. Never post blindly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bridge.delivery import AttemptState, Delivery, Post
from bridge.errors import CannotTell, DeliveryFailed, Refused, Throttled
from bridge.messages import Platform
from bridge.ports import Ledger, Outcome, Sender
from bridge.setbacks import Setback, tried
from bridge.tuning import Tuning


@dataclass(frozen=True, slots=True)
class LostAnswers:
    """Looks posts up on their platforms, when it is time to."""

    ledger: Ledger
    senders: Mapping[Platform, Sender]
    clock: Callable[[], int]
    tuning: Tuning
    holding: bool = False

    def waits(self, delivery: Delivery) -> Setback | None:
        """Return until when it is too early to look, if it is."""
        # A time from a clock that was ahead is not waited for.
        now = self.clock()
        known_at = min(delivery.unknown_since_us, now)
        ready = known_at + self.tuning.reconcile_after_us
        if not delivery.not_before_us:
            # Taken over: whoever called may be waiting for the answer even now.
            ready = self.tuning.over_us(known_at, now)
        if now >= ready:
            return None
        return Setback(
            replace(delivery, unknown_since_us=known_at, not_before_us=ready)
        )

    async def look(self, delivery: Delivery, post: Post) -> str | Setback:
        """Return the id under which a post stands there, or how it goes on without."""
        since = min(delivery.unknown_since_us, self.clock()) - self.tuning.clock_skew_us
        # Further back than the search: who made a copy may have a clock that is behind.
        known = await self.ledger.known(
            delivery.tenant, delivery.target, since - self.tuning.clock_skew_us
        )
        try:
            sender = self.senders[delivery.target.platform]
            remote = await sender.find(post, since, known)
        except (CannotTell, Refused) as unknown:
            if isinstance(unknown, Refused) and unknown.cause and self.holding:
                later = self._later(delivery, self.tuning.first_pause_us)
                return replace(later, cause=unknown.cause)
            return Setback(delivery, Outcome(AttemptState.PARKED, str(unknown)))
        except Throttled as wait:
            return self._later(delivery, int(wait.retry_after * 1_000_000))
        except DeliveryFailed:
            return self._later(delivery, self.tuning.reconcile_after_us)
        if remote is None:
            reason = "the platform never got it"
            return tried(delivery, reason, self.clock(), self.tuning)
        return remote

    def _later(self, delivery: Delivery, pause_us: int) -> Setback:
        return Setback(replace(delivery, not_before_us=self.clock() + pause_us))
