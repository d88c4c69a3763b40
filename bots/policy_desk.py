"""The desk at which policies are checked, tried, published and replayed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from bridge.directory.model import Kind, Standing, Subject
from bridge.directory.ports import Directory, Names
from bridge.errors import AtomError, BadInput, Conflict, NotFound, StoreUnavailable
from bridge.messages import Person
from bridge.policy_desk import PolicyVersion, Preview, Replayed, Shown, Trial
from bridge.ports import LinkBook
from policy.cedar.bundle import Bundle, Draft, build, from_saved
from policy.cedar.cases import Cases, Leaves, refuse_untried
from policy.cedar.deciding import Decider
from policy.cedar.drafting import with_rule, without_rule
from policy.cedar.engine import Engine
from policy.cedar.naming import FromDirectory
from policy.cedar.owners import refuse_foreign
from policy.cedar.replaying import OF_LEAVING, judged, replayed
from policy.cedar.what_if import Scene, what_if
from storage.log_reader import LogReader
from storage.policies.stored import StoredPolicies

log = structlog.get_logger()


class LeavingRules(Protocol):
    """The rules for what may leave, which tests of a policy may speak of."""

    def leaves(self, tenant: str) -> Leaves:
        """Return what tries a text with the company's rules as they are now."""
        ...

    async def looked_at(self, tenant: str, name: str) -> str:
        """Say by which version of the rules, and which detectors, a name says."""
        ...


