"""
Bring the files of messages to where their copies stand, and take them away again.

A file has a delivery of its own, queued by the delivery of its message: so the text is
there at once, with a line for each file, and a slow file holds nothing up. Which files
are to stand is read from the log when it is a file's turn. Once its fate is known, a
further delivery brings the copy's lines up to date.
"""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from hashlib import blake2s

from bridge.admission import Admission, denied
from bridge.attribution import Attributes, attributed
from bridge.delivery import AttemptState, Copy, Delivery, Operation, Post
from bridge.errors import CannotTell, NotSent, Refused, ServiceUnavailable
from bridge.file_ports import (
    FileLog,
    FileSource,
    FileTarget,
    Kept,
    Parcel,
    Scanner,
    Shelf,
)
from bridge.filenames import safe_name
from bridge.files import (
    Fate,
    FileLine,
    FileWord,
    StaysBehind,
    Told,
    first_fate,
    lines,
    most_bytes,
)
from bridge.leaving.files import FilesLeaving
from bridge.leaving.rules import HELD
from bridge.links import Link
from bridge.messages import File, Person, Platform
from bridge.options import LinkOptions
from bridge.ports import (
    AccessPolicy,
    Copies,
    History,
    Ledger,
    Links,
    Outcome,
    People,
    Sender,
)
from bridge.reactions import Spot
from bridge.tuning import Tuning

_MESSAGES = {Operation.POST, Operation.EDIT, Operation.DELETE}
_LOST = {AttemptState.DEAD, AttemptState.PARKED}
_NOT_SETTLED = {Fate.FAILED, Fate.HELD, Fate.REMOVED}
_NOT_WANTED = "the file is not wanted any more"


@dataclass(frozen=True, slots=True)
class FileChange:
    """
    What a delivery has to bring about below one copy of the message.

    With a `file` it has to stand there, without one it must not; a delivery of no file
    brings the `copy`'s lines up to date. `more` says that something is left after it.
    """

    delivery: Delivery
    story: History
    below: Copy
    told: Told
    file: File | None = None
    more: bool = False

    @property
    def copy(self) -> Copy | None:
        return None if self.delivery.file else self.below

    @property
    def about(self) -> Delivery:
        return self.delivery

    @property
    def known(self) -> FileWord | None:
        return self.told.newest.get(self.delivery.file)

    @property
    def uncertain(self) -> bool:
        """Whether an earlier attempt may have left something there."""
        failed = self.known is not None and self.known.fate is Fate.FAILED
        return failed or bool(self.delivery.attempts or self.delivery.again)

    def word(self, fate: Fate) -> FileWord:
        """Begin what is to be said of the file."""
        copy, file = self.below, self.file or File("", "")
        return FileWord(
            self.delivery.file,
            fate,
            copy.remote,
            copy.remote_thread,
            name=file.name and safe_name(file.name, file.mime),
            size=file.size,
        )


