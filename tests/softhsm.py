"""An HSM in software, with a token of the tests' own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import folder_for, require

PIN = "tests-of-atom"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True)
class SoftHsm:
    """A PKCS#11 module with one token."""

    module: Path
    token: str


@contextmanager
def running_softhsm() -> Iterator[SoftHsm]:
    """Make a token, or skip the test. One a process: the module reads its file once."""
    how = "apt install softhsm2"
    found = next((m for m in map(Path, _MODULES) if m.exists()), None)
    module = require("softhsm", found, how)
    tool = require("softhsm", shutil.which("softhsm2-util"), how)
    with folder_for("softhsm") as folder:
        (folder / "tokens").mkdir()
        config = folder / "softhsm2.conf"
        config.write_text(
            f"directories.tokendir = {folder / 'tokens'}\n"
            "objectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
        )
        before = os.environ.get("SOFTHSM2_CONF")
        os.environ["SOFTHSM2_CONF"] = str(config)
        command = [tool, "--init-token", "--free", "--label", "atom"]
        command += ["--pin", PIN, "--so-pin", PIN]
        subprocess.run(command, check=True, capture_output=True)
        try:
            yield SoftHsm(module, "atom")
        finally:
            if before is None:
                del os.environ["SOFTHSM2_CONF"]
            else:
                os.environ["SOFTHSM2_CONF"] = before
