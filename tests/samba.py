"""
An Active Directory domain controller of the tests' own: Samba, on a loopback address.

Samba's LDAP ports are fixed in its source (389, 636, 3268, 3269), so each controller has
an address of its own instead. Making a domain takes ten seconds, copying one a tenth of
one: it is made once a test run, and every controller starts from a copy.
Samba is not Windows: what holds here is evidence for Active Directory, not proof.
"""

import fcntl
import os
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM

from tests.certificates import certificates
from tests.samba_world import Admin, fill
from tests.servers import Daemon, folder_for, require

REALM = "AD.ATOM.TEST"
ROOT = "DC=ad,DC=atom,DC=test"
ADMINISTRATOR = "administrator@ad.atom.test"
ADMINISTRATOR_PASSWORD = "Adm1n-Secret!"
ENOUGH_MEMORY = 300_000_000  # bytes free in memory for a few controllers

_HOW = "apt install samba samba-ad-dc samba-ad-provision samba-dsdb-modules"
_TEMPLATE = "TEMPLATE-FOLDER"

_OPENED = """
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

settings = LoadParm()
settings.load(sys.argv[1])
db = SamDB(lp=settings, session_info=system_session())
"""

# "Replicating Directory Changes", which DirSync asks for (never "... All"), and a look at
# what was deleted: `dsacls "CN=Deleted Objects,..." /G NAME:LCRP` on Windows.
_RIGHTS = """
import ldb
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack

for where, right in (
    ("{root}", "(OA;;CR;1131f6aa-9c07-11d1-f79f-00c04fc2dcd2;;{sid})"),
    ("CN=Deleted Objects,{root}", "(A;;RPLC;;;{sid})"),
):
    name, deleted = "nTSecurityDescriptor", ["show_deleted:1", "sd_flags:1:4"]
    found = db.search(where, ldb.SCOPE_BASE, attrs=[name], controls=deleted)[0]
    old = ndr_unpack(security.descriptor, found[name][0])
    new = security.descriptor.from_sddl(
        old.as_sddl() + right, security.dom_sid(db.get_domain_sid())
    )
    change = ldb.Message(found.dn)
    change[name] = ldb.MessageElement(ndr_pack(new), ldb.FLAG_MOD_REPLACE, name)
    db.modify(change, deleted)
"""


def free_address() -> str:
    """Return a loopback address whose LDAP port is free, or skip the test."""
    for _ in range(100):
        numbers = [random.SystemRandom().randint(2, 250) for _ in range(3)]
        address = "127." + ".".join(map(str, numbers))
        with socket.socket() as probe:
            try:
                probe.bind((address, 389))
            except PermissionError:
                require("the right to listen on port 389", None, "run as root")
            except OSError:
                continue
            return address
    raise RuntimeError("no loopback address with a free port 389")


@dataclass
class Samba:
    """One domain controller with the people of `samba_world`, in its folder."""

    binary: str
    folder: Path
    address: str = field(default_factory=free_address)

    def __post_init__(self) -> None:
        configuration = str(self.folder / "etc" / "smb.conf")
        # One process for everything: small, and it tells of a change at once.
        how = ("-i", "-M", "single", "--no-process-group", "-s", configuration)
        self.daemon = Daemon(
            name="Samba",
            command=[self.binary, *how],
            folder=self.folder,
            ready=self._answers,
            stop_signal=SIGTERM,
            kill_signal=SIGKILL,
        )

    @property
    def url(self) -> str:
        return f"ldaps://{self.address}"

    @property
    def authority(self) -> Path:
        """The certificate that its own is signed with."""
        return self.folder / "certs" / "ca.pem"

    def start(self) -> None:
        self.daemon.start()

    def stop(self) -> None:
        """Stop in good order. `start` brings it back at the same address."""
        self.daemon.stop()

    def kill(self) -> None:
        self.daemon.kill()

    @contextmanager
    def admin(self) -> Iterator[Admin]:
        """Lend a connection that may change everything."""
        made = Admin.at(self.address, ADMINISTRATOR, ADMINISTRATOR_PASSWORD)
        try:
            yield made
        finally:
            made.close()

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.address, 636), 1.0):
                return True
        except OSError:
            return False


