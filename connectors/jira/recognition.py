"""Issues that a text names, by key or by link."""

import re
from collections.abc import Iterator

from yarl import URL

from bridge.records.model import Mention, System
from connectors.addresses import same_place
from connectors.jira.site import KIND, Site

# Not inside a word, a path or an address: `FOO-ACME-42`, `x/ACME-42`, `ACME-42.html`.
_KEY = re.compile(
    r"(?<![\w/.@#&=?%+-])([A-Z][A-Z0-9_]{1,30})-([1-9]\d{0,9})(?![\w/@-])"
)
_URL = re.compile(r"https?://[^\s<>|\"'`\\]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}*_~"
_WHOLE = re.compile(r"([A-Za-z][A-Za-z0-9_]{1,30})-([1-9]\d{0,9})")


def mentions(text: str, site: Site) -> list[Mention]:
    """Return the issues of a site that are named, in order."""
    found = []
    masked = list(text)
    for match in _URL.finditer(text):
        url = match[0].rstrip(_TRAILING)
        # A key in somebody else's address is none of ours.
        masked[match.start() : match.end()] = " " * len(match[0])
        if key := _key_of(url, site):
            end = match.start() + len(url)
            found.append(_mention(site, key, match.start(), end, url))
    found += _keys("".join(masked), site)
    return sorted(found, key=lambda each: each.start)


def key_in(words: str, site: Site) -> str:
    """Return the key that somebody typed and nothing else, in any case; else empty."""
    match = _WHOLE.fullmatch(words.strip())
    return _allowed(match, site) if match else ""


def _keys(text: str, site: Site) -> Iterator[Mention]:
    for match in _KEY.finditer(text):
        after = text[match.end() : match.end() + 2]
        # The end of a sentence is no file name's dot.
        if after[:1] == "." and after[1:].isalnum():
            continue
        if key := _allowed(match, site):
            yield _mention(site, key, match.start(), match.end())


def _allowed(match: re.Match[str], site: Site) -> str:
    project = match[1].upper()
    return f"{project}-{match[2]}" if project in site.projects else ""


def _key_of(address: str, site: Site) -> str:
    try:
        url = URL(address)
        same = same_place(url, site.page)
    except ValueError:
        return ""
    if not same or url.user or url.password:
        return ""
    root = site.page.path.rstrip("/")
    path = url.path
    if path.startswith(f"{root}/browse/"):
        return key_in(path.removeprefix(f"{root}/browse/").strip("/"), site)
    # Boards and queues name the issue that is open in them.
    return key_in(url.query.get("selectedIssue", ""), site)


def _mention(site: Site, key: str, start: int, end: int, url: str = "") -> Mention:
    return Mention(System.JIRA, site.instance, KIND, key, start, end, url=url)
