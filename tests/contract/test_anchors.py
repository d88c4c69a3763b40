"""Checkpoints are shown to witnesses, authorities and channels, each on its own."""

import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from aiohttp import ClientSession
from cryptography.x509 import load_pem_x509_certificates

from bots.anchoring import Anchoring, ChannelAnchor
from bridge.anchors import Anchor, Evidence, Shown
from bridge.cards import Card
from bridge.errors import Conflict, Refused, ServiceUnavailable
from bridge.messages import Channel
from storage.compliance import atom_witness, verify_atom
from storage.compliance.anchors.kept import Chosen, StoredAnchors, chosen
from storage.compliance.anchors.timestamps import TimestampAuthority
from storage.compliance.anchors.witness import Witness
from storage.compliance.proofs.notes import VerifierKey, first_signed
from storage.compliance.proofs.publisher import ClockBehind
from storage.hot import Program
from tests.contract.conftest import TENANT, Store
from tests.contract.proofs import Proofs, proofs_of, said
from tests.contract.test_checkpoints import dump, restore
from tests.timestamping import Authority, running_authority

FALCON = Channel.parse("slack:T01ACME/C02FALCON")


@pytest.fixture
def proofs(store: Store, tmp_path: Path) -> Proofs:
    return proofs_of(store, tmp_path)


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
def auditor(proofs: Proofs, tmp_path: Path) -> Iterator["Auditor"]:
    made = Auditor(tmp_path / "witness")
    yield made
    made.stop()


@dataclass
class Auditor:
    """Runs the one-file witness."""

    folder: Path
    url: str = ""
    key: str = ""
    _server: ThreadingHTTPServer | None = None

    async def start(self, proofs: Proofs) -> None:
        vkey = str((await proofs.signers.current(TENANT)).verifier)
        witness = atom_witness.Witness("witness.example/w1", str(self.folder), [vkey])
        handler = type("H", (atom_witness.Handler,), {"witness": witness})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.key = witness.vkey

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


async def shown_by(proofs: Proofs) -> Shown:
    seen = await proofs.publisher.publish(TENANT)
    return Shown(TENANT, seen.checkpoint.size, seen.note, first_signed(seen.note))


def witness_of(session: ClientSession, auditor: Auditor, proofs: Proofs) -> Witness:
    key = VerifierKey.parse(auditor.key)
    return Witness(session, auditor.url, key, proofs.keeper.tree)


async def test_a_witness_cosigns_what_goes_on_from_before(
    proofs: Proofs, store: Store, session: ClientSession, auditor: Auditor
) -> None:
    await auditor.start(proofs)
    witness = witness_of(session, auditor, proofs)
    for size in (2, 5, 5, 9):
        head = (await store.reader.head(TENANT)).size
        await said(store, size - head, head)
        shown = await shown_by(proofs)

        evidence = await witness.show(shown)

        log = str((await proofs.signers.current(TENANT)).verifier)
        keys = [verify_atom.Key.parse(log)]
        witnesses = [verify_atom.Key.parse(auditor.key)]
        trust = verify_atom.Trust(keys, witnesses, 1)
        checkpoint = trust.checkpoint(shown.note + evidence.lines)
        assert checkpoint.size == size
        assert checkpoint.witnesses == ["witness.example/w1"]
        assert evidence.time_us > 0


async def test_a_client_that_forgot_what_was_seen_is_told(
    proofs: Proofs, store: Store, session: ClientSession, auditor: Auditor
) -> None:
    await auditor.start(proofs)
    await said(store, 3)
    await witness_of(session, auditor, proofs).show(await shown_by(proofs))
    await said(store, 3, 3)

    evidence = await witness_of(session, auditor, proofs).show(await shown_by(proofs))

    assert evidence.lines
    auditor.stop()
    await auditor.start(proofs)  # it remembers, too
    await said(store, 1, 6)
    again = await witness_of(session, auditor, proofs).show(await shown_by(proofs))
    assert again.lines


