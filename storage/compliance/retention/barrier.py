"""
Between holding and destroying: whichever commits first, the other one sees it.

Every change of a hold raises the company's barrier in its own transaction. Whoever
destroys something reads the barrier under a lock, and leaves things be if it is not
what it was when they asked what is held.
"""

from storage.hot import Program, Statement


def raised(tenant: str) -> Statement:
    """Raise the barrier: a hold was made, widened or released."""
    return Statement(
        "INSERT INTO hold_barrier (tenant, version) VALUES (:tenant, 1) "
        "ON CONFLICT (tenant) DO UPDATE SET version = hold_barrier.version + 1",
        {"tenant": tenant},
    )


def locked(tenant: str) -> Program[int]:
    """
    Return the barrier's version, which nobody raises until the transaction ends.

    The company's head row is the lock: every change of a hold is a log entry, and
    moves the head in the same transaction.
    """
    sql = "SELECT size FROM head WHERE tenant = :tenant"
    yield Statement(sql, {"tenant": tenant}, postgres=f"{sql} FOR UPDATE")
    rows = yield read(tenant)
    return int(rows[0][0]) if rows else 0


def read(tenant: str) -> Statement:
    """Ask for the barrier's version; no row means 0."""
    return Statement(
        "SELECT version FROM hold_barrier WHERE tenant = :tenant",
        {"tenant": tenant},
        brief=True,
    )
