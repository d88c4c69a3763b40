"""
Who is who now, in memory: what every decision reads.

It is built from the states that the store hands out, and follows them version by
version. What somebody is in is found when it is first asked for, and kept until
something changes that it hangs on: one person, or the groups.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.directory.closure import circles, route
from bridge.directory.difference import addresses_of
from bridge.directory.grace import lenient
from bridge.directory.graph import Graph, memberships
from bridge.directory.held import Delta, Kept, Ref, State
from bridge.directory.links import AccountLinks, accounts_of
from bridge.directory.model import Kind, Subject
from bridge.directory.naming import Register, folded
from bridge.directory.people import Merged, Precedence, merged
from bridge.messages import Person, Platform

_MANY = 2_000  # changes with which finding everything anew is quicker
_NEVER = 10 * 365 * 86_400  # seconds that are as good as never
PROVISIONED = 2  # how sure an account is that a source names by its id


@dataclass(slots=True)
class _Company:
    graph: Graph
    precedence: Precedence
    heard_us: Mapping[str, int] = field(default_factory=dict)
    entries: dict[str, list[Ref]] = field(default_factory=dict)  # of people
    accounts: dict[str, set[str]] = field(default_factory=dict)  # whose they are
    keys: dict[str, set[str]] = field(default_factory=dict)  # accounts of people
    departments: dict[str, str] = field(default_factory=dict)  # ids by folded names
    subjects: dict[str, Subject] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)  # versions of people
    grouped: int = 0  # the version in which groups last changed
    register: Register = field(default_factory=Register)
    ancestors: dict[str, str] = field(default_factory=dict)  # as subjects have them
    lenient: dict[str, Subject] = field(default_factory=dict)  # with what they keep

    @property
    def state(self) -> State:
        return self.graph.state


@dataclass(slots=True)
class LiveDirectory:
    """Implements `bridge.directory.ports.Directory` and `Names`."""

    clock: Callable[[], int]
    links: AccountLinks | None = None
    _companies: dict[str, _Company] = field(default_factory=dict)

    def configure(
        self, tenant: str, sources: Sequence[str], precedence: Precedence
    ) -> None:
        """Say that a company has a directory; nobody is known in it yet."""
        order = precedence.order or tuple(sources)
        precedence = Precedence(order, precedence.by_attribute, precedence.advisory)
        graph = Graph(State(), tuple(sources))
        self._companies[tenant] = _Company(graph, precedence)

    def state(self, tenant: str) -> State:
        """Return what the view is made from; only `follow` changes it."""
        return self._companies[tenant].state

    def follow(self, tenant: str, delta: Delta) -> None:
        """Take over a new version, made here or by another process."""
        _follow(self._companies[tenant], delta)

    def sources(self, tenant: str) -> Sequence[str]:
        """Return the names of a company's sources, the weightiest first."""
        return self._companies[tenant].graph.sources

    def beside(self, tenant: str) -> "LiveDirectory":
        """Return a view of the company's sources in which nobody is known yet."""
        made = LiveDirectory(self.clock)
        known = self._companies[tenant]
        made.configure(tenant, known.graph.sources, known.precedence)
        return made

    def heard(self, tenant: str, heard_us: Mapping[str, int]) -> None:
        """Say when each source was last followed or read to its end."""
        self._companies[tenant].heard_us = dict(heard_us)

    def heard_us(self, tenant: str) -> Mapping[str, int]:
        """Return when each source was last heard of, microseconds UTC."""
        return self._companies[tenant].heard_us

    def configured(self, tenant: str) -> bool:
        return tenant in self._companies

    def version(self, tenant: str) -> str:
        known = self._companies.get(tenant)
        return str(known.state.version) if known else ""

    def age_seconds(self, tenant: str) -> int:
        known = self._companies.get(tenant)
        if known is None:
            return 0
        heard = [known.heard_us.get(source, 0) for source in known.graph.sources]
        if not heard or not all(heard):
            return _NEVER
        return max(0, (self.clock() - min(heard)) // 1_000_000)

    def told_all(self, tenant: str) -> bool:
        """Whether every source has told all that it knows at least once."""
        return self.age_seconds(tenant) < _NEVER

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None:
        known = self._companies.get(tenant)
        if known is None:
            return None
        linked = self.links.owner(tenant, person, account) if self.links else None
        if linked is not None:
            who, confidence = linked
            subject = self._subject(known, who)
            return subject and _sure(subject, confidence)
        for key in account_keys(person.platform, account, person.id):
            # An account that two people have is nobody's: it tells nobody apart.
            if owners := known.accounts.get(key):
                return self._subject(known, *owners) if len(owners) == 1 else None
        return None

    def find(self, tenant: str, subject: str) -> Subject | None:
        """Return somebody by ATOM's own id of them."""
        known = self._companies.get(tenant)
        return self._subject(known, subject) if known else None

    def subjects(self, tenant: str) -> Sequence[Subject]:
        known = self._companies.get(tenant)
        if known is None:
            return ()
        everybody = (self._subject(known, who) for who in known.entries)
        return [subject for subject in everybody if subject]

    def path(self, tenant: str, subject: str, ancestor: str) -> Sequence[str]:
        known = self._companies.get(tenant)
        if known is None:
            return ()
        _, _, goal = ancestor.partition(":")
        way = route(_direct(known, subject), goal, known.graph.above)
        return [_name(known, node) for node in way]

    def named(self, tenant: str, kind: Kind, name: str) -> Sequence[str]:
        known = self._companies.get(tenant)
        return _register(known).find(kind, name) if known else ()

    def name_of(self, tenant: str, kind: Kind, id_: str) -> str | None:
        known = self._companies.get(tenant)
        return _register(known).shown.get((kind, id_)) if known else None

    def within(self, tenant: str, ancestor: str) -> Sequence[str]:
        return [s.id for s in self.subjects(tenant) if ancestor in s.ancestors]

    def above(self, tenant: str, ancestor: str) -> Sequence[str]:
        known = self._companies.get(tenant)
        if known is None:
            return ()
        _, _, node = ancestor.partition(":")
        inside = known.graph.closure.ancestors(node)
        return sorted(_ancestor(known, each) for each in inside)

    def attributes(self, tenant: str, subject: str) -> Mapping[str, str]:
        """Return what is told of somebody, by ATOM's names."""
        known = self._companies.get(tenant)
        if known is None or subject not in known.entries:
            return {}
        return _merged(known, subject).attributes

    def gone_under(self, tenant: str, address: str) -> bool:
        """Say whether somebody who is gone had an address, and not who has it now."""
        known = self._companies.get(tenant)
        if known is None:
            return False
        had: dict[bool, set[str]] = {True: set(), False: set()}
        for ref, who in known.state.people.items():
            kept = known.state.entries[ref]
            told = kept.entry.attributes
            if address in {told.get("mail", "").lower(), told.get("user_name", "")}:
                had[kept.life.gone].add(who)
        return bool(had[True] - had[False])

    def formerly(self, tenant: str, address: str) -> Sequence[str]:
        """Return who is there and had an address before that is theirs no more."""
        known = self._companies.get(tenant)
        if known is None:
            return ()
        had, has = set(), set()
        for ref, who in known.state.people.items():
            kept = known.state.entries[ref]
            if address in kept.former:
                had.add(who)
            if address in addresses_of(kept.entry):
                has.add(who)
        return sorted(had - has)

    def entries(self, tenant: str, subject: str) -> Sequence[Kept]:
        """Return the entries of all sources that are somebody."""
        known = self._companies.get(tenant)
        if known is None:
            return ()
        return [known.state.entries[r] for r in known.entries.get(subject, ())]

    def things(self, tenant: str) -> Sequence[Kept]:
        """Return the groups, units, departments and roles there are."""
        known = self._companies.get(tenant)
        return (
            sorted(known.graph.nodes.values(), key=lambda k: k.entry.id)
            if known
            else ()
        )

    def circles(self, tenant: str) -> Sequence[Sequence[str]]:
        """Return the names of groups that are in each other."""
        known = self._companies.get(tenant)
        if known is None:
            return ()
        return [[_name(known, one) for one in c] for c in circles(known.graph.above)]

    def doubled(self, tenant: str) -> Sequence[Kept]:
        """Return groups whose id another source gave before; they count for nothing."""
        known = self._companies.get(tenant)
        if known is None:
            return ()
        return [
            kept
            for kept in known.state.entries.values()
            if kept.entry.kind is not Kind.PERSON
            and not kept.life.gone
            and known.graph.nodes.get(kept.entry.id) is not kept
        ]

    def _subject(self, company: _Company, who: str) -> Subject | None:
        if who not in company.entries:
            return None
        if who not in company.subjects:
            company.subjects[who] = _made(company, who)
        subject = company.subjects[who]
        if not (graces := company.state.graces.get(who)):
            return subject
        known = company.lenient.get(who)
        company.lenient[who] = lenient(subject, graces, self.clock(), known)
        return company.lenient[who]


def account_keys(platform: Platform, account: str, person: str) -> tuple[str, ...]:
    """Return how an account may be named, the surest name first."""
    known = (f"{platform}:{account}/{person}",) if account else ()
    return (*known, f"{platform}:{person}")


def _sure(subject: Subject, confidence: int) -> Subject:
    if subject.confidence == confidence:
        return subject
    return Subject(
        subject.id,
        subject.name,
        subject.standing,
        subject.guest,
        subject.department,
        subject.unit,
        subject.clearance,
        confidence,
        subject.ancestors,
        subject.version,
        subject.kept,
    )


def _follow(company: _Company, delta: Delta) -> None:
    state, graph = company.state, company.graph
    refs = {kept.ref for kept in delta.kept} | {ref for ref, _ in delta.people}
    touched = {state.people[ref] for ref in refs if ref in state.people}
    fresh = [kept for kept in delta.kept if kept.ref not in state.entries]
    structure = any(_regroups(state.entries.get(k.ref), k) for k in delta.kept)
    many = len(fresh) + len(delta.memberships) > _MANY
    before = {ref: state.people[ref] for ref in refs if ref in state.people}
    state.absorb(delta)

    touched |= {state.people[ref] for ref in refs if ref in state.people}
    touched |= {person for person, _ in delta.graces}
    redo = structure or many or not all(graph.admit(kept) for kept in fresh)
    if redo:
        graph.rebuild()
    else:
        graph.rename(delta.kept)
        moved = [graph.follow(each) for each in delta.memberships]
        touched |= {state.people[ref] for ref in moved if ref in state.people}
        redo = None in moved or any(k.entry.kind is not Kind.PERSON for k in delta.kept)
    if redo:
        company.departments = _departments(graph)
        company.grouped = delta.version
        company.subjects.clear()
        company.ancestors.clear()
    _reindexed(company, delta, before, touched)
    for who in touched:
        company.subjects.pop(who, None)
        company.changed[who] = delta.version


def _regroups(before: Kept | None, after: Kept) -> bool:
    """Whether a change of what was there moves edges of more than a person."""
    if before is None:
        return False
    kinds = {before.entry.kind, after.entry.kind}
    if kinds == {Kind.PERSON}:
        return False
    return (
        len(kinds) > 1
        or before.life.gone is not after.life.gone
        or memberships(before.entry) != memberships(after.entry)
    )


def _departments(graph: Graph) -> dict[str, str]:
    return {
        folded(kept.entry.name): kept.entry.id
        for kept in graph.nodes.values()
        if kept.entry.kind is Kind.DEPARTMENT
    }


def _reindexed(
    company: _Company, delta: Delta, before: Mapping[Ref, str], touched: Iterable[str]
) -> None:
    """Find who has which entries and accounts, where that may have changed."""
    for ref, _ in delta.people:
        who = company.state.people[ref]
        known = company.entries.get(before.get(ref, ""), [])
        if before.get(ref) != who:
            if ref in known:
                known.remove(ref)
            company.entries.setdefault(who, []).append(ref)
    for who in touched:
        _account_for(company, who)


def _account_for(company: _Company, who: str) -> None:
    kept = [company.state.entries[ref] for ref in company.entries.get(who, ())]
    now = {
        key
        for each in kept
        if not each.life.gone
        for key in accounts_of(each.entry.attributes)
    }
    before = company.keys.get(who, set())
    for key in before - now:
        company.accounts[key].discard(who)
    for key in now - before:
        company.accounts.setdefault(key, set()).add(who)
    company.keys[who] = now


def _merged(company: _Company, who: str) -> Merged:
    kept = [company.state.entries[ref] for ref in company.entries[who]]
    return merged(kept, company.precedence)


def _direct(company: _Company, who: str) -> set[str]:
    if who not in company.entries:
        return set()
    department = _department(company, _merged(company, who))
    direct = company.graph.direct(company.entries[who])
    return direct | {department} if department else direct


def _department(company: _Company, told: Merged) -> str:
    name = folded(told.attributes.get("department", ""))
    return company.departments.get(name, name)


def _made(company: _Company, who: str) -> Subject:
    told = _merged(company, who)
    department = _department(company, told)
    direct = company.graph.direct(company.entries[who])
    inside = company.graph.closure.of(direct | {department} if department else direct)
    return Subject(
        id=who,
        name=told.name,
        standing=told.standing,
        guest=told.guest,
        department=department,
        unit=next((unit for unit in _units(company, who)), ""),
        clearance=_number(told.attributes.get("clearance", "")),
        confidence=PROVISIONED,
        ancestors=frozenset(_ancestor(company, node) for node in inside),
        version=max(company.changed.get(who, 0), company.grouped),
    )


def _units(company: _Company, who: str) -> Iterable[str]:
    state, precedence = company.state, company.precedence
    kept = [state.entries[ref] for ref in company.entries[who]]
    for each in sorted(kept, key=lambda k: precedence.rank(k.source, "unit")):
        if each.entry.unit and not each.life.gone:
            yield each.entry.unit


def _ancestor(company: _Company, node: str) -> str:
    known = company.ancestors.get(node)
    if known is None:
        kept = company.graph.nodes.get(node)
        kind = kept.entry.kind if kept else Kind.DEPARTMENT
        known = company.ancestors[node] = f"{kind.value}:{node}"
    return known


def _name(company: _Company, node: str) -> str:
    kept = company.graph.nodes.get(node)
    return (kept.entry.name or node) if kept else node


def _register(company: _Company) -> Register:
    if company.register.version != company.state.version:
        company.register = Register.of(company.graph)
    return company.register


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