async def test_a_witness_refuses_a_log_that_was_rolled_back(
    proofs: Proofs,
    store: Store,
    session: ClientSession,
    auditor: Auditor,
    tmp_path: Path,
) -> None:
    await auditor.start(proofs)
    await said(store, 3)
    saved = await dump(store)
    await said(store, 2, 3)
    await witness_of(session, auditor, proofs).show(await shown_by(proofs))
    await restore(store, saved)
    # Whoever is at it has thought of the file beside the database.
    proofs.high_water.path(TENANT).unlink()
    shorter = await shown_by(proofs)
    await said(store, 9, 100)
    longer = await shown_by(proofs)

    witness = witness_of(session, auditor, proofs)
    with pytest.raises(Conflict, match="saw 5 entries, but the log has 3"):
        await witness.show(shorter)
    with pytest.raises(Conflict, match="does not begin this one"):
        await witness.show(longer)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("", 400),
        ("old 01\n\nx\n1\nAAAA\n\n", 400),
        ("old 0\n\nnobody\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n", 404),
        ("old 0\n" + "AAAA\n" * 64 + "\nnobody\n0\nAAAA\n\n", 400),
    ],
)
async def test_a_witness_refuses_what_is_no_request(
    proofs: Proofs,
    session: ClientSession,
    auditor: Auditor,
    request_: str,
    status: int,
) -> None:
    await auditor.start(proofs)

    async with session.post(f"{auditor.url}/add-checkpoint", data=request_) as answer:
        assert answer.status == status
    async with session.post(f"{auditor.url}/else", data="x") as answer:
        assert answer.status == 404


async def test_a_witness_does_not_cosign_for_a_stranger(
    proofs: Proofs, store: Store, session: ClientSession, auditor: Auditor
) -> None:
    await auditor.start(proofs)
    shown = await shown_by(proofs)
    forged = shown.plain.replace("\n0\n", "\n7\n", 1)

    async with session.post(
        f"{auditor.url}/add-checkpoint", data=f"old 0\n\n{forged}"
    ) as answer:
        assert answer.status == 403


def test_the_witness_runs_alone_and_keeps_its_key(tmp_path: Path) -> None:
    log = "atom.example/compliance/log-1+079528ee+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
    line = [sys.executable, "-I", atom_witness.__file__, "--name", "w.example/1"]
    line += ["--state", str(tmp_path / "w"), "--log", log, "--port", "0"]
    told = []
    for _ in range(2):
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            told.append(process.stdout.readline().split())
            process.terminate()

    assert told[0][0] == told[1][0]
    assert told[0][1].startswith("http://127.0.0.1:")
    assert (tmp_path / "w/witness.key").stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with running_authority(tmp_path_factory.mktemp("tsa")) as running:
        yield running


def timestamps(session: ClientSession, authority: Authority) -> TimestampAuthority:
    roots = tuple(load_pem_x509_certificates(authority.ca.read_bytes()))
    return TimestampAuthority(session, authority.url, roots)


async def test_a_token_is_kept_that_openssl_verifies(
    proofs: Proofs,
    store: Store,
    session: ClientSession,
    authority: Authority,
    tmp_path: Path,
) -> None:
    await said(store, 2)
    shown = await shown_by(proofs)
    anchors = StoredAnchors(store.database.hot, lambda: 7)

    evidence = await timestamps(session, authority).show(shown)
    await anchors.keep("tsa:x", shown, evidence)

    note, token = await anchors.token(TENANT, "tsa:x", 2)
    data, answer = tmp_path / "note", tmp_path / "tsr"
    data.write_text(note)
    answer.write_bytes(token)
    assert authority.verify(data, answer)
    assert evidence.time_us > 1_700_000_000_000_000
    data.write_text(note.replace("\n2\n", "\n3\n", 1))
    assert not authority.verify(data, answer)


async def test_a_token_of_another_authority_is_not_kept(
    proofs: Proofs,
    session: ClientSession,
    authority: Authority,
    tmp_path: Path,
) -> None:
    with running_authority(tmp_path) as other:
        roots = tuple(load_pem_x509_certificates(other.ca.read_bytes()))
    stranger = TimestampAuthority(session, authority.url, roots)

    with pytest.raises(ServiceUnavailable, match="does not verify"):
        await stranger.show(await shown_by(proofs))


