"""What an admin may type about workspaces, and who carries it out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from bots.commands.steward import Done, Steward, able, counted
from bots.commands.wishes import CONFIRM, Form
from bridge.errors import BadInput, Refused
from bridge.messages import Person
from bridge.workspaces import Workspace


class SpaceVerb(StrEnum):
    """What can be done with workspaces."""

    LIST = "list"
    CREATE = "create"
    RENAME = "rename"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    INVITE = "invite"
    OWN = "own"
    REMOVE = "remove"


SPACE_FORMS: Mapping[SpaceVerb, Form] = {
    SpaceVerb.LIST: Form("", 0, 0),
    SpaceVerb.CREATE: Form("NAME OWNER", 2, 2),
    SpaceVerb.RENAME: Form("WORKSPACE NAME", 2, 2),
    SpaceVerb.ARCHIVE: Form("WORKSPACE", 1, 1, dangerous=True),
    SpaceVerb.UNARCHIVE: Form("WORKSPACE", 1, 1),
    SpaceVerb.INVITE: Form("WORKSPACE PERSON…", 2, 30),
    SpaceVerb.OWN: Form("WORKSPACE PERSON…", 2, 30),
    SpaceVerb.REMOVE: Form("WORKSPACE PERSON…", 2, 30),
}


@dataclass(frozen=True, slots=True)
class SpaceWish:
    """One line, understood. `words` are what follows the verb."""

    verb: SpaceVerb
    words: tuple[str, ...] = ()
    confirmed: bool = False

    @property
    def must_be_shown(self) -> bool:
        """Whether people have to see first what it would do."""
        return SPACE_FORMS[self.verb].dangerous and not self.confirmed


def space_wish(arguments: Sequence[str]) -> SpaceWish:
    """Read what follows `workspaces`. Raises `BadInput`, saying what may be typed."""
    word = arguments[0].lower() if arguments else SpaceVerb.LIST
    if word not in set(SpaceVerb):
        raise BadInput(f"`workspaces` cannot do that: it knows {', '.join(SpaceVerb)}.")
    verb, words = SpaceVerb(word), tuple(arguments[1:])
    form = SPACE_FORMS[verb]
    sure = form.dangerous and words[-1:] == (CONFIRM,) and len(words) > form.least
    words = words[:-1] if sure else words
    if not form.least <= len(words) <= form.most:
        raise BadInput(f"Type `workspaces {verb} {form.usage}`.")
    return SpaceWish(verb, words, sure)


async def preview(steward: Steward, wish: SpaceWish) -> str:
    """Say what a dangerous wish would do. Changes nothing."""
    workspace = await steward.workspace(wish.words[0])
    return (
        f"{workspace.name} would be closed for everybody, with all of its channels. "
        "What was said in it can still be read."
    )


async def carry_out(steward: Steward, wish: SpaceWish) -> Done:
    """Do it. Raises `AtomError` if it cannot be done; the log says so then too."""
    care, words = able(steward.administration.spaces), wish.words
    if wish.verb is SpaceVerb.CREATE:
        owner = await steward.person(words[1])
        return await steward.on_record(
            f"create the workspace {words[0]}, owned by {owner.name or owner.id}",
            lambda: care.create(words[0], owner),
            f"{words[0]} is being made; that can take some minutes.",
        )
    if wish.verb is SpaceVerb.LIST:
        raise BadInput("`list` changes nothing.")
    workspace = await steward.workspace(words[0])
    name = f"{workspace.name} ({workspace.id})"
    match wish.verb:
        case SpaceVerb.RENAME:
            return await steward.on_record(
                f"rename the workspace {name} to {words[1]}",
                lambda: care.rename(workspace, words[1]),
                f"{workspace.name} is called {words[1]} now.",
            )
        case SpaceVerb.ARCHIVE:
            return await steward.on_record(
                f"archive the workspace {name}",
                lambda: care.archive(workspace),
                f"{workspace.name} is being archived.",
            )
        case SpaceVerb.UNARCHIVE:
            return await steward.on_record(
                f"unarchive the workspace {name}",
                lambda: care.unarchive(workspace),
                f"{workspace.name} is being opened again.",
            )
        case SpaceVerb.INVITE | SpaceVerb.OWN:
            return await _admit(steward, wish, workspace)
        case SpaceVerb.REMOVE:
            return await _dismiss(steward, workspace, words[1:])
        case _:
            assert_never(wish.verb)


async def _admit(steward: Steward, wish: SpaceWish, workspace: Workspace) -> Done:
    care, owners = able(steward.administration.spaces), wish.verb is SpaceVerb.OWN
    people = [await steward.person(word) for word in wish.words[1:]]

    async def admit() -> Sequence[str]:
        failed = await care.admit(workspace, people, owners=owners)
        if len(failed) == len(people):
            raise Refused(f"Nobody could be let in: {'; '.join(failed)}")
        return failed

    what = "owners of" if owners else "members of"
    done = await steward.on_record(
        f"make {_names(people)} {what} {workspace.name} ({workspace.id})", admit, ""
    )
    standing = "owning" if owners else "in"
    text = f"{counted(people, done.failed)} {standing} {workspace.name} now."
    return Done(text, done.failed)


async def _dismiss(
    steward: Steward, workspace: Workspace, words: Sequence[str]
) -> Done:
    care = able(steward.administration.spaces)
    people = [await steward.person(word) for word in words]

    def dismissal(person: Person) -> Callable[[], Awaitable[None]]:
        return lambda: care.dismiss(workspace, person)

    for person in people:
        await steward.on_record(
            f"put {_names([person])} out of {workspace.name} ({workspace.id})",
            dismissal(person),
            "",
        )
    return Done(f"Not in {workspace.name} any more: {_names(people)}.")


def _names(people: Sequence[Person]) -> str:
    return ", ".join(one.name or one.id for one in people)