@dataclass
class Desk:
    """
    Implements `bridge.policy_desk.PolicyDesk`, and keeps the engine up to date.

    `commands` are the chat commands that policies may name, `leaving` the rules for what
    may leave.
    """

    engine: Engine
    names: Names
    shelf: StoredPolicies
    links: LinkBook
    log: LogReader
    commands: Sequence[str]
    clock: Callable[[], int]
    leaving: LeavingRules | None = None
    _loaded: dict[str, int] = field(default_factory=dict)

    @property
    def directory(self) -> Directory:
        return self.engine.directory

    async def load(self, tenant: str) -> None:
        """
        Decide by the version in force from now on. Raises `StoreUnavailable`.

        A version that cannot be used allows nothing, and says so aloud: an older one
        might allow what was taken away since.
        """
        version = await self.shelf.current(tenant)
        number = version.number if version else 0
        bundle, fault = self._usable(tenant, version)
        if bundle is None:
            log.error("policy not usable", tenant=tenant, version=number, reason=fault)
            self.engine.drop(tenant)
        else:
            await self.shelf.keep_body(tenant, bundle.hash, bundle.body)
            self.engine.use(bundle)
        self._loaded[tenant] = number

    def _usable(
        self, tenant: str, version: PolicyVersion | None
    ) -> tuple[Bundle | None, str]:
        try:
            return self._saved(tenant, version), ""
        except AtomError as error:
            return None, str(error)

    async def refresh(self, tenants: Sequence[str]) -> Sequence[str]:
        """
        Take over what another process published; returns for which companies.

        Raises `StoreUnavailable`.
        """
        taken = []
        for tenant in tenants:
            if not self.directory.configured(tenant):
                continue
            known = self._loaded.get(tenant)
            if known is None or await self.shelf.number(tenant) != known:
                await self.load(tenant)
                taken.append(tenant)
        return taken

    def _saved(self, tenant: str, version: PolicyVersion | None) -> Bundle:
        if version is None:
            return build(
                tenant, Draft(), FromDirectory(self.names, tenant), self.commands
            )
        draft = Draft(version.front, version.cedar)
        return from_saved(tenant, draft, version.resolved, self.commands)

    def candidate(self, tenant: str, draft: Draft) -> Bundle:
        """Check a draft. Raises `BadInput` with the place of the first mistake."""
        self._require_directory(tenant)
        return build(tenant, draft, FromDirectory(self.names, tenant), self.commands)

    async def show(self, tenant: str) -> PolicyVersion | None:
        return await self.shelf.current(tenant)

    async def history(self, tenant: str) -> Sequence[PolicyVersion]:
        return await self.shelf.history(tenant)

    async def test(self, tenant: str) -> Trial:
        bundle = await self._in_force(tenant)
        return await self.trial(bundle, bundle)

    async def trial(self, bundle: Bundle, before: Bundle | None) -> Trial:
        """Run a bundle's tests; what is new is compared with `before`."""
        tenant = bundle.tenant
        people = {s.id: s for s in self.directory.subjects(tenant)}
        links = [(one.id, one.channels) for one in await self.links.all(tenant)]
        leaves = self.leaving.leaves(tenant) if self.leaving else None
        cases = Cases(Decider(bundle), self.names, people, links, leaves)
        return cases.trial(Decider(before) if before else None)

    async def preview(self, tenant: str, author: str, draft: Draft, what: str) -> Shown:
        """Say what a draft would change, and remember what was seen for a day."""
        old = await self._in_force(tenant)
        new = self.candidate(tenant, draft)
        scene = await self._scene(tenant)
        report = await what_if(what, old, new, scene)
        trial = await self.trial(new, old)
        await self.shelf.keep_preview(
            Preview(
                tenant=tenant,
                hash=report.hash,
                base=self._loaded.get(tenant, 0),
                policy=old.hash,
                directory=scene.directory,
                front=draft.front,
                cedar=draft.cedar,
                what=what,
                author=author,
                at_us=self.clock(),
            )
        )
        return Shown(report, trial)

    async def try_rule(
        self, tenant: str, author: str, rule: str, here: str = ""
    ) -> Shown:
        draft = with_rule((await self._in_force(tenant)).draft, rule, here)
        return await self.preview(tenant, author, draft, "one rule")

    async def try_without(self, tenant: str, author: str, rule: str) -> Shown:
        draft = without_rule((await self._in_force(tenant)).draft, rule)
        return await self.preview(tenant, author, draft, f"without {rule}")

    async def try_membership(
        self, tenant: str, person: str, group: str, *, joins: bool
    ) -> Shown:
        bundle = await self._in_force(tenant)
        scene = await self._scene(tenant)
        who = self._subject(tenant, person)
        ancestor = f"group:{self._only(tenant, Kind.GROUP, group)}"
        changed = self._moved(tenant, who, ancestor, joins=joins)
        after = [changed if s.id == who.id else s for s in scene.before]
        verb = "joins" if joins else "leaves"
        what = f"{who.name} {verb} {group}"
        return Shown(await what_if(what, bundle, bundle, replace(scene, after=after)))

    async def owner(self, tenant: str, person: Person, account: str) -> str:
        self._require_directory(tenant)
        bundle = await self._in_force(tenant)
        subject = self.directory.subject(tenant, person, account)
        if subject is None or subject.standing is not Standing.ACTIVE:
            return ""
        owned = any(subject.id in place.owners for place in bundle.places.values())
        return subject.id if owned else ""

    async def rollback(self, tenant: str, author: str, number: int) -> Shown:
        """Say what going back to an earlier version would change."""
        version = await self.shelf.version(tenant, number)
        if version is None:
            raise NotFound(f"The policy has no version {number}.")
        draft = Draft(version.front, version.cedar)
        return await self.preview(tenant, author, draft, f"back to version {number}")

    async def apply(
        self, tenant: str, author: str, preview: str, owner: str | None = None
    ) -> PolicyVersion:
        seen = await self.shelf.preview(tenant, preview)
        if seen is None:
            raise NotFound(
                f"Nobody looked at a change {preview} within a day: look at what it "
                "would change first."
            )
        await self.refresh([tenant])
        old = await self._in_force(tenant)
        if seen.base != self._loaded.get(tenant, 0) or seen.policy != old.hash:
            raise Conflict("The policy is another one since this was looked at.")
        if seen.directory != self.directory.version(tenant):
            raise Conflict(
                "The directory changed since this was looked at: look at it again."
            )
        new = self.candidate(tenant, Draft(seen.front, seen.cedar))
        if owner is not None:
            refuse_foreign(old, new, owner)
        refuse_untried(await self.trial(new, old))
        version = PolicyVersion(
            tenant=tenant,
            number=seen.base + 1,
            hash=new.hash,
            front=seen.front,
            cedar=seen.cedar,
            resolved=new.resolved,
            author=author,
            at_us=self.clock(),
            note=seen.what,
        )
        await self.shelf.publish(version, new.body)
        await self.load(tenant)
        return version

    async def replay(self, tenant: str, seq: int) -> Sequence[Replayed]:
        """Take every decision of a log entry again. Raises `NotFound`."""
        entries = await self.log.at(tenant, [seq])
        if not entries:
            raise NotFound(f"The log has no entry {seq}.")
        body = entries[0].body
        told = list(body.get("decisions") or ())
        detail = body.get("detail")
        if not told and isinstance(detail, dict) and "policy" in detail:
            told = [detail]
        looked_at = await self._looked_at(tenant, body.get("leaving"), "rules")
        if not told and isinstance(detail, dict) and "judged" in detail:
            looked_at = await self._looked_at(tenant, detail, "judged")
            return [judged(seq, detail, looked_at)]
        if not told:
            raise NotFound(f"Entry {seq} holds no decision.")
        found = []
        for each in told:
            policy = str(each.get("policy", ""))
            kept = await self.shelf.body(tenant, policy)
            by = looked_at
            if str(each.get("rule", "")).startswith(f"{OF_LEAVING} "):
                by = await self._looked_at(tenant, each, "policy")
            found.append(replace(replayed(seq, each, kept), looked_at=by))
        return found

    async def _looked_at(self, tenant: str, told: object, key: str) -> str:
        if self.leaving is None or not isinstance(told, dict) or not told.get(key):
            return ""
        return await self.leaving.looked_at(tenant, str(told[key]))

    def _require_directory(self, tenant: str) -> None:
        if not self.directory.configured(tenant):
            raise BadInput(
                "No directory is configured for this company, so the platforms' own "
                "membership decides: see docs/directory.md."
            )

    async def _in_force(self, tenant: str) -> Bundle:
        self._require_directory(tenant)
        if self.engine.bundle(tenant) is None:
            await self.load(tenant)
        bundle = self.engine.bundle(tenant)
        if bundle is None:
            raise StoreUnavailable("The policy in force cannot be read: see the log.")
        return bundle

    async def _scene(self, tenant: str) -> Scene:
        people = list(self.directory.subjects(tenant))
        links = [(one.id, one.channels) for one in await self.links.all(tenant)]
        return Scene(links, people, people, self.directory.version(tenant))

    def _subject(self, tenant: str, name: str) -> Subject:
        id_ = self._only(tenant, Kind.PERSON, name)
        for subject in self.directory.subjects(tenant):
            if subject.id == id_:
                return subject
        raise NotFound(f"The directory has no person {name}.")

    def _only(self, tenant: str, kind: Kind, name: str) -> str:
        ids = self.names.named(tenant, kind, name)
        if not ids:
            raise NotFound(f"The directory has no {kind.value} {name}.")
        if len(ids) > 1:
            raise BadInput(f"Several are called {name}: write the path or the id.")
        return ids[0]

    def _moved(
        self, tenant: str, who: Subject, ancestor: str, *, joins: bool
    ) -> Subject:
        """
        Return somebody as they would be in a group, or out of it.

        Out of it they lose what the group is in as well, as far as nothing else that
        they are in is in it too.
        """
        above = {ancestor, *self.names.above(tenant, ancestor)}
        if joins:
            return replace(who, ancestors=who.ancestors | above, version=-1)
        kept = who.ancestors - above
        for each in tuple(kept):
            kept |= set(self.names.above(tenant, each)) - {ancestor}
        return replace(who, ancestors=kept & who.ancestors, version=-1)
