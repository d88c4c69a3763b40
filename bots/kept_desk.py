"""What movers keep for a while, shown to admins and ended by them."""

from collections.abc import Iterable
from dataclasses import dataclass

from bots.directory_side import DirectorySide
from bots.syncing import Sync
from bridge.compliance import Duties, Duty, Officer
from bridge.directory.kept import KeptThing, Whom
from bridge.directory.model import Grace, Kind, Subject
from bridge.directory.naming import folded
from bridge.errors import BadInput, Conflict, NotFound
from bridge.messages import Person


@dataclass(frozen=True, slots=True)
class Desk:
    """
    Implements `bridge.directory.kept.KeptDesk`.

    Ending takes something away, so whoever has the duty may do it about themselves too.
    """

    side: DirectorySide
    duties: Duties

    async def kept(
        self, tenant: str, officer: Officer, whom: Whom | None = None
    ) -> list[KeptThing]:
        await self.duties.require(tenant, officer, Duty.APPROVE)
        sync = self.side.required(tenant)
        await sync.refresh()
        people = sync.view.subjects(tenant) if whom is None else [_one(sync, whom)]
        return kept_by(sync, people)

    async def end(
        self, tenant: str, officer: Officer, whom: Whom, what: str = ""
    ) -> list[KeptThing]:
        await self.duties.require(tenant, officer, Duty.APPROVE)
        sync = self.side.required(tenant)
        await sync.refresh()
        subject = _one(sync, whom)
        kept = kept_by(sync, [subject])
        chosen = {each.ancestor for each in kept if _means(each, what)}
        if not chosen:
            told = f"{subject.name} keeps nothing"
            raise Conflict(f"{told} of that name." if what else f"{told}.")
        ended = await sync.cut(subject.id, chosen, officer.name)
        return [_thing(sync, subject, grace) for grace in ended]


def kept_by(sync: Sync, people: Iterable[Subject]) -> list[KeptThing]:
    """Return what people keep at the moment, what ends first first."""
    found = [_thing(sync, one, grace) for one in people for grace in one.kept]
    return sorted(found, key=lambda k: (k.until_us, k.name, k.person, k.ancestor))


def _thing(sync: Sync, subject: Subject, grace: Grace) -> KeptThing:
    kind, _, id_ = grace.ancestor.partition(":")
    name = sync.view.name_of(sync.tenant, Kind(kind), id_) or id_
    return KeptThing(
        subject.id,
        subject.name,
        grace.ancestor,
        f"{kind} {name}",
        grace.since_us,
        grace.until_us,
    )


def _means(kept: KeptThing, what: str) -> bool:
    """Whether a word means this: its name or id, with its kind or without."""
    kind, _, id_ = kept.ancestor.partition(":")
    names = {kept.ancestor, id_, kept.what, kept.what.removeprefix(f"{kind} ")}
    return not what or folded(what) in map(folded, names)


def _one(sync: Sync, whom: Whom) -> Subject:
    view, tenant = sync.view, sync.tenant
    if account := whom.account:
        person = Person(account.platform, account.user)
        if found := view.subject(tenant, person, account.account):
            return found
    ids = {*view.named(tenant, Kind.PERSON, whom.named), whom.named}
    people = [one for id_ in sorted(ids) if (one := view.find(tenant, id_))]
    if len(people) > 1:
        names = ", ".join(f"{each.name} ({each.id})" for each in people)
        raise BadInput(f"That is said of several: {names}")
    if not people:
        raise NotFound(f"The directory knows nobody as {whom.named}.")
    return people[0]
