"""What was brought to a place is known from the log, as people may read it there."""

from bridge.delivery import AttemptState, Operation
from bridge.messages import EventKind
from storage.ledger import brought
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import ended, said
from tests.events import FALCON, PROJECT, words


async def test_the_last_of_what_was_brought_there_is_told(store: Store) -> None:
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U01ALICE")
    await said(store, link, "17.1", document=words("old"))
    post = await ended(store, AttemptState.DELIVERED, text="old")
    remote = f"r{post.seq}.{post.n}"
    assert await brought(store.reader, TENANT, PROJECT, remote) == "old"

    new = words("new")
    await said(
        store, link, "17.1", document=new, kind=EventKind.MESSAGE_EDIT, version_us=5
    )
    change = await ended(store, AttemptState.DELIVERED, text="new", remote=remote)

    assert change.operation is Operation.EDIT
    assert await brought(store.reader, TENANT, PROJECT, remote) == "new"
    assert await brought(store.reader, TENANT, PROJECT, "another") == ""
