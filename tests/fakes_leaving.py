"""In-memory stand-ins for what keeps things from leaving."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.leaving.review import Waiting


@dataclass
class FakeReviews:
    """Remembers who decided what."""

    held: list[Waiting] = field(default_factory=list)
    decided: list[tuple[str, str, str]] = field(default_factory=list)

    async def waiting(self, tenant: str) -> Sequence[Waiting]:
        return [one for one in self.held if one.letter.delivery.tenant == tenant]

    async def release(self, waiting: Waiting, actor: str) -> None:
        self.decided.append(("release", waiting.number, actor))
        self.held.remove(waiting)

    async def refuse(self, waiting: Waiting, actor: str) -> None:
        self.decided.append(("refuse", waiting.number, actor))
        self.held.remove(waiting)
