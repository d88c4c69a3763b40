"""How the company's directory is doing, and an admin's word on changes that wait."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.directory.control import (
    DirectoryDesk,
    DirectoryHealth,
    Held,
    SourceHealth,
    standing_words,
)
from bridge.errors import BadInput

_SHOWN = 5
_VERBS = {"approve", "refuse"}


@dataclass(frozen=True, slots=True)
class DirectoryCommand:
    """Shows sources and what waits; `approve` and `refuse` take exactly one hash."""

    name: ClassVar[str] = "directory"
    usage: ClassVar[str] = "directory [approve HASH|refuse HASH]"
    summary: ClassVar[str] = "see how the directory is doing, and decide what waits"

    desk: DirectoryDesk

    async def run(self, request: Request) -> Card:
        match request.arguments:
            case ():
                return _shown(await self.desk.health(request.tenant))
            case (verb, digest) if verb in _VERBS:
                agree = verb == "approve"
                held = await self.desk.decide(
                    request.tenant, request.officer, digest, agree=agree
                )
                return _decided(held, agree=agree)
            case _:
                raise BadInput(f"Type `{self.usage}`.")


def waiting_card(held: Held) -> Card:
    """Return what admins are told when changes begin to wait."""
    return Card(
        "The directory waits for your word",
        "Nobody loses or gains anything by these changes until somebody with the duty "
        "to approve says so. Accounts that are disabled are disabled all the same.",
        Tone.WARNING,
        (_held(held),),
        tuple(_buttons(held)),
    )


def _buttons(held: Held) -> list[Button]:
    return [
        Button(
            f"{verb.capitalize()} {held.digest[:8]}", f"directory {verb} {held.digest}"
        )
        for verb in ("approve", "refuse")
    ]


def _shown(health: DirectoryHealth) -> Card:
    waits = [held for held in health.waiting if held.state == "waiting"]
    troubled = any(source.problem for source in health.sources)
    tone = Tone.WARNING if waits or troubled else Tone.GOOD
    age = " ".join(standing_words(health.age_seconds))
    text = f"{health.people} people, version {health.version}, {age} old."
    sections = (
        *map(_source, health.sources),
        *map(_held, health.waiting[:_SHOWN]),
        *(Section("To put right", note, ()) for note in health.notes[:_SHOWN]),
    )
    buttons = tuple(button for held in waits[:_SHOWN] for button in _buttons(held))
    return Card("The directory", text, tone, sections, buttons)


def _source(source: SourceHealth) -> Section:
    text = source.problem or "It is followed."
    fields = (
        Field("People", str(source.people)),
        Field("Groups and the like", str(source.things)),
        Field("Memberships", str(source.memberships)),
    )
    return Section(f"{source.name} ({source.kind})", text, fields)


def _held(held: Held) -> Section:
    more = held.count - len(held.lines[:_SHOWN])
    lines = [*held.lines[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    title = f"{held.count} changes of {held.source} wait"
    if held.state == "refused":
        title = f"{held.count} changes of {held.source} were refused"
    fields = (Field("Why", held.reason), Field("Hash", held.digest))
    return Section(title, "\n".join(lines), fields)


def _decided(held: Held, *, agree: bool) -> Card:
    if agree:
        return Card("Done", f"{held.count} changes of {held.source} hold.", Tone.GOOD)
    text = (
        f"{held.count} changes of {held.source} do not happen, as long as the source "
        "says just these."
    )
    return Card("Refused", text, Tone.GOOD)
