"""What Teams says of channels, teams and installations, in the bridge's words."""

from typing import Any

import pytest

from bots.teams.changes import lifecycle
from bots.teams.closed import channel_closed
from bots.teams.connector import Forbidden, Gone
from bridge.errors import Refused
from bridge.holds import Cause
from bridge.lifecycle import DETAIL, EXTERNAL, Change, consequences
from bridge.messages import EventKind
from tests.events import PROJECT, message
from tests.teams_world import APP, TENANT

ABROAD = "7e4a4700-0000-4000-8000-000000000009"


def update(event: str = "", /, **more: Any) -> dict[str, Any]:
    data = {"eventType": event, "tenant": {"id": TENANT}, **more.pop("data", {})}
    return {"type": "conversationUpdate", "channelData": data, **more}


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("channelCreated", Change.CREATED),
        ("channelDeleted", Change.DELETED),
        ("channelRenamed", Change.RENAMED),
        ("channelRestored", Change.RESTORED),
        ("channelUnshared", Change.UNSHARED),
        ("teamArchived", Change.TEAM_ARCHIVED),
        ("teamDeleted", Change.TEAM_DELETED),
        ("teamHardDeleted", Change.TEAM_DELETED),
        ("teamRenamed", Change.RENAMED),
        ("teamRestored", Change.TEAM_RESTORED),
        ("teamUnarchived", Change.TEAM_UNARCHIVED),
    ],
)
def test_what_became_of_a_channel_or_team_is_told(event: str, change: Change) -> None:
    assert lifecycle(update(event), APP)[DETAIL] == change


def test_a_new_channel_changes_nothing_about_others() -> None:
    told = tuple(lifecycle(update("channelCreated"), APP).items())
    event = message(kind=EventKind.CHANNEL_CHANGE, channel=PROJECT, detail=told)

    [follows] = consequences(event)
    assert (follows.placed, follows.lifted) == (frozenset(), frozenset())
    assert not follows.ask


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("add", Change.INSTALLED),
        ("add-upgrade", Change.INSTALLED),
        ("remove", Change.UNINSTALLED),
    ],
)
def test_installing_and_removing_is_told(action: str, change: Change) -> None:
    activity = {"type": "installationUpdate", "action": action}

    assert lifecycle(activity, APP) == {DETAIL: change}


def test_an_upgrade_removes_nothing() -> None:
    activity = {"type": "installationUpdate", "action": "remove-upgrade"}

    assert lifecycle(activity, APP) == {}


@pytest.mark.parametrize(
    ("field", "kind", "change"),
    [
        ("membersAdded", "", Change.INSTALLED),
        ("membersRemoved", "", Change.UNINSTALLED),
        ("membersAdded", "private", Change.JOINED),
        ("membersRemoved", "shared", Change.LEFT),
    ],
)
def test_our_own_coming_and_going_is_told(
    field: str, kind: str, change: Change
) -> None:
    us, somebody = [{"id": f"28:{APP}"}], [{"id": "29:carol"}]
    data = {"channel": {"id": "19:c", "type": kind}} if kind else {}

    assert lifecycle(update(data=data) | {field: us}, APP) == {DETAIL: change}
    assert lifecycle(update(data=data) | {field: somebody}, APP) == {}


@pytest.mark.parametrize(
    ("tenants", "external"),
    [([TENANT], "no"), ([TENANT.upper()], "no"), ([TENANT, ABROAD], ""), ([], "")],
)
def test_sharing_counts_as_outside_unless_every_team_is_ours(
    tenants: list[str], external: str
) -> None:
    shared = {"sharedWithTeams": [{"tenantId": one} for one in tenants]}

    told = lifecycle(update("channelShared", data=shared), APP)

    assert told == {DETAIL: Change.SHARED, EXTERNAL: external}


def test_a_refused_post_closes_the_channel_but_a_lost_root_does_not() -> None:
    with pytest.raises(Refused) as archived, channel_closed("root"):
        raise Forbidden("403")
    with pytest.raises(Refused) as deleted, channel_closed():
        raise Gone("404")
    with pytest.raises(Refused) as rootless, channel_closed("root"):
        raise Gone("404")

    causes = [refused.value.cause for refused in (archived, deleted, rootless)]
    assert causes == [Cause.CLOSED, Cause.DELETED, ""]
