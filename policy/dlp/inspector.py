"""Looks into what people say with a company's detectors, and judges by its rules."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from bridge.access import Label
from bridge.document import Document
from bridge.leaving.findings import Finding, Inspection, Part
from bridge.leaving.flat import Flat, flat, hidden_text
from bridge.leaving.labels import chosen
from bridge.leaving.ports import Said
from bridge.leaving.rules import PASSES, Verdict, Where
from bridge.messages import File
from policy.dlp.apart import extracted_apart
from policy.dlp.extracting import MOST_BYTES
from policy.dlp.rulebook import Prepared
from policy.dlp.scanner import MOST_TEXT

_HEAVY = 20_000  # characters; what is longer is looked at beside the event loop
_REMEMBERED = 4_096  # documents that were looked at just now
_NAMES = 4_096
_ROWS = 20_000  # people who say something, in some place
_TAIL = 160  # characters at the end of a message that may go on in the next one
_WITHIN_US = 300_000_000
_ANYWHERE = Where("", "", outsiders=True)
# What a word has that is a piece of a number or of a token.
_PIECE = re.compile(r"\d|[\w+/=-]{12}|-----|[A-Z_]{4}$")
_WORD = re.compile(r"\w")


_K = TypeVar("_K")
_V = TypeVar("_V")


class _Tail(NamedTuple):
    message: str
    text: str
    at_us: int


class _Looked(NamedTuple):
    document: Document
    rules: str
    laid: Flat
    found: Inspection


def unclassified(_tenant: str, _target: str) -> Label | None:
    """The default: nobody knows how a channel is classified."""
    return None


@dataclass(slots=True)
class Inspector:
    """
    Implements `bridge.leaving.ports.Inspects` and `bridge.labelling.Labeller`.

    `prepared` gives a company's rules as they are now, and `key` what its values are
    hashed with. What each person said last is remembered for a while, in this process:
    a secret may come in pieces. `classified` is asked for channels that the rules
    themselves do not classify.
    """

    prepared: Callable[[str], Prepared]
    key: Callable[[str], Awaitable[bytes]]
    clock: Callable[[], int]
    classified: Callable[[str, str], Label | None] = unclassified
    _looked: OrderedDict[tuple[str, int], _Looked] = field(default_factory=OrderedDict)
    _rows: OrderedDict[tuple[str, str], list[_Tail]] = field(
        default_factory=OrderedDict
    )
    _names: OrderedDict[tuple[str, str, str], str] = field(default_factory=OrderedDict)
    _in_names: OrderedDict[tuple[str, bytes, str], tuple[Finding, ...]] = field(
        default_factory=OrderedDict
    )

    async def look(self, tenant: str, said: Said) -> Inspection:
        laid, found = await self._inspected(tenant, said)
        rules = self.prepared(tenant)
        if not (said.row and said.message and rules.window):
            return found
        words = laid.text[: laid.shown]
        before = self._said_before(tenant, said, words, rules.window)
        if not before or not _goes_on(words[:_TAIL].split()):
            return found
        key = await self.key(tenant)
        together = _together(rules, before, laid.text, key, found.findings)
        if not together:
            return found
        return self._labelled(rules, laid.text, (*found.findings, *together), found)

    async def look_again(
        self, tenant: str, said: Said, known: Inspection | None
    ) -> Inspection:
        rules = self.prepared(tenant)
        if known is not None and known.rules == rules.book.hash:
            return known
        laid, found = await self._inspected(tenant, said)
        kept = tuple(f for f in known.findings if _in_pieces(f)) if known else ()
        if not kept:
            return found
        return self._labelled(rules, laid.text, (*found.findings, *kept), found)

    async def look_into(
        self, tenant: str, file: File, chunks: AsyncIterator[bytes]
    ) -> Inspection:
        data = bytearray()
        async for chunk in chunks:
            data += chunk
            if len(data) > MOST_BYTES:
                break
        rules, key = self.prepared(tenant), await self.key(tenant)
        extracted = await extracted_apart(file.name, bytes(data))
        scan = await asyncio.to_thread(
            rules.scanner.scan_all, extracted.text, key, Part.FILE
        )
        findings = tuple(replace(each, about=file.key) for each in scan.findings)
        given = chosen(extracted.text[:_HEAVY], rules.book.phrases)
        label = rules.book.label(findings, given)
        # A picture, or a kind nobody reads here, may hold anything: rules can say so.
        unread = extracted.partial or not extracted.known
        unread = unread or (rules.pictures and extracted.pictures > 0)
        return Inspection(rules.book.hash, findings, label, given is not None, unread)

    def judge(self, tenant: str, inspection: Inspection, where: Where) -> Verdict:
        rules = self.prepared(tenant)
        if where.classification is None:
            place = rules.channels.get(where.target)
            if place is None:
                place = self.classified(tenant, where.target)
            where = replace(where, classification=place)
        return rules.book.judge(inspection, where)

    def shown_name(self, tenant: str, name: str) -> str:
        rules = self.prepared(tenant)
        known = (tenant, rules.book.hash, name)
        if (shown := self._names.get(known)) is None:
            # Names stand wherever people speak: what is kept from any place is kept
            # from all. No hash of it leaves this function.
            scan = rules.scanner.scan(name, b"", Part.NAME)
            verdict = PASSES
            if scan.findings:
                found = Inspection(rules.book.hash, scan.findings)
                verdict = rules.book.judge(found, _ANYWHERE)
            shown = hidden_text(name, verdict.spans(Part.NAME))
            _remember(self._names, known, shown, _NAMES)
        return shown

    def rules(self, tenant: str) -> str:
        return self.prepared(tenant).book.hash

    def label(self, tenant: str, document: Document, files: Sequence[File]) -> Label:
        rules = self.prepared(tenant)
        known = self._looked.get((tenant, id(document)))
        if known and known.document is document and known.rules == rules.book.hash:
            return known.found.label
        text = flat(document).text
        scan = rules.scanner.scan(text, b"")
        names = [
            f for file in files for f in rules.scanner.scan(file.name, b"").findings
        ]
        if scan.partial:
            return Label.RESTRICTED
        given = chosen(text, rules.book.phrases)
        return rules.book.label((*scan.findings, *names), given)

    async def _inspected(self, tenant: str, said: Said) -> tuple[Flat, Inspection]:
        """Return a document laid out, and what is in it and what comes with it."""
        rules = self.prepared(tenant)
        place = (tenant, id(said.document))
        known = self._looked.get(place)
        if known and known.document is said.document and known.rules == rules.book.hash:
            return known.laid, known.found
        laid = flat(said.document)
        text = laid.text
        key = await self.key(tenant)
        scan = (
            await asyncio.to_thread(rules.scanner.scan, text, key)
            if len(text) > _HEAVY
            else rules.scanner.scan(text, key)
        )
        findings = scan.findings
        for file in said.files:
            named = rules.scanner.scan(file.name, key, Part.FILE_NAME).findings
            findings += tuple(replace(each, about=file.key) for each in named)
        findings += self._in_name(rules, said.name, key)
        given = chosen(text, rules.book.phrases)
        found = Inspection(
            rules.book.hash,
            findings,
            rules.book.label(findings, given),
            given is not None,
            len(text) > MOST_TEXT,
        )
        seen = _Looked(said.document, rules.book.hash, laid, found)
        _remember(self._looked, place, seen, _REMEMBERED)
        return laid, found

    def _in_name(self, rules: Prepared, name: str, key: bytes) -> tuple[Finding, ...]:
        known = (rules.book.hash, key, name)
        if (found := self._in_names.get(known)) is None:
            found = rules.scanner.scan(name, key, Part.NAME).findings
            _remember(self._in_names, known, found, _NAMES)
        return found

    @staticmethod
    def _labelled(
        rules: Prepared,
        text: str,
        findings: tuple[Finding, ...],
        found: Inspection,
    ) -> Inspection:
        given = chosen(text, rules.book.phrases)
        label = rules.book.label(findings, given)
        return replace(found, findings=findings, label=label, chosen=given is not None)

    def _said_before(
        self, tenant: str, said: Said, text: str, most: int
    ) -> Sequence[_Tail]:
        """Return what they said just before that may go on here; remember this, too."""
        now, row = self.clock(), (tenant, said.row)
        before = [
            tail
            for tail in self._rows.get(row, ())
            if tail.at_us > now - _WITHIN_US and tail.message != said.message
        ]
        words = text.rstrip()
        ours = [*before, _Tail(said.message, words[-_TAIL:], now)][-most:]
        if _goes_on(reversed(words[-_TAIL:].split())):
            _remember(self._rows, row, ours, _ROWS)
        else:
            self._rows.pop(row, None)  # whatever began before ends here
        return before


def _goes_on(words: Iterable[str]) -> bool:
    """Whether the first of these words may be a piece of what another message has."""
    word = next((word for word in words if _WORD.search(word)), "")
    return _PIECE.search(word) is not None


def _in_pieces(finding: Finding) -> bool:
    return finding.part is Part.TEXT and bool(finding.about)


def _together(
    rules: Prepared,
    before: Sequence[_Tail],
    text: str,
    key: bytes,
    known: Sequence[Finding],
) -> tuple[Finding, ...]:
    """
    Return what is found only when messages are put together, as far as it is here.

    Numbers come with blanks between their pieces, and tokens without.
    """
    found: dict[tuple[str, int, int], Finding] = {}
    ours = text[:MOST_TEXT].lstrip()
    skipped = len(text[:MOST_TEXT]) - len(ours)
    for blank in (" ", ""):
        joined = blank.join([*(tail.text for tail in before), ""])
        for each in rules.scanner.scan(joined + ours, key).findings:
            if not each.start < len(joined.rstrip()) or each.end <= len(joined):
                continue
            end = each.end - len(joined) + skipped
            about = " ".join(tail.message for tail in before)
            piece = replace(each, start=skipped, end=end, about=about)
            if not any(_covers(one, piece) for one in known):
                found.setdefault((piece.detector, piece.start, piece.end), piece)
    return tuple(found.values())


def _covers(known: Finding, piece: Finding) -> bool:
    """Whether the same was found without looking at other messages."""
    same = known.detector == piece.detector and known.part is Part.TEXT
    return same and known.start <= piece.start and known.end >= piece.end


def _remember(kept: OrderedDict[_K, _V], key: _K, value: _V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
