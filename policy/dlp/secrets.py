"""
Keys to machines: tokens, private keys, passwords.

Tokens have prefixes that their makers chose so that they can be found.
"""

import base64
import binascii
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from math import log2

from bridge.leaving.findings import Confidence
from policy.dlp.detector import Detector, Hit, Valid, compiled_pattern

_HIGH = Confidence.HIGH
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HEX = re.compile(r"[0-9a-fA-F]+")
_BODY = 16_384  # characters of a key's body that are part of the finding
_LAST_LINE = 60
_SEEN = frozenset({"example", "changeme", "placeholder", "xxxx", "your", "redacted"})


def _is_example(value: str) -> bool:
    return "EXAMPLE" in value


def _token(text: str, start: int, end: int) -> Valid | None:
    value = text[start:end]
    return Valid(value, _HIGH, _is_example(value) or value.endswith("X" * 16))


def _aws_secret(text: str, start: int, end: int) -> Valid | None:
    value = text[start:end]
    if _HEX.fullmatch(value) or value.isalpha():
        return None  # a SHA-1, or words
    return Valid(value, _HIGH, _is_example(value))


def _azure(text: str, start: int, end: int) -> Valid | None:
    try:
        raw = base64.b64decode(text[start:end], validate=True)
    except (binascii.Error, ValueError):
        return None
    return Valid(text[start:end], Confidence.LOW) if len(raw) == 64 else None  # noqa: PLR2004 - bytes of such a key


def _github(text: str, start: int, end: int) -> Valid | None:
    """GitHub's tokens end with their CRC-32 in base 62; a wrong one rejects nothing."""
    value = text[start:end]
    if value.startswith("github_pat_"):
        return Valid(value, _HIGH)
    body, check = value[4:-6], value[-6:]
    right = _base62(zlib.crc32(body.encode())) == check
    return Valid(value, _HIGH if right else Confidence.MEDIUM)


def _base62(number: int) -> str:
    digits = ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits


def _jwt(text: str, start: int, end: int) -> Valid | None:
    """RFC 7519: a header with an algorithm, a payload; without signature it counts."""
    value = text[start:end]
    header, _, rest = value.partition(".")
    payload = rest.partition(".")[0]
    head = _json_of(header)
    if not isinstance(head, dict) or not isinstance(head.get("alg"), str):
        return None
    return Valid(value, _HIGH) if _json_of(payload) is not None else None


def _json_of(part: str) -> object:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        return json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        return None


def _private_keys(text: str) -> Iterator[Hit]:
    """Find the first line of a key, and all of the key that stands behind it."""
    upto = 0
    for match in _ARMOUR.finditer(text):
        if match.start() < upto:
            continue
        upto = _key_end(text, match.end(), pem=match.group()[0] == "-")
        value = "".join(text[match.start() : upto].split())
        yield Hit(match.start(), upto, value, _HIGH)


def _key_end(text: str, start: int, *, pem: bool) -> int:
    """Return where a key ends: at its last line, or after the lines that look like it."""
    if pem:
        closing = text.find("-----END ", start, start + _BODY)
        if closing >= 0:
            line = text.find("\n", closing)
            return line if line >= 0 else min(len(text), closing + _LAST_LINE)
    end = start
    for row in text[start : start + _BODY].splitlines(keepends=True):
        if row.strip() and not _KEY_LINE.fullmatch(row.strip()):
            break
        end += len(row)
    return start + len(text[start:end].rstrip())


_ARMOUR = compiled_pattern(
    r"-----BEGIN (?:(?:RSA |DSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY|"
    r"PGP PRIVATE KEY BLOCK)-----|PuTTY-User-Key-File-[23]:(?: ?[a-z0-9-]{1,40})?"
)
# Base64, and the headers that stand above it.
_KEY_LINE = re.compile(
    r"[A-Za-z0-9+/=]{16,100}|[A-Z][A-Za-z]+(-[A-Z][A-Za-z]+)*: ?[\w@. ,-]{0,80}"
)


