"""A subject access package as one page to read, without anything from elsewhere."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:54rem;margin:2rem auto;"
    "padding:0 1rem;color:#1d2b3a}h1{font-size:1.7rem}h2{margin-top:2.2rem;"
    "border-bottom:1px solid #c9d2db;font-size:1.2rem}table{border-collapse:collapse;"
    "width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;"
    "border-bottom:1px solid #e4e9ee;overflow-wrap:anywhere}th{font-weight:600}"
    "td:first-child{white-space:nowrap;color:#5b6875}"
    "@media(prefers-color-scheme:dark){body{background:#12181f;color:#e6ebf0}}"
)


def page_of(data: Mapping[str, Any]) -> bytes:
    """Return the page. Everything in it is escaped; it loads nothing and runs nothing."""
    counts = data["counts"]
    parts = [
        f"<h1>What {escape(data['company'])} keeps about you</h1>",
        (
            f"<p>You are {_text(', '.join(data['you']))}. This is made from the first "
            f"{data['log']['size']} entries of the compliance log.</p>"
        ),
        (
            f"<p>{counts['messages']} messages in {counts['entries']} entries are yours, and "
            f"{counts['about']} of others are about you. A message that was carried to the "
            "other platform is counted once.</p>"
        ),
        _section("What you said and did", ("When (UTC)", "Where", "What"), _mine(data)),
        _section(
            "What others said about you", ("When (UTC)", "By", "What"), _about(data)
        ),
        _list("Withheld", _withheld(data)),
        _section(
            "Who received copies",
            ("Channel", "Copies"),
            [(one["channel"], str(one["copies"])) for one in data["recipients"]],
        ),
        _list("What for", data["purposes"]),
        _list("For how long", data["retention"]),
        f"<h2>How it is decided</h2><p>{_text(data['logic']['text'])}</p>",
        _section(
            "Decisions on your messages",
            ("Result", "Rule", "Times"),
            [
                (d["result"], d["rule"], str(d["times"]))
                for d in data["logic"]["decisions"]
            ],
        ),
        f"<h2>Your rights</h2><p>{_text(data['rights'])}</p>",
    ]
    head = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>What is kept about you</title><style>{_STYLE}</style>"
    )
    return (head + "".join(parts) + "</html>\n").encode()


def _mine(data: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["at"], one["where"], _said(one)) for one in data["said_and_done"]]


def _said(one: Mapping[str, Any]) -> str:
    files = "".join(f" [file {file['name']}]" for file in one["files"])
    return f"{one['what']}: {one['text'] or one.get('reaction', '')}{files}"


def _about(data: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["at"], one["by"], one["text"]) for one in data["said_about_you"]]


def _withheld(data: Mapping[str, Any]) -> list[str]:
    withheld = data["withheld"]
    told = (
        [f"{withheld['count']} entries", *withheld["why"]] if withheld["count"] else []
    )
    return [*told, data["erased"]] if data["erased"] else told


def _section(title: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    if not cells:
        return f"<h2>{title}</h2><p>Nothing.</p>"
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{cells}</table>"


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f"<h2>{title}</h2>" + (f"<ul>{items}</ul>" if items else "<p>Nothing.</p>")


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")