@dataclass(frozen=True, slots=True)
class Filing:
    """Implements `bridge.chores.Chore`: the use case behind every file."""

    ledger: Ledger
    log: FileLog
    copies: Copies
    links: Links
    policy: AccessPolicy
    senders: Mapping[Platform, Sender]
    people: Mapping[Platform, People]
    sources: Mapping[Platform, FileSource]
    targets: Mapping[Platform, FileTarget]
    shelf: Shelf
    scanner: Scanner | None
    clock: Callable[[], int]
    tuning: Tuning
    leaving: FilesLeaving | None = None
    attributes: Attributes | None = None

    async def lines(
        self, delivery: Delivery, history: History, copy: Copy | None
    ) -> tuple[FileLine, ...]:
        """Return what a copy says about its message's files."""
        if not history.files:
            return ()
        told = await self.log.told(copy) if copy else Told({})
        options = await self._options(delivery)
        return lines(history.files, options, told, delivery.source.platform)

    async def completed(
        self, delivery: Delivery, history: History, outcome: Outcome
    ) -> Outcome:
        """Add to an outcome what it means for files: what is to be delivered next."""
        if delivery.operation in _MESSAGES:
            if outcome.state is not AttemptState.DELIVERED:
                return outcome
            keys = _concerned(delivery.operation, history)
            return replace(outcome, then=tuple(_of(delivery, key) for key in keys))
        if outcome.state not in _LOST or not delivery.file:
            return outcome
        change = await self.plan(delivery)
        if not isinstance(change, FileChange) or change.file is None:
            return outcome
        fate = Fate.HELD if outcome.reason.startswith(HELD) else Fate.FAILED
        word = replace(change.word(fate), detail=outcome.reason)
        return replace(outcome, file=word, then=(_of(delivery, ""),))

    async def plan(self, delivery: Delivery) -> FileChange | str | None:
        story = await self.ledger.history(delivery)
        copies = [
            copy
            for copy in await self.copies.copies_of(
                delivery.tenant, delivery.source, delivery.message
            )
            if (copy.link, copy.target) == (delivery.link, delivery.target)
            and copy.part == 1
        ]
        if not copies:
            return "there is no copy of the message"
        found = [
            FileChange(delivery, story, copy, await self.log.told(copy))
            for copy in copies
        ]
        return _chosen(found) if delivery.file else _to_show(found[-1])

    def ready_us(self, change: FileChange) -> int:
        """Whoever called before may be waiting for the answer even now."""
        delivery, now = change.delivery, self.clock()
        if not delivery.unknown_since_us:
            return 0
        # A time from a clock that was ahead is not waited for.
        since = min(delivery.unknown_since_us, now)
        if not delivery.not_before_us:
            return self.tuning.over_us(since, now)
        wait = self.tuning.reconcile_after_us + self.tuning.longest_call_us
        return since + wait

    async def make(self, change: FileChange, post: Post | None) -> Outcome:
        """Bring it about. Raises what senders, sources and targets raise."""
        if post is not None:
            return await self._shown(change, post)
        try:
            if change.file is None:
                return await self._removed(change)
            word = await self._brought(change, change.file)
        except StaysBehind as stays:
            word = replace(change.word(stays.fate), detail=stays.detail)
        except CannotTell as unknown:
            return Outcome(AttemptState.PARKED, str(unknown))
        return await self._settled(change, word)

    async def _settled(self, change: FileChange, word: FileWord) -> Outcome:
        """Return how a file's way has ended; `bridge.notices` tells its owner."""
        delivery, file = change.delivery, change.file
        said = file and first_fate(file, await self._options(delivery))
        then = () if word.fate is said else (_of(delivery, ""),)
        return Outcome(AttemptState.DELIVERED, text=word.name, file=word, then=then)

    async def _brought(self, change: FileChange, file: File) -> FileWord:
        """Let the file stand below the copy, and say so."""
        options = await self._options(change.delivery)
        if reason := await self._denial(change):
            raise StaysBehind(Fate.BLOCKED, reason)
        if (fate := first_fate(file, options)) is not Fate.COMING:
            raise StaysBehind(fate)
        delivery, platform = change.delivery, change.below.target.platform
        target, source = self.targets[platform], self.sources[delivery.source.platform]
        word, parcel = change.word(Fate.COPIED), await self._parcel(change, file)
        since = delivery.created_us - self.tuning.clock_skew_us
        if change.uncertain and (there := await target.find(parcel, since)):
            return replace(word, remote=there, detail="found")
        spot = Spot(delivery.source, delivery.message, delivery.thread)
        file = await source.look(spot, file)
        parcel = _named(parcel, file)
        async with self.shelf.room() as kept:
            await self._fetch(source, spot, file, most_bytes(options), kept)
            found = replace(word, name=parcel.name, size=kept.size, sha256=kept.sha256)
            if virus := await self._virus(kept):
                return replace(found, fate=Fate.INFECTED, detail=virus)
            if self.leaving:
                await self.leaving.pass_by(
                    delivery, change.story.author, file, kept.chunks()
                )
            try:
                return replace(found, remote=await target.put(parcel, kept))
            except StaysBehind as stays:
                return replace(found, fate=stays.fate, detail=stays.detail)

    async def _fetch(
        self, source: FileSource, spot: Spot, file: File, most: int, kept: Kept
    ) -> None:
        """Fetch the bytes, and no more of them than may cross, whatever was told."""
        if file.size > most:
            raise StaysBehind(Fate.TOO_LARGE)
        async with aclosing(source.read(spot, file)) as chunks:
            async for chunk in chunks:
                if kept.size + len(chunk) > most:
                    raise StaysBehind(Fate.TOO_LARGE, "larger than it was said to be")
                await kept.write(chunk)
        if not kept.size:
            raise StaysBehind(Fate.EMPTY)

    async def _virus(self, kept: Kept) -> str:
        if self.scanner is None:
            return ""
        try:
            return await self.scanner.scan(kept.chunks())
        except ServiceUnavailable as error:
            # Nothing was sent, and nothing is until somebody has looked at it.
            raise NotSent(str(error)) from error

    async def _removed(self, change: FileChange) -> Outcome:
        target = self.targets[change.below.target.platform]
        remote = change.known.remote if change.known else ""
        if not remote:
            parcel = await self._parcel(change, File(change.delivery.file, ""))
            since = change.delivery.created_us - self.tuning.clock_skew_us
            remote = await target.find(parcel, since) or ""
        if not remote:
            return Outcome(AttemptState.DROPPED, _NOT_WANTED)
        below = change.below
        spot = Spot(below.target, below.remote, below.remote_thread)
        await target.remove(spot, remote)
        word = change.known or change.word(Fate.REMOVED)
        again = (_of(change.delivery, change.delivery.file),) if change.more else ()
        word = replace(word, fate=Fate.REMOVED, remote=remote)
        return Outcome(AttemptState.DELIVERED, text=word.name, file=word, then=again)

    async def _shown(self, change: FileChange, post: Post) -> Outcome:
        copy = change.below
        try:
            await self.senders[copy.target.platform].edit(copy.remote, post)
        except Refused as refused:
            # The files are where they are, whatever the lines above them say.
            return Outcome(AttemptState.DROPPED, str(refused))
        word = FileWord(
            "", Fate.COMING, copy.remote, copy.remote_thread, upto=change.told.upto
        )
        text = "\n".join(f"{line.label}: {line.said}" for line in post.files)
        return Outcome(AttemptState.DELIVERED, text=text, file=word)

    async def _denial(self, change: FileChange) -> str:
        delivery = change.delivery
        link = await self._link(delivery)
        decision = await Admission(self.policy).ruling(delivery, change.story, link)
        if decision.unsure:
            # Nobody can say now: it is tried again, and given up in the end.
            raise NotSent(denied(decision))
        return "" if decision.allowed else denied(decision)

    async def _link(self, delivery: Delivery) -> Link | None:
        for link in await self.links.of(delivery.tenant, delivery.source):
            if link.id == delivery.link:
                return link
        return None

    async def _options(self, delivery: Delivery) -> LinkOptions:
        link = await self._link(delivery)
        return link.options if link else LinkOptions()

    async def _parcel(self, change: FileChange, file: File) -> Parcel:
        copy = change.below
        author = await self._author(change)
        return _named(
            Parcel(
                mark=_mark(copy, change.delivery.file),
                target=copy.target,
                thread=copy.remote_thread or copy.remote,
                author=author,
                origin=change.delivery.source.platform,
                name="",
            ),
            file,
        )

    async def _author(self, change: FileChange) -> Person:
        author, source = change.story.author, change.delivery.source
        people = self.people.get(source.platform)
        if not author.name and people is not None:
            found = await people.lookup(source, {author.id})
            author = author.named(found.get(author.id, author))
        if self.attributes is None:
            return author
        known_as = await self.attributes.of(change.delivery, author)
        return replace(author, name=attributed(author.name, known_as.confirmed))


