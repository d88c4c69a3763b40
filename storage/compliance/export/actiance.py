"""
Actiance XML: conversations with who came, what was said, and who left.

One file for everything, conversations by id. Times are milliseconds UTC. Inside a
conversation stand first who entered, then messages and files by their last change,
then who left; whoever did not leave is closed out at the end of the period.
"""

from collections.abc import Iterator

from storage.compliance.export.model import (
    Attached,
    Conversation,
    Heading,
    Item,
    PlaceKind,
    Source,
    Stay,
    Who,
    Written,
)
from storage.compliance.export.text import milliseconds
from storage.compliance.export.updates import Line, Update, lines
from storage.compliance.export.xml import closing, element, encoded, opening

PATH = "actiance/actiance_export.xml"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ROOMS = {
    PlaceKind.CHANNEL: "public",
    PlaceKind.PRIVATE: "private",
    PlaceKind.GROUP: "group",
    PlaceKind.DIRECT: "direct",
}


def files(_heading: Heading, source: Source) -> Iterator[Written]:
    """Yield the one file of the export; the bytes of files stand beside it."""
    yield Written(PATH, encoded(_dump(source)))


def _dump(source: Source) -> Iterator[str]:
    yield opening("FileDump", {"xmlns:xsi": _XSI})
    for place in sorted(source.conversations(), key=lambda p: (p.id, p.key)):
        yield from _conversation(source, place)
    yield closing("FileDump")


def _conversation(source: Source, place: Conversation) -> Iterator[str]:
    room = f"{_ROOMS[place.kind]} - {place.shown} - {place.id}"
    ended = max(place.last_us, place.first_us)
    yield opening("Conversation", {"Perspective": place.shown})
    yield element("RoomID", room)
    yield element("StartTimeUTC", milliseconds(place.first_us))
    stays = _stays(place)
    for stay in stays:
        began = stay.joined_us or place.first_us
        yield _participant("ParticipantEntered", stay.who, began)
    told = [line for item in source.items(place) for line in _lines(item)]
    for line in sorted(told, key=_order):
        yield from _message(line)
    for stay in stays:
        yield _participant("ParticipantLeft", stay.who, stay.left_us or ended)
    yield element("EndTimeUTC", milliseconds(ended))
    yield closing("Conversation")


def _lines(item: Item) -> list[Line]:
    return [*lines(item)]


def _order(line: Line) -> tuple[int, str, int]:
    return (line.at_us, line.id, line.stamp.seq)


def _stays(place: Conversation) -> list[Stay]:
    """Return when people were there; of some only their messages tell that."""
    told = {(s.who.platform, s.who.id) for s in place.stays}
    silent = [Stay(w) for w in place.people if (w.platform, w.id) not in told]
    stays = [*place.stays, *silent]
    return sorted(stays, key=lambda s: (s.joined_us, s.who.platform, s.who.id))


def _participant(name: str, who: Who, at_us: int) -> str:
    return "".join(
        (
            opening(name),
            element("LoginName", who.address),
            element("UserType", "bot" if who.is_bot else "user"),
            element("DateTimeUTC", milliseconds(at_us)),
            element("CorporateEmailID", who.address),
            closing(name),
        )
    )


def _message(line: Line) -> Iterator[str]:
    yield opening("Message")
    yield element("MessageId", line.id)
    yield element("LoginName", line.by.address)
    yield element("UserType", "bot" if line.by.is_bot else "user")
    yield element("DateTimeUTC", milliseconds(line.said_us))
    yield element("UpdatedType", line.update)
    if line.update:
        yield element("UpdatedDateTimeUTC", milliseconds(line.updated_us))
    yield element("EditedNewMsgId", line.newer)
    yield element("Content", line.text)
    yield element("PreviewsPost", "")
    yield closing("Message")
    if line.update in {Update.NONE, Update.EDITED_ORIGINAL}:
        for file in line.files:
            yield from _transfer(line, file)
    for file in line.gone:
        yield from _file_deleted(line, file)


def _transfer(line: Line, file: Attached) -> Iterator[str]:
    """
    Say that a file came with a message, and whether its bytes are here.

    When the transfer ended nobody knows: both times are the message's.
    """
    name = file.path or file.name
    for part in ("FileTransferStarted", "FileTransferEnded"):
        yield opening(part)
        yield element("LoginName", line.by.address)
        yield element("DateTimeUTC", milliseconds(line.said_us))
        yield element("UserFileName", file.name)
        yield element("FileName", name)
        if part == "FileTransferEnded":
            yield element("Status", "Completed" if file.path else "Failed")
        yield closing(part)


def _file_deleted(line: Line, file: Attached) -> Iterator[str]:
    yield opening("Message")
    yield element("MessageId", f"{line.id}/{file.id}")
    yield element("LoginName", line.by.address)
    yield element("UserType", "bot" if line.by.is_bot else "user")
    yield element("DateTimeUTC", milliseconds(line.said_us))
    yield element("UpdatedType", Update.FILE_DELETED)
    yield element("UpdatedDateTimeUTC", milliseconds(line.updated_us))
    yield element("EditedNewMsgId", "")
    yield element("Content", f"delete {file.path or file.name}")
    yield element("PreviewsPost", "")
    yield closing("Message")
