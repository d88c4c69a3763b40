"""What any text and any address must pass before it enters a document."""

import re

_SCHEME = re.compile(r"https?://[^\s/?#]|mailto:\S|tel:\S", re.IGNORECASE)
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
# Controls and non-characters stand in no markup; bidi overrides let a text pretend to
# be another one. Left-to-right marks and joiners stay: languages and emoji need them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_BROKEN = re.compile("[\ud800-\udfff]")
_UNSAFE_IN_URL = re.compile(r"[\s<>\"|\\`]")


def clean(text: str) -> str:
    """
    Return the text as it may be stored, encoded and shown.

    Halves of surrogate pairs become U+FFFD, every line end becomes a newline, and
    what nobody can see but a renderer may trip over goes.
    """
    if text.isascii() and text.isprintable():
        return text
    if _BROKEN.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))


def one_line(text: str) -> str:
    """Return a cleaned name or label: no line breaks, no space around it."""
    return " ".join(clean(text).split())


def safe_url(url: str) -> str:
    """
    Return the address as it may be linked to, or nothing if it may not.

    Only http, https, mailto and tel are followed. What could end the address inside
    some markup is percent-encoded.
    """
    url = re.sub(r"[\t\n]", "", clean(url)).strip()
    if not _SCHEME.match(url):
        return ""
    return _UNSAFE_IN_URL.sub(_percent_encoded, url)


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode())
