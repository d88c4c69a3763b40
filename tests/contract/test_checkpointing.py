"""Whoever watches from outside sees when nobody signs any more."""

from pathlib import Path

from prometheus_client import REGISTRY

from bots.checkpointing import Checkpointing
from tests.contract.conftest import TENANT, Store
from tests.contract.proofs import proofs_of, said, tamper


async def companies() -> list[str]:
    return [TENANT]


def signed_at() -> float:
    told = REGISTRY.get_sample_value("atom_checkpoints_current_timestamp_seconds")
    assert told is not None
    return told


async def test_the_time_stands_still_once_a_log_is_not_signed_any_more(
    store: Store, tmp_path: Path
) -> None:
    signing = Checkpointing(proofs_of(store, tmp_path).publisher, companies)
    await said(store, 3)
    await signing.round()
    first = signed_at()
    await said(store, 1, 3)
    await signing.round()
    second = signed_at()

    await tamper(store, "UPDATE log SET msg = 'x' WHERE seq = 4")
    await tamper(store, "DELETE FROM log WHERE seq > 1")
    await tamper(store, "UPDATE head SET size = 2")
    await signing.round()

    assert 0 < first < second == signed_at()