def _password(text: str, start: int, end: int) -> Valid | None:
    """Judge what is given to a name such as password: words and hints are none."""
    assigned = text[start:end]
    match = _ASSIGNED.search(assigned)
    if match is None:
        return None
    value = match.group(1)
    low = value.lower()
    if value[0] in "<${%*" or len(set(value)) < 4 or any(w in low for w in _SEEN):  # noqa: PLR2004 - fewer are dots
        return None
    kinds = sum(
        any(map(test, value))
        for test in (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    )
    if kinds < 2:  # noqa: PLR2004 - a plain word
        return None
    sure = Confidence.MEDIUM if kinds > 2 or entropy(value) > 3 else Confidence.LOW  # noqa: PLR2004 - bits a character
    return Valid(value, sure, start=end - len(value), end=end)


def entropy(value: str) -> float:
    """Return Shannon's bits a character."""
    total = len(value)
    return -sum(n / total * log2(n / total) for n in Counter(value).values())


_ASSIGNED = re.compile(r"([^\s'\"=:]+)$")
_NAMES = "password|passwd|passphrase|pwd|secret|api[_-]?key|apikey|access[_-]?token|auth[_-]?token|client[_-]?secret|passwort|kennwort"


def _connection(text: str, start: int, end: int) -> Valid | None:
    """Judge a URL with a password, or a string of parameters with one."""
    value = text[start:end]
    if "://" in value:
        authority = value.partition("://")[2].rpartition("@")[0]
        password = authority.partition(":")[2]
        if not password or password[0] in "<${[*":
            return None
        return Valid(value, _HIGH)
    return Valid(value, _HIGH)


def _prefixed(
    name: str,
    title: str,
    pattern: str,
    check: Callable[[str, int, int], Valid | None] = _token,
    **more: object,
) -> Detector:
    gate = str(more.pop("gate", pattern))
    return Detector(name, "secret", title, gate, pattern, check, **more)  # type: ignore[arg-type] # fields of Detector by name


_W = "[A-Za-z0-9_-]"
_SLACK = (
    r"\bxox[abeoprs]-(?:[0-9A-Za-z]{1,}-){1,4}[0-9A-Za-z]{8,}|\bxoxe\.xox[bp]-[0-9A-Za-z-]{20,}"
    r"|\bxapp-[0-9]-[A-Z0-9]{5,}-[0-9]{5,}-[a-f0-9]{32,}"
    r"|(?:\bhttps?://|\b)hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9]{8,}/[A-Za-z0-9]{8,}/[A-Za-z0-9]{16,}"
)
_PARAMETERS = (
    r"(?i)\b(?:server|data source|host|accountname|endpoint)=[^\n]{1,400}?[; ]"
    r"(?:password|pwd|accountkey|sharedaccesskey)=[^;\s]{4,300}"
)

SECRETS = (
    _prefixed(
        "aws_access_key_id",
        "AWS access key id",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        gate=r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]",
    ),
    _prefixed(
        "aws_secret_access_key",
        "AWS secret access key",
        r"[A-Za-z0-9/+]{40}",
        _aws_secret,
        gate=r"[A-Za-z0-9/+]{20}[A-Za-z0-9/+]{20}",
        words=("aws", "secret", "secret_access_key", "aws_secret_access_key", "akia"),
        near=100,
        needs_words=True,
        outside="base64",
    ),
    _prefixed("jwt", "JSON web token", rf"\be[wy]{_W}{{6,}}\.{_W}{{2,}}\.{_W}*", _jwt, gate=r"\be[wy][A-Za-z0-9_-]{6}", outside="none"),
    Detector("private_key", "secret", "private key", gate=r"PRIVATE KEY|PuTTY-User-Key", search=_private_keys),
    _prefixed("github_token", "GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{82}\b", _github, gate=r"\bgh[pousr]_|\bgithub_pat_"),
    _prefixed("slack_token", "Slack token or webhook", _SLACK, gate=r"xox[abeoprs]-|xoxe\.|xapp-|hooks\.slack"),
    _prefixed("azure_storage_key", "Azure storage key", r"[A-Za-z0-9+/]{86}==", _azure, gate="==", words=("accountkey", "azure", "storage"), outside="base64"),
    _prefixed("google_api_key", "Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b", gate="AIza"),
    _prefixed("google_oauth_token", "Google OAuth token", r"\bya29\.[0-9A-Za-z_-]{20,}", gate=r"ya29\."),
    _prefixed("stripe_key", "Stripe key", r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}\b", gate=r"[rs]k_(?:live|test)_"),
    _prefixed("sendgrid_key", "SendGrid key", rf"\bSG\.{_W}{{22}}\.{_W}{{43}}\b", gate=r"\bSG\."),
    _prefixed("gitlab_token", "GitLab token", rf"\bgl(?:pat|dt|rt|ptt|cbt)-{_W}{{20,}}", gate=r"\bgl(?:pat|dt|rt|ptt|cbt)-"),
    _prefixed("npm_token", "npm token", r"\bnpm_[A-Za-z0-9]{36}\b", gate="npm_"),
    _prefixed("pypi_token", "PyPI token", rf"\bpypi-AgE{_W}{{50,}}", gate="pypi-AgE"),
    _prefixed("openai_key", "OpenAI key", rf"\bsk-(?:proj-|svcacct-)?{_W}{{10,}}T3BlbkFJ{_W}{{10,}}", gate="T3BlbkFJ"),
    _prefixed("huggingface_token", "Hugging Face token", r"\bhf_[A-Za-z0-9]{34}\b", gate=r"\bhf_"),
    _prefixed("digitalocean_token", "DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}\b", gate="do[opr]_v1_"),
    _prefixed("telegram_token", "Telegram bot token", rf"\b[0-9]{{8,10}}:AA{_W}{{33}}\b", gate="[0-9]:AA"),
    _prefixed("twilio_key", "Twilio key", r"\b(?:SK|AC)[0-9a-f]{32}\b", words=("twilio",), needs_words=True),
    _prefixed("vault_token", "Vault token", rf"\bhv[sbr]\.{_W}{{24,}}", gate=r"\bhv[sbr]\."),
    _prefixed("square_token", "Square token", rf"\b(?:sq0atp|sq0csp|EAAA){_W}{{20,}}", gate="sq0atp|sq0csp|EAAA", words=("square",), needs_words=True),
    _prefixed("entra_secret", "Entra client secret", r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", gate="[0-9]Q~", outside="none"),
    _prefixed(
        "connection_string",
        "connection string with a password",
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,100}:[^\s@/]{1,200}@[^\s/@]{1,200}|" + _PARAMETERS,
        _connection,
        gate=r"://[^\s/@]{0,100}:[^\s@/]{1,200}@|(?i)(?:password|pwd|accountkey|sharedaccesskey)=",
        outside="none",
    ),
    _prefixed(
        "password",
        "password",
        rf"(?i)(?:{_NAMES})['\"]?\s{{0,3}}(?:[:=]|\bis\b)\s{{0,3}}['\"]?[^\s'\"=:<]{{8,100}}",
        _password,
        gate=rf"(?i){_NAMES}",
        outside="none",
    ),
)  # fmt: skip
