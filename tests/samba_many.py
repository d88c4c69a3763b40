"""Thousands of people for a domain controller, put there while it stands still."""

from collections.abc import Sequence

from tests.samba import Samba, offline
from tests.samba_world import COMPANY, GROUPS, SECURITY_GLOBAL

_HIRE = """
db.transaction_start()
unit = "OU={unit},{company}"
db.add({{"dn": unit, "objectClass": "organizationalUnit"}})
people = []
for number in range({many}):
    name = "{letter}%05d" % number
    people.append("CN=%s,%s" % (name, unit))
    db.add({{
        "dn": people[-1], "objectClass": "user", "sAMAccountName": name,
        "userPrincipalName": name + "@ad.atom.test", "displayName": name,
        "mail": name + "@atom.test", "department": "D%d" % (number % 12),
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


def hire(
    server: Samba, many: int, groups: Sequence[int] = (), unit: str = "Crowd"
) -> None:
    """
    Hire people into a new unit, and put the first so many of them into groups.

    Do not move those in large groups: Samba writes every group again for each of them.
    """
    script = _HIRE.format(
        company=COMPANY,
        unit=unit,
        letter=unit[0].lower(),
        groups=GROUPS,
        many=many,
        sizes=list(groups),
        kind=SECURITY_GLOBAL,
    )
    offline(server.folder / "etc" / "smb.conf", script)
