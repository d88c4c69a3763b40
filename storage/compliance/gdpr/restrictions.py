"""
Restriction (Art. 18): what somebody said is kept, and shown in no search and no list.

It is still held, exported under a matter and verified; who set it can lift it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.compliance import Duty, Officer
from bridge.errors import NotFound
from storage.compliance.acts import Act, Acts
from storage.compliance.gdpr.subjects import Account, Subject
from storage.compliance.rights.duties import StoredDuties
from storage.hot import HotStore, Statement


@dataclass(frozen=True, slots=True)
class Restriction:
    """One identity's, since when (microseconds UTC), by whom and why."""

    platform: str
    author: str
    reason: str
    by: str
    since_us: int


@dataclass(frozen=True, slots=True)
class Restricted:
    """Implements `bridge.compliance.Restrictions`, and changes nothing."""

    store: HotStore

    async def authors(self, tenant: str) -> frozenset[str]:
        rows = await self.store.fetch(
            Statement(
                "SELECT author FROM restriction WHERE tenant = :tenant",
                {"tenant": tenant},
                brief=True,
            )
        )
        return frozenset(row[0] for row in rows)


@dataclass(frozen=True, slots=True)
class StoredRestrictions:
    """Implements `bridge.compliance.Restrictions`, and sets and lifts them."""

    store: HotStore
    acts: Acts
    duties: StoredDuties
    clock: Callable[[], int]

    async def authors(self, tenant: str) -> frozenset[str]:
        return await Restricted(self.store).authors(tenant)

    async def all(self, tenant: str) -> list[Restriction]:
        rows = await self.store.fetch(
            Statement(
                "SELECT platform, author, reason, set_by, since_us FROM restriction "
                "WHERE tenant = :tenant ORDER BY platform, author",
                {"tenant": tenant},
            )
        )
        return [Restriction(*row) for row in rows]

    async def restrict(
        self, tenant: str, officer: Officer, subject: Subject, reason: str
    ) -> None:
        """Take a person's entries out of use. Raises `Refused`, on record."""
        await self.duties.require(tenant, officer, Duty.RETAIN)
        await self.acts.note(
            _act(tenant, officer, subject, "subject.restrict", reason),
            tuple(
                _set(tenant, account, officer, reason, self.clock())
                for account in subject.accounts
            ),
        )

    async def lift(
        self, tenant: str, officer: Officer, subject: Subject, reason: str
    ) -> None:
        """Let them be used again. Raises `NotFound`, and `Refused`, on record."""
        await self.duties.require(tenant, officer, Duty.RETAIN)
        known = {(one.platform, one.author) for one in await self.all(tenant)}
        if not known & {(a.platform, a.id) for a in subject.accounts}:
            raise NotFound(f"Nothing of {subject} is restricted.")
        await self.acts.note(
            _act(tenant, officer, subject, "subject.unrestrict", reason),
            tuple(_lifted(tenant, account) for account in subject.accounts),
        )


def _act(
    tenant: str, officer: Officer, subject: Subject, etype: str, reason: str
) -> Act:
    accounts = [str(account) for account in subject.accounts]
    detail = {"subject": accounts, "reason": reason}
    verb = etype.removeprefix("subject.")
    return Act(tenant, etype, officer.name, f"{verb} {subject}: {reason}", detail)


def _set(
    tenant: str, account: Account, officer: Officer, reason: str, now_us: int
) -> Statement:
    return Statement(
        "INSERT INTO restriction (tenant, platform, author, reason, set_by, since_us) "
        "VALUES (:tenant, :platform, :author, :reason, :set_by, :since_us) "
        "ON CONFLICT DO NOTHING",
        {
            "tenant": tenant,
            "platform": account.platform,
            "author": account.id,
            "reason": reason,
            "set_by": officer.name,
            "since_us": now_us,
        },
    )


def _lifted(tenant: str, account: Account) -> Statement:
    return Statement(
        "DELETE FROM restriction WHERE tenant = :tenant AND platform = :platform "
        "AND author = :author",
        {"tenant": tenant, "platform": account.platform, "author": account.id},
    )
