"""
Messages by the million, the same ones for the same seed.

    python -m tests.load.corpus fill --messages 1000000 --database URL --home DIR

fills a database through the store's own group commit. What is said follows Zipf's law
and many scripts; people edit, delete, reply, react, mention each other and send files
in channels of both platforms, some of which are linked.
"""

import argparse
import asyncio
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from bridge.access import Decision
from bridge.document import Document, Inline, Link, Mention, Paragraph, Text
from bridge.errors import StoreUnavailable
from bridge.messages import (
    Channel,
    Event,
    EventKind,
    File,
    Person,
    PersonKind,
    Platform,
)
from bridge.ports import Commitment
from bridge.search.words import CHUNK
from storage.compliance.keys import KeyFile, Keyring
from storage.database import opened
from storage.database_url import database_url
from storage.journal import Journal
from storage.migrate import upgrade
from storage.writes import Entry, Origin, Write

TENANT = "acme"
BEGUN_US = 1_740_000_000_000_000
_STEP_US = 37_000_000
_WORDS = 20_000
_AT_ONCE = 400
_TRIES = 20
_VOWELS, _CONSONANTS = "aeiou", "bcdfghklmnprstvw"
_SPECIAL = [
    "café",
    "naïve",
    "Ärger",
    "Straße",
    "résumé",
    "coöperate",
    "jalapeño",
    "Søren",
    "Łódź",
    "piñata",
    "señor",
    "über",
    "user_id",
    "e-mail",
    "C++",
    "v2.1",
    "can't",
    "İstanbul",
    "ﬁnance",
    "Ｆｕｌｌ",
    "½",
    "42",
    "2026",
]
_CJK = [
    "東京都庁",
    "京都大学",
    "会議は明日",
    "カタカナ",
    "がんばって",
    "数据库",
    "北京大学",
    "東",
]
_RTL = ["שלום", "שָׁלוֹם", "חברה", "مرحبا", "مُحَمَّد", "أحمد", "شـــكرا", "الاجتماع", "פגישה"]
_OTHER = ["हिन्दी", "สวัสดีครับ", "привет", "Ёлка", "한국어", "회의", "ελληνικά", "ΌΣΟΣ"]
_EMOJI = ["🎉", "👍", "👍🏽", "❤️", "👩🏽‍💻", "👨‍👩‍👧", "🇩🇪", "🇫🇷", "🚀", "1️⃣", "☕", "™"]
_FIRST = [
    "Ada",
    "Grace",
    "Søren",
    "Zoë",
    "Li",
    "Yuki",
    "Omar",
    "Ana",
    "Björn",
    "Maria",
    "Chloé",
    "Ivan",
    "Noa",
    "Priya",
    "Tom",
    "Eva",
]
_LAST = [
    "Wong",
    "Hopper",
    "Lee",
    "García",
    "Müller",
    "Okafor",
    "Tanaka",
    "Novak",
    "Smith",
    "Rossi",
    "Kim",
    "Dubois",
]
_ENDINGS = ("pdf", "png", "docx", "XLSX", "txt", "zip")
_MIMES = {"pdf": "application/pdf", "png": "image/png", "txt": "text/plain"}


@dataclass(frozen=True, slots=True)
class Delivered:
    """A copy came to stand in another channel: what ATOM writes about it."""

    origin: int
    target: Channel
    remote: str
    at_us: int
    gone: bool = False


Happening = Event | Delivered


@dataclass(slots=True)
class _Message:
    channel: Channel
    id: str
    author: Person
    sent_us: int
    seq: int
    thread: str
    said: tuple[Inline, ...]
    files: tuple[File, ...]
    deleted: bool = False
    version_us: int = 0
    copy: Delivered | None = None


