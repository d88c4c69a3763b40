"""What notes say, without HubSpot's markup and without ATOM's marks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from bridge.records.model import RecordRef, Remark
from bridge.records.ports import Access
from connectors.hubspot.api import Api, Json
from connectors.hubspot.objects import moment_ms
from connectors.hubspot.portal import OWNER, kind_of
from connectors.made import Made

NOTES = "notes"  # the class of notes: HubSpot knows none for customers
_MOST = 50
_READ = ("hs_note_body", "hs_timestamp", "hs_createdate", OWNER)
_MARK = re.compile(r"^atom-[0-9a-f]{20}$", re.MULTILINE)
_LINES = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3"})


@dataclass(frozen=True, slots=True)
class Notes:
    """Reads the notes of objects."""

    api: Api

    async def since(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        plural = kind_of(ref.kind).plural
        linked = await self.api.linked(access, plural, [ref.id], NOTES)
        newest = sorted(linked.get(ref.id, ()), key=int, reverse=True)[:_MOST]
        if not newest:
            return []
        read = await self.api.read(access, NOTES, newest, _READ, urgent=False)
        fresh = {id_: told for id_, told in read.items() if _said_us(told) >= since_us}
        owners = await self.api.owners(access) if fresh else {}
        found = [_remark(id_, told, owners) for id_, told in fresh.items()]
        return sorted(found, key=lambda each: (each.said_us, int(each.id)))


def plain(html: str) -> str:
    """Return the text of a note."""
    reader = _Text()
    reader.feed(html[:100_000])
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    text = _MARK.sub("", "\n".join(line for line in lines if line))
    return text.strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag in _LINES:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _LINES:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _remark(id_: str, told: Json, owners: dict[str, str]) -> Remark:
    values = told.get("properties") or {}
    by = owners.get(str(values.get(OWNER) or ""), "")
    text = plain(str(values.get("hs_note_body") or ""))
    return Remark(
        id_, by, text, _said_us(told), NOTES, frozenset({str(Made(NOTES, id_))})
    )


def _said_us(told: Json) -> int:
    values = told.get("properties") or {}
    written = values.get("hs_createdate") or told.get("createdAt") or ""
    return moment_ms(str(written)) * 1000