def offline(configuration: Path, script: str) -> None:
    """
    Run Python on a stopped controller's database, `db`, in Samba's own interpreter.

    It is the system there, which may what no administrator may, and takes half the time.
    """
    tool = Path(_samba_tool()).read_text().split("\n", 1)[0]
    _run([tool.removeprefix("#!").strip(), "-c", _OPENED + script, str(configuration)])


@contextmanager
def running_samba(template: Path) -> Iterator[Samba]:
    """Run a controller that starts as the template does."""
    binary = samba_binary()
    with folder_for("samba", ENOUGH_MEMORY) as folder:
        server = copied(binary, template, folder / "dc")
        server.start()
        try:
            yield server
        finally:
            server.kill()  # nobody needs what it would still write


def copied(binary: str, template: Path, folder: Path) -> Samba:
    """Make a controller's folder from another's, with its own address and certificate."""
    shutil.copytree(template, folder, ignore=_sockets)
    server = Samba(binary, folder)
    settings = folder / "etc" / "smb.conf"
    text = settings.read_text().replace(_TEMPLATE, str(folder))
    settings.write_text(text.replace("127.0.0.1/8", f"{server.address}/8"))
    certificates(folder / "certs", server.address)
    return server


def samba_template(shared: Path) -> Path:
    """Return a domain to copy; the first who asks, of all the workers, makes it."""
    binary = samba_binary()
    made = shared / "samba-template"
    with (shared / "samba-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with folder_for("samba", ENOUGH_MEMORY) as folder:
                _provision(folder)
                _fill(binary, folder)
                shutil.copytree(folder / "template", shared / "samba-half")
            (shared / "samba-half").rename(made)
    return made


def _provision(folder: Path) -> None:
    """Make a domain. Raises RuntimeError with the tool's own words."""
    place, empty = folder / "template", folder / "empty.conf"
    place.mkdir()
    empty.touch()  # without one of ours, the distribution's shares come in
    _run(
        [
            _samba_tool(),
            *("domain", "provision", "-s", str(empty), "--targetdir", str(place)),
            *("--realm", REALM, "--domain", "ATOMAD", "--server-role", "dc"),
            *("--adminpass", ADMINISTRATOR_PASSWORD, "--dns-backend", "NONE"),
            *("--host-name", "dc1", "--host-ip", "127.0.0.1"),
            *("--option", "bind interfaces only=yes"),
            *("--option", "interfaces=127.0.0.1/8"),
            *("--option", "server services=ldap"),
        ]
    )
    settings = place / "etc" / "smb.conf"
    head, rest = settings.read_text().split("[global]", 1)
    settings.write_text(
        f"{head}[global]\n{_more(place)}{rest}".replace(str(place), _TEMPLATE)
    )


def _more(place: Path) -> str:
    """Return the settings that keep the controller within its folder."""
    return (
        "tls enabled = yes\n"
        f"tls certfile = {place}/certs/server.pem\n"
        f"tls keyfile = {place}/certs/server.key\n"
        f"tls cafile = {place}/certs/ca.pem\n"
        "ldap server require strong auth = yes\n"
        f"log file = {place}/log.%m\n"
        f"pid directory = {place}\n"
        f"ncalrpc dir = {place}/ncalrpc\n"
        f"ntp signd socket directory = {place}/ntp_signd\n"
    )


def _fill(binary: str, folder: Path) -> None:
    """Put the company into the domain, through a controller that runs for that."""
    server = copied(binary, folder / "template", folder / "filling")
    server.start()
    try:
        with server.admin() as admin:
            sid = fill(admin)
    finally:
        server.stop()
    configuration = folder / "filling" / "etc" / "smb.conf"
    offline(configuration, _RIGHTS.format(sid=sid, root=ROOT))
    filled = folder / "template" / "private"
    shutil.rmtree(filled)
    shutil.copytree(folder / "filling" / "private", filled, ignore=_sockets)


def _sockets(folder: str, names: list[str]) -> list[str]:
    """Return what is of a running controller only."""
    return [name for name in names if (Path(folder) / name).is_socket()]


def samba_binary() -> str:
    found = shutil.which("samba", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return require("Samba's domain controller", found, _HOW)


def _samba_tool() -> str:
    return require("samba-tool", shutil.which("samba-tool"), _HOW)


def _run(command: list[str]) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TDB_NO_FSYNC": "1"},
        capture_output=True,
        timeout=300,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[1]}: {done.stderr.strip()[-1000:]}")
    return done.stdout
