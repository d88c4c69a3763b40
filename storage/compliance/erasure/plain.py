"""
Side tables that name people by their platform's plain id, where erasing forgets them.

A key cannot unlink these, so the rows go, in the transaction of the request. What
officers and admins did (holds, restrictions, requests, approvals, links) names people
as well, and stays: docs/compliance-keys.md says why.
"""

from collections.abc import Sequence

from storage.compliance.erasure.rows import people_of
from storage.compliance.keys import Keyring
from storage.compliance.membership import changes as membership
from storage.directory import forgetting as directory
from storage.hot import HotStore, Statement
from storage.records import forgetting as records
from storage.rows import clean_id

_NAMED = (
    "SELECT 1 FROM membership WHERE tenant = :tenant AND platform = :platform "
    "AND subject = :subject LIMIT 1"
)
_EVERYBODY = (
    "SELECT platform, subject FROM membership WHERE tenant = :tenant "
    "UNION SELECT platform, user_id FROM account_link WHERE tenant = :tenant"
)


def forgotten(tenant: str, person: str) -> tuple[Statement, ...]:
    """Return what takes somebody, such as `slack|U024BE7LH`, out of all side tables."""
    platform, _, subject = person.partition("|")
    return (
        *membership.forgotten(tenant, platform, subject),
        *records.forgotten(tenant, platform, subject),
        *directory.forgotten(tenant, platform, subject),
    )


async def is_named(store: HotStore, tenant: str, person: str) -> bool:
    """Whether a side table names somebody."""
    platform, _, subject = person.partition("|")
    given = {"tenant": tenant, "platform": platform, "subject": clean_id(subject)}
    in_channels = await store.fetch(Statement(_NAMED, given))
    return bool(
        in_channels or await store.fetch(directory.named(tenant, platform, subject))
    )


async def named_again(
    ring: Keyring, tenant: str, back: Sequence[str]
) -> tuple[Statement, ...]:
    """
    Return what takes those out of side tables whose keys a restored backup brought.

    Their keys tell no more of them than a hash, so everybody who is named is hashed.
    """
    asked = people_of(tenant, back)
    hashes = {person for (person,) in await ring.store.fetch(asked)}
    company = await ring.company(tenant)
    named = await ring.store.fetch(Statement(_EVERYBODY, {"tenant": tenant}))
    people = sorted(f"{platform}|{subject}" for platform, subject in named)
    return tuple(
        statement
        for person in people
        if company.person(person) in hashes
        for statement in forgotten(tenant, person)
    )
