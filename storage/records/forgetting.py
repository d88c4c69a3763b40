"""
What is kept of somebody about records, where erasing forgets them.

Their tokens' keys go with them: what no key opens is of use to nobody. The systems
still list ATOM among what the account let in, until somebody ends it there.
"""

from storage.hot import Statement
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
_GOES = (
    f"DELETE FROM subject_key WHERE tenant = :tenant AND ref IN ({_KEYS})",
    f"DELETE FROM record_line WHERE tenant = :tenant AND subscription IN ({_FOLLOWED})",
    f"DELETE FROM record_attempt WHERE tenant = :tenant AND link IN ({_LINKS})",
    *(
        f"DELETE FROM {table} WHERE tenant = :tenant AND {_THEIRS}"
        for table in (
            "record_account",
            "record_act",
            "record_act_use",
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
