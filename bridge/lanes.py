"""
Who may leave next: the deliveries of the shards that one process owns.

A lane is a first-in, first-out queue: the roots of one direction of a link, or the
replies of one thread. Lanes wait for nothing but their own head, a pause of their
target channel, for a thread the delivery of its root, and for reactions that of the
message they are about.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bridge.delivery import Delivery, Operation

_Message = tuple[str, str, str, str, str, str]


@dataclass(slots=True)
class Lanes:
    """
    In memory only: whatever it holds is rebuilt from the outbox at takeover.

    At most `at_once` lanes of one channel are busy at a time, so that a channel that
    does not answer leaves room for the others.
    """

    at_once: int = 8
    _lanes: dict[str, deque[Delivery]] = field(default_factory=dict)
    _known: set[tuple[str, int, int]] = field(default_factory=set)
    _busy: set[str] = field(default_factory=set)
    _ready: dict[str, None] = field(default_factory=dict)
    _timers: list[tuple[int, str]] = field(default_factory=list)
    _posts: Counter[_Message] = field(default_factory=Counter)
    _blocked: dict[_Message, set[str]] = field(default_factory=dict)
    _paused: dict[str, int] = field(default_factory=dict)
    _calling: Counter[str] = field(default_factory=Counter)
    _queueing: dict[str, dict[str, None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Queue deliveries, given in log order. Those known already are skipped."""
        for delivery in deliveries:
            if delivery.key in self._known:
                continue
            self._known.add(delivery.key)
            self._lanes.setdefault(delivery.lane, deque()).append(delivery)
            self._ready[delivery.lane] = None
            self._posts.update(_awaiting(delivery))

    def start(self, now_us: int) -> Iterator[Delivery]:
        """Yield every delivery that may leave now; its lane is busy from here on."""
        while self._timers and self._timers[0][0] <= now_us:
            self._ready[heapq.heappop(self._timers)[1]] = None
        for lane in list(self._ready):
            del self._ready[lane]
            queue = self._lanes.get(lane)
            if not queue or lane in self._busy:
                continue
            head = queue[0]
            until = max(head.not_before_us, self._paused.get(str(head.target), 0))
            if until > now_us:
                heapq.heappush(self._timers, (until, lane))
            elif (message := _awaited(head)) and self._posts[message] > 0:
                self._blocked.setdefault(message, set()).add(lane)
            elif self._calling[str(head.target)] >= self.at_once:
                self._queueing.setdefault(str(head.target), {})[lane] = None
            else:
                self._busy.add(lane)
                self._calling[str(head.target)] += 1
                yield head

    def finish(self, delivery: Delivery) -> None:
        """The delivery is over, one way or the other: the lane goes on."""
        if delivery.key not in self._known:
            return
        self._known.discard(delivery.key)
        self._lanes[delivery.lane].popleft()
        if not self._lanes[delivery.lane]:
            del self._lanes[delivery.lane]
        self._forget_post(delivery)
        self._free(delivery.lane, str(delivery.target))

    def again(self, delivery: Delivery) -> None:
        """Put a delivery back at the head of its lane, to leave at `not_before_us`."""
        if delivery.key in self._known:
            self._lanes[delivery.lane][0] = delivery
            self._free(delivery.lane, str(delivery.target))

    def pause(self, target: str, until_us: int) -> None:
        """Let nothing leave for a channel until then. Other channels go on."""
        self._paused[target] = max(until_us, self._paused.get(target, 0))

    def next_us(self) -> int | None:
        """Return when a waiting lane may go on by itself, if one waits for time."""
        return self._timers[0][0] if self._timers else None

    def hurry(self, link: str) -> None:
        """Look again at what waits on a link, because the link changed."""
        for lane, queue in self._lanes.items():
            # A lost answer is looked up after its time, link or no link.
            waits = lane not in self._busy and not queue[0].unknown_since_us
            if queue[0].link == link and waits:
                queue[0] = replace(queue[0], not_before_us=0)
                self._ready[lane] = None

    def drop(self, shards: Iterable[int]) -> None:
        """Forget everything of shards that have another owner now."""
        gone = set(shards)
        for lane in [k for k, q in self._lanes.items() if q[0].shard in gone]:
            target = str(self._lanes[lane][0].target)
            for delivery in self._lanes.pop(lane):
                self._known.discard(delivery.key)
                self._forget_post(delivery)
            self._free(lane, target)

    def waiting(self) -> Iterator[Delivery]:
        """Yield everything queued, busy or not."""
        for queue in self._lanes.values():
            yield from queue

    def _forget_post(self, delivery: Delivery) -> None:
        for message in _awaiting(delivery):
            self._posts[message] -= 1
            if self._posts[message] <= 0:
                del self._posts[message]
                for lane in self._blocked.pop(message, ()):
                    self._ready[lane] = None

    def _free(self, lane: str, target: str) -> None:
        if lane in self._busy:
            self._busy.discard(lane)
            self._calling[target] -= 1
            if self._calling[target] <= 0:
                del self._calling[target]
            # Those that wait for the channel go first, in the order they came.
            queueing: dict[str, None] = self._queueing.pop(target, {})
            for waiting in queueing:
                self._ready[waiting] = None
        self._ready.pop(lane, None)
        self._ready[lane] = None


def _awaiting(delivery: Delivery) -> Iterator[_Message]:
    """Yield what others wait for while this is not delivered."""
    if delivery.operation is Operation.POST:
        yield _message(delivery, delivery.message, "copy")
        if not delivery.thread:
            yield _message(delivery, delivery.message, "root")


def _awaited(delivery: Delivery) -> _Message | None:
    """Return what has to stand on the target first, if anything has to."""
    if delivery.operation is Operation.REACT:
        return _message(delivery, delivery.message, "copy")
    return _message(delivery, delivery.thread, "root") if delivery.thread else None


def _message(delivery: Delivery, message: str, use: str) -> _Message:
    return (
        delivery.tenant,
        delivery.link,
        str(delivery.source),
        str(delivery.target),
        message,
        use,
    )
