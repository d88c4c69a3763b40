"""
Find what waits for people who left, say who is to decide, and let it be given to them.

Nothing is written to the business system here: the integration never writes. Whoever
stands in for the leaver by the system's own rules may decide already and is told so.
Else it is the leaver's manager's, once somebody makes them the approver: they, who keeps
the group that was asked, and the admins of approvals get a button for it, which does it
as the person who presses it.

Everything here can be done again, by whatever process: who was told once is not told
again. A process that dies while it tells somebody leaves unknown whether they heard; they
are told then, for an approval that nobody knows of is worse than a message that is read
twice. An answer that was lost is taken for heard.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.access import Action
from bridge.cards import Card, Field, Section, Tone
from bridge.directory.accounts import Account
from bridge.errors import (
    Ambiguous,
    AtomError,
    DeliveryFailed,
    NotAllowed,
    NotFound,
    Refused,
    ServiceUnavailable,
)
from bridge.messages import Person, Platform
from bridge.records.admitting import Admitting
from bridge.records.books import ActBook, ChangesBook, IssuedAct
from bridge.records.cards import CardButton, CardField, RecordCard, Standing
from bridge.records.desk import Asker
from bridge.records.doing import Fan, key_of
from bridge.records.drawing import CORRELATION, VALUES, Clock, Drawing
from bridge.records.entries import RecordLog
from bridge.records.model import (
    NEVER,
    Look,
    Needs,
    Offer,
    Record,
    RecordRef,
    Status,
    System,
)
from bridge.records.orphan_entries import handed_to, orphaned
from bridge.records.orphans import (
    APPROVAL,
    FROM,
    GIVE,
    TO,
    Annotating,
    HandsOn,
    Orphan,
    OrphanBook,
    Staff,
    Waiting,
)
from bridge.records.places import CardPlace
from bridge.records.ports import Access
from bridge.records.redaction import VIEW

_MONTH_US = 30 * 24 * 3600 * 1_000_000
_UNDER_WAY_US = 20_000_000  # as long as another process may still be telling somebody

_TOLD, _REFUSED = "told", "refused"

Wardens = Callable[[System, str], Sequence[str]]
"""Return the addresses of who may hand approvals on in an instance."""
Admins = Callable[[str, Card], Awaitable[bool]]
"""Tell a company's admins in their channel; False if they have none."""


@dataclass(frozen=True, slots=True)
class _Found:
    """An orphan with what its system tells: `to` is the heir's account there."""

    orphan: Orphan
    waiting: Waiting
    to: str = ""
    key: str = ""

    @property
    def correlation(self) -> str:
        """What holds together everything about it: the same for the same people."""
        one = self.orphan
        whose = (one.ref, one.approval, one.heir, one.deputy)
        return key_of(one.tenant, one.leaver, *whose)


