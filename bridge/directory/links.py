"""Whose account on a platform it is, as sources name accounts and as people proved."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from bridge.directory.accounts import Account
from bridge.messages import Person, Platform


class AccountLinks(Protocol):
    """What is known of accounts beside what sources tell."""

    def owner(
        self, tenant: str, person: Person, account: str
    ) -> tuple[str, int] | None:
        """
        Return whose account it is by ATOM's id of the person, and how sure that is.

        None if nothing is known, and what the sources say counts. An empty id says that
        it is nobody's, whatever they say. In memory: it is asked for every message.
        """
        ...


def accounts_of(attributes: Mapping[str, str]) -> Iterator[str]:
    """
    Return the accounts that a source gives somebody, as the directory looks them up.

    `accounts` are several with blanks between, as `slack:T1/U1`, `teams:TENANT/OID`, or
    without the workspace or tenant; `slack_id` is `T1/U1` or `U1`, and `entra_id`
    `TENANT/OID` or `OID`.
    """
    yield from attributes.get("accounts", "").split()
    if slack := attributes.get("slack_id", "").strip():
        yield f"{Platform.SLACK}:{slack}"
    if entra := attributes.get("entra_id", "").strip():
        yield f"{Platform.TEAMS}:{entra.lower()}"


def named_accounts(attributes: Mapping[str, str]) -> Iterator[Account]:
    """Return the same as accounts; what names no platform that there is names nobody."""
    for text in accounts_of(attributes):
        platform, _, rest = text.partition(":")
        account, _, user = rest.rpartition("/")
        if platform in {*Platform} and user:
            yield Account(Platform(platform), account, user)
