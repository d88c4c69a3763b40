"""Where lanes wait for room in a bucket, and whose turn it is when there is some."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

# After a pause one lane tries, then two, then four, so that few ask in vain.
PACE_US = 50_000
_WIDEST = 64


@dataclass(slots=True)
class Gate:
    """
    Lanes queue here in the order they came, but channels take turns.

    At most `most` lanes that passed may be out at a time.
    """

    most: int
    _out: int = 0
    _until_us: int = 0
    _width: int = 0  # how many pass in the next round; 0 when all may
    _left: int = 0
    _round_us: int = 0
    _queue: OrderedDict[str, OrderedDict[str, None]] = field(
        default_factory=OrderedDict
    )

    def has_room(self, now_us: int) -> bool:
        """Whether one more may pass now."""
        if self._until_us > now_us or self._out >= self.most:
            return False
        if self._width and self._round_us <= now_us:
            self._begin_round(now_us)
        return not self._width or self._left > 0

    def enter(self) -> None:
        self._out += 1
        self._left -= 1

    def leave(self) -> None:
        self._out -= 1

    def close(self, until_us: int) -> None:
        """Let nobody pass until then, and few at a time afterwards."""
        self._until_us = max(self._until_us, until_us)
        self._width, self._left, self._round_us = 1, 0, 0

    def turn_back(self, by_us: int) -> None:
        """Open so much earlier: the clock was ahead and was put right."""
        self._until_us -= by_us
        self._round_us -= by_us

    def wait(self, channel: str, lane: str, *, first: bool = False) -> None:
        """Queue a lane. One that had its turn in vain is the first again."""
        lanes = self._queue.setdefault(channel, OrderedDict())
        lanes.setdefault(lane)
        if first:
            lanes.move_to_end(lane, last=False)
            self._queue.move_to_end(channel, last=False)

    def turns(self, now_us: int) -> Iterator[str]:
        """Yield waiting lanes as long as there is room; each leaves the queue."""
        while self._queue and self.has_room(now_us):
            channel, lanes = self._queue.popitem(last=False)
            lane, _ = lanes.popitem(last=False)
            if lanes:
                self._queue[channel] = lanes
            yield lane

    def opens_us(self) -> int:
        """Return when there may be room again, as far as only time has to pass."""
        return max(self._until_us, self._round_us if self._width else 0)

    def is_idle(self, now_us: int) -> bool:
        """Whether nothing is lost if it is forgotten."""
        return not self._queue and not self._out and self.opens_us() <= now_us

    def _begin_round(self, now_us: int) -> None:
        if self._width > _WIDEST:
            self._width = 0
            return
        self._left = self._width
        self._width *= 2
        self._round_us = now_us + PACE_US
