"""What Slack says of channels and installations is said in the bridge's words."""

import json
from typing import Any

import pytest

from bots.slack.clients import SlackRefused
from bots.slack.envelope import organisation_of
from bots.slack.prober import condition_of, refusal
from bots.slack.translate import EVENTS, translate
from bridge.holds import Cause
from bridge.lifecycle import Change, change_of, consequences
from bridge.messages import Event, EventKind
from tests.events import FALCON
from tests.slack_recorded import recorded


def told(**event: Any) -> Event:
    body = recorded("channel_archive")
    body["event"] = {"event_ts": "1700000000.000100", **event}
    found = translate(body, json.dumps(body).encode(), "BATOM")
    assert isinstance(found, Event)
    return found


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("channel_archive", Change.ARCHIVED),
        ("channel_unarchive", Change.UNARCHIVED),
        ("channel_deleted", Change.DELETED),
        ("channel_left", Change.LEFT),
        ("channel_shared", Change.SHARED),
        ("channel_unshared", Change.UNSHARED),
        ("group_archive", Change.ARCHIVED),
        ("group_deleted", Change.DELETED),
        ("group_left", Change.LEFT),
        ("group_unarchive", Change.UNARCHIVED),
    ],
)
def test_a_channels_fate_is_told(event: str, change: Change) -> None:
    found = told(type=event, channel=FALCON.id, user="U01ALICE")

    assert (found.kind, found.channel) == (EventKind.CHANNEL_CHANGE, FALCON)
    assert change_of(found) is change


def test_every_event_about_channels_that_slack_is_asked_for_is_told() -> None:
    asked = [name for name in EVENTS if name.startswith(("channel_", "group_"))]

    assert asked
    assert all(change_of(told(type=name, channel=FALCON.id)) for name in asked)


def test_a_new_id_comes_with_the_old_one() -> None:
    found = told(
        type="channel_id_changed", old_channel_id=FALCON.id, new_channel_id="C09NEW"
    )

    [moved] = consequences(found)
    assert found.channel == FALCON
    assert moved.address is not None
    assert moved.address.id == "C09NEW"


@pytest.mark.parametrize(
    ("event", "change"),
    [("member_joined_channel", Change.JOINED), ("member_left_channel", Change.LEFT)],
)
def test_only_our_own_coming_and_going_concerns_a_link(
    event: str, change: Change
) -> None:
    us = recorded("channel_archive")["authorizations"][0]["user_id"]

    assert change_of(told(type=event, channel=FALCON.id, user=us)) is change
    assert change_of(told(type=event, channel=FALCON.id, user="U01ALICE")) is None


def test_an_organisation_names_the_workspaces() -> None:
    found = told(type="team_access_revoked", team_ids=["T1", "T2"])
    nobody = told(type="team_access_revoked", team_ids="T1")

    assert [one.scope.team for one in consequences(found)] == ["T1", "T2"]
    assert change_of(nobody) is None


def test_the_last_outsiders_are_gone_when_slack_says_so() -> None:
    last = told(type="channel_unshared", channel=FALCON.id, is_ext_shared=False)
    more = told(type="channel_unshared", channel=FALCON.id, is_ext_shared=True)

    assert consequences(last)[0].lifted == {Cause.EXTERNAL}
    assert not consequences(more)[0].lifted


@pytest.mark.parametrize(
    ("about", "causes"),
    [
        ({"is_member": True}, set()),
        ({"is_member": False}, {Cause.ABSENT}),
        ({"is_member": True, "is_archived": True}, {Cause.ARCHIVED}),
        ({"is_member": True, "is_ext_shared": True}, {Cause.EXTERNAL}),
        ({"is_member": True, "is_pending_ext_shared": True}, {Cause.EXTERNAL}),
        ({"is_member": True, "is_org_shared": True, "is_shared": True}, set()),
    ],
)
def test_a_channels_condition_is_read(
    about: dict[str, bool], causes: set[Cause]
) -> None:
    assert condition_of(about).causes == causes


@pytest.mark.parametrize(
    ("code", "cause", "vague"),
    [
        ("is_archived", Cause.ARCHIVED, False),
        ("not_in_channel", Cause.ABSENT, False),
        ("channel_not_found", Cause.ABSENT, True),
        ("account_inactive", Cause.UNINSTALLED, False),
        ("token_revoked", Cause.UNINSTALLED, False),
        ("team_access_not_granted", Cause.WITHDRAWN, False),
    ],
)
def test_refusals_that_are_the_channels_say_so(
    code: str,
    cause: Cause,
    vague: bool,  # noqa: FBT001
) -> None:
    refused = SlackRefused(code)

    assert refused.cause == cause
    assert refusal(refused).causes == {cause}
    assert refusal(refused).vague is vague


def test_refusals_of_a_message_close_no_channel() -> None:
    assert not SlackRefused("msg_too_long").cause


def test_only_an_org_wide_installation_speaks_for_an_organisation() -> None:
    body = recorded("channel_archive")
    granted = {"enterprise_id": "E1", "team_id": "T1", "is_enterprise_install": True}

    assert organisation_of(body | {"authorizations": [granted]}) == "E1"
    own = granted | {"is_enterprise_install": False}
    assert organisation_of(body | {"authorizations": [own]}) == ""
