"""
Who may leave next: the deliveries of the shards that one process owns.

A lane is a first-in, first-out queue: the roots of one direction of a link, or the
replies of one thread. Lanes wait for nothing but their own head, the gates of the
buckets that it counts in, for a thread the delivery of its root, and for reactions
that of the message they are about.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice

from bridge.delivery import Delivery, Operation
from bridge.gates import Gate

_Message = tuple[str, str, str, str, str, str]
_NO_LIMIT = 1 << 30
_MOST_COMPANIONS = 64


def channel_alone(delivery: Delivery) -> Sequence[str]:
    """Return the one gate of a delivery that shares no limit with other channels."""
    return (str(delivery.target),)


@dataclass(slots=True)
class Lanes:
    """
    In memory only: whatever it holds is rebuilt from the outbox at takeover.

    `gates_of` names the gates that a delivery passes, its channel's first. At most
    `at_once` lanes of one channel are busy at a time, so that a channel that does not
    answer leaves room for the others.
    """

    at_once: int = 8
    gates_of: Callable[[Delivery], Sequence[str]] = channel_alone
    _lanes: dict[str, deque[Delivery]] = field(default_factory=dict)
    _known: set[tuple[str, int, int]] = field(default_factory=set)
    _busy: dict[str, Sequence[str]] = field(default_factory=dict)
    _stale: set[str] = field(default_factory=set)
    _ready: dict[str, None] = field(default_factory=dict)
    _timers: list[tuple[int, int, str, str]] = field(default_factory=list)
    _tickets: Iterator[int] = field(default_factory=count)
    _posts: Counter[_Message] = field(default_factory=Counter)
    _blocked: dict[_Message, set[str]] = field(default_factory=dict)
    _gates: dict[str, Gate] = field(default_factory=dict)
    _opened: dict[str, None] = field(default_factory=dict)
    _alarms: dict[str, int] = field(default_factory=dict)
    _crowded: set[str] = field(default_factory=set)
    _seen_us: int = 0

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
            if delivery.throttled:
                # The platform meant the channel, and said so to an earlier owner.
                self.pause(str(delivery.target), delivery.not_before_us)
                self._crowded.add(delivery.lane)
            self._posts.update(_awaiting(delivery))

    def start(self, now_us: int) -> Iterator[Delivery]:
        """Yield every delivery that may leave now; its lane is busy from here on."""
        if now_us < self._seen_us:
            self._turn_back(self._seen_us - now_us)
        self._seen_us = now_us
        while self._timers and self._timers[0][0] <= now_us:
            _, _, lane, gate = heapq.heappop(self._timers)
            (self._opened if gate else self._ready)[gate or lane] = None
        for lane in self._turns(now_us):
            queue = self._lanes.get(lane)
            if not queue or lane in self._busy:
                continue
            head = queue[0]
            if head.not_before_us > now_us:
                self._set_timer(head.not_before_us, lane=lane)
            elif (message := _awaited(head)) and self._posts[message] > 0:
                self._blocked.setdefault(message, set()).add(lane)
            elif self._passes(head, now_us):
                yield head

    def _turns(self, now_us: int) -> Iterator[str]:
        """Yield lanes to look at: those that wait go before those that come."""
        for name in list(self._opened):
            del self._opened[name]
            if gate := self._gates.get(name):
                yield from gate.turns(now_us)
                self._look_after(name, gate, now_us)
        for lane in list(self._ready):
            self._ready.pop(lane, None)
            yield lane

    def _passes(self, head: Delivery, now_us: int) -> bool:
        """Let the head through all of its gates, or queue its lane at one of them."""
        names = self.gates_of(head)
        for n, name in enumerate(names):
            gate = self._gate(name, self.at_once if n == 0 else _NO_LIMIT)
            if not gate.has_room(now_us):
                if gate.opens_us() > now_us:
                    self._crowded.add(head.lane)
                gate.wait(str(head.target), head.lane)
                self._look_after(name, gate, now_us)
                return False
        for name in names:
            self._gates[name].enter()
        self._busy[head.lane] = names
        return True

    def _gate(self, name: str, most: int) -> Gate:
        return self._gates.setdefault(name, Gate(most))

    def _look_after(self, name: str, gate: Gate, now_us: int) -> None:
        """Come back to a gate when it may open, and forget one that is not needed."""
        if gate.is_idle(now_us):
            del self._gates[name]
            self._alarms.pop(name, None)
            return
        opens = gate.opens_us()
        if opens > now_us and opens != self._alarms.get(name):
            self._alarms[name] = opens
            self._set_timer(opens, gate=name)

    def _set_timer(self, us: int, *, lane: str = "", gate: str = "") -> None:
        # The ticket keeps those that are due together in the order they came.
        heapq.heappush(self._timers, (us, next(self._tickets), lane, gate))

    def companions(self, head: Delivery) -> tuple[Delivery, ...]:
        """
        Return what waits behind the head of a crowded lane, the next first.

        A lane is crowded when its head had to wait for a gate that only time opens.
        """
        queue = self._lanes.get(head.lane)
        if head.lane not in self._crowded or not queue or queue[0].key != head.key:
            return ()
        return tuple(islice(queue, 1, _MOST_COMPANIONS))

    def finish(self, delivery: Delivery, also: Iterable[Delivery] = ()) -> None:
        """
        The delivery is over, one way or the other: the lane goes on.

        So are those of its lane that ended with it.
        """
        if delivery.key not in self._known:
            return
        over = {each.key for each in (delivery, *also)}
        queue = self._lanes.pop(delivery.lane)
        if left := deque(each for each in queue if each.key not in over):
            self._lanes[delivery.lane] = left
        for each in (delivery, *also):
            self._known.discard(each.key)
            self._forget_post(each)
        self._crowded.discard(delivery.lane)
        self._free(delivery.lane)

    def again(self, delivery: Delivery, *, full: str = "") -> None:
        """
        Put a delivery back at the head of its lane, to leave at `not_before_us`.

        If it was turned away by a bucket that is `full`, nothing passes that gate
        until then, and afterwards it is its turn.
        """
        if delivery.key not in self._known:
            return
        if delivery.lane in self._stale and not (full or delivery.unknown_since_us):
            # It may have looked at the link as it was before.
            delivery = replace(delivery, not_before_us=0)
        self._lanes[delivery.lane][0] = delivery
        self._free(delivery.lane)
        if full:
            self._crowded.add(delivery.lane)
            gate = self._gate(full, self.at_once)
            gate.wait(str(delivery.target), delivery.lane, first=True)
            del self._ready[delivery.lane]
            self.pause(full, delivery.not_before_us)

    def pause(self, name: str, until_us: int) -> None:
        """Let nothing pass a gate until then. Whatever does not pass it goes on."""
        gate = self._gate(name, self.at_once)
        gate.close(until_us)
        self._look_after(name, gate, 0)

    def closed_until(self, name: str) -> int:
        """Return until when nothing passes a gate, as far as that is known."""
        gate = self._gates.get(name)
        return gate.opens_us() if gate else 0

    def next_us(self) -> int | None:
        """Return when a waiting lane may go on by itself, if one waits for time."""
        return self._timers[0][0] if self._timers else None

    def hurry(self, link: str) -> None:
        """Look again at what waits on a link, because the link changed."""
        for lane, queue in self._lanes.items():
            if queue[0].link != link:
                continue
            if lane in self._busy:
                self._stale.add(lane)
            elif not queue[0].unknown_since_us:
                # A lost answer is looked up after its time, link or no link.
                queue[0] = replace(queue[0], not_before_us=0)
                self._ready[lane] = None

    def drop(self, shards: Iterable[int]) -> None:
        """Forget everything of shards that have another owner now."""
        gone = set(shards)
        for lane in [k for k, q in self._lanes.items() if q[0].shard in gone]:
            for delivery in self._lanes.pop(lane):
                self._known.discard(delivery.key)
                self._forget_post(delivery)
            self._crowded.discard(lane)
            self._free(lane)

    def waiting(self) -> Iterator[Delivery]:
        """Yield everything queued, busy or not."""
        for queue in self._lanes.values():
            yield from queue

    def _turn_back(self, by_us: int) -> None:
        """
        The clock was ahead and was put right: what waits, waits no longer for it.

        Every moment that is waited for was told by the clock that was ahead, or is
        long past; so it moves back with it.
        """
        self._timers = [
            (until - by_us, ticket, lane, gate)
            for until, ticket, lane, gate in self._timers
        ]
        self._alarms = {name: until - by_us for name, until in self._alarms.items()}
        for gate in self._gates.values():
            gate.turn_back(by_us)
        for lane, queue in self._lanes.items():
            head = queue[0]
            if lane not in self._busy and head.not_before_us:
                until = max(1, head.not_before_us - by_us)
                queue[0] = replace(head, not_before_us=until)

    def _forget_post(self, delivery: Delivery) -> None:
        for message in _awaiting(delivery):
            self._posts[message] -= 1
            if self._posts[message] <= 0:
                del self._posts[message]
                for lane in self._blocked.pop(message, ()):
                    self._ready[lane] = None

    def _free(self, lane: str) -> None:
        self._stale.discard(lane)
        for name in self._busy.pop(lane, ()):
            self._gates[name].leave()
            self._opened[name] = None
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