@dataclass(frozen=True, slots=True)
class Rerouting:
    """Looks for orphans of a company, and tells of them. One process at a time does."""

    admitting: Admitting
    staff: Staff
    book: OrphanBook
    acts: ActBook
    changes: ChangesBook
    drawing: Drawing
    places: Mapping[Platform, CardPlace]
    log: RecordLog
    clock: Clock
    fan: Fan
    wardens: Wardens
    admins: Admins

    async def look(self, tenant: str) -> bool:
        """
        Look at all systems once; False if somebody could not be told yet.

        Raises `StoreUnavailable`; what a system raises that cannot be asked is raised
        after the others were looked at.
        """
        whole = True
        failed: AtomError | None = None
        leavers = self.staff.leavers(tenant)
        for records in self.admitting.systems.of(tenant):
            if isinstance(records, HandsOn):
                try:
                    whole &= await self._look(tenant, records, leavers)
                except (NotAllowed, NotFound, ServiceUnavailable) as error:
                    failed = error
        if failed is not None:
            raise failed
        return whole

    async def _look(
        self, tenant: str, records: HandsOn, leavers: Mapping[str, str]
    ) -> bool:
        system, instance = records.system, records.instance
        access = self.admitting.accesses.integration(tenant, system, instance)
        known = {o.approval: o for o in await self.book.all(tenant, system, instance)}
        found = await self._found(tenant, access, records, leavers)
        now = {each.orphan.approval for each in found}
        for orphan in known.values():
            if orphan.approval not in now:
                await self.book.drop(orphan)
                self.fan(tenant, orphan.ref, "")
        told = [
            await self._take_up(each)
            for each in found
            if not _settled(each, known.get(each.orphan.approval))
        ]
        return all(told)

    async def _found(
        self,
        tenant: str,
        access: Access,
        records: HandsOn,
        leavers: Mapping[str, str],
    ) -> list[_Found]:
        """Return every approval that waits for a leaver, with whose it is to be."""
        waits = [w for w in await records.waiting(access) if w.address in leavers]
        if not waits:
            return []
        deputies = await records.deputies(access, {each.approver for each in waits})
        people = {each.id: leavers[each.address] for each in waits}
        bosses = {who: self.staff.manager(tenant, who) for who in people.values()}
        mails = {boss: self.staff.address(tenant, boss) for boss in bosses.values()}
        ids = await records.accounts_of(
            access, {mail for mail in mails.values() if mail}
        )
        seen = await records.read(access, [each.ref for each in waits], urgent=False)
        found = []
        for each in waits:
            who = people[each.id]
            record = seen.get(each.ref)
            key = record.key if isinstance(record, Record) else ""
            orphan = Orphan(tenant, each.ref, each.id, each.approver, who)
            one = _Found(orphan, each, key=key)
            to = ids.get(mails[bosses[who]], "")
            if deputy := self._deputy(tenant, deputies.get(each.approver, ())):
                one = replace(one, orphan=replace(orphan, heir=deputy, deputy=True))
            elif to and to != each.approver:
                one = replace(one, orphan=replace(orphan, heir=bosses[who]), to=to)
            found.append(one)
        return found

    def _deputy(self, tenant: str, addresses: Sequence[str]) -> str:
        known = (self.staff.at_work(tenant, each) for each in addresses)
        return next((person for person in known if person), "")

    async def _take_up(self, found: _Found) -> bool:
        """Put an orphan on record, on its cards, and tell people; False: not all yet."""
        orphan = found.orphan
        said = Annotating(self.book, self.staff).line(orphan)
        await self.log.note(orphaned(orphan, found.correlation))
        await self.book.keep(orphan)
        line = key_of(orphan.tenant, "", "line", found.correlation)
        first = not await self.changes.begin(orphan.tenant, line, self.clock())
        # What stands on the cards stays right; the line below is said once at most.
        self.fan(orphan.tenant, orphan.ref, f"{said}." if first else "")
        reached, whole = set[str](), True
        for person in self._concerned(found):
            heard, later = await self._tell(found, person)
            reached |= {person} if heard else set()
            whole &= not later
        alone = orphan.heir not in reached or self._nobody_gives(found)
        if whole and alone:
            whole = await self._tell_admins(found, said, reached)
        if whole:
            await self.book.keep(replace(orphan, told=True))
        return whole

    def _concerned(self, found: _Found) -> Sequence[str]:
        orphan = found.orphan
        people = [orphan.heir] if orphan.heir else []
        if not orphan.deputy:
            people += self._givers(found)
        return [each for each in dict.fromkeys(people) if each != orphan.leaver]

    def _givers(self, found: _Found) -> list[str]:
        ref, tenant = found.orphan.ref, found.orphan.tenant
        addresses = [found.waiting.keeper, *self.wardens(ref.system, ref.instance)]
        people = [self.staff.at_work(tenant, each) for each in addresses if each]
        return [person for person in people if person]

    def _nobody_gives(self, found: _Found) -> bool:
        """Whether nobody was told of whom ATOM knows that they hand approvals on."""
        ref = found.orphan.ref
        return not found.orphan.deputy and not self.wardens(ref.system, ref.instance)

    async def _tell(self, found: _Found, person: str) -> tuple[bool, bool]:
        """Tell somebody under all their accounts: whether they heard, and must later."""
        tenant, heard, later = found.orphan.tenant, False, False
        for account in await self.staff.chats(tenant, person):
            if account.platform not in self.places:
                continue
            asker = Asker(
                tenant, Person(account.platform, account.user), account.account
            )
            key = key_of(tenant, person, "told", found.correlation, account)
            if (before := await self.changes.done(tenant, key)) is not None:
                heard |= before == _TOLD
                continue
            began = await self.changes.begin(tenant, key, self.clock())
            if began and self.clock() - began < _UNDER_WAY_US:
                later = True
                continue
            try:
                came = await self._said(found, person, asker, account)
            except DeliveryFailed:
                await self.changes.undone(tenant, key)  # it certainly was not sent
                later = True
                continue
            heard |= came == _TOLD
            await self.changes.finish(tenant, key, came)
        return heard, later

    async def _said(
        self, found: _Found, person: str, asker: Asker, account: Account
    ) -> str:
        card = await self._card(found, person, asker)
        await self.log.note(handed_to(found.orphan, asker, found.correlation))
        try:
            await self.places[account.platform].alone(
                account.account, asker.person, card
            )
        except Refused:
            return _REFUSED  # it would be refused again
        except Ambiguous:
            pass  # it was taken, most likely
        return _TOLD

    async def _tell_admins(
        self, found: _Found, said: str, reached: Collection[str]
    ) -> bool:
        orphan = found.orphan
        key = key_of(orphan.tenant, "", "admins", found.correlation)
        if await self.changes.done(orphan.tenant, key) is not None:
            return True
        await self.changes.begin(orphan.tenant, key, self.clock())
        await self.log.note(handed_to(orphan, None, found.correlation))
        try:
            await self.admins(orphan.tenant, self._for_admins(found, said, reached))
        except (Refused, Ambiguous):
            pass
        except DeliveryFailed:
            return False
        await self.changes.finish(orphan.tenant, key, _TOLD)
        return True

    def _for_admins(self, found: _Found, said: str, reached: Collection[str]) -> Card:
        orphan = found.orphan
        name = self.staff.name(orphan.tenant, orphan.heir) if orphan.heir else ""
        text = (
            f"An admin of approvals in {orphan.ref.system.shown} has to make "
            f"{name or 'somebody'} the approver there."
        )
        if orphan.deputy:
            text = f"They may decide already, in {orphan.ref.system.shown} itself."
        if name:
            verb = "was told" if orphan.heir in reached else "could not be told"
            text = f"{name} {verb}. {text}"
        which = (Field("Record", found.key),) if found.key else ()
        return Card(said, text, Tone.WARNING, (Section(fields=which),) if which else ())

    async def _card(self, found: _Found, person: str, asker: Asker) -> RecordCard:
        """Draw what one person is told; who may not see the record learns no number."""
        orphan, ref = found.orphan, found.orphan.ref
        may_see = await self._sees(asker, ref)
        acts = [self._button(found, person, asker, VIEW)] if may_see else []
        gives = bool(found.to) and may_see
        if gives:
            acts.append(self._button(found, person, asker, self._offer(orphan)))
        if acts:
            await self.acts.issue(acts)
        looks = {VIEW.act: (VIEW.look, Needs.NOTHING, "")}
        offer = self._offer(orphan)
        looks[GIVE] = (offer.look, offer.needs, offer.confirm)
        leaver = self.staff.name(orphan.tenant, orphan.leaver) or "An approver"
        heir = self.staff.name(orphan.tenant, orphan.heir) if orphan.heir else "nobody"
        return RecordCard(
            card_id="",
            ref=ref,
            source=ref.system.shown,
            what="Approval",
            title=f"{leaver} has left, and an approval waits for them",
            standing=Standing.LIVE,
            as_of_us=self.clock(),
            key=found.key if may_see else "",
            status=Status(f"waiting on {heir}", Tone.WARNING),
            fields=(
                CardField("left", "Asked for", leaver),
                CardField("heir", "Waiting on", heir),
            ),
            buttons=tuple(
                CardButton(act.act, act.detail["label"], act.token, *looks[act.act])
                for act in acts
            ),
            viewer=True,
            note=self._note(found, person, can_give=gives),
        )

    def _note(self, found: _Found, person: str, *, can_give: bool) -> str:
        orphan = found.orphan
        shown, mine = orphan.ref.system.shown, person == orphan.heir
        if mine and orphan.deputy:
            return f"You stand in for them in {shown}: open “My view” to decide."
        if not orphan.heir:
            return f"Nobody stands in for them: make somebody the approver in {shown}."
        why = "You are their manager." if mine else "The directory has their manager."
        if not can_give:
            return f"{why} An admin of approvals in {shown} makes them the approver."
        return (
            f"{why} Whoever may hand on approvals in {shown} can make them the "
            "approver; it is done as who presses the button."
        )

    def _offer(self, orphan: Orphan) -> Offer:
        heir = self.staff.name(orphan.tenant, orphan.heir)
        shown = orphan.ref.system.shown
        confirm = f"Makes {heir} the approver in {shown}, as you."
        return Offer(
            GIVE,
            f"Give it to {heir}",
            Action.RECORD_UPDATE,
            Look.PRIMARY,
            Needs.CONFIRMATION,
            confirm,
        )

    def _button(
        self, found: _Found, person: str, asker: Asker, offer: Offer
    ) -> IssuedAct:
        orphan, detail = found.orphan, {CORRELATION: found.correlation}
        if offer.act == GIVE:
            written = {APPROVAL: orphan.approval, FROM: orphan.approver, TO: found.to}
            detail[VALUES] = json.dumps(written)
        made = self.drawing.personal(asker, person, orphan.ref, offer, detail=detail)
        return replace(made, until_us=self.clock() + _MONTH_US)

    async def _sees(self, asker: Asker, ref: RecordRef) -> bool:
        act = IssuedAct(
            "",
            asker.tenant,
            ref,
            VIEW.act,
            Action.RECORD_VIEW,
            rev=NEVER,
            until_us=0,
        )
        try:
            await self.admitting.decided(asker, act)
        except NotAllowed:
            return False
        return True


def _settled(found: _Found, known: Orphan | None) -> bool:
    return found.orphan.same(known) and known is not None and known.told
