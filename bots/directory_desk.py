"""What admins are told of the directory, and their word on what waits."""

from collections.abc import Iterator
from dataclasses import dataclass

from bots.directory_side import DirectorySide
from bots.syncing import Sync
from bridge.compliance import Duty, Officer
from bridge.directory.control import DirectoryHealth, Held, SourceHealth
from bridge.directory.describing import described
from bridge.directory.model import Kind
from bridge.errors import NotAllowed
from bridge.messages import Person, Platform
from storage.compliance.rights.duties import StoredDuties
from storage.directory.stored import Followed, Waiting

_LINES = 20


@dataclass(frozen=True, slots=True)
class Desk:
    """Implements `bridge.directory.control.DirectoryDesk`."""

    side: DirectorySide
    duties: StoredDuties

    async def health(self, tenant: str) -> DirectoryHealth:
        sync = self.side.required(tenant)
        await sync.refresh()
        followed = await sync.store.followed(tenant)
        waiting = await sync.store.waiting(tenant)
        view = self.side.view
        return DirectoryHealth(
            version=view.version(tenant),
            age_seconds=view.age_seconds(tenant),
            people=len(view.subjects(tenant)),
            sources=tuple(
                _source(sync, each.name, each.kind, followed.get(each.name))
                for each in self.side.settings.all_sources
            ),
            waiting=tuple(held_of(sync, each) for each in waiting),
            notes=tuple(_notes(sync)),
        )

    async def decide(
        self, tenant: str, officer: Officer, digest: str, *, agree: bool
    ) -> Held:
        await self.duties.require(tenant, officer, Duty.APPROVE)
        sync = self.side.required(tenant)
        await sync.refresh()
        for waiting in await sync.store.waiting(tenant):
            if waiting.digest == digest and agree and _about(sync, waiting, officer):
                raise NotAllowed(
                    "These changes are about yourself: it takes somebody else."
                )
        told = [held_of(sync, w) for w in await sync.store.waiting(tenant)]
        decided = await sync.decide(digest, officer.name, agree=agree)
        return next((h for h in told if h.digest == digest), held_of(sync, decided))


def _source(
    sync: Sync, name: str, kind: str, followed: Followed | None
) -> SourceHealth:
    state = sync.state
    followed = followed or Followed(name)
    people = state.living(name, Kind.PERSON)
    return SourceHealth(
        name,
        kind,
        people,
        state.living(name) - people,
        state.edges(name),
        followed.heard_us,
        followed.whole_us,
        followed.problem,
    )


def held_of(sync: Sync, waiting: Waiting) -> Held:
    """Return what waits, as people are told of it."""
    frozen = waiting.frozen
    return Held(
        waiting.digest,
        frozen.source,
        frozen.reason,
        len(frozen.changes),
        tuple(described(c, sync.state) for c in frozen.changes[:_LINES]),
        waiting.since_us,
        waiting.state,
    )


def _about(sync: Sync, waiting: Waiting, officer: Officer) -> bool:
    """Whether somebody decides on what happens to themselves."""
    platform, _, rest = officer.name.partition(":")
    account, _, user = rest.rpartition("/")
    if platform not in {*Platform}:
        return False
    me = sync.view.subject(sync.tenant, Person(Platform(platform), user), account)
    refs = {change.ref for change in waiting.frozen.changes}
    return me is not None and me.id in {sync.state.people.get(ref) for ref in refs}


def _notes(sync: Sync) -> Iterator[str]:
    view, tenant = sync.view, sync.tenant
    for circle in view.circles(tenant):
        names = ", ".join(circle[:5])
        yield f"{len(circle)} groups are in each other: {names}"
    if doubled := view.doubled(tenant):
        ids = ", ".join(kept.entry.id for kept in doubled[:5])
        yield f"{len(doubled)} ids are given by two sources, the first counts: {ids}"
