"""Does what the steps say to a real ATOM and its sandbox, and judges by the model."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bots.core import Core
from bridge.links import Link, LinkState
from tests.e2e.test_kills import STEPS as WHERE_TO_DIE
from tests.e2e.world import COMPANY, FALCON, PROJECT, World
from tests.soak.model import EMOJI, Chosen, Said, Side, name_of, text_of, wrongs
from tests.soak.seen import seen
from tests.soak.steps import Step

_PEOPLE = {
    Side.SLACK: ("U01ALICE", "U02BOB", "U03CHEN"),
    Side.TEAMS: ("29:carol", "29:dave", "29:erin"),
}
_CALLS = {
    # Not `users.info`: a lost answer to a post that did not know its author's name yet
    # cannot be told from another's, and is parked.
    Side.SLACK: (
        "chat.*",
        "chat.postMessage",
        "reactions.*",
        "conversations.*",
        "files.*",
        "upload",
        "download",
    ),
    Side.TEAMS: ("post", "reply", "update", "delete", "graph*", "token", "download"),
}
_ANSWERS = ("429", "500", "503", "reset", "500_after", "502_after", "reset_after")
_DELIVERIES = ("duplicate", "reorder", "delay")
_DEAD_FOR = 8  # steps at most
_SETTLES_WITHIN = 60.0  # seconds
_LOG = 100_000


T = TypeVar("T")


class Wrong(AssertionError):
    """What stands there is not what has to."""


@dataclass
class Driver:
    """
    One world with its people.

    `fleet` are the processes that share it. Nobody waits for anything but where it
    says so. `happened` counts what came about: not every step can be done.
    """

    fleet: Sequence[World]
    built: Core
    link: Link
    said: list[Said] = field(default_factory=list)
    linked: bool = True
    deaf: bool = False
    dead: dict[int, int] = field(default_factory=dict)
    done: int = 0
    happened: Counter[str] = field(default_factory=Counter)

    @property
    def here(self) -> World:
        return self.fleet[0]

    async def run(self, steps: Sequence[Step]) -> None:
        """Do every step, and settle at the end. Raises `Wrong`."""
        for step in steps:
            await self._look_after_the_dead()
            await self._do(step)
            self.done += 1
        await self.settle()

    async def _do(self, step: Step) -> None:
        acts: Mapping[str, Callable[[Step], Awaitable[None]]] = {
            "post": self._post,
            "burst": self._burst,
            "upload": self._upload,
            "reply": self._reply,
            "broadcast": self._broadcast,
            "edit": self._edit,
            "delete": self._delete,
            "undelete": self._undelete,
            "react": self._react,
            "unreact": self._unreact,
            "deliver badly": self._deliver_badly,
            "answer badly": self._answer_badly,
            "kill": self._kill,
            "go deaf": self._go_deaf,
            "pause": self._pause,
            "resume": self._resume,
            "relink": self._relink,
            "settle": lambda _: self.settle(),
        }
        await acts[step.action](step)

    async def _post(self, step: Step) -> None:
        await self._say(step.side, _pick(_PEOPLE[step.side], step.detail))

    async def _burst(self, step: Step) -> None:
        """Let somebody say so much in a row that it may cross in one."""
        for _ in range(3 + step.which % 4):
            await self._post(step)

    async def _upload(self, step: Step) -> None:
        """Let somebody attach a file, to a message or to an answer."""
        if step.which % 2:
            await self._reply(step, file=True)
        else:
            author = _pick(_PEOPLE[step.side], step.detail)
            await self._say(step.side, author, file=True)

    async def _broadcast(self, step: Step) -> None:
        """Let somebody in Slack answer in a thread, and show it to the channel."""
        step = replace(step, side=Side.SLACK)
        if not any(s.side is Side.SLACK for s in self._roots()):
            await self._post(step)
        own = [s for s in self._roots() if s.side is Side.SLACK]
        root, author = _pick(own, step.which), _pick(_PEOPLE[step.side], step.detail)
        await self._say(Side.SLACK, author, root, root.id, broadcast=True)
        self.happened["broadcast"] += 1

    async def _reply(self, step: Step, *, file: bool = False) -> None:
        roots = self._roots()
        if not roots:
            return await self._post(step)
        root = _pick(roots, step.which)
        thread = root.id if root.side is step.side else self._copy_id(root)
        if not thread:
            return await self._post(step)
        author = _pick(_PEOPLE[step.side], step.detail)
        return await self._say(step.side, author, root, thread, file=file)

    async def _say(
        self,
        side: Side,
        author: str,
        root: Said | None = None,
        thread: str = "",
        *,
        file: bool = False,
        broadcast: bool = False,
    ) -> None:
        n = len(self.said) + 1
        action = "reply" if root else "post"
        if broadcast:
            action = "broadcast"
        more = {"text": text_of(n, 1), "user": author}
        if file:
            action = "upload"
            self.happened["upload"] += 1
            more |= {"name": f"{name_of(n)}.txt", "content": name_of(n)}
        if root:
            more["thread_ts" if side is Side.SLACK else "thread"] = thread
        act = self.here.slack if side is Side.SLACK else self.here.teams
        made = await act(action, **more)
        said = Said(n, side, made, author, root, crosses=self.linked, file=file)
        self.said.append(said)

    async def _edit(self, step: Step) -> None:
        if not (said := self._one_of(step)):
            return
        said.revision += 1
        more = {"text": said.text, "user": said.author}
        if said.side is Side.SLACK:
            await self.here.slack("edit", ts=said.id, **more)
        else:
            await self.here.teams("edit", message=said.id, **more)

    async def _delete(self, step: Step) -> None:
        if not (said := self._one_of(step)):
            return
        said.deleted = True
        if said.side is Side.SLACK:
            await self.here.slack("delete", ts=said.id, user=said.author)
        else:
            await self.here.teams("delete", message=said.id, user=said.author)

    async def _undelete(self, step: Step) -> None:
        """Let somebody in Teams take a deletion back."""
        gone = self._deleted_in_teams()
        if not gone:
            author = _pick(_PEOPLE[Side.TEAMS], step.detail)
            await self._say(Side.TEAMS, author)
            said = self.said[-1]
            said.deleted = True
            await self.here.teams("delete", message=said.id, user=author)
            gone = [said]
        said = _pick(gone, step.which)
        await self.here.teams("undelete", message=said.id, user=said.author)
        said.deleted, said.restored = False, True
        self.happened["undelete"] += 1

    async def _react(self, step: Step) -> None:
        """Choose an emoji, at the original or at what stands for it."""
        said = self._one_of(step)
        # What was chosen while ATOM is away for good is not caught up with.
        if not said or self.deaf or not self.linked:
            return
        target = said.id if said.side is step.side else self._copy_id(said)
        if not target:
            return
        chosen = self._chosen(said, step)
        name = _pick([*EMOJI[step.side]], step.detail)
        who = _pick(_PEOPLE[step.side], step.detail // 7)
        people = chosen.setdefault(name, set())
        if who not in people and await self._choose(
            "react", step.side, target, name, who
        ):
            people.add(who)

    async def _unreact(self, step: Step) -> None:
        said = self._one_of(step)
        if not said or self.deaf or not self.linked:
            return
        chosen = self._chosen(said, step)
        pairs = [(name, who) for name in sorted(chosen) for who in sorted(chosen[name])]
        target = said.id if said.side is step.side else self._copy_id(said)
        if not pairs or not target:
            return
        name, who = _pick(pairs, step.detail)
        if await self._choose("unreact", step.side, target, name, who):
            chosen[name].discard(who)

    def _chosen(self, said: Said, step: Step) -> Chosen:
        """Return where a choice is kept: what stands in one message has one of them."""
        if said.side is step.side:
            return said.at_original
        here = seen(self.here.sandbox, [])
        ids = {copy.id for copy in here.copies_of(said)}
        same = [copy.n for copy in here.copies[step.side] if copy.id in ids]
        return self.said[min(same, default=said.n) - 1].at_copy

    async def _choose(
        self, action: str, side: Side, target: str, name: str, who: str
    ) -> bool:
        """Return whether it could be done: a copy may just have gone."""
        try:
            if side is Side.SLACK:
                await self.here.slack(action, ts=target, name=name, user=who)
            else:
                await self.here.teams(action, message=target, reaction=name, user=who)
        except AssertionError:
            return False
        return True

    async def _deliver_badly(self, step: Step) -> None:
        await self.here.fault(
            f"{step.side}.deliver",
            _pick(_DELIVERIES, step.detail),
            times=1 + step.which % 3,
            seconds=0.3,
        )

    async def _answer_badly(self, step: Step) -> None:
        await self.here.fault(
            f"{step.side}.{_pick(_CALLS[step.side], step.which)}",
            _pick(_ANSWERS, step.detail),
            times=1 + step.which // 7 % 2,
            retry_after=1,
        )

    async def _kill(self, step: Step) -> None:
        living = [n for n in range(len(self.fleet)) if n not in self.dead]
        if not living:
            return
        n = _pick(living, step.which)
        await self.fleet[n].kill()
        self.happened["kill"] += 1
        self.dead[n] = step.detail % _DEAD_FOR
        await self._aim()

    async def _go_deaf(self, step: Step) -> None:
        """
        Nothing reaches ATOM for a while, and nobody says it again later.

        What was said before has been heard by then: what stands is read again, but not
        that somebody reacted, or that what was never heard of is gone.
        """
        await self._everything_heard()
        self.deaf = True
        self.happened["deafness"] += 1
        for n, process in enumerate(self.fleet):
            if n not in self.dead:
                await process.kill()
            self.dead[n] = 2 + step.detail % _DEAD_FOR
        await self.here.set(atom_url="")

    async def _look_after_the_dead(self, *, now: bool = False) -> None:
        for n, process in enumerate(self.fleet):
            assert process.process is not None
            if n not in self.dead:
                if not process.process.ended:
                    continue
                self.dead[n] = 0  # by its own hand
            if self.dead[n] <= 0 or now:
                await self._start(n, die=not now)
                del self.dead[n]
                await self._aim()
            else:
                self.dead[n] -= 1

    async def _start(self, n: int, *, die: bool) -> None:
        """Start a process, often to be killed at a step of some message's way."""
        self.deaf = False
        # Whatever was missed has to reach its door before it reads what stands.
        await self._aim(n)
        if die and self.done % 2:
            step = _pick(WHERE_TO_DIE, self.done // 2)
            try:
                return await self.fleet[n].start(step, times=1 + self.done % 5)
            except AssertionError:
                pass
        return await self.fleet[n].start()

    async def _aim(self, n: int | None = None) -> None:
        """Let events go to a process that lives."""
        living = [k for k in range(len(self.fleet)) if k not in self.dead]
        if n is None and self.deaf:
            return
        to = n if n is not None else (living or [0])[-1]
        await self.here.set(atom_url=self.fleet[to].atom)

    async def _pause(self, _step: Step) -> None:
        if self.linked and self.link.state is LinkState.ACTIVE:
            await self._change(LinkState.PAUSED)

    async def _resume(self, _step: Step) -> None:
        if self.linked and self.link.state is LinkState.PAUSED:
            await self._change(LinkState.ACTIVE)

    async def _change(self, state: LinkState) -> None:
        self.link = await self.built.links.change(self.link, state, "soak")

    async def _relink(self, step: Step) -> None:
        """End the link, or make a new one. What was in between never crosses."""
        await self.settle()
        if self.linked:
            await self._change(LinkState.REMOVED)
            for said in self.said:
                said.loose = True
        else:
            channels = (FALCON, PROJECT)
            self.link = await self.built.links.add(COMPANY, channels, "soak")
        self.linked = not self.linked
        self.happened["link" if self.linked else "unlink"] += 1
        # Another process may act on what it read a quarter of a second ago.
        await asyncio.sleep(0.3)

    async def settle(self) -> None:
        """Let everything go well until nothing is under way, and judge. Raises `Wrong`."""
        await self.here.no_faults()
        await self._look_after_the_dead(now=True)
        await self._resume(Step("resume", Side.SLACK, 0, 0))
        found = ["nothing was looked at"]
        try:
            async with asyncio.timeout(_SETTLES_WITHIN):
                while found:
                    await asyncio.sleep(0.05)
                    await self._look_after_the_dead(now=True)
                    found = await self._under_way() or await self._wrongs()
        except TimeoutError:
            raise Wrong("\n".join(found)) from None

    async def _everything_heard(self) -> None:
        await self._look_after_the_dead(now=True)
        async with asyncio.timeout(_SETTLES_WITHIN):
            while self.here.sandbox.undelivered:
                await self._look_after_the_dead(now=True)
                await asyncio.sleep(0.02)

    async def _under_way(self) -> list[str]:
        if count := self.here.sandbox.undelivered:
            return [f"{count} events are on their way"]
        sizes = dict(await self.built.queue.sizes())
        waiting = await self.built.queue.unfinished(range(256), sizes)
        return [f"{len(waiting)} deliveries wait: {waiting[:3]}"] if waiting else []

    async def _wrongs(self) -> list[str]:
        entries = await self.built.log.entries(COMPANY, -1, _LOG)
        found = wrongs(self.said, seen(self.here.sandbox, entries))
        letters = await self.built.letters.all(COMPANY)
        found += [f"dead letter: {letter}" for letter in letters]
        verdict = await self.built.log.verify(COMPANY)
        return found if verdict.intact else [*found, f"the log: {verdict.fault}"]

    def _living(self) -> list[Said]:
        """Return what people still talk about."""
        return [
            said
            for said in self.said
            if not said.deleted and not said.loose and said.crosses == self.linked
        ]

    def _roots(self) -> list[Said]:
        return [said for said in self._living() if said.root is None]

    def _deleted_in_teams(self) -> list[Said]:
        """Return what its authors may take the deletion back of."""
        return [
            said
            for said in self.said
            if said.side is Side.TEAMS
            and said.deleted
            and not said.loose
            and said.crosses == self.linked
        ]

    def _one_of(self, step: Step) -> Said | None:
        """Choose a message, rather one of the last."""
        living = self._living()[-30:]
        return _pick(living, step.which) if living else None

    def _copy_id(self, said: Said) -> str:
        copies = seen(self.here.sandbox, []).copies_of(said)
        return copies[0].id if copies else ""


def _pick(of: Sequence[T], number: int) -> T:
    return of[number % len(of)]
