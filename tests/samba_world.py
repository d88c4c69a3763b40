"""
Who works at the company in the tests' Active Directory, and an admin's hands there.

    Company
      Finance    ana (manager), bo, cy
      Sales      dan, eve
      Left       fay (disabled), gil (expired)
      Partners   hal, a guest by his primary group; zoe, a contact
    groups: Finance (ana, bo), Sales (dan, eve), Everybody (Finance, Sales),
      Auditors (Everybody, and it is in Everybody itself: a cycle),
      Newsletter (a distribution list: ana), Payroll (nobody: a primary group for later)
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from ldap3 import (
    BASE,
    MODIFY_ADD,
    MODIFY_DELETE,
    MODIFY_REPLACE,
    NONE,
    SUBTREE,
    Connection,
    Server,
)

ROOT = "DC=ad,DC=atom,DC=test"
COMPANY = f"OU=Company,{ROOT}"
FINANCE, SALES = f"OU=Finance,{COMPANY}", f"OU=Sales,{COMPANY}"
GONE, PARTNERS, GROUPS = (f"OU={it},{COMPANY}" for it in ("Left", "Partners", "Groups"))
SYNC = "atom-sync@ad.atom.test"  # may replicate changes
READER = "atom-reader@ad.atom.test"  # may only read
PASSWORD = "Sync-Secret-1!"

SECURITY_GLOBAL, DISTRIBUTION_GLOBAL = -2147483646, 2
SECURITY_UNIVERSAL = -2147483640
ENABLED, DISABLED = 512, 514
_NO_PASSWORD = 32  # allowed to have none: nobody signs in as them
_SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)


@dataclass
class Admin:
    """What an administrator does with the usual tools, one method each."""

    connection: Connection

    @classmethod
    def at(cls, address: str, user: str, password: str) -> "Admin":
        server = Server(address, port=636, use_ssl=True, get_info=NONE)
        made = Connection(
            server,
            user,
            password,
            auto_bind=True,
            check_names=False,
            auto_referrals=False,
            raise_exceptions=True,
        )
        return cls(made)

    def close(self) -> None:
        self.connection.unbind()

    def add(self, dn: str, kind: str, **more: object) -> str:
        self.connection.add(dn, kind, {k: v for k, v in more.items() if v != ""})
        return dn

    def person(self, name: str, unit: str, **more: object) -> str:
        """Hire somebody; returns the DN."""
        return self.add(
            f"CN={name},{unit}",
            "user",
            sAMAccountName=name,
            userPrincipalName=f"{name}@ad.atom.test",
            **{"userAccountControl": ENABLED | _NO_PASSWORD, **more},
        )

    def group(
        self, name: str, members: Iterable[str] = (), kind: int = SECURITY_GLOBAL
    ) -> str:
        dn = f"CN={name},{GROUPS}"
        listed = list(members)
        more: Mapping[str, object] = {"member": listed} if listed else {}
        return self.add(dn, "group", sAMAccountName=name, groupType=kind, **more)

    def put_in(self, group: str, *members: str) -> None:
        self.connection.modify(group, {"member": [(MODIFY_ADD, list(members))]})

    def take_out(self, group: str, *members: str) -> None:
        self.connection.modify(group, {"member": [(MODIFY_DELETE, list(members))]})

    def set(self, dn: str, **values: object) -> None:
        """Write attributes; an empty list clears one."""
        changes = {
            name: [(MODIFY_REPLACE, value if isinstance(value, list) else [value])]
            for name, value in values.items()
        }
        self.connection.modify(dn, changes)

    def rename(self, dn: str, name: str) -> str:
        """Give something another first part of its DN."""
        self.connection.modify_dn(dn, name)
        return f"{name},{_parts(dn)[1]}"

    def move(self, dn: str, unit: str) -> str:
        first = _parts(dn)[0]
        self.connection.modify_dn(dn, first, new_superior=unit)
        return f"{first},{unit}"

    def delete(self, dn: str) -> None:
        self.connection.delete(dn)

    def bring_back(self, id_: str, dn: str) -> None:
        """Undo a deletion: it comes back without the groups it was in."""
        change = {
            "isDeleted": [(MODIFY_DELETE, [])],
            "distinguishedName": [(MODIFY_REPLACE, [dn])],
        }
        guid = "".join(f"\\{byte:02x}" for byte in UUID(id_).bytes_le)
        found, shown = f"(objectGUID={guid})", [_SHOW_DELETED]
        self.connection.search(ROOT, found, SUBTREE, controls=shown)
        self.connection.modify(self.connection.response[0]["dn"], change, shown)

    def id_of(self, dn: str) -> str:
        """Return the objectGUID in canonical form."""
        return str(UUID(bytes_le=self.raw(dn, "objectGUID")))

    def raw(self, dn: str, attribute: str) -> bytes:
        self.connection.search(dn, "(objectClass=*)", BASE, attributes=[attribute])
        value: bytes = self.connection.response[0]["raw_attributes"][attribute][0]
        return value

    def dn_of(self, account: str) -> str:
        self.connection.search(ROOT, f"(sAMAccountName={account})", SUBTREE)
        return str(self.connection.response[0]["dn"])

    def give_password(self, dn: str, password: str) -> None:
        self.set(dn, unicodePwd=f'"{password}"'.encode("utf-16-le"))


def _parts(dn: str) -> list[str]:
    """Return the first step of a DN and the rest."""
    return re.split(r"(?<!\\),", dn, maxsplit=1)


def fill(admin: Admin) -> str:
    """Found the company; returns the SID of the account that may replicate."""
    for unit in (COMPANY, FINANCE, SALES, GONE, PARTNERS, GROUPS):
        admin.add(unit, "organizationalUnit")
    people = _people(admin)
    _groups(admin, people)
    for account in (SYNC, READER):
        dn = admin.person(account.split("@")[0], f"CN=Users,{ROOT}")
        admin.give_password(dn, PASSWORD)
        admin.set(dn, userAccountControl=ENABLED)
    admin.add(f"CN=pc1,CN=Computers,{ROOT}", "computer", sAMAccountName="pc1$")
    return _sid_text(admin.raw(admin.dn_of("atom-sync"), "objectSid"))


def _people(admin: Admin) -> dict[str, str]:
    ana = admin.person(
        "ana",
        FINANCE,
        displayName="Ana Ruiz",
        givenName="Ana",
        sn="Ruiz",
        mail="ana@atom.test",
        title="Head of Finance",
        department="Finance",
        employeeID="1001",
        telephoneNumber="+34 600 000 001",
        proxyAddresses=["SMTP:ana@atom.test", "smtp:a.ruiz@atom.test"],
    )
    made = {"ana": ana}
    for name, unit, department in (
        ("bo", FINANCE, "Finance"),
        ("cy", FINANCE, "Finance"),
        ("dan", SALES, "Sales"),
        ("eve", SALES, "Sales"),
        ("hal", PARTNERS, ""),
    ):
        manager = ana if unit == FINANCE else ""
        made[name] = admin.person(
            name, unit, mail=f"{name}@atom.test", department=department, manager=manager
        )
    off = DISABLED | _NO_PASSWORD
    made["fay"] = admin.person("fay", GONE, userAccountControl=off)
    made["gil"] = admin.person("gil", GONE, accountExpires="132223104000000000")  # 2020
    admin.add(f"CN=zoe,{PARTNERS}", "contact", displayName="Zoe", mail="zoe@else.test")
    guests = f"CN=Domain Guests,CN=Users,{ROOT}"
    admin.put_in(guests, made["hal"])
    admin.set(made["hal"], primaryGroupID=514)
    return made


def _groups(admin: Admin, people: Mapping[str, str]) -> None:
    finance = admin.group("Finance", [people["ana"], people["bo"]])
    sales = admin.group("Sales", [people["dan"], people["eve"]])
    everybody = admin.group("Everybody", [finance, sales], SECURITY_UNIVERSAL)
    auditors = admin.group("Auditors", [everybody], SECURITY_UNIVERSAL)
    admin.put_in(everybody, auditors)
    admin.group("Newsletter", [people["ana"]], DISTRIBUTION_GLOBAL)
    admin.group("Payroll")


def _sid_text(raw: bytes) -> str:
    """Write a SID as Microsoft does ([MS-DTYP] 2.4.2.1)."""
    authority = int.from_bytes(raw[2:8], "big")
    rest = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4)]
    return "-".join(["S", str(raw[0]), str(authority), *map(str, rest)])
