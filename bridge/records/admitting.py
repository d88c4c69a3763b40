"""
Who clicks, and whether they may: asked anew each time, and on record when refused.

A button is believed no further than that it exists. It has to come from where it was
shown, from somebody the company knows, and the policy has to agree now.
"""

from dataclasses import dataclass

from bridge.access import Action, Asked, Decision
from bridge.errors import NotAllowed
from bridge.messages import PersonKind
from bridge.ports import AccessPolicy
from bridge.records.books import IssuedAct
from bridge.records.desk import Asker
from bridge.records.entries import RecordLog, Wish, denied
from bridge.records.mentions import Who
from bridge.records.model import PUBLIC
from bridge.records.ports import Access, Accesses, Records
from bridge.records.systems import Systems, the


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who may do what a button stands for. `person` is their key."""

    asker: Asker
    person: str
    act: IssuedAct
    decision: Decision


@dataclass(frozen=True, slots=True)
class Admitting:
    """Lets people through to what they clicked on."""

    systems: Systems
    accesses: Accesses
    who: Who
    policy: AccessPolicy
    log: RecordLog

    async def admit(self, asker: Asker, act: IssuedAct) -> Admitted:
        """Raise `NotAllowed`, with a line for the person, unless all of it holds."""
        person = await self.known(asker)
        if act.channel is not None and act.channel != asker.channel:
            await self.refused(asker, act, "it was used in another channel")
            raise NotAllowed("That button belongs to another channel.")
        if act.person and act.person != person:
            await self.refused(asker, act, "it was somebody else's")
            raise NotAllowed("That button is somebody else's.")
        decision = await self.decided(asker, act)
        return Admitted(asker, person, act, decision)

    async def known(self, asker: Asker) -> str:
        """Return the key of who asks. Raises `NotAllowed` for strangers."""
        person = None
        if asker.person.kind is not PersonKind.EXTERNAL:
            person = await self.who(asker)
        if person is None:
            wish = Wish(asker, "")
            await self.log.note(denied(wish, "act on records", None, "a stranger"))
            raise NotAllowed(
                "Your company's directory does not know you, so you cannot act on "
                "records here."
            )
        return person

    async def decided(
        self, asker: Asker, act: IssuedAct, cls: str = "", right: Action | None = None
    ) -> Decision:
        """
        Ask the policy, now. Raises `NotAllowed` with the rule's own words.

        Who may see a record at all is who may see what is public of it.
        """
        wanted = right or act.right
        if wanted is Action.RECORD_VIEW:
            cls = cls or PUBLIC
        thing = act.ref.thing if act.ref else f"{act.system}/{act.kind}/new"
        decision = await self.policy.decide(
            Asked(
                asker.tenant,
                asker.person,
                wanted,
                asker.channel,
                account=asker.account,
                thing=thing,
                field=cls,
            )
        )
        if not decision.allowed:
            await self.refused(asker, act, decision.rule, decision)
            said = decision.reason or "your company's rules do not allow it"
            raise NotAllowed(f"{said.rstrip('.')} ({decision.rule}).")
        return decision

    async def refused(
        self, asker: Asker, act: IssuedAct, why: str, decision: Decision | None = None
    ) -> None:
        """Put an attempt on record."""
        wish = Wish(asker, "", decision, act.card_id)
        await self.log.note(denied(wish, act.act, act.ref, why))

    async def account(self, asker: Asker, person: str, act: IssuedAct) -> Access:
        """Return the person's own account. Raises `NotConnected`; there is no other."""
        if act.system is None:
            raise NotAllowed("That button stands for no system.")
        return await self.accesses.of(asker.tenant, person, act.system, act.instance)

    def system(self, tenant: str, act: IssuedAct) -> Records:
        """Return the system that an act is about. Raises `NotFound`."""
        if act.system is None:
            raise NotAllowed("That button stands for no system.")
        return the(self.systems, tenant, act.system, act.instance)
