"""An organisation of workspaces in memory, and a log of what admins did to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import (
    AtomError,
    Conflict,
    NotFound,
    ServiceUnavailable,
    StoreUnavailable,
)
from bridge.messages import Channel, Person, Platform
from bridge.workspaces import (
    Administration,
    Change,
    ManagedChannel,
    NewChannel,
    Workspace,
)

ACME = Workspace("T01ACME", "Acme", "acme")
LABS = Workspace("T03LABS", "Acme Labs", "acme-labs")
SALES = Workspace("T04SALES", "Acme Sales", "acme-sales")


@dataclass
class FakeOrganisation:
    """Implements every port of `bridge.workspaces` but the log."""

    platform: Platform = Platform.SLACK
    admins: set[str] = field(default_factory=lambda: {"admin"})
    down: bool = False
    failure: AtomError | None = None
    spaces: list[Workspace] = field(default_factory=lambda: [ACME, LABS, SALES])
    known: dict[str, ManagedChannel] = field(
        default_factory=lambda: {
            "C21LAB": ManagedChannel("C21LAB", "lab-notes", ("T03LABS",), members=1),
            "C23VAULT": ManagedChannel("C23VAULT", "vault", ("T03LABS",), private=True),
        }
    )
    people: dict[str, Person] = field(default_factory=dict)
    inside: dict[str, list[str]] = field(default_factory=dict)
    following: dict[str, list[str]] = field(default_factory=dict)
    signed_out: list[str] = field(default_factory=list)

    def administration(self) -> Administration:
        return Administration(self, self, self, self, self, self, _Sessions(self), self)

    async def workspaces(self) -> Sequence[Workspace]:
        return list(self.spaces)

    async def may_manage(self, person: Person, here: Channel) -> bool:
        if self.down:
            raise ServiceUnavailable("the platform does not answer")
        return person.id in self.admins

    async def channels(self, workspace: Workspace | None) -> Sequence[ManagedChannel]:
        found = sorted(self.known.values(), key=lambda one: one.name)
        if workspace is None:
            return found
        return [one for one in found if workspace.id in one.workspaces]

    async def channel(self, word: str) -> ManagedChannel:
        for one in self.known.values():
            if word in {one.id, one.name, f"#{one.name}"}:
                return one
        raise NotFound(f"There is no channel {word}.")

    async def create(self, new: NewChannel) -> ManagedChannel:
        self._works()
        if any(one.name == new.name for one in self.known.values()):
            raise Conflict("There is a channel of that name already.")
        id_ = f"C9NEW{len(self.known)}"
        made = ManagedChannel(id_, new.name, (new.workspace.id,), new.private)
        self.known[id_] = made
        return made

    async def rename(self, channel: ManagedChannel, name: str) -> None:
        self._change(channel, name=name)

    async def archive(self, channel: ManagedChannel) -> None:
        if channel.archived:
            raise Conflict("It is archived already.")
        self._change(channel, archived=True)

    async def unarchive(self, channel: ManagedChannel) -> None:
        self._change(channel, archived=False)

    async def delete(self, channel: ManagedChannel) -> None:
        self._works()
        del self.known[channel.id]

    async def person(self, word: str) -> Person:
        if word == "nobody":
            raise NotFound("There is nobody called nobody.")
        return self.people.get(word) or Person(self.platform, word.removeprefix("@"))

    async def invite(
        self, channel: ManagedChannel, people: Sequence[Person]
    ) -> Sequence[str]:
        self._works()
        welcome = [one.id for one in people if one.id != "stranger"]
        self.inside.setdefault(channel.id, []).extend(welcome)
        return ["stranger: is not known"] * (len(people) - len(welcome))

    async def remove(self, channel: ManagedChannel, person: Person) -> None:
        self._works()
        inside = self.inside.setdefault(channel.id, [])
        if person.id in inside:
            inside.remove(person.id)

    async def share(
        self, channel: ManagedChannel, workspaces: Sequence[Workspace]
    ) -> None:
        now = (*channel.workspaces, *(one.id for one in workspaces))
        self._change(channel, workspaces=now)

    async def move(self, channel: ManagedChannel, workspace: Workspace) -> None:
        if len(channel.workspaces) > 1:
            raise Conflict("Several workspaces see it.")
        self._change(channel, workspaces=(workspace.id,))

    async def groups(self, channel: ManagedChannel) -> Sequence[str]:
        return self.following.get(channel.id, [])

    async def connect(self, channel: ManagedChannel, group: str) -> None:
        self._works()
        self.following.setdefault(channel.id, []).append(group)

    async def disconnect(self, channel: ManagedChannel, group: str) -> None:
        self._works()
        self.following[channel.id].remove(group)

    def _change(self, channel: ManagedChannel, **changed: object) -> None:
        self._works()
        self.known[channel.id] = replace(channel, **changed)  # type: ignore[arg-type]

    def _works(self) -> None:
        if self.failure:
            raise self.failure


@dataclass
class _Sessions:
    organisation: FakeOrganisation

    async def reset(self, person: Person) -> None:
        self.organisation._works()
        self.organisation.signed_out.append(person.id)


@dataclass
class FakeAudit:
    """What admins did, as lines; it can be down, from an entry on."""

    lines: list[str] = field(default_factory=list)
    most: int = 1000

    async def intend(self, change: Change) -> int:
        return self._write(f"{change.actor} wants to {change.text}")

    async def conclude(
        self, change: Change, intent: int, outcome: str, reason: str = ""
    ) -> None:
        self._write(f"{intent} {outcome}{': ' * bool(reason)}{reason}")

    def _write(self, line: str) -> int:
        if len(self.lines) >= self.most:
            raise StoreUnavailable("the log is down")
        self.lines.append(line)
        return len(self.lines) - 1
