"""Whatever is signed, and however odd, gets an answer: nothing in it fails ATOM."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_bolt.request.async_request import AsyncBoltRequest

from bots.commands.answering import Answering
from bots.slack.answers import Answers
from bots.slack.clients import Clients
from bots.slack.intake import SlackIntake
from bots.slack.interactions import is_whole
from bots.slack.records import SlackRecords
from bridge.errors import NotSent
from tests.fakes_records import FakeDesk
from tests.integration.slack.conftest import Commands, Companies, Store
from tests.unit.bots.slack.test_record_asked import anything, names

kinds = st.sampled_from(
    [
        "block_actions",
        "view_submission",
        "view_closed",
        "message_action",
        "shortcut",
        "block_suggestion",
        "interactive_message",
        "dialog_submission",
        "workflow_step_edit",
    ]
)


async def no_token(_team: str) -> str:
    raise NotSent("Slack is not there")


async def answered(body: dict[str, Any]) -> int:
    store, commands = Store(), Commands()
    store.open.set()
    commands.free.set()
    async with ClientSession() as session:
        clients = Clients("http://127.0.0.1:9/", no_token, session)
        answers = Answers(Answering(Companies(), commands), clients)
        intake = SlackIntake(store, answers, clients, signing_secret="x")
        intake.records = SlackRecords(FakeDesk(), Companies(), clients)
        form = urlencode({"payload": json.dumps(body)})
        sent: dict[str, str | Sequence[str]] = {
            "content-type": ["application/x-www-form-urlencoded"]
        }
        try:
            request = AsyncBoltRequest(body=form, headers=sent)
        except (AttributeError, LookupError, TypeError, ValueError):
            return 400  # Bolt reads into its depths; `handle` refuses it as well
        if not is_whole(request.body):
            return 400
        response = await intake.app.async_dispatch(request)
        await intake.records.aclose()
        return response.status


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kinds, st.dictionaries(names, anything))
def test_an_odd_interaction_is_no_failure(kind: str, body: dict[str, Any]) -> None:
    from_acme = {"team": {"id": "T01ACME"}, "trigger_id": "t"}

    status = asyncio.run(answered(from_acme | body | {"type": kind}))

    assert status < 500
