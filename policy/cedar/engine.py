"""The policy that follows the company's directory, asked for every message."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.access import Action, Asked, Decision
from bridge.directory.model import Subject
from bridge.directory.ports import Directory
from bridge.messages import PersonKind
from bridge.ports import AccessPolicy
from bridge.proofs import UNKNOWN_AGE, NoProofs, Proof, Proofs
from policy.cedar.bundle import Bundle
from policy.cedar.deciding import Decider, Verdict, evidence
from policy.cedar.facts import Principal, action_of, context

UNKNOWN_PERSON = "unknown-person"
NO_POLICY = "no-policy"
NO_CHANNEL = "no-channel"
POLICY_ERROR = "policy-error"
NOTHING_ALLOWS = "nothing-allows-it"
STALE_AFTER_SECONDS = 900
TTL_SECONDS = 30

_MOST_CACHED = 200_000
_STRANGERS = {PersonKind.EXTERNAL, PersonKind.BOT, PersonKind.SYSTEM}
# Denials that may pass without anybody being given a right: asked again later, the
# answer may be another.
_PASSING = frozenset(
    {
        NO_POLICY,
        POLICY_ERROR,
        "atom-stale-directory",
        "atom-stale-directory-commands",
    }
)
_REASONS = {
    UNKNOWN_PERSON: "The company's directory does not know this account.",
    NO_POLICY: "The company's policy cannot be read, so nothing is allowed.",
    NO_CHANNEL: "Where this would be done is not known.",
    POLICY_ERROR: "The policy could not be worked out, so nothing is allowed.",
    NOTHING_ALLOWS: "No rule allows it.",
}


def _silent(tenant: str, rule: str, what: str) -> None:
    del tenant, rule, what


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what it is about, as far as that could be found out."""

    asked: Asked
    action: str
    subject: Subject | None
    principal: Principal | None
    context: str


