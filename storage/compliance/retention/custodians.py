"""Under which keys a person's entries are: how a hold knows whose they are."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import orjson

from bridge.legal_holds import subject
from storage.compliance.keys import Keyring
from storage.hot import Statement


class Custodians(Protocol):
    """Who somebody is in the log's `key_ref`."""

    async def references(self, tenant: str, people: Collection[str]) -> frozenset[str]:
        """
        Return all keys under which the people's entries are, as of now.

        `people` are `slack:TEAM_ID/USER_ID` or `teams:TENANT_ID/USER_ID`. Somebody of
        whom nothing is on record has none. Neither names nor directories are asked:
        who left, was renamed or was merged is found all the same.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeyedCustodians:
    """
    Implements `Custodians` with the key table, which has a key a person and quarter.

    Somebody who says something for the first time gets a key with that very entry, so
    it is in the log when the key is.
    """

    ring: Keyring

    async def references(self, tenant: str, people: Collection[str]) -> frozenset[str]:
        company = await self.ring.company(tenant)
        subjects = [subject(person) for person in people]
        persons = sorted({company.person(each) for each in subjects})
        rows = await self.ring.store.fetch(
            Statement(
                "SELECT ref FROM subject_key WHERE tenant = :tenant "
                "AND person IN (SELECT value FROM json_each(:persons))",
                {"tenant": tenant, "persons": orjson.dumps(persons).decode()},
                postgres="SELECT ref FROM subject_key WHERE tenant = :tenant "
                "AND person = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:persons::text::jsonb)))",
            )
        )
        found = {row[0] for row in rows}
        if company.derived and (file := self.ring.of_file(tenant)):
            found.update(file.reference(each) for each in subjects)
        return frozenset(found)
