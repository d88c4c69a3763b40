"""Which addresses are Microsoft's own: nothing else is fetched or sent a token."""

from urllib.parse import urlsplit

from yarl import URL

# Where the connector of each cloud serves what people paste.
_CONNECTORS = {
    "smba.trafficmanager.net",
    "smba.infra.gcc.teams.microsoft.com",
    "smba.infra.gov.teams.microsoft.us",
    "smba.infra.dod.teams.microsoft.us",
}
# Where Graph sends those who fetch or store a file's bytes.
_STORES = (".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".sharepoint.cn")


def is_connectors(url: str, service_url: str) -> bool:
    """Say whether a bot's token may be sent there."""
    own = same_origin(url, service_url)
    return "/v3/attachments/" in url and (own or _host(url) in _CONNECTORS)


def is_graphs(url: str, base: str) -> bool:
    """Say whether a token for Graph may be sent there."""
    return same_origin(url, base) and urlsplit(url).path.startswith(
        urlsplit(base).path.rstrip("/") + "/"
    )


def is_store(url: str, base: str) -> bool:
    """Say whether Graph may send ATOM there for bytes, without any token."""
    return same_origin(url, base) or _host(url).endswith(_STORES)


def same_origin(one: str, other: str) -> bool:
    try:
        return bool(_split(one)) and _split(one) == _split(other)
    except ValueError:
        return False


def _split(url: str) -> tuple[str, str, int | None] | None:
    parts = URL(url)
    return (parts.scheme, parts.host, parts.port) if parts.host else None


def _host(url: str) -> str:
    """Return the host of an https address, or nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme == "https" else ""
