"""Carry out what an admin wants, and have it in the log before and after."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, assert_never

from bots.commands.wishes import Verb, Wish
from bridge.errors import (
    Ambiguous,
    AtomError,
    BadInput,
    NotFound,
    Refused,
    StoreUnavailable,
)
from bridge.messages import Person, Platform
from bridge.workspaces import (
    Administration,
    AuditLog,
    Change,
    ManagedChannel,
    NewChannel,
    Workspace,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in a line, and what could not be."""

    text: str
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Steward:
    """Works for one admin: `actor` is how the log names them."""

    administration: Administration
    audit: AuditLog
    tenant: str
    platform: Platform
    actor: str

    async def preview(self, wish: Wish) -> str:
        """Say what a dangerous wish would do. Changes nothing."""
        channel = await self.channel(wish.words[0])
        match wish.verb:
            case Verb.DELETE:
                return (
                    f"{named(channel)} would be deleted for good, with everything "
                    "that was ever said in it."
                )
            case Verb.ARCHIVE:
                return f"{named(channel)} would be closed for everybody."
            case _:
                able(self.administration.sharing)
                target = await self.workspace(wish.words[1])
                return (
                    f"{named(channel)} would move to {target.name}: people who are "
                    "not in that workspace lose it."
                )

    async def carry_out(self, wish: Wish) -> Done:
        """Do it. Raises `AtomError` if it cannot be done; the log says so then too."""
        words = wish.words
        match wish.verb:
            case Verb.CREATE:
                return await self._create(wish)
            case Verb.RENAME:
                return await self._rename(await self.channel(words[0]), words[1])
            case Verb.ARCHIVE | Verb.UNARCHIVE | Verb.DELETE:
                return await self._close(wish.verb, await self.channel(words[0]))
            case Verb.SHARE:
                return await self._share(await self.channel(words[0]), words[1:])
            case Verb.MOVE:
                return await self._move(await self.channel(words[0]), words[1])
            case Verb.INVITE:
                return await self._invite(await self.channel(words[0]), words[1:])
            case Verb.REMOVE:
                return await self._remove(await self.channel(words[0]), words[1:])
            case Verb.CONNECT | Verb.DISCONNECT:
                return await self._group(
                    wish.verb, await self.channel(words[0]), words[1]
                )
            case Verb.LIST | Verb.GROUPS:
                raise BadInput(f"`{wish.verb}` changes nothing.")
            case _:
                assert_never(wish.verb)

    async def reset_sessions(self, person: Person) -> Done:
        sessions = able(self.administration.sessions)
        who = person.name or person.id
        return await self.on_record(
            f"sign {who} ({person.id}) out everywhere",
            lambda: sessions.reset(person),
            f"{who} is signed out everywhere.",
        )

    async def channel(self, word: str) -> ManagedChannel:
        return await self.administration.book.channel(word)

    async def person(self, word: str) -> Person:
        return await self.administration.membership.person(word)

    async def workspace(self, word: str) -> Workspace:
        """Return the workspace that is meant: by id, short name or name."""
        everything = await self.administration.organisation.workspaces()
        wanted = word.lower()
        for one in everything:
            spoken = one.name.lower().replace(" ", "-")
            if word == one.id or wanted in {one.address.lower(), spoken}:
                return one
        known = ", ".join(one.address or one.id for one in everything)
        raise NotFound(f"There is no workspace {word}; there are {known}.")

    async def _create(self, wish: Wish) -> Done:
        name, place = wish.words
        workspace = await self.workspace(place)
        new = NewChannel(
            name.removeprefix("#"),
            workspace,
            private=wish.private,
            shared=wish.shared,
        )
        kind = "private " * wish.private + "shared " * wish.shared + "channel"
        made: list[ManagedChannel] = []

        async def create() -> None:
            made.append(await self.administration.book.create(new))

        done = await self.on_record(
            f"create the {kind} {new.name} in {workspace.name}",
            create,
            f"{new.name} exists in {workspace.name} now.",
        )
        return Done(f"{done.text} Its id is {made[0].id}.")

    async def _rename(self, channel: ManagedChannel, name: str) -> Done:
        plain = name.removeprefix("#")
        return await self.on_record(
            f"rename {named(channel)} to {plain}",
            lambda: self.administration.care.rename(channel, plain),
            f"{channel.name} is called {plain} now.",
        )

    async def _close(self, verb: Verb, channel: ManagedChannel) -> Done:
        care = self.administration.care
        if verb is Verb.DELETE:
            disposal = able(self.administration.disposal)
            deletion = f"{channel.name} is being deleted."
            return await self.on_record(
                f"delete {named(channel)}", lambda: disposal.delete(channel), deletion
            )
        work, past = (
            (care.archive, "is archived.")
            if verb is Verb.ARCHIVE
            else (care.unarchive, "is open again.")
        )
        return await self.on_record(
            f"{verb} {named(channel)}", lambda: work(channel), f"{channel.name} {past}"
        )

    async def _share(self, channel: ManagedChannel, words: Sequence[str]) -> Done:
        sharing = able(self.administration.sharing)
        spaces = [await self.workspace(word) for word in words]
        names = ", ".join(one.name for one in spaces)
        return await self.on_record(
            f"share {named(channel)} with {names}",
            lambda: sharing.share(channel, spaces),
            f"{channel.name} is seen in {names} too. No workspace has lost it.",
        )

    async def _move(self, channel: ManagedChannel, word: str) -> Done:
        sharing = able(self.administration.sharing)
        target = await self.workspace(word)
        return await self.on_record(
            f"move {named(channel)} to {target.name}",
            lambda: sharing.move(channel, target),
            f"{channel.name} is moving to {target.name}; that can take some minutes.",
        )

    async def _invite(self, channel: ManagedChannel, words: Sequence[str]) -> Done:
        people = [await self.person(word) for word in words]
        names = ", ".join(one.name or one.id for one in people)

        async def invite() -> Sequence[str]:
            failed = await self.administration.membership.invite(channel, people)
            if len(failed) == len(people):
                raise Refused(f"Nobody could be let in: {'; '.join(failed)}")
            return failed

        done = await self.on_record(f"let {names} into {named(channel)}", invite, "")
        text = f"{counted(people, done.failed)} in {channel.name} now."
        return Done(text, done.failed)

    async def _remove(self, channel: ManagedChannel, words: Sequence[str]) -> Done:
        people = [await self.person(word) for word in words]
        for person in people:
            who = person.name or person.id
            await self.on_record(
                f"put {who} out of {named(channel)}",
                lambda person=person: self.administration.membership.remove(  # type: ignore[misc]
                    channel, person
                ),
                "",
            )
        names = ", ".join(one.name or one.id for one in people)
        return Done(f"Not in {channel.name} any more: {names}.")

    async def _group(self, verb: Verb, channel: ManagedChannel, group: str) -> Done:
        groups = able(self.administration.groups)
        if verb is Verb.CONNECT:
            return await self.on_record(
                f"let {named(channel)} follow the group {group}",
                lambda: groups.connect(channel, group),
                f"{channel.name} follows the group {group} now.",
            )
        return await self.on_record(
            f"let {named(channel)} follow the group {group} no longer",
            lambda: groups.disconnect(channel, group),
            f"{channel.name} does not follow the group {group} any more.",
        )

    async def on_record(
        self, text: str, work: Callable[[], Awaitable[Sequence[str] | None]], done: str
    ) -> Done:
        """
        Write the intent, do the work, write how it ended: in that order.

        `work` may return lines on what of it was not done.
        """
        change = Change(self.tenant, self.platform, self.actor, text)
        intent = await self.audit.intend(change)
        try:
            failed = tuple(await work() or ())
        except AtomError as failure:
            outcome = "unknown" if isinstance(failure, Ambiguous) else "refused"
            await self.audit.conclude(change, intent, outcome, str(failure))
            raise
        try:
            await self.audit.conclude(change, intent, "done", "; ".join(failed))
        except StoreUnavailable as failure:
            raise StoreUnavailable(
                f"It was done, but the log could not take the outcome: {failure}"
            ) from failure
        return Done(done, failed)


def able(port: T | None) -> T:
    """Return an optional port. Raises `Refused` where the platform has no such thing."""
    if port is None:
        raise Refused("This platform cannot do that.")
    return port


def named(channel: ManagedChannel) -> str:
    """Name a channel so that nobody takes it for another: with its id."""
    return f"{channel.name} ({channel.id})"


def counted(people: Sequence[Person], failed: Sequence[str]) -> str:
    number = len(people) - len(failed)
    return "1 person is" if number == 1 else f"{number} people are"
