"""The `atom` command as tests run it: in this process, in a folder of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from bots.cli import main
from tests.databases import migrated_sqlite


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


@dataclass
class CommandLine:
    """Runs commands in `folder`, with `variables` and no other settings."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Ran:
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended, self._settled():
            main(list(arguments))
        out, err = self.capture.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ran(code, out, err)

    def done(self, *arguments: str) -> Ran:
        """Run a command that must work."""
        ran = self.run(*arguments)
        assert ran.code == 0, ran.err
        return ran

    def set_up(self, company: str = "acme") -> None:
        home = self.folder / "var"
        if not home.exists() and not {"ATOM_HOME", "ATOM_DATABASE_URL"} & {
            *self.variables
        }:
            home.mkdir(mode=0o700)
            migrated_sqlite(home)  # tests of setup itself make their own
        admin = f"admin@{company}.example"
        self.done("setup", "--company-id", company, "--admin-email", admin)

    @contextmanager
    def _settled(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in os.environ:
                if name.startswith("ATOM_"):
                    patch.delenv(name)
            for name, value in {**self.variables, "COLUMNS": "220"}.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            yield
