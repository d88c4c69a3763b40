"""
The shape of Microsoft Purview's export: a load file of CSV, and transcripts as HTML.

A transcript holds a conversation's day, as days are in the export's time zone, with
all that became of its messages. A row of the load file is a transcript or one of its
files; those are its family. The columns' names are Purview's, those that begin with
ATOM are not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import md5, sha256
from html import escape

from storage.compliance.export.cells import table
from storage.compliance.export.documents import bates, extension
from storage.compliance.export.model import (
    Attached,
    Conversation,
    Heading,
    Item,
    PlaceKind,
    Reaction,
    Revision,
    Source,
    Stamp,
    Who,
    Written,
)
from storage.compliance.export.participants import (
    BETWEEN,
    Placed,
    everybody,
    lists,
    named,
    placed,
)
from storage.compliance.export.paths import Names
from storage.compliance.export.slices import days
from storage.compliance.export.text import utc, utf8, xml_text
from storage.compliance.export.transcript import blocks

FOLDER = "purview"
LOAD_FILE = f"{FOLDER}/Export_Loadfile_ATOM.csv"
COLUMNS = (
    "File_ID",
    "Family_ID",
    "Parent_ID",
    "File_class",
    "Item_class",
    "Message_kind",
    "Native_file_name",
    "Native_extension",
    "Native_size",
    "Native_MD5",
    "Native_SHA_256",
    "Export_native_path",
    "Custodian",
    "Subject_Title",
    "Sender",
    "Participants",
    "Date",
    "Conversation_ID",
    "Conversation_name",
    "Conversation_type",
    "Team_name",
    "Channel_name",
    "ATOM_Last_date",
    "ATOM_Messages",
    "ATOM_Entries",
    "ATOM_Missing",
    "ATOM_Participants",
)
_CLASSES = {"slack": "IPM.Slack.Message", "teams": "IPM.SkypeTeams.Message"}
_TYPES = {
    PlaceKind.CHANNEL: "Channel",
    PlaceKind.PRIVATE: "Private channel",
    PlaceKind.GROUP: "Group chat",
    PlaceKind.DIRECT: "1:1 chat",
}

Row = Mapping[str, str]


def files(heading: Heading, source: Source) -> Iterator[Written]:
    """Yield every transcript, the load file that names them, and long lists of people."""
    names, rows, number = Names(), list[Row](), 0
    for where in placed(source):
        place = where.place
        for name, items in days(heading, source, place):
            page = _page(heading, place, name, items)
            stem = f"{place.shown[:40]} {name} ({place.id[:40]})"
            path = f"{FOLDER}/NativeFiles/{names.one(f'{stem}.html')}"
            family = [*_family(heading, where, name, items)]
            number += 1
            rows.append({**family[0], **_native(path, page), **_ids(number, number)})
            parent = number
            for row in family[1:]:
                number += 1
                rows.append({**row, **_ids(number, parent)})
            yield Written(path, iter([page]), _entries(items))
    yield Written(LOAD_FILE, table(_cells(rows)))
    yield from lists(FOLDER, heading, source)


def _page(
    heading: Heading, place: Conversation, name: str, items: Sequence[Item]
) -> bytes:
    title = escape(xml_text(f"{place.shown} ({place.platform}), {name}"))
    told = (block for item in items for block in blocks(item, heading.zone))
    shown = "\n".join(f"<pre>{escape(xml_text(block))}</pre>" for block in told)
    head = f'<meta charset="utf-8">\n<title>{title}</title>\n<h1>{title}</h1>'
    return utf8(f"<!doctype html>\n{head}\n{shown}\n")


def _family(
    heading: Heading, where: Placed, name: str, items: Sequence[Item]
) -> Iterator[Row]:
    """Yield the row of a transcript, and one for each of its files."""
    place, listed = where
    shared = {
        "Item_class": _CLASSES.get(place.platform, "IPM.Note"),
        "Message_kind": "im",
        "Custodian": heading.custodian or items[0].author.address,
        "Participants": everybody(place) if listed else named(_people(place, items)),
        "Conversation_ID": place.id,
        "Conversation_name": place.shown,
        "Conversation_type": _TYPES[place.kind],
        "Team_name": place.team,
        "Channel_name": place.shown,
        "ATOM_Participants": listed,
    }
    yield {
        **shared,
        "File_class": "Conversation",
        "Subject_Title": f"{place.shown} {name}",
        "Sender": items[0].author.address,
        "Date": utc(items[0].at_us),
        "ATOM_Last_date": utc(items[-1].at_us),
        "ATOM_Messages": str(len(items)),
        "ATOM_Entries": " ".join(str(stamp.seq) for stamp in _stamps(items)),
        "ATOM_Missing": BETWEEN.join(_missing(items)),
    }
    for item, file in _attached(items):
        yield {
            **shared,
            "File_class": "Attachment",
            "Native_file_name": file.name,
            "Native_extension": extension(file.name),
            "Native_size": str(file.size),
            "Native_MD5": file.md5,
            "Native_SHA_256": file.sha256,
            "Export_native_path": f"../{file.path}",
            "Subject_Title": file.name,
            "Sender": item.author.address,
            "Date": utc(item.at_us),
        }


def _native(path: str, page: bytes) -> Row:
    name = path.removeprefix(f"{FOLDER}/")
    return {
        "Native_file_name": name.rpartition("/")[2],
        "Native_extension": "html",
        "Native_size": str(len(page)),
        "Native_MD5": md5(page, usedforsecurity=False).hexdigest(),
        "Native_SHA_256": sha256(page).hexdigest(),
        "Export_native_path": name,
    }


def _ids(number: int, parent: int) -> Row:
    above = bates(parent) if parent != number else ""
    return {"File_ID": bates(number), "Family_ID": bates(parent), "Parent_ID": above}


def _people(place: Conversation, items: Sequence[Item]) -> list[Who]:
    spoke = [each.by for item in items for each in _happened(item)]
    listed = {(who.platform, who.id): who for who in (*place.people, *spoke)}
    return [listed[key] for key in sorted(listed)]


def _attached(items: Sequence[Item]) -> Iterator[tuple[Item, Attached]]:
    """Yield the files whose bytes are here, each once."""
    seen: set[str] = set()
    for item in items:
        for file in (file for r in item.revisions for file in r.files):
            if file.path and file.path not in seen:
                seen.add(file.path)
                yield item, file


def _missing(items: Sequence[Item]) -> Iterator[str]:
    for item in items:
        lost = {f.id: f for r in item.revisions for f in r.files if not f.path}
        for file in lost.values():
            yield f"{file.name}: {file.missing}"


def _stamps(items: Iterable[Item]) -> Iterator[Stamp]:
    for item in items:
        yield from (each.stamp for each in _happened(item))


def _happened(item: Item) -> list[Revision | Reaction]:
    return [*item.revisions, *item.reactions]


def _entries(items: Sequence[Item]) -> Callable[[], Iterator[tuple[int, str]]]:
    held = {stamp.seq: stamp.leaf for stamp in _stamps(items)}
    return partial(iter, [*held.items()])


def _cells(rows: Sequence[Row]) -> Iterator[Sequence[str]]:
    yield COLUMNS
    for row in rows:
        yield [row.get(name, "") for name in COLUMNS]
