"""What ATOM stands on is pinned, and no word says where it came from."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"[\w.\[\],-]+==[\w.!+-]+( ; \S.*)?", re.ASCII)


def test_trap_the_lock_tells_no_address() -> None:
    """uv.lock has the address of somebody's index in every entry."""
    lock = (ROOT / "requirements.lock").read_text()
    lines = [line for line in lock.splitlines() if not line.lstrip().startswith("#")]

    assert len(lines) > 50
    assert [line for line in lines if not PIN.fullmatch(line)] == []
    assert "://" not in lock
    assert not (ROOT / "uv.lock").exists()
