"""Begin a new record, from a message or from nothing."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bridge.access import Action
from bridge.errors import AtomError, BadInput, NotAllowed, NotFound
from bridge.messages import Channel
from bridge.records.acting import Acting
from bridge.records.admitting import Admitting
from bridge.records.answering import Connecting, connect_card, tell
from bridge.records.books import IssuedAct
from bridge.records.cards import CardButton, RecordCard, Standing
from bridge.records.carrying import adding
from bridge.records.desk import Asker, Said
from bridge.records.drawing import Drawing
from bridge.records.errands import Errands
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.model import (
    PUBLIC,
    Look,
    Mention,
    Needs,
    Offer,
    Record,
    RecordRef,
    System,
)
from bridge.records.places import Shown
from bridge.records.ports import Records
from bridge.records.systems import having, kinds_of

KIND = "kind"
CHOOSE = "choose"
EDIT = "edit"
_CREATE = Offer("create", "Create", Action.RECORD_CREATE)
_CHOOSE = Offer(CHOOSE, "Continue", Action.RECORD_CREATE)

_ABOUT = "about "
_MOST_NAMED = 3
_WITHIN = 3.0  # seconds to look at what a message names
_MOST_TEXT = 20_000
# What can be done with a record that a message names, as it is spoken of.
_SPOKEN = {
    "note": "Add a note to {}",
    "comment": "Comment on {}",
    "edit": "Edit {}",
}

LooksAt = Callable[[Asker, Records, Mention], Awaitable[Record | str]]
"""Return a record as whoever names it sees it, or why they do not."""


class Places(Protocol):
    """Where a message stands: on its own platform and, as a copy, on the others."""

    async def others(
        self, tenant: str, channel: Channel, message: str
    ) -> Sequence[str]:
        """Return the addresses of the same message in linked channels."""
        ...

    async def words(self, tenant: str, channel: Channel, message: str) -> str:
        """
        Return what a copy says, without the line that names its author.

        Nothing if it is no copy of ATOM's, or not known any more.
        """
        ...


# What the first line of a message, and all of it, may be called in a form.
_TITLES = (
    "title",
    "summary",
    "subject",
    "Subject",
    "short_description",
    "dealname",
    "name",
    "Name",
    "hs_task_subject",
)
_BODIES = (
    "description",
    "Description",
    "comments",
    "comment",
    "CommentBody",
    "text",
    "body",
    "content",
    "hs_note_body",
    "work_notes",
)
_LONGEST = 250


@dataclass(frozen=True, slots=True)
class Starting:
    """Asks for a kind, if none is given, and then for what the system wants to know."""

    admitting: Admitting
    drawing: Drawing
    acting: Acting
    looked_at: LooksAt
    errands: Errands
    places: Places
    connecting: Connecting = field(default=connect_card)

    async def start(
        self, asker: Asker, kind: str, said: Said | None, shown: Shown
    ) -> None:
        """Show a form, or the person alone why there is none."""
        place: tuple[System | None, str] = (None, "")
        try:
            person = await self.admitting.known(asker)
            said = await self._everywhere(asker, said)
            if not kind:
                await self._choose(asker, person, said, shown)
                return
            records, wanted = having(self.admitting.systems, asker.tenant, kind)
            place = (records.system, records.instance)
            act = self.drawing.personal(
                asker, person, None, _CREATE, kind=wanted, detail=_detail(said)
            )
            act = replace(act, system=records.system, instance=records.instance)
            who = await self.admitting.admit(asker, act)
            await self.acting.ask(who, shown, prefilled(said))
        except AtomError as error:
            await tell(shown, asker, error, place, self.connecting)

    async def _everywhere(self, asker: Asker, said: Said | None) -> Said | None:
        """
        Return a message as its author said it, with its addresses in all linked
        channels, its own first.
        """
        if said is None or "\n" in said.link:
            return said
        place = asker.tenant, said.channel, said.message
        links = dict.fromkeys(
            link for link in (said.link, *await self.places.others(*place)) if link
        )
        words = await self.places.words(*place)
        return replace(said, link="\n".join(links), text=words or said.text)

    async def offered(self, asker: Asker, kind: str) -> RecordCard:
        """
        Return a card whose button asks for a new record, for those who cannot be asked
        at once. Raises `BadInput` and `NotAllowed`.
        """
        person = await self.admitting.known(asker)
        records, wanted = having(self.admitting.systems, asker.tenant, kind)
        act = self.drawing.personal(asker, person, None, _CREATE, kind=wanted)
        act = replace(
            act,
            system=records.system,
            instance=records.instance,
            needs=Needs.FORM,
        )
        await self.admitting.admit(asker, act)
        await self.drawing.acts.issue([act])
        name = records.system.shown
        return RecordCard(
            card_id="",
            ref=RecordRef(records.system, records.instance, wanted, "new"),
            source=name,
            what=wanted.replace("_", " "),
            title=f"New in {name}: {wanted.replace('_', ' ')}",
            standing=Standing.LIVE,
            as_of_us=self.drawing.clock(),
            buttons=(
                CardButton(
                    _CREATE.act, "Fill in…", act.token, Look.PRIMARY, Needs.FORM
                ),
            ),
            viewer=True,
        )

    async def chosen(
        self, asker: Asker, act: IssuedAct, values: Mapping[str, str], shown: Shown
    ) -> None:
        """Go on with the kind that was chosen."""
        kind = values.get(KIND, "")
        if not kind:
            await shown.wrong("Choose one.", {KIND: "Choose one of these."})
            return
        said = _said(asker, act)
        if kind.startswith(_ABOUT) and said is not None:
            await self._add(asker, kind.removeprefix(_ABOUT), said, shown)
            return
        await self.start(asker, kind, said, shown)

    def _named(self, asker: Asker, said: Said) -> dict[str, tuple[Records, Mention]]:
        """Return the records that a message names, by how a form calls them."""
        text = said.text[:_MOST_TEXT]
        found: dict[str, tuple[Records, Mention]] = {}
        for records in self.admitting.systems.of(asker.tenant):
            for mention in records.recognise(text):
                name = (
                    mention.ref or f"{mention.system}:{mention.instance}/{mention.key}"
                )
                found.setdefault(str(name), (records, mention))
        return found

    async def _add(self, asker: Asker, chosen: str, said: Said, shown: Shown) -> None:
        """Ask for what is to be done with a record that the message names."""
        place: tuple[System | None, str] = (None, "")
        act, _, name = chosen.partition(" ")
        try:
            person = await self.admitting.known(asker)
            if name not in (named := self._named(asker, said)):
                raise NotFound("The message does not name that any more.")
            records, mention = named[name]
            place = (records.system, records.instance)
            seen = await self.looked_at(asker, records, mention)
            if not isinstance(seen, Record):
                raise NotFound(seen or f"There is no record {mention.key}.")
            offers = {each.act: each for each in _possible(seen)}
            if act not in offers:
                raise NotAllowed("You cannot do that with this record any more.")
            ask = self.drawing.personal(asker, person, seen.ref, offers[act])
            who = await self.admitting.admit(asker, ask)
            # What is edited begins as it is; what is added, with what was said.
            entered = {} if act == EDIT else prefilled(said)
            await self.acting.ask(who, shown, entered)
        except AtomError as error:
            await tell(shown, asker, error, place, self.connecting)

    async def _abouts(self, asker: Asker, person: str, said: Said) -> list[Choice]:
        """
        Return what can be done with the records that a message names, as who asks may.

        What cannot be looked at in time is left out.
        """
        named = dict(list(self._named(asker, said).items())[:_MOST_NAMED])

        def look(name: str) -> Callable[[], Awaitable[Record | str]]:
            return lambda: self.looked_at(asker, *named[name])

        works = {f"about|{asker.tenant}|{person}|{name}": look(name) for name in named}
        for key in works:
            self.errands.forget(key)
        ended = await self.errands.all(works, _WITHIN)
        choices: dict[tuple[str, RecordRef], Choice] = {}
        for name, key in zip(named, works, strict=True):
            seen = ended[key].value if key in ended else None
            if not isinstance(seen, Record):
                continue
            called = await self._called(asker, seen)
            for each in _possible(seen):
                choice = Choice(
                    f"{_ABOUT}{each.act} {name}", _SPOKEN[each.act].format(called)
                )
                choices.setdefault((each.act, seen.ref), choice)
        return list(choices.values())

    async def _called(self, asker: Asker, seen: Record) -> str:
        """Return a record's number, or its title where it has none and they may see it."""
        if seen.key:
            return seen.key
        viewer = (asker.tenant, asker.person, asker.account)
        classes = {PUBLIC, seen.title_cls}
        floor = await self.drawing.floors.of_viewer(viewer, seen.ref, classes)
        title = seen.title if seen.title_cls in floor.classes else ""
        return title or seen.what

    async def _choose(
        self, asker: Asker, person: str, said: Said | None, shown: Shown
    ) -> None:
        kinds = kinds_of(self.admitting.systems.of(asker.tenant))
        if not kinds:
            raise BadInput("No business system is connected yet.")
        choices = await self._abouts(asker, person, said) if said else []
        choices += [Choice(kind, _spoken(kind)) for kind in kinds]
        question = Input(
            KIND,
            "What shall it be?",
            InputKind.CHOICE,
            required=True,
            choices=tuple(choices),
        )
        form = Form(CHOOSE, "New record", (question,), "Continue")
        detail = _detail(said)
        act = self.drawing.personal(
            asker, person, None, _CHOOSE, kind="any", detail=detail
        )
        await self.drawing.acts.issue([act])
        await shown.form(form, act.token)


