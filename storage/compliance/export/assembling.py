"""Make messages of what was read, choose those that are asked for, and say where."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from storage.compliance.export.model import (
    Attached,
    Change,
    Item,
    Origin,
    PlaceKind,
    Reaction,
    Revision,
    Stamp,
    Who,
)
from storage.compliance.export.packing import packed, person_of, who_row
from storage.compliance.export.question import Matches, Question
from storage.compliance.export.reading import Filed, kind_of_place
from storage.compliance.export.spool import Spool, split_key, unjson
from storage.compliance.export.text import as_json, safe_part

People = dict[tuple[str, str], Who]
_STATE = "assembled"
_WORDS = {
    "too_large": "too large to be kept",
    "gone": "gone from the platform before it could be kept",
    "failed": "the platform did not give it out",
    "deleted": "deleted on the platform",
}


def assemble(spool: Spool, question: Question, matches: Matches) -> None:
    """Choose the messages, and note what is in each conversation; once."""
    if spool.get(_STATE):
        return
    people = _people(spool)
    counts = {"matched": 0, "copies": 0}
    withheld: dict[str, int] = {}
    with spool.together() as base:
        base.execute("DELETE FROM item")
        base.execute("DELETE FROM place")
        base.execute("DELETE FROM content")
        base.execute("DELETE FROM unkept")
        for key, item, blobs in _items(spool, people):
            if not (question.takes(item) and matches(item)):
                continue
            counts["copies" if item.origin else "matched"] += 1
            for reason in {r.withheld for r in item.revisions if r.withheld}:
                withheld[reason] = withheld.get(reason, 0) + 1
            author = who_row(item.author)
            base.execute(
                "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key,
                    item.at_us,
                    item.first.stamp.seq,
                    item.msg,
                    item.thread,
                    author[1],
                    sum(len(r.files) for r in item.revisions),
                    packed(item),
                ),
            )
            base.executemany(
                "INSERT OR IGNORE INTO content VALUES (?, ?, 0, NULL, '', '', '')",
                [*blobs.items()],
            )
            base.executemany("INSERT INTO unkept VALUES (?, ?)", [*_unkept(item)])
        for key in _chosen(spool):
            told = as_json(_place(spool, key, people))
            base.execute("INSERT INTO place VALUES (?, ?)", (key, told))
        for name, count in counts.items():
            spool.put(name, str(count))
        spool.put("withheld", as_json(withheld, ordered=True).decode())
        spool.put(_STATE, "yes")


def _unkept(item: Item) -> Iterator[tuple[str, str]]:
    """Yield the files of which no bytes were ever kept."""
    files = {f.id: f for r in item.revisions for f in r.files if not f.path}
    for file in files.values():
        yield f"{item.platform}/{item.conv}/{item.msg}/{file.id}", file.missing


def _chosen(spool: Spool) -> list[str]:
    rows = spool.rows("SELECT DISTINCT place FROM item ORDER BY place")
    return [key for (key,) in rows]


def _people(spool: Spool) -> People:
    """Return everybody by what they were called last."""
    found: People = {}
    for (told,) in spool.rows("SELECT told FROM fact ORDER BY seq"):
        for kind, *fact in unjson(told):
            who = _named(kind, fact)
            if who is not None:
                _learn(found, Who(*who))
    return found


def _named(kind: str, fact: Sequence[Any]) -> Sequence[str] | None:
    at = {"s": 4, "r": 2, "m": 0}.get(kind)
    return None if at is None else fact[at]


def _learn(people: People, who: Who) -> None:
    key = (who.platform, who.id)
    known = people.get(key)
    if known is None:
        people[key] = who
        return
    people[key] = replace(
        known,
        name=who.name or known.name,
        email=who.email or known.email,
        kind=known.kind if who.kind in {"system", "user"} else who.kind,
    )


@dataclass(frozen=True, slots=True)
class _Message:
    """What is known of one message beside its own entries."""

    place: tuple[str, str, str]
    msg: str
    people: People
    files: Mapping[str, Filed]
    wanted: dict[str, str]  # the blobs to be read, by their paths in the export

    def item(self, said: Sequence[Any], reactions: Sequence[Any]) -> Item:
        platform, team, conv = self.place
        return Item(
            platform=platform,
            team=team,
            conv=conv,
            msg=self.msg,
            thread=next((s[8] for s in said if s[8]), ""),
            link=next((s[9] for s in said if s[9]), ""),
            origin=next((Origin(*s[10]) for s in said if s[10]), None),
            revisions=tuple(self._revision(one) for one in said),
            reactions=tuple(
                Reaction(Stamp(*stamp), at_us, _known(by, self.people), emoji, added)
                for stamp, at_us, by, emoji, added in reactions
            ),
        )

    def _revision(self, told: Sequence[Any]) -> Revision:
        change, stamp, rev, at_us, by, text, attached, withheld, *_ = told
        return Revision(
            change=Change(change),
            stamp=Stamp(*stamp),
            rev=rev,
            at_us=at_us,
            by=_known(by, self.people),
            text=text,
            files=tuple(self._file(Attached(*a)) for a in attached),
            withheld=withheld,
        )

    def _file(self, file: Attached) -> Attached:
        """Say where its bytes will stand; whether they do is known once they are read."""
        word = self.files.get(file.id)
        if word is None:
            return file
        if not word.blob:
            return replace(file, missing=_WORDS.get(word.outcome, word.outcome))
        platform, _team, conv = self.place
        folder = safe_part(f"{platform}-{conv}-{self.msg}")
        path = f"files/{folder}/{safe_part(f'{file.id}-{file.name}')}"
        self.wanted[path] = word.blob
        return replace(file, size=word.size, path=path, missing="")


def _items(
    spool: Spool, people: People
) -> Iterator[tuple[str, Item, Mapping[str, str]]]:
    """Yield every message with its place and the blobs that it holds."""
    rows = spool.rows(
        "SELECT place, msg, told FROM fact WHERE msg <> '' ORDER BY place, msg, seq"
    )
    for (key, msg), group in groupby(rows, key=itemgetter(0, 1)):
        told = [fact for *_, data in group for fact in unjson(data)]
        said = [fact[1:] for fact in told if fact[0] == "s"]
        if not said:
            continue
        reactions = [fact[1:] for fact in told if fact[0] == "r"]
        files = {f[1]: Filed(*f[1:]) for f in told if f[0] == "f" and _tells(f)}
        message = _Message(split_key(key), msg, people, files, {})
        yield key, message.item(said, reactions), message.wanted


def _tells(fact: Sequence[Any]) -> bool:
    """Whether it tells of bytes: that a file was deleted since tells of none."""
    return bool(fact[2] != "deleted")


def _known(told: Sequence[str], people: People) -> Who:
    who = Who(*told)
    return people.get((who.platform, who.id), who)


def _place(spool: Spool, key: str, people: People) -> list[Any]:
    """Return a conversation: what it is called, who was there, from when to when."""
    platform, _team, conv = split_key(key)
    name, kind = "", ""
    stays: list[list[Any]] = []
    rows = spool.rows(
        "SELECT told FROM fact WHERE place = ? AND msg = '' ORDER BY seq", key
    )
    for (data,) in rows:
        for what, *fact in unjson(data):
            if what == "c":
                name, kind = fact[0] or name, fact[1] or kind
            elif what == "m":
                _moved(stays, _known(fact[0], people), fact[1], joined=fact[2])
    present: dict[tuple[str, str], Who] = {
        (s[0][0], s[0][1]): Who(*s[0]) for s in stays
    }
    first, last = 0, 0
    for (data,) in spool.rows(
        "SELECT packed FROM item WHERE place = ? ORDER BY at_us, seq", key
    ):
        item = unjson(data)
        times = [r[3] for r in item[7]] + [r[1] for r in item[8]]
        first = min(first or min(times), *times)
        last = max(last, *times)
        for by in (*(r[4] for r in item[7]), *(r[2] for r in item[8])):
            present.setdefault((by[0], by[1]), person_of(by, {}))
    listed = [who_row(present[who]) for who in sorted(present)]
    told_kind: PlaceKind = kind_of_place(platform, conv, kind)
    return [name, str(told_kind), listed, stays, first, last]


def _moved(stays: list[list[Any]], who: Who, at_us: int, *, joined: bool) -> None:
    told = who_row(who)
    here = [s for s in stays if s[0][:2] == told[:2] and not s[2]]
    if joined:
        if not here:
            stays.append([told, at_us, 0])
    elif here:
        here[-1][2] = at_us
    else:
        stays.append([told, 0, at_us])
