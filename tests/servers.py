"""
Private servers for tests: on loopback, in a temporary folder, gone with the tests.

Nothing that runs on the machine already is used or touched.
"""

import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from signal import SIGCONT, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, Signals
from typing import TypeVar
from uuid import uuid4

import psutil
import pytest

Found = TypeVar("Found")

_STARTING_TAKES_AT_MOST = 60.0  # seconds; a busy machine, not a slow server
_STOPPING_TAKES_AT_MOST = 30.0
_SLOTS = 16_384  # of a Redis Cluster
_DONE = "done as asked"
ROOMY = 4_000_000_000  # bytes; a whole run of the suite has needed half of one
_CLIENTS = {"createdb", "dropdb", "psql"}  # these need not be the server's user


def require(name: str, found: Found | None, how: str) -> Found:
    """
    Return what was found; without it, skip the test and say how to get it.

    With ATOM_REQUIRE_SERVERS=1 the test fails instead: in CI nothing is skipped.
    """
    if found:
        return found
    reason = f"{name} is missing: {how}"
    if os.environ.get("ATOM_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Return a port that is free now and that the system gives to no client."""
    # Not Python's own generator: Hypothesis seeds that alike in every worker.
    for port in random.SystemRandom().sample(range(15_000, 32_000), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port between 15000 and 32000")


def chromium() -> str:
    """Return the path of an installed Chromium, or skip the test."""
    names = ("chromium", "chromium-browser", "google-chrome")
    paths = (shutil.which(name) for name in names)
    return require("Chromium", next(filter(None, paths), None), "apt install chromium")


@dataclass
class Daemon:
    """
    One server process. It dies with the tests, even if they are killed.

    "With the tests" means with the thread that started it: start servers from the
    main thread, not through `asyncio.to_thread`.
    """

    name: str
    command: Sequence[str]
    folder: Path
    ready: Callable[[], bool]
    stop_signal: Signals
    kill_signal: Signals
    user: str | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it serves."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_dying_with_us(), *self.command],
                cwd=self.folder,
                user=self.user,
                group=self.user and pwd.getpwnam(self.user).pw_gid,
                extra_groups=[] if self.user else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )
        deadline = time.monotonic() + _STARTING_TAKES_AT_MOST
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end(self.kill_signal)
                raise RuntimeError(f"{self.name} did not start:\n{self._last_words()}")
            time.sleep(0.01)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def stop(self) -> None:
        self.end(self.stop_signal)

    def kill(self) -> None:
        self.end(self.kill_signal)

    def signal(self, signal: Signals) -> None:
        if self.process is not None:
            self.process.send_signal(signal)

    def freeze(self) -> None:
        """Let nothing of it run any more, until SIGCONT comes."""
        self.signal(SIGSTOP)
        deadline = time.monotonic() + _STOPPING_TAKES_AT_MOST
        # The signal has come back before each thread of the process has stopped.
        while self.process is not None and not _stands_still(self.process.pid):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not stand still")
            time.sleep(0.005)

    def end(self, signal: Signals) -> None:
        """Send the signal and wait for the end. Ending twice changes nothing."""
        if self.process is None:
            return
        self.process.send_signal(signal)
        try:
            self.process.wait(_STOPPING_TAKES_AT_MOST)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _last_words(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-2000:]


def _stands_still(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").glob("*/stat")
    states = [task.read_text().rpartition(")")[2].split()[0] for task in tasks]
    return set(states) <= {"T", "t"}


def _dying_with_us() -> list[str]:
    """Ask the kernel to stop the server when the test process is no more."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []


class _Session:
    """
    A psql that stays: to start one, and let it in, takes longer than a small database.

    It ends with the tests, because then nobody has anything more to say to it.
    """

    def __init__(self, command: Sequence[str]) -> None:
        strict = ("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1")
        self._process = subprocess.Popen(
            [*command, *strict],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def do(self, statement: str) -> None:
        """Do one statement, and wait until it is done."""
        asked, answered = self._process.stdin, self._process.stdout
        assert asked
        assert answered
        told = ""
        with suppress(BrokenPipeError):
            asked.write(f"{statement};\n\\echo {_DONE}\n")
            asked.flush()
            for line in answered:
                if line.strip() == _DONE:
                    return
                told += line
        raise RuntimeError(f"psql: {told.strip() or 'it has ended'}")

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class Postgres:
    """
    A PostgreSQL cluster that asks nobody for a password.

    The commits of a `durable` one reach the disk before they are answered.
    """

    binaries: Path
    folder: Path
    port: int = field(default_factory=free_port)
    durable: bool = True
    _session: _Session | None = None

    def __post_init__(self) -> None:
        self.daemon = Daemon(
            name="PostgreSQL",
            command=[str(self.binaries / "postgres"), "-D", str(self.data)],
            folder=self.folder,
            ready=self._ready,
            stop_signal=SIGINT,  # cut the sessions, write everything, leave
            kill_signal=SIGQUIT,  # cut the sessions, write nothing, leave
            user=_postgres_user(),
        )

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://atom@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the cluster; the first time, make it."""
        if not self.data.exists():
            self._initialise()
        self.daemon.start()

    def stop(self) -> None:
        """Stop in good order. `start` brings it back on the same port."""
        self.daemon.stop()

    def kill(self) -> None:
        """Stop as a crash does: what was not committed is gone."""
        self.daemon.kill()

    def create_database(self, template: str = "template1") -> str:
        """Create a database with a name of its own and return the name."""
        name = f"test_{uuid4().hex[:12]}"
        if self.durable:  # a test may stop it, and its session with it
            self.run("createdb", *self.login, "--template", template, name)
        else:
            how = f"TEMPLATE {template} {self._quickly}"
            self._do(f"CREATE DATABASE {name} {how}")
        return name

    @cached_property
    def _quickly(self) -> str:
        """Copy files, where nothing is flushed: logging each page takes longer."""
        known = "--strategy" in self.run("createdb", "--help")  # PostgreSQL 15
        return "STRATEGY file_copy" if known else ""

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        if self.durable:
            self.run("dropdb", *self.login, "--force", "--if-exists", name)
        else:
            self._do(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        if self._session is None:
            psql = str(self.binaries / "psql")
            self._session = _Session([psql, *self.login, "postgres"])
        try:
            self._session.do(statement)
        except RuntimeError:
            self.end_session()  # psql leaves after a mistake
            raise

    def end_session(self) -> None:
        if self._session is not None:
            self._session.end()
            self._session = None

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Lend a fresh database by its URL."""
        name = self.create_database(template)
        try:
            yield self.url(name)
        finally:
            self.drop_database(name)

    @property
    def login(self) -> tuple[str, ...]:
        return ("-h", "127.0.0.1", "-p", str(self.port), "-U", "atom")

    def take_folder(self) -> None:
        if user := self.daemon.user:
            shutil.chown(self.folder, user)

    def _initialise(self) -> None:
        self.take_folder()
        login = ("--username", "atom", "--auth", "trust")
        text = ("--encoding", "UTF8", "--locale", "C.UTF-8")
        quick = ("--no-sync", "--no-instructions")
        self.run("initdb", "--pgdata", str(self.data), *login, *text, *quick)
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"port = {self.port}\n"
                "listen_addresses = '127.0.0.1'\n"
                "unix_socket_directories = ''\n"
                "max_connections = 100\n"
                "shared_buffers = 32MB\n"
                f"fsync = {'on' if self.durable else 'off'}\n"
                # A crash must leave nothing behind in shared memory.
                "dynamic_shared_memory_type = mmap\n"
            )

    def run(self, program: str, *arguments: str) -> str:
        # Becoming somebody else copies the whole process first, page by page.
        user = None if program in _CLIENTS else self.daemon.user
        done = subprocess.run(
            [str(self.binaries / program), *arguments],
            cwd=self.folder,
            user=user,
            group=user and pwd.getpwnam(user).pw_gid,
            extra_groups=[] if user else None,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            timeout=_STARTING_TAKES_AT_MOST,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _ready(self) -> bool:
        """Read the state that the server keeps in its pid file's eighth line."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        ours = lines[:1] == [str(self.daemon.pid)]
        return ours and "".join(lines[7:8]).strip() == "ready"


@dataclass
class Redis:
    """A Redis that writes nothing to disk: a restart forgets everything."""

    binary: str
    folder: Path
    port: int = field(default_factory=free_port)
    more: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.daemon = Daemon(
            name="Redis",
            command=self._command(),
            folder=self.folder,
            ready=lambda: self.answer("PING") == "+PONG",
            stop_signal=SIGTERM,
            kill_signal=SIGKILL,
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.daemon.start()

    def stop(self) -> None:
        """Stop in good order. `start` brings it back, empty, on the same port."""
        self.daemon.stop()

    def kill(self) -> None:
        self.daemon.kill()

    def freeze(self) -> None:
        """Keep the connections and answer nothing, until `thaw`."""
        self.daemon.freeze()

    def thaw(self) -> None:
        self.daemon.signal(SIGCONT)

    def own_every_slot(self) -> None:
        """Be a cluster of one. It must run with `--cluster-enabled yes`."""
        self.answer("CLUSTER ADDSLOTSRANGE 0 16383")
        while "cluster_state:ok" not in self.answer("CLUSTER INFO"):
            time.sleep(0.01)

    def forget(self) -> None:
        """Drop every key, script and function."""
        for command in ("FLUSHALL", "SCRIPT FLUSH", "FUNCTION FLUSH"):
            self.answer(command)

    def _command(self) -> list[str]:
        listen = ["--port", str(self.port), "--bind", "127.0.0.1"]
        keep_nothing = ["--save", "", "--appendonly", "no"]
        place = ["--dir", str(self.folder)]
        return [self.binary, *listen, *keep_nothing, *place, *self.more]

    def answer(self, command: str) -> str:
        """Return the beginning of what it says to a command, nothing if it is away."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
                connection.sendall(f"{command}\r\n".encode())
                return connection.recv(4000).decode().strip()
        except OSError:
            return ""


@contextmanager
def running_postgres(*, durable: bool = True) -> Iterator[Postgres]:
    """
    Run a cluster of one's own, or skip the test.

    One that is not `durable` does not flush: it survives its own end, but not the
    machine's.
    """
    how = "apt install postgresql"
    binaries = require("PostgreSQL", postgres_binaries(), how)
    with folder_for("postgres") as folder:
        server = Postgres(binaries, folder, durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.end_session()
            server.kill()  # nobody needs what it would still write


@contextmanager
def running_redis(*more: str) -> Iterator[Redis]:
    """Run a Redis of one's own, with `more` on its command line, or skip the test."""
    how = "apt install redis-server"
    binary = require("Redis", shutil.which("redis-server"), how)
    with folder_for("redis") as folder:
        server = Redis(binary, folder, more=more)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def running_redis_cluster(count: int = 3) -> Iterator[Sequence[Redis]]:
    """Run a Redis Cluster of several masters that share the slots, or skip the test."""
    with ExitStack() as stack:
        alone = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
        nodes = []
        for _ in range(count):
            bus = ("--cluster-port", str(free_port()))
            nodes.append(stack.enter_context(running_redis(*alone, *bus)))
        bounds = [_SLOTS * n // count for n in range(count + 1)]
        for node, first, after in zip(nodes, bounds, bounds[1:], strict=False):
            node.answer(f"CLUSTER ADDSLOTSRANGE {first} {after - 1}")
            nodes[0].answer(f"CLUSTER MEET 127.0.0.1 {node.port} {node.more[-1]}")
        for node in nodes:
            _wait_for_cluster(node, count)
        yield nodes


def _wait_for_cluster(node: Redis, count: int) -> None:
    """Wait until a node knows that every slot is somebody's."""
    told, deadline = "", time.monotonic() + _STARTING_TAKES_AT_MOST
    wanted = (f"size:{count}", f"slots_ok:{_SLOTS}", "state:ok")
    while not all(f"cluster_{word}" in told for word in wanted):
        if time.monotonic() > deadline:
            raise RuntimeError(f"Redis Cluster did not form: {told}")
        time.sleep(0.02)
        told = node.answer("CLUSTER INFO")


def postgres_binaries() -> Path | None:
    """Find the folder of the newest PostgreSQL; Debian keeps it off the PATH."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(installed, key=lambda path: float(path.parts[-3]))
    if newest:
        return newest[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _postgres_user() -> str | None:
    """Return who the server runs as if it may not run as us: it refuses root."""
    if os.geteuid() != 0:
        return None
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def folder_for(name: str, least: int = ROOMY) -> Iterator[Path]:
    """
    Lend a folder that servers of another user reach, and remove it after.

    It is in memory if `least` bytes are free there.
    """
    places = [Path(tempfile.gettempdir()), Path("/tmp")]
    if memory := roomy_memory(least):
        places = [memory, *places]
    place = next(filter(_open_to_all, places), places[0])
    folder = Path(tempfile.mkdtemp(prefix=f"atom-{name}-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def roomy_memory(least: int = ROOMY) -> Path | None:
    """
    Return the folder in memory, if `least` bytes are free there.

    Tests make and remove many small databases, which takes a disk eight times as long.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK | os.X_OK):
        return None
    free = min(shutil.disk_usage(memory).free, psutil.virtual_memory().available)
    return memory if free >= least else None


def _open_to_all(place: Path) -> bool:
    """Tell whether another user reaches the folder: every one above lets it pass."""
    return all(path.stat().st_mode & 0o001 for path in (place, *place.parents))
