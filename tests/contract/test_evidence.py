"""An evidence pack says what the log says, proves it, and claims no more."""

from datetime import date
from pathlib import Path

import orjson
import pytest

from bridge.compliance import Duty, Officer
from bridge.errors import BadInput
from storage.compliance.acts import Act, Acts
from storage.compliance.evidence.controls import CONTROLS
from storage.compliance.evidence.pack import Pack, PackMaker
from storage.compliance.evidence.pdf import pdf_of
from storage.compliance.evidence.periods import Period
from storage.compliance.evidence.queries import QUERIES
from storage.compliance.proofs.checkpoints import verified
from storage.compliance.proofs.high_water import HighWater
from storage.compliance.proofs.keeper import TreeKeeper
from storage.compliance.proofs.merkle import verify_inclusion
from storage.compliance.proofs.notes import VerifierKey
from storage.compliance.proofs.proof_files import ProofFile
from storage.compliance.proofs.prover import Prover
from storage.compliance.proofs.publisher import Publisher
from storage.compliance.proofs.signers import Signers
from storage.compliance.proofs.signing_keys import SigningKeys
from storage.compliance.rights.duties import StoredDuties
from storage.compliance.tree import leaf_hash
from storage.hot import Program, Statement
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.contract.letters import said
from tests.events import FALCON, PROJECT

ALWAYS = Period(date(1971, 1, 1), date(2200, 1, 1))
LONG_AGO = Period(date(1971, 1, 1), date(1972, 1, 1))
ADA, BEN = Officer("cli:ada"), Officer("cli:ben")


@pytest.fixture
async def maker(store: Store, tmp_path: Path) -> PackMaker:
    """A maker over a log in which something of most kinds happened."""
    hot, clock = store.database.hot, ticking_clock()
    signers = Signers(hot, SigningKeys.under(tmp_path), clock)
    high_water = HighWater.under(tmp_path)
    publisher = Publisher(hot, TreeKeeper(hot), signers, high_water, clock)
    acts = Acts(store.journal, clock)
    duties = StoredDuties(hot, acts, clock)
    await duties.assign(TENANT, ADA, ADA, Duty.ASSIGN)
    await duties.assign(TENANT, ADA, BEN, Duty.EXPORT)
    link = await store.links.add(TENANT, (FALCON, PROJECT), "cli:ada")
    for number in range(5):
        await said(store, link, f"17.{number}", text=f"xyzzy {number}")
    await acts.note(Act(TENANT, "key.rotate", "cli:ada", "rotated"))
    return PackMaker(hot, Prover(publisher, store.reader))


def control(pack: Pack, wanted: str) -> dict[str, object]:
    [found] = [c for c in pack.data["controls"] if c["id"] == wanted]
    return dict(found)


async def test_every_control_is_answered_by_queries_that_exist(
    maker: PackMaker,
) -> None:
    pack = await maker.make(TENANT, ALWAYS)

    assert [c["id"] for c in pack.data["controls"]] == [c.id for c in CONTROLS]
    asked = {q["name"] for c in pack.data["controls"] for q in c["queries"]}
    assert asked <= set(QUERIES)
    assert control(pack, "A.8.24")["verdict"] == "shown"
    assert control(pack, "CC6.2")["verdict"] == "partly shown"


async def test_a_control_without_any_finding_says_so_and_is_not_shown_as_kept(
    maker: PackMaker,
) -> None:
    now = await maker.make(TENANT, ALWAYS)
    then = await maker.make(TENANT, LONG_AGO)

    assert control(now, "Art. 20")["verdict"] == "nothing found"
    assert "no proof" in str(control(now, "Art. 20")["because"])
    assert {c["verdict"] for c in then.data["controls"]} == {"nothing found"}
    assert then.data["proofs"] == {}


async def test_every_sample_is_proved_up_to_the_signed_checkpoint(
    maker: PackMaker, store: Store
) -> None:
    pack = await maker.make(TENANT, ALWAYS)

    [key] = map(VerifierKey.parse, pack.data["verifier_keys"])
    seen = verified(pack.data["checkpoint"], [key]).checkpoint
    samples = {
        sample["seq"]: sample["leaf"]
        for c in pack.data["controls"]
        for q in c["queries"]
        for sample in q["samples"]
    }
    assert len(samples) > 5
    assert {str(seq) for seq in samples} == set(pack.data["proofs"])
    for seq, leaf in samples.items():
        proof = ProofFile.parse(pack.data["proofs"][str(seq)])
        assert proof.extra is not None
        assert leaf_hash(proof.extra).hex() == leaf
        assert proof.checkpoint == pack.data["checkpoint"]
        verify_inclusion(
            seq, seen.size, bytes.fromhex(leaf), list(proof.path), seen.root
        )
    assert seen.size == (await store.reader.head(TENANT)).size


async def test_the_same_period_and_size_make_the_same_bytes_whatever_came_later(
    maker: PackMaker, store: Store
) -> None:
    first = await maker.make(TENANT, ALWAYS)
    page = pdf_of(first.data, first.digest)
    await Acts(store.journal, ticking_clock()).note(
        Act(TENANT, "key.rotate", "cli:ada", "again")
    )

    again = await maker.make(TENANT, ALWAYS, first.checkpoint.size)
    newer = await maker.make(TENANT, ALWAYS)

    assert again.json == first.json
    assert pdf_of(again.data, again.digest) == page
    assert page.startswith(b"%PDF-")
    assert newer.json != first.json
    assert orjson.loads(first.json) == first.data


async def test_what_is_missing_from_the_log_is_a_gap(
    maker: PackMaker, store: Store
) -> None:
    whole = await maker.make(TENANT, ALWAYS)
    lost = Statement("DELETE FROM log WHERE tenant = :t AND seq = 4", {"t": TENANT})

    def delete() -> Program[None]:
        yield lost

    await store.database.hot.run(delete)

    broken = await maker.make(TENANT, ALWAYS, whole.checkpoint.size)

    assert control(whole, "A.8.15")["verdict"] == "partly shown"
    for id_ in ("A.5.28", "A.5.33", "A.8.15", "Art. 32", "17a-4(f)(2)(i)(A)"):
        assert control(broken, id_)["verdict"] == "gap"
        assert control(broken, id_)["because"] == "Entry 4 is missing."


async def test_what_should_not_be_there_is_a_gap(
    maker: PackMaker, store: Store
) -> None:
    await Acts(store.journal, ticking_clock()).note(
        Act(TENANT, "gap.detected", "atom", "nobody listened")
    )

    pack = await maker.make(TENANT, ALWAYS)

    assert control(pack, "Art. 33")["verdict"] == "gap"
    assert "1 of 'times in which" in str(control(pack, "Art. 33")["because"])


async def test_a_size_that_the_log_never_had_is_refused(maker: PackMaker) -> None:
    with pytest.raises(BadInput, match="entries"):
        await maker.make(TENANT, ALWAYS, 10_000)


async def test_nothing_that_people_said_is_in_the_pack(maker: PackMaker) -> None:
    pack = await maker.make(TENANT, ALWAYS)

    assert b"xyzzy" not in pack.json
