"""What a measurement has to say about the machine that it was taken on."""

import os
import platform
import resource
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("aiohttp", "slack-bolt", "uvloop", "orjson", "asyncpg", "cryptography")


@dataclass(frozen=True, slots=True)
class CpuTime:
    """What the kernel counted so far, in ticks over all cores."""

    steal: int
    total: int

    @classmethod
    def now(cls) -> "CpuTime":
        """Read /proc/stat; where there is none, nothing was ever stolen."""
        try:
            line = Path("/proc/stat").read_text().partition("\n")[0]
        except OSError:
            return cls(0, 0)
        ticks = [int(field) for field in line.split()[1:9]]
        return cls(ticks[7], sum(ticks))

    def stolen_since(self, before: "CpuTime") -> float:
        """Return the percentage that the host took away since `before`."""
        passed = self.total - before.total
        return 100 * (self.steal - before.steal) / passed if passed else 0.0


def spent(pid: int) -> float:
    """Return the CPU seconds that a process and its threads have taken so far."""
    # The name, in brackets, may hold spaces and brackets itself.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Return how many MiB of memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def description() -> list[str]:
    """Return what a reader must know to compare these figures with others."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    system = f"{platform.system()} {platform.release()}"
    return [
        f"{os.cpu_count()} cores ({_processor()}), {_memory()}, {system}",
        f"Python {platform.python_version()}, {libraries}",
    ]


def _processor() -> str:
    return _field("/proc/cpuinfo", "model name") or platform.machine()


def _memory() -> str:
    kilobytes = _field("/proc/meminfo", "MemTotal").removesuffix("kB").strip()
    if not kilobytes.isdecimal():
        return "memory unknown"
    return f"{int(kilobytes) / 1024**2:.0f} GiB"


def _field(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2] for line in lines if line.startswith(name))
    return next(found, "").strip()


def peak() -> int:
    """Return the most memory that this process ever held, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
