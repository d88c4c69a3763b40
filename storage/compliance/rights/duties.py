"""
Who was trusted with what: a table, each change of which is a log entry.

Nobody has a duty because of being an admin, and nobody gives one to themselves. The
exception is the first of all, to assign duties: the host's command line gives it, as
long as nobody has it. The last one who has it cannot lose it, so there is one first.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from bridge.compliance import Duty, Officer
from bridge.errors import BadInput, Conflict, NotFound, Refused
from storage.compliance.acts import Act, Acts
from storage.compliance.rights.officers import duty_named, officer_named, short
from storage.hot import HotStore, Statement

_HOST = "cli:"

Objection = Callable[[str, Officer, Duty], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Trust:
    """A duty that somebody has, who gave it and when (microseconds UTC)."""

    officer: Officer
    duty: Duty
    granted_by: str
    granted_us: int


@dataclass(frozen=True, slots=True)
class _Change:
    """A duty given or taken, and who assigned duties when that was decided."""

    trust: Trust
    granted: bool
    assigners: tuple[Trust, ...]

    def statement(self, tenant: str) -> Statement:
        return (_given if self.granted else _taken)(tenant, self.trust)


@dataclass(frozen=True, slots=True)
class StoredDuties:
    """
    Implements `bridge.compliance.Duties`, and changes who has which.

    A duty is of use only as long as nothing in `against` is against it: what a policy
    says about an officer, as a sentence, empty if it agrees.
    """

    store: HotStore
    acts: Acts
    clock: Callable[[], int]
    against: list[Objection] = field(default_factory=list)

    async def require(self, tenant: str, officer: Officer, duty: Duty) -> None:
        if await self._trusted(tenant, officer, duty):
            why = await self._objection(tenant, officer, duty)
            if not why:
                return
            await self._refused(
                tenant, officer, f"policy on {short(duty)}: {why}", duty
            )
            raise Refused(f"{officer.name} may not {short(duty)} now: {why}")
        reason = await self._who_can_help(tenant)
        await self._refused(tenant, officer, f"{short(duty)} is not theirs", duty)
        raise Refused(
            f"{officer.name} does not have the duty to {short(duty)}. {reason}"
        )

    async def has(self, tenant: str, officer: Officer, duty: Duty) -> bool:
        """Say whether an officer has a duty. That alone is no use of it."""
        if not await self._trusted(tenant, officer, duty):
            return False
        return not await self._objection(tenant, officer, duty)

    async def _objection(self, tenant: str, officer: Officer, duty: Duty) -> str:
        for against in self.against:
            if why := await against(tenant, officer, duty):
                return why
        return ""

    async def _trusted(self, tenant: str, officer: Officer, duty: Duty) -> bool:
        rows = await self.store.fetch(
            Statement(
                "SELECT 1 FROM duty WHERE tenant = :tenant AND officer = :officer "
                "AND duty = :duty",
                {"tenant": tenant, "officer": officer.name, "duty": str(duty)},
            )
        )
        return bool(rows)

    async def all(self, tenant: str) -> list[Trust]:
        """Return every duty that somebody has, by officer and duty."""
        rows = await self.store.fetch(
            Statement(
                "SELECT officer, duty, granted_by, granted_us FROM duty "
                "WHERE tenant = :tenant ORDER BY officer, duty",
                {"tenant": tenant},
            )
        )
        return [Trust(Officer(o), Duty(d), by, us) for o, d, by, us in rows]

    async def assign(
        self, tenant: str, actor: Officer, officer: Officer, duty: Duty
    ) -> Trust:
        """
        Give somebody a duty; to have it already changes nothing.

        Raises `Refused`, on record, if it is not the actor's to give.
        """
        known = await self.all(tenant)
        assigners = [trust for trust in known if trust.duty is Duty.ASSIGN]
        first = not assigners and actor.name.startswith(_HOST)
        if first and duty is not Duty.ASSIGN:
            raise BadInput(
                "nobody may assign duties yet: give somebody 'assign' first, on "
                "ATOM's host"
            )
        if not first:
            await self.require(tenant, actor, Duty.ASSIGN)
            if actor == officer:
                text = f"gave {short(duty)} to themselves"
                await self._refused(tenant, actor, text, duty)
                raise Refused("Nobody gives a duty to themselves: ask another officer.")
        for trust in known:
            if (trust.officer, trust.duty) == (officer, duty):
                return trust
        trust = Trust(officer, duty, actor.name, self.clock())
        await self._change(
            tenant, actor, _Change(trust, granted=True, assigners=tuple(assigners))
        )
        return trust

    async def revoke(
        self, tenant: str, actor: Officer, officer: Officer, duty: Duty
    ) -> None:
        """
        Take a duty from somebody; one's own can be given back.

        Raises `NotFound`, `BadInput` or, on record, `Refused`.
        """
        await self.require(tenant, actor, Duty.ASSIGN)
        known = await self.all(tenant)
        found = [t for t in known if (t.officer, t.duty) == (officer, duty)]
        if not found:
            raise NotFound(f"{officer.name} does not have the duty to {short(duty)}.")
        assigners = [trust for trust in known if trust.duty is Duty.ASSIGN]
        if assigners == found:
            raise BadInput(
                f"{officer.name} is the last who may assign duties: give 'assign' to "
                "somebody else first"
            )
        change = _Change(found[0], granted=False, assigners=tuple(assigners))
        await self._change(tenant, actor, change)

    async def strip(self, tenant: str, officer: Officer, duty: Duty) -> bool:
        """
        Take a duty from somebody who has left; False if they do not have it.

        ATOM does this by itself. Raises `Conflict` for the last who may assign duties:
        without anybody who may, no officer could ever be made again.
        """
        known = await self.all(tenant)
        found = [t for t in known if (t.officer, t.duty) == (officer, duty)]
        if not found:
            return False
        assigners = [trust for trust in known if trust.duty is Duty.ASSIGN]
        if assigners == found:
            raise Conflict(
                f"{officer.name} is the last who may assign duties: give 'assign' to "
                "somebody else first"
            )
        change = _Change(found[0], granted=False, assigners=tuple(assigners))
        await self._change(tenant, Officer("atom"), change)
        return True

    async def holders(self, tenant: str) -> list[tuple[str, Duty]]:
        """Implements `bridge.compliance.DutyBook`, as the next two do."""
        return [(trust.officer.name, trust.duty) for trust in await self.all(tenant)]

    async def give(self, tenant: str, actor: Officer, officer: str, duty: str) -> str:
        named, wanted = officer_named(officer), duty_named(duty)
        await self.assign(tenant, actor, named, wanted)
        return f"{named.name} has the duty to {short(wanted)}."

    async def take(self, tenant: str, actor: Officer, officer: str, duty: str) -> str:
        named, wanted = officer_named(officer), duty_named(duty)
        await self.revoke(tenant, actor, named, wanted)
        return f"{named.name} has the duty to {short(wanted)} no longer."

    async def _change(self, tenant: str, actor: Officer, change: "_Change") -> None:
        trust, granted = change.trust, change.granted
        old, new = ("", trust.duty) if granted else (trust.duty, "")
        what = "gave {} to {}" if granted else "took {} from {}"
        act = Act(
            tenant,
            "admin.config",
            actor.name,
            what.format(short(trust.duty), trust.officer.name),
            {
                "what": f"duty:{trust.officer.name}",
                "officer": trust.officer.name,
                "duty": str(trust.duty),
                "old": str(old),
                "new": str(new),
            },
        )
        # Two who change who may assign at once would each believe in what was before.
        key = _moment_of(change.assigners) if trust.duty is Duty.ASSIGN else ""
        receipt = await self.acts.note(act, (change.statement(tenant),), key)
        if receipt.duplicate:
            raise Conflict(
                "Somebody changed who may assign duties just now: look again."
            )

    async def _refused(
        self, tenant: str, officer: Officer, text: str, duty: Duty
    ) -> None:
        detail = {"duty": str(duty)}
        await self.acts.note(
            Act(tenant, "access.refused", officer.name, text, detail, outcome="deny")
        )

    async def _who_can_help(self, tenant: str) -> str:
        known = await self.all(tenant)
        able = [t.officer.name for t in known if t.duty is Duty.ASSIGN]
        if able:
            return f"Who can give it: {', '.join(able)}."
        return (
            "Nobody assigns duties yet: on ATOM's host, run 'atom compliance officers "
            "assign OFFICER assign'."
        )


def _moment_of(assigners: Sequence[Trust]) -> str:
    told = "|".join(f"{trust.officer.name} {trust.granted_us}" for trust in assigners)
    return f"duty:assign:{sha256(told.encode()).hexdigest()}"


def _given(tenant: str, trust: Trust) -> Statement:
    return Statement(
        "INSERT INTO duty (tenant, officer, duty, granted_by, granted_us) VALUES "
        "(:tenant, :officer, :duty, :granted_by, :granted_us) ON CONFLICT DO NOTHING",
        {
            "tenant": tenant,
            "officer": trust.officer.name,
            "duty": str(trust.duty),
            "granted_by": trust.granted_by,
            "granted_us": trust.granted_us,
        },
    )


def _taken(tenant: str, trust: Trust) -> Statement:
    return Statement(
        "DELETE FROM duty WHERE tenant = :tenant AND officer = :officer "
        "AND duty = :duty",
        {"tenant": tenant, "officer": trust.officer.name, "duty": str(trust.duty)},
    )