@dataclass
class Engine:
    """
    Implements `bridge.ports.AccessPolicy`.

    A company without a directory is decided for by `fallback`. `alarm` is told the
    company, the rule and one line whenever something denies that should never happen.
    Answers are kept for `ttl` seconds, and never longer than the person, the place,
    the policy and what holds at the moment are the same; commands are never kept.
    `checked` holds every question against the schema as well.
    """

    directory: Directory
    fallback: AccessPolicy
    stale_after: int = STALE_AFTER_SECONDS
    proofs: Proofs = field(default_factory=NoProofs)
    alarm: Callable[[str, str, str], None] = _silent
    ttl: float = TTL_SECONDS
    steady: Callable[[], float] = time.monotonic
    checked: bool = False
    _deciders: dict[str, Decider] = field(default_factory=dict)
    _kept: dict[tuple[object, ...], tuple[float, Decision]] = field(
        default_factory=dict
    )

    def use(self, bundle: Bundle) -> None:
        """Decide by this bundle from now on, for its company."""
        known = self._deciders.get(bundle.tenant)
        if known is None or known.bundle.hash != bundle.hash:
            self._deciders[bundle.tenant] = Decider(bundle, self.checked)

    def drop(self, tenant: str) -> None:
        """Have no policy for a company: nothing is allowed there."""
        self._deciders.pop(tenant, None)

    def bundle(self, tenant: str) -> Bundle | None:
        known = self._deciders.get(tenant)
        return known.bundle if known else None

    def decider(self, tenant: str) -> Decider | None:
        return self._deciders.get(tenant)

    async def decide(self, asked: Asked) -> Decision:
        tenant = asked.tenant
        if not self.directory.configured(tenant):
            return await self.fallback.decide(asked)
        return self.decide_now(asked)

    def decide_now(self, asked: Asked) -> Decision:
        """Decide where a directory is configured, without waiting for anything."""
        tenant, person = asked.tenant, asked.person
        decider = self._deciders.get(tenant)
        if decider is None:
            self.alarm(tenant, NO_POLICY, "no policy is loaded for the company")
            return self._refused(asked, NO_POLICY, "")
        subject = self.directory.subject(tenant, person, asked.account)
        age = self.directory.age_seconds(tenant)
        proof = self.proofs.of(tenant, subject.id if subject else "")
        if asked.action is Action.COMMAND:
            return self._decided(decider, asked, subject, age, proof)
        channel, target = asked.channel, asked.target
        # Members of enumerations are by their identity: they hash slowly.
        key = (
            tenant,
            decider.bundle.hash,
            self.directory.version(tenant),
            subject.id if subject else person.id,
            subject.version if subject else None,
            subject.confidence if subject else 0,
            id(person.kind),
            id(person.platform),
            id(asked.action),
            channel.id if channel else None,
            channel.team if channel else None,
            id(channel.platform) if channel else None,
            target.id if target else None,
            target.team if target else None,
            id(target.platform) if target else None,
            asked.link,
            asked.thing,
            asked.field,
            int(asked.label),
            asked.outsiders,
            age > self.stale_after,
            age // TTL_SECONDS,
            _bucket(proof),
        )
        now = self.steady()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]
        decision = self._decided(decider, asked, subject, age, proof)
        if len(self._kept) >= _MOST_CACHED:
            self._kept.clear()
        self._kept[key] = (now + self.ttl, decision)
        return decision

    def _decided(
        self,
        decider: Decider,
        asked: Asked,
        subject: Subject | None,
        age: int,
        proof: Proof,
    ) -> Decision:
        policy = decider.bundle.hash
        if subject is None and asked.person.kind not in _STRANGERS:
            return self._refused(asked, UNKNOWN_PERSON, policy)
        principal = (
            decider.facts.principal(subject, asked.person)
            if subject
            else decider.facts.stranger(asked.person)
        )
        action = action_of(asked, decider.known)
        resource = decider.facts.resource(asked, action)
        if resource is None:
            return self._refused(asked, NO_CHANNEL, policy)
        said = context(asked, age, self.stale_after, proof)
        verdict = decider.ask(principal, action, resource, said)
        if verdict.errors:
            self.alarm(asked.tenant, POLICY_ERROR, verdict.errors[0])
        return answered(
            decider.bundle,
            verdict,
            asked.action,
            self.directory.version(asked.tenant),
            evidence(principal, action, resource, said),
        )

    def _refused(self, asked: Asked, rule: str, policy: str) -> Decision:
        return Decision(
            allowed=False,
            rule=rule,
            policy=policy,
            directory=self.directory.version(asked.tenant),
            action=asked.action,
            reason=_REASONS[rule],
            unsure=rule in _PASSING,
        )


def answered(
    bundle: Bundle, verdict: Verdict, action: Action, directory: str, evidence_: str
) -> Decision:
    """Return the decision that a verdict makes."""
    rule, reason = NOTHING_ALLOWS, _REASONS[NOTHING_ALLOWS]
    duties: tuple[str, ...] = ()
    if verdict.errors:
        rule, reason = POLICY_ERROR, _REASONS[POLICY_ERROR]
    elif verdict.rules:
        hits = [bundle.by_id[each] for each in verdict.rules]
        rule = ", ".join(verdict.rules)
        reason = next((hit.reason for hit in hits if hit.reason), "")
        duties = tuple(dict.fromkeys(d for hit in hits for d in hit.duties))
    return Decision(
        allowed=verdict.allowed,
        rule=rule,
        policy=bundle.hash,
        directory=directory,
        action=action,
        reason=reason,
        duties=duties,
        evidence=evidence_,
        unsure=not verdict.allowed and bool(_PASSING & {rule, *verdict.rules}),
    )


def _bucket(proof: Proof) -> object:
    """Return what tells proofs apart as far as an answer that is kept may."""
    if proof.mfa_age_seconds == UNKNOWN_AGE and not proof.break_glass:
        return proof.available
    return (
        proof.available,
        proof.mfa_age_seconds // TTL_SECONDS,
        proof.method,
        proof.session_age_seconds // TTL_SECONDS,
        proof.break_glass,
    )
