"""With the Discovery API nothing that was said is lost, whoever deleted it how soon."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.grid_seed import COMPLIANCE_TOKEN
from bots.slack.clients import quiet
from bots.slack.discovery import SlackDiscovery
from bots.slack.recent import SlackRecent
from bridge.errors import CannotTell
from bridge.messages import EventKind
from tests.contract.sides import Side, opened_side
from tests.contract.test_reconcile import Bench, bench, fact_of, said

__all__ = ["bench"]  # a fixture

HERE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SAID, EDITED, DELETED = (
    EventKind.MESSAGE_CREATE,
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_DELETE,
)


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    async with opened_side("slack") as made:
        made.world.settings.update({"slack.grid": True})
        client = AsyncWebClient(
            COMPLIANCE_TOKEN,
            f"{made.world.base_url}/slack/api/",
            session=made.session,
            logger=quiet(),
            retry_handlers=[],
        )
        assert isinstance(made.recent, SlackRecent)
        made.recent = SlackDiscovery(client, made.recent)
        yield made


@HERE
async def test_what_was_deleted_before_anybody_read_it_is_on_record_after_all(
    bench: Bench,
) -> None:
    _kept, gone = await said(bench.side, 2)
    await bench.side.act("delete", message=gone)
    unheard = [await fact_of(bench.side, gone, kind) for kind in (SAID, DELETED)]
    await bench.hear(*unheard)

    found = await bench.reconcile()

    assert found.before.lost == (gone,)
    assert found.after.lost == ()
    told = {e.etype: e for e in await bench.log(SAID, DELETED) if e.row["msg"] == gone}
    assert told[SAID].body["text"] == "message 1"
    assert told[DELETED].row["via"] == "reconcile"
    assert found.after.held == found.after.shown


@HERE
async def test_every_revision_is_read_and_not_only_the_last(
    bench: Bench,
) -> None:
    [one] = await said(bench.side, 1)
    for n in range(3):
        await bench.side.act("edit", message=one, text=f"revision {n}")
    await bench.side.until_heard(4)
    facts = [*bench.side.heard.facts()]
    await bench.hear(*facts)

    await bench.reconcile()

    texts = [e.body["text"] for e in await bench.log(SAID, EDITED)]
    assert texts[0] == "message 0"
    assert texts[-1] == "revision 2"
    again = await bench.reconcile()
    assert again.before.whole
    assert len(await bench.log(SAID)) == 1


@HERE
async def test_what_was_heard_is_stated_in_the_same_words(
    bench: Bench,
) -> None:
    ids = await said(bench.side, 12)
    await bench.side.act("edit", message=ids[3], text="changed")
    await bench.side.act("delete", message=ids[5])
    await bench.side.until_heard(14)
    await bench.hear()
    before = len(await bench.log(SAID, EDITED, DELETED))

    found = await bench.reconcile()

    assert found.before.whole
    assert len(await bench.log(SAID, EDITED, DELETED)) == before
    assert {page.call for page in found.pages} >= {
        "discovery.conversations.history",
        "discovery.conversations.edits",
    }


@HERE
async def test_without_the_scope_nothing_is_attested(
    bench: Bench,
) -> None:
    await said(bench.side, 1)
    await bench.hear()
    bench.side.world.settings.update({"slack.compliance_scopes": []})

    with pytest.raises(CannotTell, match="Discovery"):
        await bench.reconcile()

    assert await bench.log("recon.attest") == []
