"""Names of files that are safe to show, to store and to send."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from mimetypes import guess_extension

from bridge.text import one_line

_LONGEST = 120
_LEADS = re.compile(r"^(~\$|[ .])+")  # what Office calls a lock, and what hides a file
# What ends a path, or what SharePoint and Windows take for something else.
_UNFIT = re.compile(r'["*:<>?/\\|#%]')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|com\d|lpt\d|desktop\.ini|\.lock|_vti_.*)(\..*)?", re.IGNORECASE
)


def safe_name(name: str, mime: str = "") -> str:
    """
    Return a name that is one segment of a path, and looks like what it is.

    Marks that turn the reading direction could make `exe.gpj` of `jpg.exe`: they go,
    as does everything that nobody sees. A name without an ending gets that of `mime`.
    """
    plain = unicodedata.normalize("NFC", one_line(name))
    seen = one_line("".join(c for c in plain if unicodedata.category(c)[0] != "C"))
    fit = _LEADS.sub("", _UNFIT.sub("_", seen)).rstrip(" .")
    if not fit or _RESERVED.fullmatch(fit):
        fit = f"file_{fit}".rstrip("_")
    stem, ending = _parted(fit)
    ending = ending or guess_extension(mime) or ""
    return stem[: _LONGEST - len(ending)].rstrip(" .") + ending


def marked_name(name: str, mark: str) -> str:
    """Return the name with a mark before its ending, by which it is told apart."""
    stem, ending = _parted(name)
    return f"{stem}-{mark}{ending}"


def told_apart(names: Sequence[str]) -> list[str]:
    """Return the names, those that come again with a number."""
    seen: Counter[str] = Counter()
    apart = []
    for name in names:
        seen[name.lower()] += 1
        count = seen[name.lower()]
        apart.append(marked_name(name, str(count)) if count > 1 else name)
    return apart


def _parted(name: str) -> tuple[str, str]:
    """Return a name's stem and its ending, which may be none."""
    stem, dot, ending = name.rpartition(".")
    if stem and ending.isalnum() and len(ending) <= 10:  # noqa: PLR2004 - .jsonlines
        return stem, dot + ending
    return name, ""
