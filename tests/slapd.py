"""A private OpenLDAP server for tests, with a generated company in it."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGINT, SIGKILL

from ldap3 import MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, NONE, Connection, Server

from policy.directory.ldap.settings import LdapSettings
from tests.acme_ldif import (
    ADMIN,
    PASSWORD,
    READER,
    SUFFIX,
    base_ldif,
    groups,
)
from tests.certificates import Certificates, certificates
from tests.servers import Daemon, folder_for, free_port, require

_ENOUGH_MEMORY = 100_000_000  # bytes free in memory for a few small directories

_SCHEMAS = Path("/etc/ldap/schema")
_MODULES = Path("/usr/lib/ldap")

ADD, DELETE, REPLACE = MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE


@dataclass
class Slapd:
    """
    One server.

    Without `sync` it is one that cannot say what changed.

    `session_log` is how many changes it remembers; with few, cookies get too old.
    """

    binary: str
    folder: Path
    tls: Certificates
    people: int = 60
    sync: bool = True
    session_log: int = 1000
    modules: tuple[str, ...] = ("syncprov", "ppolicy")
    more: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        urls = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        config = str(self.folder / "slapd.conf")
        self.daemon = Daemon(
            name="OpenLDAP",
            command=[self.binary, "-d", "0", "-f", config, "-h", urls],
            folder=self.folder,
            ready=self._ready,
            stop_signal=SIGINT,
            kill_signal=SIGKILL,
        )

    @property
    def url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def plain_url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def settings(
        self,
        *servers: str,
        account: str = READER,
        password: str = PASSWORD,
        seconds: int = 20,
    ) -> LdapSettings:
        """Return how ATOM reaches it, or others given."""
        return LdapSettings(
            servers=servers or (self.url,),
            bind_dn=account,
            password=password,
            ca_file=str(self.tls.ca),
            connect_seconds=seconds,
            answer_seconds=seconds,
        )

    def start(self) -> None:
        """Start it; the first time, with everybody in it."""
        fresh = not (self.folder / "db").exists()
        if fresh:
            (self.folder / "db").mkdir()
            (self.folder / "slapd.conf").write_text(self._config())
            self._load()
        self.daemon.start()
        if fresh:
            self._add_groups()

    def stop(self) -> None:
        """Stop in good order. `start` brings it back on the same ports."""
        self.daemon.stop()

    def kill(self) -> None:
        self.daemon.kill()

    def freeze(self) -> None:
        """Keep the connections and answer nothing, until `thaw`."""
        self.daemon.freeze()

    def thaw(self) -> None:
        self.daemon.signal(SIGCONT)

    @contextmanager
    def admin(self) -> Iterator[Connection]:
        """Lend a connection that may change everything; failures raise."""
        server = Server("127.0.0.1", port=self.port, get_info=NONE)
        connection = Connection(
            server, ADMIN, PASSWORD, auto_bind=True, raise_exceptions=True
        )
        try:
            yield connection
        finally:
            connection.unbind()

    def change(self, dn: str, kind: str, **values: Sequence[str]) -> None:
        """Change attributes of one entry, each in the same way."""
        changes = {name: [(kind, list(given))] for name, given in values.items()}
        with self.admin() as admin:
            admin.modify(dn, changes)

    def add(self, dn: str, classes: Sequence[str], **values: object) -> None:
        with self.admin() as admin:
            admin.add(dn, list(classes), dict(values))

    def add_person(self, dn: str, **more: object) -> None:
        """Add somebody; the name says all that must be said."""
        uid = dn.partition(",")[0].partition("=")[2]
        values = {"cn": uid, "sn": uid, "uid": uid, **more}
        self.add(dn, ["inetOrgPerson"], **values)

    def remove(self, dn: str) -> None:
        with self.admin() as admin:
            admin.delete(dn)

    def move(self, dn: str, rdn: str, under: str | None = None) -> None:
        """Give an entry another name, or another place."""
        with self.admin() as admin:
            admin.modify_dn(dn, rdn, new_superior=under)

    def uuid(self, dn: str) -> str:
        return self.values(dn, "entryUUID")[0]

    def values(self, dn: str, name: str) -> list[str]:
        with self.admin() as admin:
            admin.search(dn, "(objectClass=*)", "BASE", attributes=[name])
            found: Mapping[str, Sequence[bytes]] = admin.response[0]["raw_attributes"]
            return [each.decode() for each in found[name]]

    def _config(self) -> str:
        lines = [
            *(f"include {_SCHEMAS}/{name}.schema" for name in _SCHEMA_NAMES),
            f"modulepath {_MODULES}",
            *(f"moduleload {name}" for name in ("back_mdb", "memberof", "refint")),
            *(f"moduleload {name}" for name in self.modules),
            f"TLSCACertificateFile {self.tls.ca}",
            f"TLSCertificateFile {self.tls.certificate}",
            f"TLSCertificateKeyFile {self.tls.key}",
            "TLSVerifyClient never",
            "sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited",
            "database mdb",
            "maxsize 268435456",
            "dbnosync",
            f'suffix "{SUFFIX}"',
            f'rootdn "{ADMIN}"',
            f"rootpw {PASSWORD}",
            f"directory {self.folder / 'db'}",
            "index objectClass,entryCSN,entryUUID,member eq",
            "index uid,mail eq",
            "overlay memberof",
            "memberof-dangling ignore",
            "memberof-refint FALSE",
            "overlay refint",
            "refint_attributes member uniqueMember manager",
            f'refint_nothing "{ADMIN}"',
            *self._sync_lines(),
            *self.more,
            *(["overlay ppolicy"] if "ppolicy" in self.modules else []),
            f'limits dn.exact="{READER}" size=unlimited time=unlimited',
            "access to attrs=userPassword by anonymous auth by * none",
            "access to * by users read by anonymous auth",
        ]
        return "\n".join(lines) + "\n"

    def _sync_lines(self) -> list[str]:
        if not self.sync:
            return []
        log = [f"syncprov-sessionlog {self.session_log}"] if self.session_log else []
        return ["overlay syncprov", "syncprov-checkpoint 1 1", *log]

    def _load(self) -> None:
        file = self.folder / "base.ldif"
        file.write_text("".join(base_ldif(self.people)))
        # -w: a change feed needs to know from where it starts.
        self._run("slapadd", "-q", "-w", "-l", str(file))

    def _add_groups(self) -> None:
        """Add groups through the server, which keeps memberOf only for what it sees."""
        with self.admin() as admin:
            for dn, pairs in groups(self.people):
                values: dict[str, list[str]] = {}
                for name, value in pairs:
                    values.setdefault(name, []).append(value)
                admin.add(dn, attributes=values)

    def _run(self, program: str, *arguments: str) -> None:
        tool = Path(self.binary).with_name(program)
        config = ("-f", str(self.folder / "slapd.conf"))
        done = subprocess.run(
            [str(tool), *config, *arguments],
            check=False,
            capture_output=True,
            timeout=300,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")

    def _ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.tls_port), 1.0):
                return True
        except OSError:
            return False


_SCHEMA_NAMES = ("core", "cosine", "inetorgperson", "nis")


@contextmanager
def running_slapd(
    people: int = 60, *more: str, sync: bool = True, session_log: int = 1000
) -> Iterator[Slapd]:
    """Run an OpenLDAP of one's own, in memory if possible, or skip the test."""
    how = "apt install slapd"
    places = "/usr/sbin:/usr/local/sbin:/usr/libexec"
    found = shutil.which("slapd") or shutil.which("slapd", path=places)
    binary = require("OpenLDAP", found, how)
    with folder_for("slapd", _ENOUGH_MEMORY) as folder:
        tls = certificates(folder / "tls", "localhost", "127.0.0.1")
        server = Slapd(binary, folder, tls, people, sync, session_log, more=more)
        server.start()
        try:
            yield server
        finally:
            server.kill()
