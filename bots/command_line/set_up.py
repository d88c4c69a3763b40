"""The first day of a company: its place in the database, its keys, its settings file."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from bots.command_line.output import say
from bots.core import core
from bots.settings_sources import config_path, read_settings
from bots.settings_template import template
from bridge.errors import BadInput
from storage.database import make_folder

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Made:
    """What `set_up` had to make; the rest was there."""

    config: bool
    company: bool
    key: bool


async def set_up(company_id: str, admin_email: str, name: str) -> None:
    """Set a company up and say what to do next. Twice changes nothing."""
    if not _ID.fullmatch(company_id):
        raise BadInput(
            f"'{company_id}' is no company id: use lower-case letters, digits and "
            "hyphens, such as acme-corp"
        )
    if not _EMAIL.fullmatch(admin_email):
        raise BadInput(f"'{admin_email}' is no e-mail address such as admin@acme.com")
    config = write_config(config_path())
    settings = read_settings()
    make_folder(settings.home, 0o700)
    async with core(settings, "setup") as built:
        known = {company.id: company for company in await built.companies.all()}
        if company_id in known:
            # A new key would not open what the lost one has sealed.
            await built.ring.check(company_id)
        await built.signers.current(company_id)
        made = Made(
            config,
            key=await built.ring.begin(company_id),
            company=await built.companies.create(
                company_id, name or company_id, admin_email
            ),
        )
    if company_id in known:
        admin_email = known[company_id].admin_email
    where = f"{settings.home / 'keys' / company_id}.key"
    if settings.keys.provider != "file":
        where = f"at the {settings.keys.provider.upper()} that the settings name"
    _report(made, company_id, admin_email, where)


def write_config(path: Path) -> bool:
    """Write an `atom.toml` to fill in, unless there is one. Only its owner reads it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        file = os.open(path, flags, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(template())
    return True


def _report(made: Made, company_id: str, admin_email: str, where: str) -> None:
    if not (made.config or made.company or made.key):
        say(f"{company_id} is set up already (admin {admin_email}); nothing changed.")
        return
    if made.company:
        say(f"Company {company_id} with its first admin {admin_email}.")
    if made.key:
        say(f"Its key: {where}. Back it up, apart from the")
        say("database: without it, nobody can read the log again.")
    if made.config:
        say(f"Settings to fill in: {config_path()}")
    say("")
    say("Next:")
    say("  1. atom manifest build --url https://atom.YOUR-COMPANY.com")
    say("  2. create the Slack app and the Teams bot with it: docs/install.md")
    say(f"  3. put their tokens into {config_path()}")
    say("  4. atom doctor")
    say("  5. atom serve, then /atom link in a Slack channel")
