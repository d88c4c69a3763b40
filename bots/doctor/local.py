"""What the doctor looks at on ATOM's own side: files, the database, Redis."""

import time
from collections.abc import Sequence
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import URL, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.doctor.contacts import contacts
from bots.doctor.findings import Finding, State, bad, good, poor
from bots.doctor.postgres import durability
from bots.doctor.proofs import proofs
from bots.doctor.scim import scim
from bots.file_side import scanner
from bots.key_side import keyring
from bots.settings import Settings
from bots.settings_sources import config_path, unknown_variables
from bridge.errors import AtomError, BadInput
from storage.companies import StoredCompanies
from storage.database import TO_DO, Database, opened
from storage.database_url import database_url
from storage.migrate import versions
from storage.redis_client import redis_at
from storage.schema import tenant
from storage.spool import SpoolFolder

_OTHERS = 0o077
_SETUP = "run 'atom setup --company-id ID --admin-email ADDRESS'"


def strays() -> list[Finding]:
    """Find variables that look like settings, but that nobody reads."""
    return [
        poor("settings", f"{name} is no setting of ATOM", "correct or unset it")
        for name in unknown_variables()
    ]


def config_file() -> list[Finding]:
    """Look at who may read `atom.toml`, which holds secrets."""
    path = config_path()
    if not path.exists() or not _open_to_others(path):
        return []
    fix = f"run 'chmod 600 {path}'"
    return [poor("atom.toml", f"{path} is readable by others", fix)]


def key_files(settings: Settings) -> list[Finding]:
    """Look at who may read the companies' keys."""
    if settings.keys.provider != "file":
        return []  # where they are is asked when the database has said whose
    keys = sorted((settings.home / "keys").glob("*.key*"))
    if not keys:
        return [bad("keys", f"none in {settings.home / 'keys'}", _SETUP)]
    exposed = [path for path in keys if _open_to_others(path)]
    if exposed:
        return [
            bad("keys", f"{path} is readable by others", f"run 'chmod 600 {path}'")
            for path in exposed
        ]
    return [good("keys", f"{len(keys)}, readable by their owner alone")]


def spool(settings: Settings) -> list[Finding]:
    """Look at what waits on the disk to be taken in, and what never will be."""
    folder = SpoolFolder(settings.home, settings.tuning.spool)
    damaged, waiting = folder.damaged(), folder.waiting()
    found = []
    if damaged:
        names = ", ".join(path.name for path in damaged)
        fix = (
            f"look at them in {settings.home / 'spool'}, and remove them: no erasure "
            "reaches what they hold"
        )
        found.append(poor("spool", f"{names}: put aside, the end is not whole", fix))
    if waiting:
        what = f"{waiting} bytes wait to be taken in"
        fix = "bring the database back, and let 'atom serve' run with this ATOM_HOME"
        found.append(poor("spool", what, fix))
    elif settings.tuning.spool and not damaged:
        found.append(good("spool", f"empty, {settings.tuning.spool} bytes at most"))
    return found


async def database(settings: Settings) -> Sequence[Finding]:
    """Connect, compare the schema, look for a company and try to write."""
    try:
        url = database_url(settings.database)
        if _absent(url):
            return [bad("database", f"{url.database} does not exist yet", _SETUP)]
        async with opened(url) as database:
            found = await _inside(database.engine, url.get_backend_name())
            if not any(finding.state is State.FAIL for finding in found):
                now_us = time.time_ns() // 1000
                found = [*found, *await proofs(database, settings, now_us)]
                found += await wrapping_keys(database, settings)
                found += await scim(database, settings, now_us)
                found += await contacts(database, settings, now_us)
            if database.embedded:
                return found
            return [*found, *await durability(database.engine, url)]
    except AtomError as error:
        return [bad("database", str(error).removesuffix(f": {TO_DO}"), TO_DO)]
    except (SQLAlchemyError, OSError) as error:
        detail = f"it refused the doctor ({type(error).__name__})"
        return [bad("database", detail, "look at the rights of ATOM's user on it")]


async def wrapping_keys(database: Database, settings: Settings) -> list[Finding]:
    """Wrap a key of no use and unwrap it again, where the companies' keys are."""
    companies = await StoredCompanies(database.engine, lambda: 0).all()
    fix = f"look at ATOM_KEYS_* ({settings.keys.provider}), or restore the key"
    try:
        async with keyring(settings, database.hot) as ring:
            for company in companies:
                await ring.check(company.id)
                # The key in use may be elsewhere, from before a move.
                await ring.kek.versions(company.id)
    except AtomError as error:
        return [bad("wrapping keys", str(error), fix)]
    return [good("wrapping keys", f"{settings.keys.provider}, usable")]


async def redis(settings: Settings) -> Sequence[Finding]:
    """Say hello to Redis, if it is to be used."""
    if settings.redis_url is None:
        return [good("redis", "not used")]
    fix = "start it, or correct ATOM_REDIS_URL; meanwhile ATOM works, slower"
    try:
        client = redis_at(
            settings.redis_url.get_secret_value(),
            socket_timeout=5,
            socket_connect_timeout=5,
        )
    except BadInput as error:
        return [bad("redis", str(error), fix)]
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        return [poor("redis", f"no answer ({type(error).__name__})", fix)]
    finally:
        await client.aclose()
    return [good("redis", "answers")]


async def clamd(settings: Settings) -> Sequence[Finding]:
    """Ask the virus scanner for its version, if one is to be used."""
    if (found := scanner(settings)) is None:
        return [good("clamd", "not used: files are not looked at")]
    fix = "start it, or correct ATOM_CLAMD_ADDRESS; meanwhile files wait"
    try:
        version = await found.version()
    except AtomError as error:
        return [bad("clamd", str(error), fix)]
    if not version.startswith("ClamAV "):
        return [bad("clamd", "something else answers there", fix)]
    return [good("clamd", version)]


async def _inside(engine: AsyncEngine, kind: str) -> Sequence[Finding]:
    current, needed = await versions(engine)
    if current is None:
        return [bad("database", f"{kind}, empty", _SETUP)]
    if current != needed:
        detail = f"schema {current}, but this version needs {needed}"
        return [bad("database", detail, "start 'atom serve' once: it upgrades")]
    await _try_to_write(engine)
    companies = await StoredCompanies(engine, lambda: 0).all()
    if not companies:
        return [bad("database", f"{kind}, without a company", _SETUP)]
    names = ", ".join(company.id for company in companies)
    return [good("database", f"{kind}, schema {current}, can be written; for {names}")]


async def _try_to_write(engine: AsyncEngine) -> None:
    row = {"id": "", "name": "", "admin_email": "", "created_us": 0}
    async with engine.connect() as connection:
        await connection.execute(insert(tenant).values(row))
        await connection.rollback()


def _absent(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & _OTHERS)
