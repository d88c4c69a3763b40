"""
The evidence pack as a PDF for people: a title page, contents, a page a control.

The same pack gives the same bytes: no clock, no random ids, one set of fonts.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)
from reportlab.platypus.tableofcontents import TableOfContents

from storage.compliance.evidence.pdf_style import (
    CELLS,
    COLOURS,
    FACTS,
    GRID,
    INK,
    LINE,
    STYLES,
    pill,
)

_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN


class _Head(Paragraph):
    """A heading that the contents list, at a level."""

    def __init__(self, text: str, style: str, level: int) -> None:
        super().__init__(escape(text), STYLES[style])
        self.level = level


class _Document(BaseDocTemplate):
    """A document whose headings are its contents and its bookmarks."""

    def __init__(self, to: BytesIO, title: str, footer: str) -> None:
        super().__init__(
            to,
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_MARGIN,
            title=title,
            author="ATOM",
            invariant=1,
        )
        self.footer = footer
        self.headings = 0
        frame = Frame(_MARGIN, _MARGIN, _WIDTH, A4[1] - 2 * _MARGIN, 0, 0, 0, 0)
        self.addPageTemplates(
            [
                PageTemplate("title", [frame], onPage=_title_page),
                PageTemplate("page", [frame], onPage=self._page),
            ]
        )

    def _page(self, canvas: Canvas, _document: object) -> None:
        canvas.saveState()
        canvas.setStrokeColor(LINE)
        canvas.line(_MARGIN, 15 * mm, A4[0] - _MARGIN, 15 * mm)
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(INK)
        canvas.drawString(_MARGIN, 11 * mm, self.footer)
        canvas.drawRightString(
            A4[0] - _MARGIN, 11 * mm, f"Page {canvas.getPageNumber()}"
        )
        canvas.restoreState()

    def beforeDocument(self) -> None:  # noqa: N802 - reportlab's
        self.headings = 0

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's
        """Note headings as they are set."""
        if not isinstance(flowable, _Head):
            return
        self.headings += 1
        text, level, key = flowable.getPlainText(), flowable.level, f"h{self.headings}"
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(text, key, level, closed=level == 0)
        self.notify("TOCEntry", (level, text, self.page, key))


def pdf_of(data: dict[str, Any], digest: str) -> bytes:
    """Return the PDF of a pack; `digest` is the SHA-256 of the pack's JSON."""
    to = BytesIO()
    company, period = data["company"], data["period"]["text"]
    footer = (
        f"Evidence pack  |  {company}  |  {period}  |  log size {data['log']['size']}"
    )
    document = _Document(to, f"Evidence pack {company} {period}", footer)
    story: list[Flowable] = [
        *_title(data, digest),
        NextPageTemplate("page"),
        PageBreak(),
        Paragraph("Contents", STYLES["h1"]),
        _contents(),
        PageBreak(),
        *_summary(data),
    ]
    framework = ""
    for control in data["controls"]:
        story.append(PageBreak())
        if control["framework"] != framework:
            framework = control["framework"]
            story.append(_Head(framework, "framework", 0))
        story += _control(control)
    document.multiBuild(story)
    return to.getvalue()


def _title_page(canvas: Canvas, _document: object) -> None:
    canvas.saveState()
    canvas.setFillColor(INK)
    canvas.rect(0, A4[1] - 62 * mm, A4[0], 62 * mm, stroke=0, fill=1)
    canvas.restoreState()


def _title(data: dict[str, Any], digest: str) -> list[Flowable]:
    log = data["log"]
    whole = (
        "every entry read again; they have the root that is signed"
        if log["whole"]["root_matches"] and log["whole"]["missing_from"] is None
        else f"NOT INTACT: entry {log['whole']['missing_from']} is missing or changed"
    )
    facts = [
        ("Company", data["company"]),
        ("Period (UTC)", data["period"]["text"]),
        ("Log size", f"{log['size']:,} entries"),
        ("Root", log["root"]),
        ("The whole log", whole),
        ("Pack SHA-256", digest),
        ("Signed with", "\n".join(data["verifier_keys"])),
    ]
    return [
        Spacer(1, 6 * mm),
        Paragraph("Evidence pack", STYLES["title"]),
        Spacer(1, 2 * mm),
        Paragraph(
            "Controls, what the compliance log says about each, and the proof",
            STYLES["subtitle"],
        ),
        Spacer(1, 32 * mm),
        Table(
            [[_cell(a, "label"), _cell(b, "value")] for a, b in facts],
            colWidths=[34 * mm, _WIDTH - 34 * mm],
            style=FACTS,
        ),
        Spacer(1, 10 * mm),
        Paragraph(
            "This pack is made from the log alone. For the same period and the same "
            "size of the log it is made again byte for byte. Each page names the "
            "queries that were asked, their version and their text; a control for "
            "which nothing was found says so. Proofs of the sampled entries are in "
            "the JSON beside this file, and can be checked offline with verify_atom.py "
            "and the verifier key above.",
            STYLES["body"],
        ),
    ]


