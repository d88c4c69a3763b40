"""Where the policy is asked besides on the way of a message: commands and the record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.commands.base import Request
from bridge.access import Action, Asked, Decision
from bridge.compliance import Duty, Officer
from bridge.messages import Channel, Person, Platform
from bridge.ports import AccessPolicy
from storage.compliance.acts import Act, Acts

_ACTIONS = {
    Duty.READ: Action.SEARCH,
    Duty.SEARCH: Action.SEARCH,
    Duty.EXPORT: Action.EXPORT,
    Duty.HOLD: Action.HOLD,
}
NO_DIRECTORY = "none"


@dataclass(frozen=True, slots=True)
class OnRecord:
    """Writes decisions down that stand alone, if a directory had a say in them."""

    acts: Acts

    async def command(self, request: Request, decision: Decision) -> None:
        """Write down whether somebody might give a command."""
        thing = f"admin.{request.command or 'help'}"
        await self.note(request.tenant, request.actor, request.channel, thing, decision)

    async def note(
        self,
        tenant: str,
        actor: str,
        channel: Channel | None,
        thing: str,
        decision: Decision,
    ) -> None:
        """Write a decision down; one that asked no directory is like every other."""
        if decision.directory == NO_DIRECTORY:
            return
        said = "may" if decision.allowed else "may not"
        await self.acts.note(
            Act(
                tenant,
                "policy.decision",
                actor,
                f"{said} {thing}: {decision.rule}",
                {
                    "action": thing,
                    "allowed": decision.allowed,
                    "rule": decision.rule,
                    "policy": decision.policy,
                    "directory": decision.directory,
                    "evidence": decision.evidence,
                },
                team=channel.team if channel else "",
                conv=channel.id if channel else "",
                outcome="allow" if decision.allowed else "deny",
            )
        )


def compliance(
    policy: AccessPolicy, record: OnRecord
) -> Callable[[str, Officer, Duty], Awaitable[str]]:
    """
    Return what says why an officer may not use a duty that they have, if so.

    Whoever works on ATOM's host is nobody that a directory knows: the host's own rights
    decide there.
    """

    async def against(tenant: str, officer: Officer, duty: Duty) -> str:
        found = person_of(officer)
        if found is None:
            return ""
        account, person = found
        action = _ACTIONS.get(duty, Action.COMMAND)
        thing = "" if duty in _ACTIONS else duty.removeprefix("compliance.")
        asked = Asked(tenant, person, action, account=account, thing=thing)
        decision = await policy.decide(asked)
        await record.note(tenant, officer.name, None, asked.name, decision)
        if decision.allowed:
            return ""
        return f"{decision.reason or 'The policy is against it.'} ({decision.rule})"

    return against


def person_of(officer: Officer) -> tuple[str, Person] | None:
    """Return the account that vouches for an officer, and their account on it."""
    platform, _, rest = officer.name.partition(":")
    account, slash, user = rest.partition("/")
    if platform not in set(Platform) or not slash or not user:
        return None
    return account, Person(Platform(platform), user)
