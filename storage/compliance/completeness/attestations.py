"""What was compared, in the log and signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol

import orjson

from bridge.messages import Channel
from bridge.reconcile import Attested, Finding, Window, said_us
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Statement, run_one

_MICRO = 1_000_000
_TITLE = "atom-attestation/v1"

_INSERT = (
    "INSERT INTO recon_window (tenant, channel, at_us, from_us, to_us, state, reason, "
    "shown, held, missing, filled, lost, days, seq) VALUES (:tenant, :channel, :at_us, "
    ":from_us, :to_us, :state, :reason, :shown, :held, :missing, :filled, :lost, "
    ":days, :seq) ON CONFLICT DO NOTHING"
)


class Signs(Protocol):
    """Signs in a company's name."""

    async def sign(self, tenant: str, text: str) -> str:
        """Return a signed note of a text that ends with a newline."""
        ...


@dataclass(frozen=True, slots=True)
class StoredAttestations:
    """Implements `bridge.reconcile.Attestations`."""

    store: HotStore
    acts: Acts
    signers: Signs
    clock: Callable[[], int]

    async def detected(self, tenant: str, finding: Finding) -> None:
        counts = (
            f"{len(finding.missing)} missing, {len(finding.vanished)} vanished, "
            f"{len(finding.lost)} lost"
        )
        detail = {
            **_span(finding.window),
            "missing": [*finding.missing],
            "vanished": [*finding.vanished],
            "unrecoverable": [*finding.lost],
        }
        await self._note(tenant, "gap.detected", finding.window.channel, counts, detail)

    async def attest(self, tenant: str, attested: Attested) -> int:
        before, after = attested.before, attested.after
        channel = after.window.channel
        if not before.whole:
            await self._filled(tenant, attested)
        text = attestation(tenant, attested)
        note = await self.signers.sign(tenant, text)
        detail = {
            **_span(after.window),
            "note": note,
            "pages": [[p.call, p.cursor, p.request] for p in attested.pages],
        }
        said = f"{len(after.held)} of {len(after.shown)} on record"
        if after.lost:
            said += f", {len(after.lost)} lost for good"
        seq = await self._note(tenant, "recon.attest", channel, said, detail)
        await self._store(
            tenant,
            after.window,
            {
                "state": "attested",
                "reason": "",
                "shown": len(after.shown),
                "held": len(after.held),
                "missing": len(before.missing),
                "filled": len(attested.filled),
                "lost": len(after.lost),
                "days": orjson.dumps(by_day(after)).decode(),
                "seq": seq,
            },
        )
        return seq

    async def behind(self, tenant: str, window: Window, reason: str) -> None:
        row = dict.fromkeys(("shown", "held", "missing", "filled", "lost"), 0)
        more = {"state": "behind", "reason": reason, "days": "{}", "seq": -1}
        await self._store(tenant, window, row | more)

    async def _filled(self, tenant: str, attested: Attested) -> None:
        before, after = attested.before, attested.after
        left = [m for m in before.missing if m not in attested.filled]
        said = f"{len(attested.filled)} of {len(before.missing)} read in late"
        detail = {
            **_span(before.window),
            "filled": [*attested.filled],
            "left": left,
            "vanished": [*before.vanished],
            "unrecoverable": [*after.lost],
        }
        await self._note(tenant, "gap.filled", before.window.channel, said, detail)

    async def _note(
        self,
        tenant: str,
        etype: str,
        channel: Channel,
        text: str,
        detail: dict[str, Any],
    ) -> int:
        told = {**detail, "channel": str(channel)}
        act = Act(tenant, etype, "atom", text, told, team=channel.team, conv=channel.id)
        return (await self.acts.note(act)).seq

    async def _store(self, tenant: str, window: Window, row: dict[str, Any]) -> None:
        parameters = {
            "tenant": tenant,
            "channel": str(window.channel),
            "at_us": self.clock(),
            "from_us": window.from_us,
            "to_us": window.to_us,
            **row,
        }

        await run_one(self.store, Statement(_INSERT, parameters))


def attestation(tenant: str, attested: Attested) -> str:
    """
    Return the text that is signed: a line a fact, in this order, for `verify` to read.

    Ids are hashed sorted, each with a newline; who has a list of ids can compare.
    """
    before, after = attested.before, attested.after
    pages = "".join(f"{p.call} {p.cursor} {p.request}\n" for p in attested.pages)
    lines = (
        _TITLE,
        tenant,
        str(after.window.channel),
        f"from {after.window.from_us}",
        f"to {after.window.to_us}",
        f"shown {len(after.shown)} {ids_hash(after.shown)}",
        f"held-before {len(before.held)} {ids_hash(before.held)}",
        f"held {len(after.held)} {ids_hash(after.held)}",
        f"missing {len(before.missing)} filled {len(attested.filled)}",
        f"vanished {len(before.vanished)}",
        f"unrecoverable {len(after.lost)}",
        f"pages {len(attested.pages)} {sha256(pages.encode()).hexdigest()}",
    )
    return "\n".join(lines) + "\n"


def ids_hash(ids: Sequence[str]) -> str:
    """Return SHA-256 over sorted ids, a newline after each."""
    return sha256("".join(f"{i}\n" for i in sorted(ids)).encode()).hexdigest()


def by_day(finding: Finding) -> dict[str, list[int]]:
    """Return per UTC day how many were shown, how many of them held, and lost."""
    days: dict[str, list[int]] = {}
    held = set(finding.held)
    platform = finding.window.channel.platform
    for message in finding.shown:
        counts = days.setdefault(_day(said_us(platform, message)), [0, 0, 0])
        counts[0] += 1
        counts[1] += message in held
    for message in finding.lost:
        days.setdefault(_day(said_us(platform, message)), [0, 0, 0])[2] += 1
    return days


def _day(us: int) -> str:
    return datetime.fromtimestamp(us / _MICRO, UTC).date().isoformat()


def _span(window: Window) -> dict[str, Any]:
    return {"from_us": window.from_us, "to_us": window.to_us}
