"""
Find the records of one instance that a text names, by link or by number.

Links count only with the instance's own host, however they are written: the classic
frame (`nav_to.do?uri=incident.do?sys_id=…`), the new one (`/now/nav/ui/classic/…`), a
workspace (`/now/sow/record/incident/…`), and the portals (`/sp?id=ticket&table=…`).
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from bridge.errors import BadInput
from bridge.records.model import Mention, RecordRef, System
from connectors.servicenow.tables import BY_NAME, BY_PREFIX, KINDS

_LONGEST = 40_000  # characters of a text that are looked at
_MOST = 50  # mentions of one text
_URL = re.compile(r"https?://[^\s<>|\"'`\\^{}]{4,1000}", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w./=&%#-])(INC|CHG|REQ|RITM|KB)([0-9]{7,12})(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_IN_URL = re.compile(r"(?<![A-Za-z0-9])(INC|CHG|REQ|RITM|KB)[0-9]{7,12}(?![0-9A-Za-z])")
_ROW = re.compile(r"/?([a-z_]{3,40})\.do\b")
_WORKSPACE = re.compile(r"/record/([a-z_]{3,40})/([0-9a-f]{32})\b")
_PORTAL_TABLE = re.compile(r"[?&]table=([a-z_]{3,40})\b")
_PORTAL_PAGE = re.compile(r"[?&]id=(kb_article(?:_view)?|sc_cat_item)\b")
_SYS_ID = re.compile(r"(?:sys_id|sys_kb_id|sysparm_id)=([0-9a-f]{32})\b")
_PLAIN_HOST = re.compile(
    r"[a-z0-9.-]{1,253}", re.ASCII
)  # no port, and nobody before it
_PORTAL = {"kb_article": "kb_knowledge", "sc_cat_item": "sc_cat_item"}
# An item of a request is shown as the request that it belongs to.
_RITM = "RITM"


def recognise(text: str, instance: str, *hosts: str) -> Sequence[Mention]:
    """
    Return what a text names, in the order of the text, each place once.

    `hosts` are those whose links count; one may start with `*.`.
    """
    text = text[:_LONGEST]
    found: list[Mention] = []
    taken: list[tuple[int, int]] = []
    for match in _URL.finditer(text):
        taken.append(match.span())
        mention = _linked(match, instance, hosts)
        if mention is not None:
            found.append(mention)
    found.extend(
        _numbered(match, instance)
        for match in _NUMBER.finditer(text)
        if not any(start <= match.start() < end for start, end in taken)
    )
    return sorted(found, key=lambda each: each.start)[:_MOST]


def kind_of(number: str) -> str:
    """Return the kind of record that a number names, empty for none."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        return ""
    prefix = match[1].upper()
    return "request" if prefix == _RITM else BY_PREFIX[prefix].kind


def _numbered(match: re.Match[str], instance: str) -> Mention:
    key = match[0].upper()
    return Mention(
        System.SERVICENOW, instance, kind_of(key), key, match.start(), match.end()
    )


def _linked(
    match: re.Match[str], instance: str, hosts: Sequence[str]
) -> Mention | None:
    url = match[0].rstrip(".,;:!?)]}*_~")
    _, _, rest = url.partition("://")
    named, slash, path = rest.partition("/")
    if not slash or not any(_is_host(named, host) for host in hosts):
        return None
    path = "/" + unquote(unquote(path))  # the new frame holds the classic link encoded
    start, end = match.start(), match.start() + len(url)
    ref = _ref(path, instance)
    if ref is not None:
        system = System.SERVICENOW
        return Mention(system, instance, ref.kind, "", start, end, ref, url)
    number = _IN_URL.search(path)
    if number is None:
        return None
    key = number[0]
    kind = kind_of(key)
    return Mention(System.SERVICENOW, instance, kind, key, start, end, None, url)


def _is_host(named: str, host: str) -> bool:
    named, host = named.casefold(), host.casefold()
    if not host.startswith("*."):
        return named == host
    return named.endswith(host[1:]) and _PLAIN_HOST.fullmatch(named) is not None


def _ref(path: str, instance: str) -> RecordRef | None:
    table, id_ = "", ""
    workspace, row = _WORKSPACE.search(path), _SYS_ID.search(path)
    if workspace is not None:
        table, id_ = workspace[1], workspace[2]
    elif row is not None:
        id_ = row[1]
        table = _table(path)
    known = BY_NAME.get(table)
    if known is None or known.kind not in KINDS:
        return None
    try:
        return RecordRef(System.SERVICENOW, instance, known.kind, id_)
    except BadInput:
        return None


def _table(path: str) -> str:
    page = _PORTAL_PAGE.search(path)
    if page is not None:
        return _PORTAL[page[1].removesuffix("_view")]
    named = _PORTAL_TABLE.search(path)
    if named is not None:
        return named[1]
    for match in _ROW.finditer(path):
        name = match[1]
        if name == "kb_view":
            return "kb_knowledge"
        if name in BY_NAME:
            return name
    return ""
