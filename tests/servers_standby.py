"""Servers with others behind them: PostgreSQL with a standby, Redis under Sentinels."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM

from tests.servers import (
    Daemon,
    Postgres,
    Redis,
    folder_for,
    free_port,
    postgres_binaries,
    require,
    running_redis,
)

SERVICE = "atom"

_SOON = 30.0  # seconds
_STATE = "SELECT state, sync_state FROM pg_stat_replication"


@dataclass
class Member(Postgres):
    """One PostgreSQL of several that follow each other."""

    def promote(self) -> None:
        """Let a standby be a primary, and return once it may be written to."""
        self.run("pg_ctl", "promote", "--wait", "--pgdata", str(self.data))

    def copy_of(self, primary: Postgres) -> None:
        """Be the standby of a primary that runs, from the next start on."""
        self.take_folder()
        source = ("-h", "127.0.0.1", "-p", str(primary.port), "-U", "atom")
        how = ("--write-recovery-conf", "--checkpoint", "fast", "--no-sync")
        self.run("pg_basebackup", *source, "--pgdata", str(self.data), *how)
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"port = {self.port}\n")

    def set(self, settings: str) -> None:
        """Change lines of postgresql.conf while it runs."""
        with (self.data / "postgresql.conf").open("a") as written:
            written.write(settings)
        self.run("pg_ctl", "reload", "--pgdata", str(self.data))

    def ask(self, query: str) -> str:
        """Return what a query finds, a row a line."""
        return self.run("psql", *self.login, "-d", "postgres", "-Atc", query)


@dataclass
class Pair:
    """
    A primary and its standby.

    A commit on a `synchronous` pair waits until the standby has it on disk.
    """

    primary: Member
    standby: Member

    def url(self, database: str) -> str:
        hosts = ",".join(
            f"127.0.0.1:{one.port}" for one in (self.primary, self.standby)
        )
        return f"postgresql://atom@{hosts}/{database}"

    def fail_over(self) -> None:
        """Lose the primary as in a power cut, and let the standby take its place."""
        self.primary.kill()
        self.standby.promote()


@contextmanager
def running_pair(*, synchronous: bool) -> Iterator[Pair]:
    """Run both, connected, or skip the test."""
    binaries = require("PostgreSQL", postgres_binaries(), "apt install postgresql")
    with ExitStack() as stack:
        primary, standby = (
            Member(binaries, stack.enter_context(folder_for("postgres"))) for _ in "12"
        )
        primary.start()
        stack.callback(primary.kill)
        standby.copy_of(primary)
        standby.start()
        stack.callback(standby.kill)
        _until(lambda: primary.ask(_STATE).startswith("streaming"))
        if synchronous:
            # Only now: to wait for a standby that is not there stops everything.
            primary.set("synchronous_standby_names = '*'\n")
            _until(lambda: primary.ask(_STATE) == "streaming|sync")
        yield Pair(primary, standby)


@dataclass
class Watched:
    """A Redis master, its replica, and the Sentinels that decide who is master."""

    master: Redis
    replica: Redis
    sentinels: Sequence["Sentinel"]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def fail_over(self) -> None:
        """Lose the master, and wait until the replica is it."""
        self.master.kill()
        _until(lambda: "role:master" in self.replica.answer("INFO replication"))


@dataclass
class Sentinel:
    """One of those who watch a master."""

    binary: str
    folder: Path
    master: int
    quorum: int
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        settings = self.folder / "sentinel.conf"
        settings.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.master} {self.quorum}\n"
            f"sentinel down-after-milliseconds {SERVICE} 500\n"
            f"sentinel failover-timeout {SERVICE} 3000\n"
        )
        self.daemon = Daemon(
            name="Sentinel",
            command=[self.binary, str(settings), "--sentinel"],
            folder=self.folder,
            ready=lambda: bool(self._answer("PING")),
            stop_signal=SIGTERM,
            kill_signal=SIGKILL,
        )

    @property
    def ready(self) -> bool:
        """Whether it knows the others, and a replica that can take over."""
        quorum = self._answer(f"SENTINEL CKQUORUM {SERVICE}").startswith("+OK")
        return quorum and "flags" in self._answer(f"SENTINEL REPLICAS {SERVICE}")

    def _answer(self, command: str) -> str:
        return Redis(self.binary, self.folder, self.port).answer(command)


@contextmanager
def running_watched(sentinels: int = 3) -> Iterator[Watched]:
    """Run a master, a replica and Sentinels, or skip the test."""
    how = "apt install redis-server"
    binary = require("Redis", shutil.which("redis-server"), how)
    quick = ("--repl-diskless-sync-delay", "0")
    with ExitStack() as stack:
        master = stack.enter_context(running_redis(*quick))
        of = ("--replicaof", "127.0.0.1", str(master.port))
        replica = stack.enter_context(running_redis(*quick, *of))
        # One that never was in step is not made master.
        _until(lambda: "master_link_status:up" in replica.answer("INFO replication"))
        watchers = []
        for _ in range(sentinels):
            place = stack.enter_context(folder_for("sentinel"))
            one = Sentinel(binary, place, master.port, sentinels // 2 + 1)
            one.daemon.start()
            stack.callback(one.daemon.kill)
            watchers.append(one)
        _until(lambda: all(one.ready for one in watchers))
        yield Watched(master, replica, watchers)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SOON
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("the servers do not find each other")
        time.sleep(0.05)
