"""
What is shown to one person after a click, for platforms that cannot wait for it.

Slack waits three seconds and Teams five or fifteen; a business system may take nine.
So what the desk shows is collected here, and the platform's side looks how far it is:
it answers in time with what there is, and brings the rest later.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog

from bridge.cards import Card, Tone
from bridge.errors import AtomError
from bridge.records.asking import stands_in
from bridge.records.cards import RecordCard
from bridge.records.forms import Form
from bridge.records.places import Shown

log = structlog.get_logger()

FAILED = Card("That did not work", "Something went wrong inside ATOM.", Tone.BAD)
TOO_SLOW = Card(
    "That takes too long",
    "ATOM gave up waiting. Look at the record itself before you try again.",
    Tone.BAD,
)

FORGOTTEN = "ATOM does not know that any more: it may have been started anew. Please begin again."
BEGIN_AGAIN = (
    "If nothing comes within a minute, please begin again: what was done is not done "
    "twice."
)

_WITHIN = 60.0  # seconds for whatever was asked
_KEPT_TALKS = 2_000
_KEPT_FORMS = 5_000


@dataclass(frozen=True, slots=True)
class ShowCard:
    """A card that the person alone sees."""

    card: RecordCard | Card


@dataclass(frozen=True, slots=True)
class ShowForm:
    """A form to be filled in."""

    form: Form
    token: str


@dataclass(frozen=True, slots=True)
class ShowWrong:
    """What is wrong with what was entered, by input id and as a whole."""

    reason: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShowText:
    """One line, after which there is nothing more to do."""

    text: str


@dataclass(frozen=True, slots=True)
class ShowNothing:
    """It is over, and there was nothing to say: the cards themselves show it."""


Showing: TypeAlias = ShowCard | ShowForm | ShowWrong | ShowText | ShowNothing


@dataclass(slots=True)
class Talk:
    """
    Implements `bridge.records.places.Shown`, and lets the platform wait for it.

    `owner` is the person: nobody else is shown what is in it.
    """

    owner: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _shown: list[Showing] = field(default_factory=list)
    _over: bool = False
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def card(self, card: RecordCard | Card) -> None:
        await self._show(ShowCard(card))

    async def form(self, form: Form, token: str) -> None:
        await self._show(ShowForm(form, token))

    async def wrong(self, reason: str, fields: dict[str, str]) -> None:
        await self._show(ShowWrong(reason, dict(fields)))

    async def finished(self, text: str) -> None:
        await self._show(ShowText(text))

    async def run(self, work: Awaitable[None], within: float = _WITHIN) -> None:
        """Let the desk do what was asked. However it ends, something can be shown."""
        try:
            async with asyncio.timeout(within):
                await work
        except TimeoutError:
            await self._show(ShowCard(TOO_SLOW))
        except AtomError as error:
            await self._show(ShowText(str(error)))
        except Exception:  # the outermost frame of what somebody asked for
            log.exception("record request failed")
            await self._show(ShowCard(FAILED))
        finally:
            async with self._news:
                self._over = True
                self._news.notify_all()

    async def next(self, seen: int, within: float | None) -> Showing | None:
        """
        Return what is shown latest, once more than `seen` things are.

        None if that takes longer than `within` seconds.
        """
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: self._over or len(self._shown) > seen)
        except TimeoutError:
            return None
        if len(self._shown) > seen:
            return self._shown[-1]
        return ShowNothing()

    @property
    def count(self) -> int:
        """How many things were shown."""
        return len(self._shown)

    async def _show(self, showing: Showing) -> None:
        async with self._news:
            self._shown.append(showing)
            self._news.notify_all()


@dataclass(slots=True)
class Talks:
    """
    The talks of this process, and the forms that stand open.

    Both are forgotten, oldest first, when there are many, and when the process ends:
    whoever comes back then is asked to begin again, and nothing was lost but that.
    """

    _talks: OrderedDict[str, Talk] = field(default_factory=OrderedDict)
    _forms: OrderedDict[str, Form] = field(default_factory=OrderedDict)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def begin(self, owner: str, work: Callable[[Shown], Awaitable[None]]) -> Talk:
        """Begin what a person asked for; it goes on whoever waits for it."""
        talk = Talk(owner)
        _kept(self._talks, talk.id, talk, _KEPT_TALKS)
        _ = self.hold(talk.run(work(talk)))
        return talk

    def find(self, id_: str, owner: str) -> Talk | None:
        talk = self._talks.get(id_)
        return talk if talk and talk.owner == owner else None

    def keep(self, token: str, form: Form) -> None:
        """Remember a form while it stands open, to show it again with what is wrong."""
        _kept(self._forms, token, form, _KEPT_FORMS)

    def form(self, token: str) -> Form | None:
        return self._forms.get(token)

    def is_forgotten(self, token: str, values: Mapping[str, str]) -> bool:
        """Whether values would be written that only a form which is gone can tell."""
        return token not in self._forms and stands_in(values)

    def hold(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background, and keep hold of it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Give up what is not answered yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _kept(kept: OrderedDict[str, Any], key: str, value: object, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
