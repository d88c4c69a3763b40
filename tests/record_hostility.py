"""Records that somebody made to break a card, drawn by lot or by hypothesis."""

import random
from collections.abc import Sequence
from dataclasses import replace

from bridge.cards import Tone
from bridge.records.model import Fact, Look, Needs, Offer, Record, Revision, Status
from tests.record_samples import CHANGE

TRICKS: Sequence[str] = (
    "<!channel> <!here> <!everyone>",
    "<@U01ALICE> <#C01SALES> <!subteam^S01>",
    "@everyone @channel @here",
    "<at>Alice</at>",
    "<https://evil.example|https://acme.service-now.com>",
    "[Approve](https://evil.example)",
    "![x](https://evil.example/pixel.png)",
    "https://evil.example/?q=1",
    "<script>alert(1)</script><b>bold</b>&nbsp;&lt;",
    "*bold* _it_ ~gone~ `code` ```block``` > quote",
    "# heading\n- list\n1. one\n| a | b |\n---",
    "\u202eevil\u202c \u2066x\u2069 \u200f",
    "pay\u200bpal\u2060\ufeff\u00ad",
    "\x00\x01\x07\x1b[31m\x7f\x85",
    "\ud83d half \udc00",
    "👩\u200d🚒" * 20,
    "🇩🇪" * 20,
    "𝒳𝒴𝒵" * 20,
    "Z" + "\u0301" * 200,
    "\u3164\u115f\uffa0",
    "\U000e0041\U000e0042",
    '"quotes" \\backslashes\\ {"json": [1]}',
    "&" * 300,
    '"' * 300,
    "\n" * 300,
    "\r\n\u2028\u2029\x0b\x0c",
    ":smile: :skull:",
    "漢字" * 200,
    "x" * 3_000,
    "${7*7} {{7*7}} %s",
    "",
    " ",
)


def hostile(lot: random.Random) -> Record:
    """Return a record in which everything is as bad as it gets, by lot."""
    many = lot.choice((0, 1, 5, 60, 60, 300))
    long = lot.choice((1, 1, 5, 60))
    return replace(
        CHANGE,
        what=_text(lot, long),
        title=_text(lot, long),
        key=_text(lot, 1),
        status=Status(_text(lot, long), lot.choice(list(Tone))),
        rev=Revision(lot.randrange(10**18), _text(lot, 1)),
        url=lot.choice((CHANGE.url, CHANGE.url + "&" * 900, "https://evil.example")),
        facts=tuple(
            Fact(f"f{n}", _text(lot, 1), _text(lot, long)) for n in range(many)
        ),
        body=Fact("body", "Body", _text(lot, lot.choice((1, 60, 2_000)))),
        offers=tuple(
            Offer(
                f"act{n}",
                _text(lot, 1),
                look=lot.choice(list(Look)),
                needs=lot.choice(list(Needs)),
                confirm=_text(lot, long),
            )
            for n in range(lot.choice((0, 3, 20)))
        ),
    )


def _text(lot: random.Random, pieces: int) -> str:
    return " ".join(lot.choices(TRICKS, k=lot.randint(1, pieces)))
