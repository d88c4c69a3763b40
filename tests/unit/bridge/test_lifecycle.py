"""What follows for links when channels, teams and installations come and go."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridge.holds import Cause, Condition, Hold
from bridge.lifecycle import (
    DETAIL,
    EXTERNAL,
    NEW_ID,
    TEAMS,
    Change,
    Scope,
    consequences,
    outsiders_noticed,
    overdue,
)
from bridge.links import Link, LinkState
from bridge.messages import Channel, Event, EventKind, Platform
from tests.events import FALCON, PROJECT, message

LINK = Link("acme", "L1", (FALCON, PROJECT))
DAY_US = 86_400_000_000


def changed(
    change: Change,
    channel: Channel | None = FALCON,
    more: Mapping[str, str] | None = None,
) -> Event:
    detail = ((DETAIL, str(change)), *(more or {}).items())
    kind = EventKind.CHANNEL_CHANGE
    return message(kind=kind, channel=channel, message="", detail=detail)


@pytest.mark.parametrize("change", Change)
def test_every_change_has_a_rule(change: Change) -> None:
    assert consequences(changed(change))


def test_most_events_change_nothing_about_channels() -> None:
    assert consequences(message()) == ()


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (Change.ARCHIVED, Change.UNARCHIVED),
        (Change.DELETED, Change.RESTORED),
        (Change.TEAM_ARCHIVED, Change.TEAM_UNARCHIVED),
        (Change.TEAM_DELETED, Change.TEAM_RESTORED),
        (Change.LEFT, Change.JOINED),
        (Change.UNINSTALLED, Change.INSTALLED),
        (Change.WITHDRAWN, Change.GRANTED),
    ],
)
def test_what_one_event_holds_another_frees(begins: Change, ends: Change) -> None:
    [held] = consequences(changed(begins))
    [freed] = consequences(changed(ends))

    assert held.placed
    assert held.placed <= freed.lifted
    assert held.scope == freed.scope
    assert freed.ask


def test_an_uninstalled_app_is_gone_from_every_channel_of_the_workspace() -> None:
    [gone] = consequences(changed(Change.UNINSTALLED, None))

    assert gone.scope == Scope(Platform.SLACK, "T01ACME")
    assert gone.scope.covers(FALCON)
    assert not gone.scope.covers(replace(FALCON, team="T02"))
    assert not gone.scope.covers(PROJECT)


def test_an_archived_channel_concerns_no_other_one() -> None:
    [archived] = consequences(changed(Change.ARCHIVED))

    assert archived.scope.covers(FALCON)
    assert not archived.scope.covers(replace(FALCON, id="C03"))


def test_an_organisation_names_the_workspaces_that_it_means() -> None:
    withdrawn = consequences(changed(Change.WITHDRAWN, None, {TEAMS: "T1 T2"}))

    assert [one.scope.team for one in withdrawn] == ["T1", "T2"]


def test_a_channel_that_moved_is_found_under_its_new_id() -> None:
    [moved] = consequences(changed(Change.MOVED, more={NEW_ID: "C09NEW"}))

    assert moved.scope.covers(FALCON)
    assert moved.address == Channel(Platform.SLACK, "T01ACME", "C09NEW")


def test_a_shared_channel_is_held_until_it_is_known_with_whom() -> None:
    [shared] = consequences(changed(Change.SHARED))

    assert shared.placed == {Cause.EXTERNAL}
    assert shared.ask


def test_sharing_within_the_company_holds_nothing() -> None:
    [shared] = consequences(changed(Change.SHARED, more={EXTERNAL: "no"}))

    assert not shared.placed


def test_the_end_of_one_sharing_need_not_be_the_last() -> None:
    [maybe] = consequences(changed(Change.UNSHARED))
    [surely] = consequences(changed(Change.UNSHARED, more={EXTERNAL: "no"}))

    assert (maybe.lifted, maybe.ask) == (frozenset(), True)
    assert surely.lifted == {Cause.EXTERNAL}


def test_any_event_may_be_the_first_to_tell_of_outsiders() -> None:
    event = message(external=True)
    known = replace(LINK, holds=(Hold(FALCON, Cause.EXTERNAL),))

    [noticed] = outsiders_noticed(event, [LINK])

    assert noticed.placed == {Cause.EXTERNAL}
    assert outsiders_noticed(event, [known]) == ()
    assert outsiders_noticed(event, []) == ()
    assert outsiders_noticed(message(), [LINK]) == ()


def test_a_link_is_dormant_while_anything_holds_it() -> None:
    held = replace(LINK, holds=(Hold(PROJECT, Cause.DELETED),)).settled()

    assert held.state is LinkState.DORMANT
    assert replace(held, holds=()).settled().state is LinkState.ACTIVE


def test_of_many_channels_one_that_is_held_does_not_hold_up_the_others() -> None:
    other = replace(FALCON, id="C03")
    link = replace(LINK, channels=(FALCON, PROJECT, other))
    held = replace(link, holds=(Hold(PROJECT, Cause.DELETED),)).settled()

    assert held.state is LinkState.ACTIVE
    assert held.between(FALCON, PROJECT)
    assert held.between(PROJECT, other)
    assert not held.between(FALCON, other)


@pytest.mark.parametrize("state", [LinkState.PAUSED, LinkState.REMOVED])
def test_what_people_wish_goes_before_what_holds(state: LinkState) -> None:
    held = replace(LINK, state=state, holds=(Hold(PROJECT, Cause.DELETED),))

    assert held.settled().state is state


def test_outsiders_hold_a_link_unless_an_admin_lets_them_read_along() -> None:
    shared = replace(LINK, holds=(Hold(FALCON, Cause.EXTERNAL),))
    allowed = replace(shared, options=shared.options.said(["external=allow"]))
    archived = Hold(FALCON, Cause.ARCHIVED)

    assert shared.settled().state is LinkState.DORMANT
    assert allowed.settled().state is LinkState.ACTIVE
    assert replace(allowed, holds=(*allowed.holds, archived)).held_by == (archived,)


def test_a_message_waits_so_long_and_no_longer_and_says_for_what() -> None:
    held = [Hold(PROJECT, Cause.TEAM_ARCHIVED)]

    assert overdue(held, 0, 14 * DAY_US - 1, 14 * DAY_US) == ""
    assert overdue(held, 0, 14 * DAY_US, 14 * DAY_US) == (
        "it waited 14 days: the team of the channel in Teams is archived"
    )


@pytest.mark.parametrize(
    ("standing", "answer", "after"),
    [
        ({Cause.ARCHIVED}, Condition(), set()),
        (set(), Condition(frozenset({Cause.ARCHIVED})), {Cause.ARCHIVED}),
        # A vague answer leaves the cause that is known exactly.
        (
            {Cause.TEAM_ARCHIVED},
            Condition(frozenset({Cause.CLOSED}), vague=True),
            {Cause.TEAM_ARCHIVED},
        ),
        (set(), Condition(frozenset({Cause.CLOSED}), vague=True), {Cause.CLOSED}),
        (
            {Cause.UNINSTALLED},
            Condition(frozenset({Cause.ABSENT})),
            {Cause.ABSENT},
        ),
        # Who cannot look does not see whether outsiders are gone.
        (
            {Cause.EXTERNAL},
            Condition(frozenset({Cause.ABSENT}), vague=True),
            {Cause.ABSENT, Cause.EXTERNAL},
        ),
        ({Cause.EXTERNAL}, Condition(), set()),
    ],
)
def test_what_stands_after_a_platform_was_asked(
    standing: set[Cause], answer: Condition, after: set[Cause]
) -> None:
    assert answer.among(frozenset(standing)) == after


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_said_in_words(cause: Cause) -> None:
    assert "#falcon" in Hold(FALCON, cause).said("#falcon")
    assert "_" not in Hold(FALCON, cause).said("#falcon")
