"""
Whose accounts are: rows, each change of which is a log entry, and a view in memory.

What is known is asked for every message, so it lies in memory. A change made by another
process is seen at the next `refresh`, which comes every moment.
"""

import hmac
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.errors import Conflict, NotFound
from bridge.messages import Person, Platform
from storage.compliance.acts import Act, Acts
from storage.compliance.keys import Keyring
from storage.hot import HotStore, Program, Statement
from storage.rows import clean_id

_CODE_US = 10 * 60 * 1_000_000
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that looks like another
_CODE_LENGTH = 8
_COLUMNS = "platform, account, user_id, person, confidence, how, told_by, since_us"
# Later than every earlier change, whatever this process's clock says.
_NEWEST = (
    "(SELECT CASE WHEN coalesce(max(m.changed_us), 0) >= :now "
    "THEN max(m.changed_us) + 1 ELSE :now END FROM account_link m "
    "WHERE m.tenant = :whose)"
)
_ETYPES = {
    How.DENIED: "account.doubt",
    How.CHANGED: "account.doubt",
    How.REFUSED: "account.refused",
}


@dataclass(slots=True)
class _Known:
    """One company's links, by what they are asked for."""

    version: int = -1
    links: dict[Account, AccountLink] = field(default_factory=dict)
    by_id: dict[tuple[Platform, str], list[AccountLink]] = field(default_factory=dict)
    of: dict[str, list[AccountLink]] = field(default_factory=dict)

    def absorb(self, links: Sequence[AccountLink]) -> None:
        """Take over what is known now."""
        self.links = {link.account: link for link in links}
        self.by_id, self.of = {}, {}
        for link in links:
            key = (link.account.platform, link.account.user)
            self.by_id.setdefault(key, []).append(link)
            if link.person:
                self.of.setdefault(link.person, []).append(link)


@dataclass(slots=True)
class StoredAccounts:
    """
    Implements `bridge.directory.links.AccountLinks`, and changes them.

    `on_change` is told of each account whose link changed here.
    """

    store: HotStore
    acts: Acts
    keys: Keyring
    clock: Callable[[], int]
    on_change: list[Callable[[str, Account], None]] = field(default_factory=list)
    _known: dict[str, _Known] = field(default_factory=dict)

    def owner(
        self, tenant: str, person: Person, account: str
    ) -> tuple[str, int] | None:
        link = self.link_of(tenant, Account(person.platform, account, person.id))
        return None if link is None else (link.person, int(link.confidence))

    def link_of(self, tenant: str, account: Account) -> AccountLink | None:
        """
        Return what is known of an account, if anything is.

        Without its workspace or tenant it is found by its id alone, as long as only one
        account of the company has that.
        """
        known = self._known.get(tenant)
        if known is None:
            return None
        if account.account:
            return known.links.get(account)
        found = known.by_id.get((account.platform, account.user), ())
        return found[0] if len(found) == 1 else None

    def refused(self, tenant: str) -> Sequence[AccountLink]:
        """Return the accounts that looked like somebody's and were not taken for it."""
        known = self._known.get(tenant)
        links = known.links.values() if known else ()
        return sorted(
            (link for link in links if link.how is How.REFUSED),
            key=lambda link: (link.since_us, link.account),
        )

    def accounts(self, tenant: str, person: str) -> Sequence[AccountLink]:
        """Return every account of a person, the surest first."""
        known = self._known.get(tenant)
        found = known.of.get(person, ()) if known else ()
        return sorted(found, key=lambda link: (-link.confidence, link.account))

    async def refresh(self, tenant: str) -> bool:
        """Read what others changed; says whether anything had. Raises
        `StoreUnavailable`."""
        known = self._known.setdefault(tenant, _Known())
        rows = await self.store.fetch(
            Statement(
                "SELECT coalesce(max(changed_us), 0) FROM account_link "
                "WHERE tenant = :tenant",
                {"tenant": tenant},
                brief=True,
            )
        )
        version = int(rows[0][0])
        if version == known.version:
            return False
        found = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM account_link WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        known.absorb([_link(row) for row in found])
        known.version = version
        return True

    async def keep(
        self, tenant: str, link: AccountLink, text: str, address: str = ""
    ) -> None:
        """
        Write down whose an account is, and why in one line.

        `address` is what it rests on, if it does: only a keyed hash of it is kept. To
        keep what is known already changes nothing. Raises `StoreUnavailable`.
        """
        known = self.link_of(tenant, link.account)
        if known and _same(known, link):
            return
        now = self.clock()
        row = {
            "tenant": tenant,
            "platform": str(link.account.platform),
            "account": clean_id(link.account.account),
            "user_id": clean_id(link.account.user),
            "person": clean_id(link.person),
            "confidence": int(link.confidence),
            "how": str(link.how),
            "told_by": clean_id(link.by),
            "address": await self._hash(tenant, "address", address),
            "since_us": now,
            "now": now,
            "whose": tenant,
        }
        act = Act(
            tenant,
            _ETYPES.get(link.how, "account.link"),
            link.by,
            text,
            {
                "account": str(link.account),
                "person": link.person,
                "confidence": int(link.confidence),
                "how": str(link.how),
                "before": _told(known),
            },
            outcome="deny" if link.how is How.REFUSED else "none",
        )
        await self.acts.note(act, (Statement(_KEEP, row),))
        await self.refresh(tenant)
        for listener in self.on_change:
            listener(tenant, link.account)

    async def moved(
        self, tenant: str, held: Mapping[Account, Collection[str]]
    ) -> list[Account]:
        """Return which accounts' links rest on an address that they have no more."""
        rows = await self.store.fetch(
            Statement(
                "SELECT platform, account, user_id, address FROM account_link "
                "WHERE tenant = :tenant AND address <> ''",
                {"tenant": tenant},
            )
        )
        resting = {_account(row): str(row[3]) for row in rows}
        secret = (await self.keys.company(tenant)).secret("account-address")
        return [
            account
            for account, addresses in held.items()
            if (kept := resting.get(account))
            and kept not in {_digest(secret, address) for address in addresses}
        ]

    async def rests_on(
        self, tenant: str, account: Account, addresses: Collection[str]
    ) -> bool:
        """Say whether an account's link rests on none but one of these addresses."""
        rows = await self.store.fetch(
            Statement(
                "SELECT address FROM account_link WHERE tenant = :tenant "
                "AND platform = :platform AND account = :account "
                "AND user_id = :user_id",
                _key(tenant, account),
            )
        )
        kept = rows[0][0] if rows else ""
        hashes = [await self._hash(tenant, "address", each) for each in addresses]
        return not kept or any(hmac.compare_digest(kept, each) for each in hashes)

    async def code(self, tenant: str, account: Account) -> str:
        """Return a code that stands for an account for ten minutes, and once."""
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        now = self.clock()
        row = _key(tenant, account) | {
            "code_hash": await self._hash(tenant, "code", code),
            "expires_us": now + _CODE_US,
            "now": now,
        }
        await self.store.run(lambda: _keep_code(row))
        return f"{code[:4]}-{code[4:]}"

    async def take(self, tenant: str, code: str, by: Account) -> Account:
        """
        Return whose a code is, and use it up.

        Raises `NotFound` for one that is unknown, used or too old, and `Conflict` for
        one's own, which stays good.
        """
        plain = code.replace("-", "").strip().upper()
        row = {
            "tenant": tenant,
            "code_hash": await self._hash(tenant, "code", plain),
            "now": self.clock(),
            "platform": str(by.platform),
        }
        found = await self.store.run(lambda: _take_code(row))
        if found is None:
            raise NotFound(
                "That code is unknown, used already or older than 10 minutes: "
                "ask for a new one."
            )
        if not found[1]:
            raise Conflict("That code is for your account on the other platform.")
        return found[0]

    async def _hash(self, tenant: str, purpose: str, text: str) -> str:
        # Keyed: addresses and codes could be guessed from a plain hash.
        if not text:
            return ""
        secret = (await self.keys.company(tenant)).secret(f"account-{purpose}")
        return _digest(secret, text)