def _concerned(operation: Operation, history: History) -> list[str]:
    """Return the keys of the files for which a message's delivery changed something."""
    now = dict.fromkeys(file.key for file in history.files)
    before = dict.fromkeys(file.key for file in history.former_files)
    match operation:
        case Operation.POST:
            return list(now)
        case Operation.EDIT:
            return list({**now, **before}) if now.keys() != before.keys() else []
        case _:
            return list({**now, **before})


def _chosen(found: list[FileChange]) -> FileChange | str:
    """Return what is to be done first: what stands where it must not comes before."""
    newest = found[-1]
    story, key = newest.story, newest.delivery.file
    files = {file.key: file for file in story.files}
    gone = story.deleted or newest.below.deleted
    wanted = None if gone else files.get(key)
    standing = [c for c in found if c.known and c.known.fate is Fate.COPIED]
    wrong = [c for c in standing if wanted is None or c is not newest]
    if wrong:
        more = len(wrong) > 1 or (wanted is not None and newest not in standing)
        return replace(wrong[0], more=more)
    if wanted is None:
        lost = newest.uncertain and newest.known is None
        return newest if lost else _NOT_WANTED
    if newest.known and newest.known.fate not in _NOT_SETTLED:
        return "what becomes of the file is settled"
    return replace(newest, file=wanted)


def _to_show(change: FileChange) -> FileChange | str:
    if change.story.deleted or change.below.deleted:
        return "the message was deleted"
    if change.told.upto <= change.told.shown_upto and not change.delivery.attempts:
        return "it shows already"
    return change


def _of(delivery: Delivery, key: str) -> Delivery:
    """Return the delivery of a file, or without a key of what the copy says of files."""
    return Delivery(
        tenant=delivery.tenant,
        seq=-1,
        n=-1,
        link=delivery.link,
        operation=Operation.FILE,
        source=delivery.source,
        target=delivery.target,
        message=delivery.message,
        thread=delivery.thread,
        version_us=delivery.version_us,
        created_us=0,
        file=key,
    )


def _named(parcel: Parcel, file: File) -> Parcel:
    name = safe_name(file.name, file.mime)
    return replace(parcel, name=name, mime=file.mime, page=file.page)


def _mark(copy: Copy, key: str) -> str:
    """Return what marks a file below one copy, and no other, on its platform."""
    whole = "\0".join((copy.tenant, copy.link, str(copy.target), copy.remote, key))
    return blake2s(whole.encode("utf-8", "replace"), digest_size=8).hexdigest()
