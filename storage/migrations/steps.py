"""Alembic, run on a connection that somebody else opened."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_FOLDER = Path(__file__).parent


def upgrade_to(connection: Connection, revision: str) -> None:
    """Apply what is missing. Nobody else may do so meanwhile."""
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
