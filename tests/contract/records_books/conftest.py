"""Books about records on every database, as two processes hold them."""

import pytest

from bridge.access import Action
from bridge.messages import Channel
from bridge.records.books import CardInstance, IssuedAct
from bridge.records.model import RecordRef, Revision, System
from storage.compliance.acts import Acts
from storage.records.acts import new_token
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.events import FALCON

CHANGE = RecordRef(System.SERVICENOW, "acme", "change", "0f4ac6c4b750230096c3e4f6")
CAUSE = "slack:T01ACME/C01FALCON/1.0001"


def card(card_id: str = "crd_1", channel: Channel = FALCON) -> CardInstance:
    return CardInstance(card_id, TENANT, CHANGE, channel, CAUSE)


def act(card_id: str = "crd_1", person: str = "", until_us: int = 1_000) -> IssuedAct:
    return IssuedAct(
        new_token(),
        TENANT,
        CHANGE,
        "approve",
        Action.RECORD_APPROVE,
        Revision(7, "7"),
        until_us,
        card_id,
        FALCON,
        person,
        detail={"from": "Authorize"},
    )


@pytest.fixture
def acts(store: Store) -> Acts:
    return Acts(store.journal, ticking_clock())
