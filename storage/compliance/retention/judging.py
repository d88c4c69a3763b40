"""What is to become of entries: everything that a verdict rests on, read together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bridge.retention import Item, Policy, Verdict, decide
from storage.compliance.retention import item_rows, rules
from storage.compliance.retention.holding import Holding, read
from storage.compliance.retention.item_rows import BACKDATED, ItemState
from storage.compliance.retention.kin import Kin, Member

_NO_LABELS: tuple[frozenset[str], int] = (frozenset(), 0)


@dataclass(frozen=True, slots=True)
class Judged:
    """One entry with its verdict, and what it rests on."""

    member: Member
    item: Item
    verdict: Verdict
    kin: Kin
    before: ItemState | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    Verdicts on some entries, as of one version of the barrier.

    Holds, rules and labels are the same as long as the barrier is; then the verdicts
    are, too, unless a family grew.
    """

    version: int
    now_us: int
    policy: Policy
    all: tuple[Judged, ...]

    @property
    def seqs(self) -> list[int]:
        return [judged.member.seq for judged in self.all]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges entries by the rules and holds there are."""

    holding: Holding

    async def judge(
        self, tenant: str, members: Sequence[Member], now_us: int
    ) -> Judgement:
        """Judge entries at a trusted time; a hold's grace ends by it, too."""
        store = self.holding.store
        nets = await self.holding.nets(tenant, now_us)
        policy = await read(store, rules.policy(tenant))
        seqs = [member.seq for member in members]
        states = await read(store, item_rows.states(tenant, seqs))
        families = await self.holding.kin(tenant, seqs)
        everybody = {m.seq: m for each in families.values() for m in each.everybody}
        catch = await self.holding.catch(tenant, nets, everybody.values())
        places = {place for each in families.values() for place in each.places}
        labels = await read(store, rules.labels(tenant, places))
        judged = []
        for member in members:
            near, before = families.get(member.seq), states.get(member.seq)
            if near is None:
                continue
            item = _item(member, before, *_labels(near, labels))
            matters = catch.matters(each.held for each in near.everybody)
            verdict = decide(item, policy, matters, now_us)
            judged.append(Judged(member, item, verdict, near, before))
        return Judgement(nets.version, now_us, policy, tuple(judged))


def _item(
    member: Member, before: ItemState | None, labels: frozenset[str], labelled_us: int
) -> Item:
    return Item(
        member.seq,
        member.channel,
        member.src_us,
        member.cap_us,
        backdated=member.via in BACKDATED,
        labels=labels,
        labelled_us=labelled_us,
        erasure_us=before.erasure_us if before else 0,
    )


def _labels(kin: Kin, labels: rules.Labels) -> tuple[frozenset[str], int]:
    """Return the labels that any of the family has: a copy has its origin's."""
    names: frozenset[str] = frozenset()
    newest = 0
    for channel, message in kin.places:
        known, at_us = labels.get((channel.rpartition("/")[2], message), _NO_LABELS)
        names, newest = names | known, max(newest, at_us)
    return names, newest


def same(kin: Kin, other: Kin | None) -> bool:
    """Whether a family is what it was."""
    return other is not None and _seqs(kin) == _seqs(other)


def _seqs(kin: Kin) -> Collection[int]:
    return {member.seq for member in kin.everybody}
