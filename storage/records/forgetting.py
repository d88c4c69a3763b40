"""
What is kept of somebody about records, where erasing forgets them.

Their tokens' keys go with them: what no key opens is of use to nobody. The systems
still list ATOM among what the account let in, until somebody ends it there.

A business system may go on telling of them as somebody's contact. So of their addresses
the keyed hashes stay, in a list of what the book of contacts never takes in again.
"""

from collections.abc import Iterable

from bridge.records.knowing import mailbox
from storage.compliance.keys import Keyring
from storage.hot import Statement
from storage.records.contacts import ADDRESS, HALF, address_hash
from storage.rows import clean_id

# By the directory's id of whoever has the account, or by the account itself.
_THEIRS = (
    "(person IN (SELECT l.person FROM account_link l WHERE l.tenant = :tenant "
    "AND l.platform = :platform AND l.user_id = :subject AND l.person <> '') "
    "OR (substr(person, 1, length(:start)) = :start "
    "AND substr(person, length(person) - length(:tail) + 1) = :tail))"
)
_KEYS = f"SELECT key_ref FROM record_account WHERE tenant = :tenant AND {_THEIRS}"
_FOLLOWED = f"SELECT id FROM record_subscription WHERE tenant = :tenant AND {_THEIRS}"
_LINKS = f"SELECT digest FROM record_sign_in WHERE tenant = :tenant AND {_THEIRS}"
_NEVER_AGAIN = (
    "INSERT INTO record_erased (tenant, clue) "
    f"SELECT DISTINCT l.tenant, substr(l.address, 1, {HALF}) FROM account_link l WHERE l.tenant = :tenant AND l.platform = :platform "
    "AND l.user_id = :subject AND l.address <> '' ON CONFLICT DO NOTHING"
)
_BEARS = (
    "tenant = :tenant AND (system, instance, kind, id) IN "
    "(SELECT b.system, b.instance, b.kind, b.id FROM record_chapter c "
    "JOIN record_clue b ON b.tenant = c.tenant AND b.system = c.system "
    "AND b.instance = c.instance AND b.kind = c.kind "
    "JOIN record_erased e ON e.tenant = b.tenant AND e.clue = b.clue "
    "WHERE c.tenant = :tenant)"
)
_GOES = (
    _NEVER_AGAIN,
    f"DELETE FROM record_known WHERE {_BEARS}",
    f"DELETE FROM record_clue WHERE {_BEARS}",
    f"DELETE FROM subject_key WHERE tenant = :tenant AND ref IN ({_KEYS})",
    f"DELETE FROM record_line WHERE tenant = :tenant AND subscription IN ({_FOLLOWED})",
    f"DELETE FROM record_attempt WHERE tenant = :tenant AND link IN ({_LINKS})",
    *(
        f"DELETE FROM {table} WHERE tenant = :tenant AND {_THEIRS}"
        for table in (
            "record_account",
            "record_act",
            "record_act_use",
            "record_said",
            "record_orphan",
            "record_sign_in",
            "record_subscription",
        )
    ),
)


def forgotten(tenant: str, platform: str, subject: str) -> tuple[Statement, ...]:
    """Return what forgets an account's person, while it is known whose it is."""
    row = {
        "tenant": tenant,
        "platform": platform,
        "subject": clean_id(subject),
        "start": f"{platform}:",
        "tail": f"/{clean_id(subject)}",
    }
    return tuple(Statement(sql, row) for sql in _GOES)


async def never_again(
    keys: Keyring, tenant: str, addresses: Iterable[str]
) -> tuple[Statement, ...]:
    """Return what keeps addresses out of the book of contacts, before `forgotten`."""
    secret = (await keys.company(tenant)).secret(ADDRESS)
    hashes = {address_hash(secret, box) for a in addresses if (box := mailbox(a))}
    return tuple(
        Statement(
            "INSERT INTO record_erased (tenant, clue) VALUES (:tenant, :clue) "
            "ON CONFLICT DO NOTHING",
            {"tenant": tenant, "clue": each},
        )
        for each in sorted(hashes)
    )
