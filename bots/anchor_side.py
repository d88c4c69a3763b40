"""Which adapter shows a checkpoint where, and what a company may choose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import ClientSession
from cryptography.x509 import Certificate, load_pem_x509_certificates

from bots.anchoring import Anchoring, channel_anchor
from bots.core import Core, clock_us
from bots.settings import on_loopback
from bridge.anchors import Anchor
from bridge.errors import BadInput
from bridge.messages import Channel, Platform
from bridge.ports import Announcer
from storage.compliance.anchors.kept import Chosen, StoredAnchors
from storage.compliance.anchors.timestamps import TimestampAuthority
from storage.compliance.anchors.witness import Witness
from storage.compliance.proofs.notes import COSIGNATURE, VerifierKey


@dataclass(slots=True)
class AnchorMaker:
    """Makes the adapter of each anchor once, as it remembers what was seen."""

    session: ClientSession
    core: Core
    announcers: Mapping[Platform, Announcer]
    _made: dict[Chosen, Anchor] = field(default_factory=dict)

    def __call__(self, chosen: Chosen) -> Anchor:
        if chosen not in self._made:
            self._made[chosen] = self._make(chosen)
        return self._made[chosen]

    def _make(self, chosen: Chosen) -> Anchor:
        match chosen.kind:
            case "witness":
                key = VerifierKey.parse(chosen.detail)
                tree = self.core.publisher.keeper.tree
                return Witness(self.session, chosen.where, key, tree)
            case "tsa":
                roots = tuple(certificates(chosen.detail))
                return TimestampAuthority(self.session, chosen.where, roots)
        return channel_anchor(self.announcers, chosen)


def anchoring(
    core: Core, session: ClientSession, announcers: Mapping[Platform, Announcer]
) -> Anchoring:
    return Anchoring(
        core.publisher,
        StoredAnchors(core.database.hot, clock_us),
        core.journal,
        core.company_ids,
        AnchorMaker(session, core, announcers),
        clock_us,
        core.settings.tuning.anchor_every,
    )


def choice(address: str, detail: str) -> Chosen:
    """Read what somebody chose. Raises `BadInput`, saying what is missing."""
    chosen = Chosen(address.rstrip("/"), detail.strip())
    match chosen.kind:
        case "slack" | "teams":
            Channel.parse(chosen.address)
            return Chosen(chosen.address, "")
        case "witness":
            _check_url(chosen.where)
            if VerifierKey.parse(detail or "-").algorithm != COSIGNATURE:
                raise BadInput("a witness's verifier key is of type 4: it prints it")
            return chosen
        case "tsa":
            _check_url(chosen.where)
            if not certificates(chosen.detail):
                raise BadInput("name the authority's root certificate (PEM) with --ca")
            return chosen
    raise BadInput(
        "write slack:TEAM/CHANNEL, teams:TEAM/CHANNEL, witness:https://… or tsa:https://…"
    )


def certificates(text: str) -> list[Certificate]:
    """Raises `BadInput` for what is no certificate."""
    if not text:
        return []
    try:
        return load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise BadInput("there is no certificate (PEM) in that file") from error


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and on_loopback(url))
    if not (safe and parts.hostname) or parts.username or parts.password:
        raise BadInput(f"'{url}' is no https:// address without a name and password")
