"""
EDRM XML 1.2: documents with tags, files by reference, and who belongs to whom.

A document is a revision of a message (`MimeType` text/plain, `DocType` Message) or a
file (`DocType` File). Edits, deletions, reactions and the place in the log are tags
of their own, named `#ATOM…`; `#ATOMParticipants` is the path of the list of people.
"""

from collections.abc import Iterator, Sequence
from hashlib import md5

from storage.compliance.export.documents import (
    Document,
    bates,
    documents,
    extension,
    file_name,
    text_name,
)
from storage.compliance.export.model import (
    Change,
    Conversation,
    Heading,
    Source,
    Written,
)
from storage.compliance.export.participants import lists
from storage.compliance.export.text import local, utc, utf8
from storage.compliance.export.xml import (
    closing,
    element,
    empty,
    encoded,
    opening,
    quoted,
)

FOLDER = "edrm"
PATH = f"{FOLDER}/edrm.xml"
_TEXTS = f"{FOLDER}/text"
_FIELDS = (
    ("#From", "Text"),
    ("#To", "Text"),
    ("#Subject", "Text"),
    ("#DateSent", "DateTime"),
    ("#DateReceived", "DateTime"),
    ("#AttachmentNames", "Text"),
    ("#FileName", "Text"),
    ("#FileExtension", "Text"),
    ("#FileSize", "LongInteger"),
    ("#Title", "Text"),
    ("#ATOMChange", "Text"),
    ("#ATOMDeleted", "Boolean"),
    ("#ATOMRevision", "Integer"),
    ("#ATOMActor", "Text"),
    ("#ATOMLocalTime", "Text"),
    ("#ATOMPlatform", "Text"),
    ("#ATOMConversation", "Text"),
    ("#ATOMParticipants", "Text"),
    ("#ATOMMessage", "Text"),
    ("#ATOMThread", "Text"),
    ("#ATOMReactions", "Text"),
    ("#ATOMOrigin", "LongInteger"),
    ("#ATOMLeafIndex", "LongInteger"),
    ("#ATOMLeafHash", "Text"),
    ("#ATOMSHA256", "Text"),
    ("#ATOMWithheld", "Text"),
)
# What a tag begins with: only its value differs from document to document.
_TAGS = {
    name: f'<Tag TagName="{name}" TagDataType="{kind}" TagValue='
    for name, kind in _FIELDS
}


def files(heading: Heading, source: Source) -> Iterator[Written]:
    """Yield the load file, and beside it each message's text and long lists of people."""
    yield Written(PATH, encoded(_root(heading, source)))
    for document in documents(source):
        if document.file is None:
            name = f"{_TEXTS}/{text_name(document)}"
            yield Written(name, iter([utf8(document.text)]))
    yield from lists(FOLDER, heading, source)


def _root(heading: Heading, source: Source) -> Iterator[str]:
    yield opening(
        "Root",
        {
            "MajorVersion": 1,
            "MinorVersion": 2,
            "DataInterchangeType": "Update",
            "Description": f"ATOM export {heading.id}",
        },
    )
    yield opening("Fields")
    for name, kind in _FIELDS:
        given = {"Name": name, "DataType": kind, "Key": name.lstrip("#")}
        yield empty("Field", given)
    yield closing("Fields")
    yield opening("Batch", {"Name": heading.id})
    yield opening("CustomBatchInfo")
    yield element("LogSize", heading.size)
    yield element("LogRoot", heading.root)
    yield element("TimeZone", heading.zone)
    yield closing("CustomBatchInfo")
    yield opening("Documents")
    folders: list[tuple[Conversation, int]] = []
    attached: list[tuple[int, int]] = []
    last = 0
    for document in documents(source):
        yield from _document(heading, document)
        if not folders or folders[-1][0] is not document.place:
            folders.append((document.place, document.number))
        if document.file is not None:
            attached.append((document.parent, document.number))
        last = document.number
    yield closing("Documents")
    yield from _folders(folders, last)
    yield opening("Relationships")
    for parent, child in attached:
        yield _related("Attachment", bates(parent), bates(child))
    yield closing("Relationships")
    yield closing("Batch")
    yield closing("Root")