@dataclass
class Board:
    """An announcer that keeps what it was given, and may refuse it."""

    posts: list[tuple[Channel, Card]] = field(default_factory=list)
    refuses: bool = False

    async def announce(self, channel: Channel, card: Card) -> None:
        if self.refuses:
            raise Refused("channel_not_found")
        self.posts.append((channel, card))

    async def channel_name(self, channel: Channel) -> str:
        return channel.id

    def forget(self, channel: Channel) -> None: ...


class Broken:
    """An anchor with a bug."""

    async def show(self, shown: Shown) -> Evidence:
        raise RuntimeError(shown.tenant)


async def choose(store: Store, *addresses: str) -> None:
    def program() -> Program[None]:
        for address in addresses:
            yield chosen(TENANT, Chosen(address, ""), 0)

    await store.database.hot.run(program)


def anchoring_of(proofs: Proofs, anchors: dict[str, Anchor]) -> Anchoring:
    async def companies() -> list[str]:
        return [TENANT]

    return Anchoring(
        proofs.publisher,
        StoredAnchors(proofs.store.database.hot, proofs.clock),
        proofs.store.journal,
        companies,
        lambda one: anchors[one.address],
        proofs.clock,
    )


async def test_one_failing_anchor_stops_no_other(proofs: Proofs, store: Store) -> None:
    board, closed = Board(), Board(refuses=True)
    await choose(store, "slack:T/C1", "slack:T/C2", "slack:T/C3")
    anchoring = anchoring_of(
        proofs,
        {
            "slack:T/C1": Broken(),
            "slack:T/C2": ChannelAnchor(closed, FALCON),
            "slack:T/C3": ChannelAnchor(board, FALCON),
        },
    )
    seen = await proofs.publisher.publish(TENANT)

    await anchoring.round(TENANT)

    [(channel, card)] = board.posts
    assert channel == FALCON
    assert card.sections[0].text == first_signed(seen.note)
    faults = {
        each.address: last.fault
        for each in await anchoring.anchors.all(TENANT)
        if (last := await anchoring.anchors.last(TENANT, each.address))
    }
    assert faults == {
        "slack:T/C1": "broke: RuntimeError",
        "slack:T/C2": "channel_not_found",
        "slack:T/C3": "",
    }


async def test_of_several_processes_one_posts_and_again_after_ten_minutes(
    proofs: Proofs, store: Store
) -> None:
    board = Board()
    await choose(store, "slack:T/C1")
    anchors: dict[str, Anchor] = {"slack:T/C1": ChannelAnchor(board, FALCON)}
    await proofs.publisher.publish(TENANT)
    for _ in range(3):
        await anchoring_of(proofs, anchors).round(TENANT)
    assert len(board.posts) == 1

    proofs.clock.now += 600
    await anchoring_of(proofs, anchors).round(TENANT)

    assert len(board.posts) == 2


async def test_cosignatures_are_put_below_the_checkpoint_once_a_witness(
    proofs: Proofs, store: Store, session: ClientSession, auditor: Auditor
) -> None:
    await auditor.start(proofs)
    anchors = StoredAnchors(store.database.hot, proofs.clock)
    witness = witness_of(session, auditor, proofs)
    for _ in range(3):
        shown = await shown_by(proofs)
        await anchors.keep("witness:x", shown, await witness.show(shown))
        proofs.clock.now += 1

    beat = await proofs.publisher.publish(TENANT)

    assert beat.note.count("witness.example/w1") == 1
    newest = await proofs.publisher.newest(TENANT)
    assert newest
    assert newest.note == beat.note


async def test_a_clock_far_from_the_anchors_signs_nothing_until_it_agrees(
    proofs: Proofs, store: Store
) -> None:
    await proofs.publisher.publish(TENANT)

    proofs.publisher.told_time(TENANT, (proofs.clock.now + 7200) * 1_000_000)

    with pytest.raises(ClockBehind, match="7200 s behind those"):
        await proofs.publisher.publish(TENANT)
    proofs.publisher.told_time(TENANT, (proofs.clock.now + 10) * 1_000_000)
    seen = await proofs.publisher.publish(TENANT)
    assert seen.time == proofs.clock.now
