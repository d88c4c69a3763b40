"""How an evidence pack looks: few colours, one typeface, room."""

from typing import Any

from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Table, TableStyle

INK = HexColor("#1d2b3a")
LINE = HexColor("#c9d2db")
PALE = HexColor("#f3f6f9")

COLOURS = {
    "shown": HexColor("#1f7a4d"),
    "partly shown": HexColor("#9a6700"),
    "nothing found": HexColor("#5b6875"),
    "gap": HexColor("#b3261e"),
}


def _style(name: str, **more: Any) -> ParagraphStyle:
    base: dict[str, Any] = {
        "fontName": "Helvetica",
        "fontSize": 9.5,
        "leading": 13,
        "textColor": INK,
    }
    return ParagraphStyle(name, **(base | more))


_BOLD = "Helvetica-Bold"
STYLES = {
    style.name: style
    for style in (
        _style("title", fontName=_BOLD, fontSize=30, leading=36, textColor=white),
        _style("subtitle", fontSize=12, leading=16, textColor=HexColor("#d5dee7")),
        _style("h1", fontName=_BOLD, fontSize=17, leading=22, spaceAfter=8),
        _style(
            "framework",
            fontName=_BOLD,
            fontSize=10,
            leading=14,
            spaceAfter=6,
            textColor=HexColor("#5b6875"),
        ),
        _style("control", fontName=_BOLD, fontSize=14, leading=18),
        _style("h3", fontName=_BOLD, fontSize=9.5, leading=13, spaceAfter=3),
        _style("body", spaceAfter=5),
        _style("small", fontSize=8, leading=11),
        _style(
            "code",
            fontName="Courier",
            fontSize=7,
            leading=9,
            backColor=PALE,
            borderPadding=(4, 4, 4, 4),
            leftIndent=4,
            rightIndent=4,
            spaceAfter=5,
            splitLongWords=1,
        ),
        _style("cell", fontSize=8, leading=10.5),
        _style("head", fontName=_BOLD, fontSize=8, leading=10.5),
        _style("label", fontName=_BOLD, fontSize=9, leading=12),
        _style("value", fontSize=9, leading=12, splitLongWords=1),
        _style(
            "pill",
            fontName=_BOLD,
            fontSize=8,
            leading=10,
            textColor=white,
            alignment=TA_CENTER,
        ),
        _style("toc0", fontName=_BOLD, fontSize=10.5, leading=20),
        _style("toc1", fontSize=9.5, leading=15, leftIndent=12),
        _style("unseen", fontSize=0.1, leading=0.1, textColor=white),
    )
}

GRID = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("BACKGROUND", (0, 0), (-1, 0), PALE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 2.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ]
)
FACTS = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ]
)
CELLS = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
)


def pill(verdict: str) -> Table:
    """Return a finding as a coloured label; its word says the same without colour."""
    label = Table(
        [[Paragraph(verdict, STYLES["pill"])]], colWidths=[30 * mm], hAlign="RIGHT"
    )
    label.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), COLOURS[verdict]),
            ("ROUNDEDCORNERS", [4, 4, 4, 4]),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ]
    )
    return label