def _digest(secret: bytes, text: str) -> str:
    return hmac.digest(secret, text.encode(), "sha256").hex()


_KEEP = (
    f"INSERT INTO account_link (tenant, {_COLUMNS}, address, changed_us) "
    "VALUES (:tenant, :platform, :account, :user_id, :person, :confidence, :how, "
    f":told_by, :since_us, :address, {_NEWEST}) "
    "ON CONFLICT (tenant, platform, account, user_id) DO UPDATE SET "
    "person = excluded.person, confidence = excluded.confidence, how = excluded.how, "
    "told_by = excluded.told_by, since_us = excluded.since_us, "
    "address = CASE WHEN excluded.address = '' THEN account_link.address "
    "ELSE excluded.address END, changed_us = excluded.changed_us"
)


def _keep_code(row: Mapping[str, object]) -> Program[None]:
    yield Statement("DELETE FROM account_code WHERE expires_us < :now", row)
    yield Statement(
        "INSERT INTO account_code (tenant, code_hash, platform, account, user_id, "
        "expires_us) VALUES (:tenant, :code_hash, :platform, :account, :user_id, "
        ":expires_us)",
        row,
    )


def _take_code(row: Mapping[str, object]) -> Program[tuple[Account, bool] | None]:
    """Use a code up, but on the platform that it was made on: it is meant for others."""
    where = (
        "tenant = :tenant AND code_hash = :code_hash AND expires_us >= :now "
        "AND platform {} :platform"
    )
    columns = "platform, account, user_id"
    rows = yield Statement(
        f"DELETE FROM account_code WHERE {where.format('<>')} RETURNING {columns}", row
    )
    if rows:
        return _account(rows[0]), True
    rows = yield Statement(
        f"SELECT {columns} FROM account_code WHERE {where.format('=')}", row
    )
    return (_account(rows[0]), False) if rows else None


def _key(tenant: str, account: Account) -> dict[str, object]:
    return {
        "tenant": tenant,
        "platform": str(account.platform),
        "account": clean_id(account.account),
        "user_id": clean_id(account.user),
    }


def _account(row: Sequence[object]) -> Account:
    return Account(Platform(str(row[0])), str(row[1]), str(row[2]))


def _link(row: Sequence[object]) -> AccountLink:
    _, _, _, person, confidence, how, by, since = row
    return AccountLink(
        _account(row),
        str(person),
        Confidence(int(str(confidence))),
        How(str(how)),
        str(by),
        int(str(since)),
    )


def _same(one: AccountLink, other: AccountLink) -> bool:
    return (one.person, one.confidence, one.how) == (
        other.person,
        other.confidence,
        other.how,
    )


def _told(link: AccountLink | None) -> dict[str, object]:
    if link is None:
        return {}
    return {
        "person": link.person,
        "confidence": int(link.confidence),
        "how": str(link.how),
    }
