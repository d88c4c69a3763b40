"""
Where the database is: a file, one PostgreSQL, or a primary with its standbys.

    sqlite:///var/atom.db
    postgresql://USER:PASSWORD@HOST:5432/NAME
    postgresql://USER:PASSWORD@HOST:5432,HOST:5432/NAME

Of several servers the one that may be written to is used, whichever it is by then;
`target_session_attrs` says otherwise, as it does in PostgreSQL's own clients.
"""

import re
from urllib.parse import quote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bridge.errors import BadInput

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_SEVERAL = re.compile(r"^(postgresql://(?:[^@/?]*@)?)([^@/?]*,[^@/?]*)(/.*)?$")
_PORT = "5432"
_WRITABLE = {"target_session_attrs": "read-write"}


def database_url(text: str) -> URL:
    """Read a URL of one of these forms, or raise `BadInput`."""
    try:
        url = _read(text)
        driver = _DRIVERS[url.get_backend_name()]
    except (ArgumentError, KeyError, ValueError) as error:
        raise BadInput(
            "ATOM_DATABASE_URL must be sqlite:///PATH or "
            "postgresql://USER:PASSWORD@HOST/NAME"
        ) from error
    if driver.startswith("sqlite") and not url.database:
        raise BadInput("ATOM_DATABASE_URL names no file: write sqlite:///PATH")
    return url.set(drivername=driver)


def servers(url: URL) -> tuple[str, ...]:
    """Return HOST:PORT of every server that a PostgreSQL URL names."""
    named = url.query.get("host")
    if named:
        return (named,) if isinstance(named, str) else tuple(named)
    return (f"{url.host or ''}:{url.port or _PORT}",)


def plain_dsn(url: URL) -> str:
    """Write a PostgreSQL URL as PostgreSQL's own clients read it, password included."""
    if "host" not in url.query:
        plain = url.set(drivername="postgresql")
        return plain.render_as_string(hide_password=False)
    said = sorted((n, v) for n, v in url.query.items() if n != "host")
    options = "&".join(f"{name}={quote(str(value))}" for name, value in said)
    who = quote(url.username or "", safe="")
    if url.password:
        who += f":{quote(str(url.password), safe='')}"
    at = f"{who}@" if who else ""
    return f"postgresql://{at}{','.join(servers(url))}/{url.database or ''}?{options}"


def _read(text: str) -> URL:
    """Read several hosts the way SQLAlchemy wants them, in the query."""
    found = _SEVERAL.match(text)
    if found is None:
        return make_url(text)
    before, hosts, rest = found.groups()
    url = make_url(f"{before}{rest or '/'}")
    named = tuple(_with_port(host) for host in hosts.split(","))
    return url.set(query={**_WRITABLE, **url.query, "host": named})


def _with_port(host: str) -> str:
    name, _, port = host.partition(":")
    if not name or not (port or _PORT).isdecimal():
        raise ValueError("no host and port")
    return f"{name}:{port or _PORT}"