def _contents() -> TableOfContents:
    contents = TableOfContents(dotsMinLevel=0)
    contents.levelStyles = [STYLES["toc0"], STYLES["toc1"]]
    return contents


def _summary(data: dict[str, Any]) -> list[Flowable]:
    rows: list[list[Flowable]] = [
        [_cell(text, "head") for text in ("Control", "Title", "Finding")]
    ]
    rows += [
        [
            _cell(
                f"{control['framework'].split(',')[0].split('(')[0].strip()} "
                f"{control['id']}",
                "cell",
            ),
            _cell(control["title"], "cell"),
            pill(control["verdict"]),
        ]
        for control in data["controls"]
    ]
    widths = [46 * mm, _WIDTH - 80 * mm, 34 * mm]
    return [
        Paragraph("Summary", STYLES["h1"]),
        Table(rows, colWidths=widths, style=GRID, repeatRows=1),
        Spacer(1, 4 * mm),
        Paragraph(
            "<b>shown</b>: every query found entries. <b>partly shown</b>: some found "
            "none. <b>nothing found</b>: nothing of the kind is on record, which proves "
            "nothing. <b>gap</b>: something was found that should not be there.",
            STYLES["small"],
        ),
    ]


def _control(control: dict[str, Any]) -> list[Flowable]:
    head = Table(
        [
            [
                _cell(f"{control['id']}  {control['title']}", "control"),
                pill(control["verdict"]),
            ]
        ],
        colWidths=[_WIDTH - 36 * mm, 36 * mm],
        style=CELLS,
    )
    bar = Table([[""]], colWidths=[_WIDTH], rowHeights=[1.2 * mm])
    bar.setStyle([("BACKGROUND", (0, 0), (-1, -1), COLOURS[control["verdict"]])])
    story: list[Flowable] = [
        # Headings inside a table are not told to the contents; this one is not seen.
        _Head(f"{control['id']}  {control['title']}", "unseen", 1),
        head,
        bar,
        Spacer(1, 3 * mm),
        Paragraph(escape(control["asks"]), STYLES["body"]),
        Paragraph(f"<b>Finding.</b> {escape(control['because'])}", STYLES["body"]),
    ]
    if control["beyond"]:
        text = f"<b>Not covered.</b> {escape(control['beyond'])}"
        story.append(Paragraph(text, STYLES["body"]))
    for query in control["queries"]:
        story += _query(query)
    return story


def _query(query: dict[str, Any]) -> list[Flowable]:
    role = "" if query["role"] == "evidence" else "  (must find nothing)"
    title = f"{query['name']} v{query['version']}{role}"
    block: list[Flowable] = [
        Spacer(1, 3 * mm),
        Paragraph(escape(f"{title}: {query['says']}"), STYLES["h3"]),
        Paragraph(escape(query["sql"]), STYLES["code"]),
    ]
    if not query["rows"]:
        block.append(Paragraph("Found: nothing.", STYLES["body"]))
        return [KeepTogether(block)]
    block += [
        Spacer(1, 1.5 * mm),
        _results(query),
        Spacer(1, 1.5 * mm),
        _samples(query),
    ]
    return [KeepTogether(block)]


def _results(query: dict[str, Any]) -> Table:
    rows = [
        [row["type"], row["outcome"], f"{row['count']:,}", row["first"], row["last"]]
        for row in query["rows"]
    ]
    if len(rows) > 1:
        rows.append(["all", "", f"{query['total']:,}", "", ""])
    heads = ("Type", "Outcome", "Entries", "First position", "Last position")
    widths = [58 * mm, 26 * mm, 24 * mm, 31 * mm, _WIDTH - 139 * mm]
    return _table(heads, rows, widths)


def _samples(query: dict[str, Any]) -> Table:
    rows = [
        [
            sample["seq"],
            _time(sample["at_us"]),
            sample["type"],
            sample["leaf"][:24] + "...",
        ]
        for sample in query["samples"]
    ]
    heads = ("Sample", "Captured (UTC)", "Type", "Leaf hash (proof in the JSON)")
    widths = [22 * mm, 40 * mm, 44 * mm, _WIDTH - 106 * mm]
    return _table(heads, rows, widths)


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], widths: Sequence[float]
) -> Table:
    cells = [[_cell(head, "head") for head in heads]]
    cells += [[_cell(str(value), "cell") for value in row] for row in rows]
    return Table(cells, colWidths=list(widths), style=GRID, repeatRows=1)


def _cell(text: str, style: str) -> Paragraph:
    return Paragraph(escape(text).replace("\n", "<br/>"), STYLES[style])


def _time(moment_us: int) -> str:
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).strftime("%F %T")
