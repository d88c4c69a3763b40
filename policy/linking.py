"""
Whose an account probably is: what a first look at it may conclude.

Only what others vouch for counts. A platform vouches that its holder confirmed an
address, a directory that the address is somebody's; both may be wrong about an address
that was somebody else's before, so whatever leaves a doubt is left to the person.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.directory.grace import AT_WORK
from bridge.directory.model import Subject
from bridge.identities import Identity
from bridge.messages import PersonKind, Platform

_OUTSIDERS = {PersonKind.GUEST, PersonKind.EXTERNAL}
_OUR_PEOPLE = {PersonKind.USER, PersonKind.GUEST}
_INVITED = "#ext#"  # in what guests sign in as, which is no mailbox


@dataclass(frozen=True, slots=True)
class Claim:
    """
    What a look at an account came to: a link, the address it rests on, and why.

    `whose` is whose address a refused one has, where that is one living person's: to
    tell them. It is kept nowhere.
    """

    link: AccountLink
    text: str
    address: str = ""
    whose: str = ""

    @property
    def refused(self) -> bool:
        return self.link.how is How.REFUSED


@dataclass(frozen=True, slots=True)
class Registry:
    """
    What is asked about people while an account is looked at.

    `provisioned` returns whom the directory itself gives the account's id;
    `under` everybody, gone or not, who has or had an address there; `taken` what other
    accounts somebody has.
    """

    provisioned: Callable[[Account, Identity], Subject | None]
    under: Callable[[str], Sequence[Subject]]
    taken: Callable[[str], Sequence[AccountLink]]


def claim(account: Account, identity: Identity, registry: Registry) -> Claim | None:
    """
    Return what is to be kept of an account that nothing is known of, if anything.

    One that nobody in the directory resembles leaves nothing behind.
    """
    if identity.person.kind in {PersonKind.BOT, PersonKind.SYSTEM}:
        return None
    held = vouched(identity)
    if identity.person.kind in _OUTSIDERS or not identity.active:
        return _outsider(account, identity, held, registry)
    if given := registry.provisioned(account, identity):
        link = AccountLink(account, given.id, Confidence.PROVISIONED, How.PROVISIONED)
        return Claim(link, f"the directory names the account as {given.name}'s")
    for address in sorted(held):
        people = registry.under(address)
        if len(people) == 1:
            return _one(account, address, people[0], registry)
        if people:
            names = ", ".join(sorted(one.name for one in people))
            return _refusal(account, f"its address is or was that of several: {names}")
    return None


def vouched(identity: Identity) -> frozenset[str]:
    """
    Return the addresses of an account that count, in plain letters only.

    In others two addresses may look alike and not be; nothing is ever normalised.
    """
    known = identity.addresses
    if identity.person.platform is Platform.TEAMS:
        known = identity.proven
    return frozenset(address for address in known if address.isascii())


def answered_for(identity: Identity) -> frozenset[str]:
    """
    Return the addresses that tell whose contact in a business system an account is.

    Beside those that count anyway these are a Teams guest's: the company's own tenant
    keeps it, and invited them there. Of strangers there are none: what their company
    says of them nobody here has seen.
    """
    person = identity.person
    if not identity.active or person.kind not in _OUR_PEOPLE:
        return frozenset()
    if (person.platform, person.kind) != (Platform.TEAMS, PersonKind.GUEST):
        return vouched(identity)
    if not identity.directory_id:
        return frozenset()  # whoever came in by a link, without an account
    own = (a for a in identity.addresses if _INVITED not in a)
    return frozenset(address for address in own if address.isascii())


def _one(account: Account, address: str, one: Subject, registry: Registry) -> Claim:
    if one.standing not in AT_WORK:
        return _refusal(account, f"{one.name}, whose address it has, is {one.standing}")
    if one.guest:
        return _refusal(account, f"{one.name}, whose address it has, is a guest")
    rivals = [
        link
        for link in registry.taken(one.id)
        if (link.account.platform, link.account.account)
        == (account.platform, account.account)
        and link.account != account
        and link.confidence > Confidence.NONE
    ]
    if rivals:
        other = rivals[0].account.user
        why = f"{one.name} has the account {other} there already"
        return replace(_refusal(account, why), whose=one.id)
    link = AccountLink(account, one.id, Confidence.ADDRESS, How.ADDRESS)
    return Claim(link, f"it has the address of {one.name}", address)


def _outsider(
    account: Account, identity: Identity, held: frozenset[str], registry: Registry
) -> Claim | None:
    """A guest under an employee's address is nobody's, and admins should know of it."""
    claimed = held or identity.addresses
    people = [one for address in sorted(claimed) for one in registry.under(address)]
    if not people:
        return None
    what = "inactive" if not identity.active else f"a {identity.person.kind}"
    refusal = _refusal(account, f"it is {what}, under the address of {people[0].name}")
    ids = {one.id for one in people if one.standing in AT_WORK}
    return replace(refusal, whose=ids.pop() if len(ids) == 1 else "")


def _refusal(account: Account, why: str) -> Claim:
    """It leaves no name behind: whose it looked like is no fact."""
    link = AccountLink(account, "", Confidence.NONE, How.REFUSED)
    return Claim(link, f"{account} is taken for nobody's: {why}")