@dataclass
class Corpus:
    """Yields what happens, in the order of the log: the n-th is entry n."""

    messages: int
    seed: int = 7
    people_count: int = 3000
    channel_count: int = 60
    _recent: list[_Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.words = _vocabulary(random.Random(1))
        weights = (1 / (n + 2.7) for n in range(len(self.words)))
        self._weights = list(itertools.accumulate(weights))
        self.people = [self._person(n) for n in range(self.people_count)]
        self.channels = [_channel(n) for n in range(self.channel_count)]
        self._seq = 0

    @property
    def linked(self) -> dict[Channel, Channel]:
        """Each linked channel's counterpart; about half of them have one."""
        half = self.channel_count // 4 * 2
        pairs = zip(self.channels[:half:2], self.channels[1:half:2], strict=True)
        return {one: other for a, b in pairs for one, other in ((a, b), (b, a))}

    def happenings(self) -> Iterator[Happening]:
        links, said = self.linked, 0
        clock = BEGUN_US
        while said < self.messages:
            clock += 1 + self.random.randrange(_STEP_US)
            draw = self.random.random()
            if draw < 0.8 or not self._recent:
                message = self._said(clock)
                said += 1
                yield self._event(EventKind.MESSAGE_CREATE, message, clock)
                target = links.get(message.channel)
                if target and self.random.random() < 0.9:
                    yield self._copied(message, target, clock)
            else:
                yield from self._changed(self.random.choice(self._recent), draw, clock)

    def _changed(
        self, message: _Message, draw: float, clock: int
    ) -> Iterator[Happening]:
        if draw < 0.87:
            reactor = self.random.choice(self.people)
            kind = self.random.choice(
                [
                    EventKind.REACTION_ADD,
                    EventKind.REACTION_ADD,
                    EventKind.REACTION_REMOVE,
                ]
            )
            name = self.random.choice(["tada", "eyes"])
            told = "added" if kind is EventKind.REACTION_ADD else "removed"
            yield self._event(
                kind, message, clock, author=reactor, detail=((told, name),)
            )
        elif draw < 0.96 and not message.deleted:
            message.said, message.version_us = self._words(message), clock
            yield self._event(EventKind.MESSAGE_EDIT, message, clock)
        elif draw < 0.99 and not message.deleted:
            message.deleted, message.version_us = True, clock
            yield self._event(EventKind.MESSAGE_DELETE, message, clock, empty=True)
            if copy := message.copy:
                yield self._gone(copy, clock)
        elif message.deleted and message.channel.platform is Platform.TEAMS:
            message.deleted, message.version_us = False, clock
            yield self._event(EventKind.MESSAGE_RESTORE, message, clock)

    def _said(self, clock: int) -> _Message:
        # Some channels and people are much busier than others.
        channel = self.channels[int(self.random.random() ** 2 * len(self.channels))]
        pool = [p for p in self._pick_people() if p.platform is channel.platform]
        author = pool[0] if pool else self.people[channel.platform is Platform.TEAMS]
        millis = clock // 1000
        id_ = (
            f"{clock // 1_000_000}.{clock % 1_000_000:06}"
            if channel.platform is Platform.SLACK
            else str(millis)
        )
        sent = clock if channel.platform is Platform.SLACK else millis * 1000
        roots = [m for m in self._recent[-50:] if m.channel == channel and not m.thread]
        thread = roots[0].id if roots and self.random.random() < 0.3 else ""
        message = _Message(channel, id_, author, sent, self._seq, thread, (), ())
        message.said, message.files = self._words(message), self._files()
        self._recent.append(message)
        if len(self._recent) > 2000:
            del self._recent[:1000]
        return message

    def _pick_people(self) -> list[Person]:
        size = len(self.people)
        return [self.people[int(self.random.random() ** 2 * size)] for _ in range(3)]

    def _words(self, message: _Message) -> tuple[Inline, ...]:
        count = min(1 + int(self.random.expovariate(1 / 9)), 120)
        words = self.random.choices(self.words, cum_weights=self._weights, k=count)
        if self.random.random() < 0.2:
            pool = self.random.choice([_CJK, _RTL, _OTHER, _EMOJI, _SPECIAL])
            for _ in range(self.random.randrange(1, 4)):
                words.insert(
                    self.random.randrange(len(words) + 1), self.random.choice(pool)
                )
        # Longer words than an index keeps whole are another test's.
        short = sum(map(len, words)) < CHUNK
        joint = "" if self.random.random() < 0.02 and short else " "
        said: list[Inline] = [Text(joint.join(words))]
        if self.random.random() < 0.05:
            whom = self.random.choice(self.people[:200])
            if whom.platform is message.channel.platform:
                said = [Mention(whom.id, whom.name or whom.id), Text(" "), *said]
        if self.random.random() < 0.03:
            said += [
                Text(" "),
                Link(f"https://{self.random.choice(self.words)}.example/a"),
            ]
        return tuple(said)

    def _files(self) -> tuple[File, ...]:
        if self.random.random() >= 0.04:
            return ()
        made = []
        for n in range(self.random.randrange(1, 3)):
            ending = self.random.choice(_ENDINGS)
            words = self.random.choices(self.words[:500], k=2)
            name = f"{words[0]} {words[1]}.{ending}"
            made.append(File(f"F{self._seq}{n}", name, _MIMES.get(ending, "")))
        return tuple(made)

    def _event(
        self,
        kind: EventKind,
        message: _Message,
        clock: int,
        *,
        author: Person | None = None,
        detail: tuple[tuple[str, str], ...] = (),
        empty: bool = False,
    ) -> Event:
        self._seq += 1
        says = kind.startswith("message.") and not empty
        changed = kind.startswith("message.") and kind is not EventKind.MESSAGE_CREATE
        return Event(
            platform=message.channel.platform,
            account="T01ACME",
            event_id=f"Ev{self._seq}",
            kind=kind,
            channel=message.channel,
            author=author or message.author,
            sent_us=message.sent_us if kind is EventKind.MESSAGE_CREATE else clock,
            raw=b"{}",
            message=message.id,
            thread=message.thread,
            version_us=clock if changed else 0,
            document=Document((Paragraph(message.said),)) if says else Document(),
            files=message.files if says else (),
            detail=detail,
        )

    def _copied(self, message: _Message, target: Channel, clock: int) -> Delivered:
        self._seq += 1
        remote = f"copy{message.seq}"
        message.copy = Delivered(message.seq, target, remote, clock)
        return message.copy

    def _gone(self, copy: Delivered, clock: int) -> Delivered:
        self._seq += 1
        return Delivered(copy.origin, copy.target, copy.remote, clock, gone=True)

    def _person(self, n: int) -> Person:
        platform = Platform.TEAMS if n % 2 else Platform.SLACK
        id_ = f"29:{n:05}" if n % 2 else f"U{n:05}"
        name = f"{_FIRST[n % len(_FIRST)]} {_LAST[n // 3 % len(_LAST)]}"
        kinds = {3: PersonKind.BOT, 4: PersonKind.EXTERNAL, 5: PersonKind.GUEST}
        return Person(platform, id_, name, kind=kinds.get(n % 40, PersonKind.USER))


def _channel(n: int) -> Channel:
    if n % 2:
        return Channel(
            Platform.TEAMS, f"19:team{n % 6}@thread.tacv2", f"19:c{n}@thread.tacv2"
        )
    return Channel(Platform.SLACK, f"T{n % 4}", f"D{n}" if n % 20 == 18 else f"C{n}")


def _vocabulary(chance: random.Random) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        syllables = chance.choice([1, 2, 2, 3, 3, 4])
        word = "".join(
            chance.choice(_CONSONANTS) + chance.choice(_VOWELS)
            for _ in range(syllables)
        )
        if chance.random() < 0.3:
            word += chance.choice(_CONSONANTS)
        if chance.random() < 0.02:
            word = word.replace("e", "é").replace("o", "ö")
        words[word.capitalize() if chance.random() < 0.1 else word] = None
    return list(words)


def write_of(
    happening: Happening, decided: Decision | None = None
) -> Write | Commitment:
    """Return what goes to the journal."""
    if isinstance(happening, Event):
        decisions = (
            (decided,) if decided and happening.kind.startswith("message.") else ()
        )
        return Commitment(TENANT, happening, decisions, ())
    entry = Entry(
        etype="bridge.delete_applied" if happening.gone else "bridge.delivered",
        platform=happening.target.platform,
        subject="atom|copy",
        src_us=happening.at_us,
        body={"operation": "post", "author": {"id": "x", "name": "", "avatar": ""}},
        team=happening.target.team,
        conv=happening.target.id,
        msg=happening.remote,
        via="self",
        outcome="delivered",
        origin=None if happening.gone else Origin(happening.origin, b"\0" * 32),
    )
    key = f"corpus:{happening.remote}:{happening.at_us}:{happening.gone}"
    return Write(TENANT, keys=(key,), entry=entry)


DECIDED = Decision(allowed=True, rule="linked", policy="p" * 64, directory="")


async def fill(journal: Journal, happenings: Iterator[Happening]) -> int:
    """
    Write everything, in order; returns how many entries it became.

    Filling again goes on where it was stopped: what is there already is not doubled.
    """
    total = 0
    for batch in _batched(happenings):
        made = [write_of(each, DECIDED) for each in batch]
        for _ in range(_TRIES):
            try:
                await asyncio.gather(*(_written(journal, each) for each in made))
            except StoreUnavailable:
                await asyncio.sleep(1)  # the machine is busy with something else
            else:
                break
        total += len(batch)
    return total


async def _written(journal: Journal, made: Write | Commitment) -> None:
    if isinstance(made, Commitment):
        await journal.append(made)
    else:
        await journal.write(made)


def _batched(happenings: Iterator[Happening]) -> Iterator[tuple[Happening, ...]]:
    while batch := tuple(itertools.islice(happenings, _AT_ONCE)):
        yield batch


async def _filled(messages: int, url: str, home: Path, seed: int) -> None:
    keys = KeyFile.under(home)
    keys.create(TENANT)
    async with opened(database_url(url)) as database:
        await upgrade(database.engine)
        journal = Journal(database.hot, Keyring(database.hot, keys), _clock)
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns) as bar:
            task = bar.add_task("filling", total=messages)

            def counted() -> Iterator[Happening]:
                for each in Corpus(messages, seed).happenings():
                    if (
                        isinstance(each, Event)
                        and each.kind is EventKind.MESSAGE_CREATE
                    ):
                        bar.advance(task)
                    yield each

            await fill(journal, counted())


def _clock() -> int:
    import time

    return time.time_ns() // 1000


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__)
    filling = reading.add_subparsers(required=True).add_parser("fill")
    filling.add_argument("--messages", type=int, default=1_000_000)
    filling.add_argument("--database", required=True)
    filling.add_argument("--home", type=Path, required=True)
    filling.add_argument("--seed", type=int, default=7)
    given = reading.parse_args()
    asyncio.run(_filled(given.messages, given.database, given.home, given.seed))


if __name__ == "__main__":
    main()
