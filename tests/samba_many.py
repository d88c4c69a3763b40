"""Thousands of people for a domain controller, put there while it stands still."""

from collections.abc import Sequence

from tests.samba import Samba, offline
from tests.samba_world import COMPANY, GROUPS, SECURITY_GLOBAL

_HIRE = """
db.transaction_start()
unit = "OU=Crowd,{company}"
db.add({{"dn": unit, "objectClass": "organizationalUnit"}})
people = []
for number in range({many}):
    people.append("CN=c%05d,%s" % (number, unit))
    db.add({{
        "dn": people[-1], "objectClass": "user", "sAMAccountName": "c%05d" % number,
        "userPrincipalName": "c%05d@ad.atom.test" % number, "displayName": "C %d" % number,
        "mail": "c%05d@atom.test" % number, "department": "D%d" % (number % 12),
        "userAccountControl": "544",
    }})
for size in {sizes}:
    db.add({{
        "dn": "CN=Crowd %d,{groups}" % size, "objectClass": "group",
        "sAMAccountName": "Crowd %d" % size, "groupType": "{kind}",
        "member": people[:size],
    }})
db.transaction_commit()
"""


def hire(server: Samba, many: int, groups: Sequence[int] = ()) -> None:
    """Hire people into one unit, and put the first so many of them into groups."""
    script = _HIRE.format(
        company=COMPANY,
        groups=GROUPS,
        many=many,
        sizes=list(groups),
        kind=SECURITY_GLOBAL,
    )
    offline(server.folder / "etc" / "smb.conf", script)