def _possible(record: Record) -> list[Offer]:
    """Return what a message can begin with a record: to add to it, and to edit it."""
    edits = [each for each in record.offers if each.act == EDIT]
    added = adding(record)
    return [added, *edits] if added else edits


def prefilled(said: Said | None) -> dict[str, str]:
    """Return what a message enters in a form by itself, whatever the inputs are called."""
    if said is None or not said.text.strip():
        return {}
    text = said.text.strip()
    first = " ".join(text.splitlines()[0].split())
    title = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"
    body = f"{text}\n\n{said.link}".strip() if said.link else text
    return dict.fromkeys(_TITLES, title) | dict.fromkeys(_BODIES, body)


def _detail(said: Said | None) -> dict[str, str]:
    if said is None:
        return {}
    return {
        "cause": f"{said.channel}/{said.message}",
        "thread": said.thread or said.message,
        "text": said.text[:_MOST_TEXT],
        "link": said.link,
    }


def _said(asker: Asker, act: IssuedAct) -> Said | None:
    cause = act.detail.get("cause", "")
    if not cause or asker.channel is None:
        return None
    return Said(
        asker.channel,
        cause.rpartition("/")[2],
        act.detail.get("text", ""),
        asker.person,
        act.detail.get("thread", ""),
        act.detail.get("link", ""),
    )


def _spoken(kind: str) -> str:
    system, _, name = kind.partition("/")
    return f"{System(system).shown}: {name.replace('_', ' ')}"
