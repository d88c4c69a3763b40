"""Why somebody may do something somewhere, or may not, and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.mentioned import account_named
from bots.commands.names import channel_named
from bots.commands.records_why import WhyNoCard, link_in
from bots.commands.rights import only_admins
from bridge.access import Action, Asked
from bridge.cards import Card, Field, Section, Tone
from bridge.errors import BadInput
from bridge.explaining import Explains, Explanation, NearMiss, RuleHit
from bridge.links import Link
from bridge.messages import Channel, Person, Platform
from bridge.ports import Announcer, LinkBook, Rights

_SHORT = {action.value.partition(".")[2]: action for action in Action}
_COMMAND = "admin."
_HERE = {"", "here"}


@dataclass(frozen=True, slots=True)
class Why:
    """
    Everybody may ask about themselves; about others, who administers the channel.

    A link to a record alone asks why it shows no card here.
    """

    name: ClassVar[str] = "why"
    usage: ClassVar[str] = "why [PERSON] [ACTION] [here|LINK|CHANNEL|RECORD] | why URL"
    summary: ClassVar[str] = (
        "see which rule lets somebody do something, or why a link shows no card"
    )

    explains: Explains
    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]
    no_card: WhyNoCard | None = None

    async def run(self, request: Request) -> Card:
        if link := link_in(request.arguments):
            if self.no_card is None:
                raise BadInput(
                    "ATOM shows no records here: no business system is set up."
                )
            return await self.no_card.answer(request, link)
        question = read_question(request)
        if question.person.id != request.person.id:
            await only_admins(self.rights, request)
        asked = await self._asked(request, question)
        return explained(await self.explains.why(asked), await self._where(asked))

    async def _asked(self, request: Request, question: "Question") -> Asked:
        action, where = question.action, question.where
        channel, target, link, thing = request.channel, None, "", question.thing
        if action in {Action.JOIN, Action.INVITE} and where not in _HERE:
            channel = Channel.parse(where)
        elif action.value.startswith("bridge."):
            found = await self._link(request, where)
            if found:
                link = found.id
                if channel not in found.channels:
                    channel = found.channels[0]
                target = found.others(channel)[0]
        elif action.value.startswith("record."):
            thing = where
        return Asked(
            request.tenant,
            question.person,
            action,
            channel,
            target,
            link,
            request.account,
            thing=thing,
        )

    async def _link(self, request: Request, where: str) -> Link | None:
        if where in _HERE:
            links = await self.links.of(request.tenant, request.channel)
            return links[0] if links else None
        every = await self.links.all(request.tenant)
        for link in every:
            if link.id.lower() == where.lower():
                return link
        wanted = Channel.parse(where)
        found = [link for link in every if wanted in link.channels]
        if not found:
            raise BadInput(f"{where} is not linked: `links` shows what is.")
        return found[0]

    async def _where(self, asked: Asked) -> str:
        names = [
            await channel_named(self.announcers, channel)
            for channel in (asked.channel, asked.target)
            if channel
        ]
        return asked.thing if asked.thing and "/" in asked.thing else " → ".join(names)


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed: who, what, where. `thing` is a command's name."""

    person: Person
    action: Action = Action.POST
    where: str = ""
    thing: str = ""


def read_question(request: Request) -> Question:
    """Read `why [PERSON] [ACTION] [WHERE]`; what is left out is the asker, post, here."""
    words = list(request.arguments)
    person = request.person
    if words and not _is_action(words[0]) and words[0].lower() not in {"i", "me"}:
        person = Person(request.channel.platform, account_named(words.pop(0)))
    elif words and words[0].lower() in {"i", "me"}:
        words.pop(0)
    action, thing = Action.POST, ""
    if words and _is_action(words[0]):
        action, thing = action_named(words.pop(0))
    where = words.pop(0) if words else ""
    if words:
        line = spoken(request.channel.platform, Why.usage)
        raise BadInput(f"Type `{line}`.")
    return Question(person, action, where, thing)


def _is_action(word: str) -> bool:
    lower = word.lower()
    return lower in _SHORT or lower in set(Action) or lower.startswith(_COMMAND)


def action_named(word: str) -> tuple[Action, str]:
    """Return the action that a word means, and the command's name if it is one."""
    if not _is_action(word):
        raise BadInput(
            f"there is no action {word}: write one such as post, file, join or admin.link"
        )
    lower = word.lower()
    if lower.startswith(_COMMAND):
        return Action.COMMAND, lower.removeprefix(_COMMAND)
    return (Action(lower) if lower in set(Action) else _SHORT[lower]), ""


def explained(why: Explanation, where: str) -> Card:
    """Return an explanation as a card."""
    decision = why.decision
    may = "may" if decision.allowed else "may not"
    who = why.name or why.asked.person.name or why.asked.person.id
    title = f"{who} {may} {why.asked.name}"
    sections = [_hit(hit) for hit in why.hits]
    sections += [_miss(miss) for miss in why.near]
    fields = [Field("Where", where)] if where else []
    fields += [Field("Known", line) for line in why.facts]
    fields += [
        Field("Policy", decision.policy[:12]),
        Field("Directory version", decision.directory),
    ]
    sections.append(Section("What it was decided on", fields=tuple(fields)))
    tone = Tone.GOOD if decision.allowed else Tone.WARNING
    return Card(title, decision.reason or decision.rule, tone, tuple(sections))


def _hit(hit: RuleHit) -> Section:
    ways = tuple(Field(way.into, " → ".join(way.names)) for way in hit.ways)
    verb = "allows" if hit.allows else "denies"
    return Section(f"Rule {hit.id} {verb} it", hit.reason, ways)


def _miss(miss: NearMiss) -> Section:
    number = len(miss.missing)
    things = "1 thing" if number == 1 else f"{number} things"
    text = f"{things} missing: {_listed(miss.missing)}"
    return Section(f"Nearest: rule {miss.id}", f"{text}. {miss.reason}".strip())


def _listed(items: Sequence[str]) -> str:
    return "; ".join(items)