def _folders(begun: Sequence[tuple[Conversation, int]], last: int) -> Iterator[str]:
    """Yield a folder a conversation, given with its first document's number."""
    yield opening("Folders")
    ends = [*(number for _, number in begun[1:]), last + 1]
    for (place, first), end in zip(begun, ends, strict=False):
        name = f"{place.platform}:{place.shown}"
        yield opening("Folder", {"FolderName": name})
        for number in range(first, end):
            yield empty("Document", {"DocID": bates(number)})
        yield closing("Folder")
    yield closing("Folders")


def _document(heading: Heading, document: Document) -> Iterator[str]:
    file = document.file
    mime = (file.mime if file else "") or (
        "application/octet-stream" if file else "text/plain"
    )
    kind = "File" if file else "Message"
    yield opening("Document", {"DocID": document.id, "DocType": kind, "MimeType": mime})
    yield opening("Files")
    yield from _file(document)
    yield closing("Files")
    yield opening("Locations")
    yield opening("Location")
    custodian = heading.custodian or document.item.author.shown
    yield element("Custodian", custodian)
    place = document.place
    yield element("LocationURI", f"{place.platform}:{place.team}/{place.id}")
    yield closing("Location")
    yield closing("Locations")
    yield opening("Tags")
    for name, value in _tags(heading, document):
        if value:
            yield f"{_TAGS[name]}{quoted(value)}/>\n"
    yield closing("Tags")
    yield closing("Document")


def _file(document: Document) -> Iterator[str]:
    file = document.file
    if file is None:
        data = utf8(document.text)
        path, name, size = "text", text_name(document), len(data)
        digest, kind = md5(data, usedforsecurity=False).hexdigest(), "Text"
    elif file.path:
        folder, _, name = f"../{file.path}".rpartition("/")
        path, size, digest, kind = folder, file.size, file.md5, "Native"
    else:
        return
    yield opening("File", {"FileType": kind})
    yield empty(
        "ExternalFile",
        {"FilePath": path, "FileName": name, "FileSize": size, "Hash": digest},
    )
    yield closing("File")


def _tags(heading: Heading, document: Document) -> Iterator[tuple[str, str]]:
    item, revision, file = document.item, document.revision, document.file
    yield "#From", item.author.address
    yield "#To", document.to
    yield "#Subject", document.title
    yield "#DateSent", utc(revision.at_us)
    yield "#DateReceived", utc(revision.stamp.captured_us)
    yield "#Title", document.title
    if file:
        yield "#FileName", file_name(file)
        yield "#FileExtension", extension(file.name)
        yield "#FileSize", str(file.size)
        yield "#ATOMSHA256", file.sha256
        yield "#ATOMWithheld", file.missing
    else:
        yield "#AttachmentNames", "; ".join(f.name for f in revision.files)
        yield "#ATOMWithheld", revision.withheld
    yield "#ATOMChange", revision.change
    yield "#ATOMDeleted", "true" if revision.change is Change.DELETE else "false"
    yield "#ATOMRevision", str(revision.rev)
    yield "#ATOMActor", revision.by.address
    yield "#ATOMLocalTime", local(revision.at_us, heading.zone)
    yield "#ATOMPlatform", item.platform
    yield "#ATOMConversation", item.conv
    yield "#ATOMParticipants", document.listed
    yield "#ATOMMessage", item.msg
    yield "#ATOMThread", item.thread
    if revision is item.first:
        yield "#ATOMReactions", "; ".join(_reactions(document))
    yield "#ATOMOrigin", str(item.origin.seq) if item.origin else ""
    yield "#ATOMLeafIndex", str(revision.stamp.seq)
    yield "#ATOMLeafHash", revision.stamp.leaf


def _reactions(document: Document) -> Iterator[str]:
    for one in document.item.reactions:
        word = "added" if one.added else "removed"
        yield f"{utc(one.at_us)} {one.by.address} {word} {one.emoji}"


def _related(kind: str, parent: str, child: str) -> str:
    return empty(
        "Relationship", {"Type": kind, "ParentDocId": parent, "ChildDocId": child}
    )
