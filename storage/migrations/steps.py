"""Alembic, run on a connection that somebody else opened."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

_FOLDER = Path(__file__).parent
_LOCK = 4_837_201  # any number, the same in every process


def upgrade_to(connection: Connection, revision: str) -> None:
    """Apply what is missing, while no other process does."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    command.upgrade(_config(connection), revision)


def downgrade_to(connection: Connection, revision: str) -> None:
    command.downgrade(_config(connection), revision)


def head() -> str | None:
    """Return the newest version, as the files themselves say."""
    return ScriptDirectory(str(_FOLDER)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config
