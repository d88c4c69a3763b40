"""Runs about joiners, movers and leavers, as admins in chat see them and decide."""

from collections.abc import Mapping
from dataclasses import dataclass

from bots.admin_channel import LOOK, keep_telling
from bots.commands.runs import waiting_card
from bridge.compliance import Duties, Duty, Officer
from bridge.directory.ports import Directory
from bridge.directory.runs import Run, RunState
from bridge.errors import NotAllowed
from bridge.messages import Channel, Person, Platform
from bridge.ports import Announcer
from storage.compliance.acts import Act, Acts
from storage.runs.stored import StoredRuns


@dataclass(frozen=True, slots=True)
class Desk:
    """
    Implements `bridge.directory.runs.RunsDesk`, for who has the duty to approve.

    What is done about somebody tells of them, so even looking takes the duty. Nobody
    decides about themselves.
    """

    runs: StoredRuns
    duties: Duties
    view: Directory

    async def listed(
        self, tenant: str, officer: Officer, *, everything: bool = False
    ) -> list[Run]:
        await self.duties.require(tenant, officer, Duty.APPROVE)
        return await self.runs.listed(tenant, everything=everything)

    async def called(self, tenant: str, officer: Officer, run: str) -> Run:
        await self.duties.require(tenant, officer, Duty.APPROVE)
        return await self.runs.called(tenant, run)

    async def decide(
        self, tenant: str, officer: Officer, run: str, digest: str, *, agreed: bool
    ) -> Run:
        await self._require_other(tenant, officer, run)
        return await self.runs.decide(tenant, run, digest, officer.name, agreed=agreed)

    async def revert(self, tenant: str, officer: Officer, run: str) -> Run:
        await self._require_other(tenant, officer, run)
        return await self.runs.revert(tenant, run, officer.name)

    async def _require_other(self, tenant: str, officer: Officer, run: str) -> None:
        known = await self.called(tenant, officer, run)
        platform, _, rest = officer.name.partition(":")
        account, _, user = rest.rpartition("/")
        if platform not in {*Platform}:
            return
        me = self.view.subject(tenant, Person(Platform(platform), user), account)
        if me is not None and me.id == known.person:
            raise NotAllowed("This run is about yourself: it takes somebody else.")


@dataclass(frozen=True, slots=True)
class RunTelling:
    """
    Tells admins of runs that wait for their word, once, in a channel of theirs.

    That it is told stands in the log before it is told, so of several processes one
    tells it; if that one dies just then nobody does, and `runs` lists it still.
    """

    runs: StoredRuns
    acts: Acts
    announcers: Mapping[Platform, Announcer]
    tenant: str
    channel: str
    look: float = LOOK

    async def run(self) -> None:
        """Go on for ever; with no channel in the settings there is nothing to do."""
        await keep_telling(self.channel, self.tell, self.look)

    async def tell(self, channel: Channel) -> None:
        """Tell of every run that waits untold. Raises `AtomError` if it cannot."""
        announcer = self.announcers.get(channel.platform)
        if announcer is None:
            return
        for run in await self.runs.listed(self.tenant):
            if run.state is RunState.WAITING and await self._first(run):
                await announcer.announce(channel, waiting_card(run))

    async def _first(self, run: Run) -> bool:
        text = f"told the admins that {run.id} waits"
        act = Act(self.tenant, "bridge.notice", "atom", text, {"run": run.id})
        return not (await self.acts.note(act, key=f"run:told:{run.id}")).duplicate
