"""
Bad input is turned away or kept as what it is; nothing is half-done, and ATOM goes on.
"""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from uuid import uuid4

import pytest
import pytest_asyncio

from bots.sandbox.teams import seed as teams
from tests.databases import migrated_template
from tests.e2e.hostile import (
    WORDS,
    Request,
    Seen,
    activity,
    claims,
    forged,
    genuine,
    log_page,
    log_size,
    sent,
    slack_event,
    slack_request,
    teams_request,
    unknown_kinds,
    unsigned_token,
)
from tests.e2e.world import World, slack_texts, teams_texts, world
from tests.servers import Postgres

# One ATOM on each database serves all tests: whatever one of them sends, the next
# one finds it working.
pytestmark = pytest.mark.asyncio(loop_scope="module")

_SIX_MINUTES = 360
_BIG = 5 * 1024 * 1024


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["sqlite", "postgresql"]
)
async def here(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    home = tmp_path_factory.mktemp("bad-input")
    with ExitStack() as stack:
        url = f"sqlite:///{home}/atom.db"
        if request.param == "postgresql":
            server: Postgres = request.getfixturevalue("postgres")
            url = stack.enter_context(server.database(migrated_template(server)))
        async with world(home, url) as made:
            await made.link()
            await made.start()
            await _crosses(made)
            await made.members_known()  # which is on record, whenever that is
            yield made


def _wrong_signature(_here: World) -> Request:
    return slack_request(slack_event(), secret="somebody-elses")


def _unsigned(_here: World) -> Request:
    return Request("/slack/events", slack_request(slack_event()).body)


def _odd_timestamp(_here: World) -> Request:
    made = slack_request(slack_event())
    odd = {"X-Slack-Request-Timestamp": "yesterday"}
    return Request(made.path, made.body, {**made.headers, **odd})


def _changed_on_the_way(_here: World) -> Request:
    made = slack_request(slack_event("pay Bob"))
    return Request(made.path, made.body.replace(b"Bob", b"Eve"), made.headers)


# What is sent, and with which status and for which reason it is refused.
_REFUSED: dict[str, tuple[Callable[[World], Request], int, str, str]] = {
    "slack, wrong signature": (_wrong_signature, 401, "slack", "signature"),
    "slack, changed on the way": (_changed_on_the_way, 401, "slack", "signature"),
    "slack, timestamp that is none": (_odd_timestamp, 401, "slack", "signature"),
    "slack, unsigned": (_unsigned, 401, "slack", "unsigned"),
    "slack, stale": (
        lambda _: slack_request(slack_event(), age=_SIX_MINUTES),
        401,
        "slack",
        "stale",
    ),
    "slack, from the future": (
        lambda _: slack_request(slack_event(), age=-_SIX_MINUTES),
        401,
        "slack",
        "stale",
    ),
    "slack, no JSON": (
        lambda _: slack_request(b'{"text": "' + WORDS.encode()),
        400,
        "slack",
        "malformed",
    ),
    "slack, no object": (
        lambda _: slack_request([WORDS]),
        400,
        "slack",
        "malformed",
    ),
    "slack, no text": (
        # Slack signs text; what is none cannot have been signed by Slack.
        lambda _: slack_request(b"\xff\xfe" + WORDS.encode()),
        401,
        "slack",
        "signature",
    ),
    "slack, nested without end": (
        lambda _: slack_request(b'{"event":' + b"[" * 200_000),
        400,
        "slack",
        "malformed",
    ),
    "slack, 5 MB": (
        lambda _: slack_request(slack_event(WORDS * (_BIG // len(WORDS)))),
        413,
        "slack",
        "too large",
    ),
    "slack, 5 MB of untold size": (
        lambda _: slack_request(b"x" * _BIG, chunked=True),
        413,
        "slack",
        "too large",
    ),
    "teams, no token": (
        lambda here: teams_request(activity(here), ""),
        401,
        "teams",
        "no_token",
    ),
    "teams, token that is none": (
        lambda here: teams_request(activity(here), "e30.e30.e30"),
        401,
        "teams",
        "bad_token",
    ),
    "teams, forged": (
        lambda here: teams_request(activity(here), forged(claims(here))),
        401,
        "teams",
        "bad_token",
    ),
    "teams, forged with a key of its own": (
        lambda here: teams_request(activity(here), forged(claims(here), "own")),
        401,
        "teams",
        "unknown_key",
    ),
    "teams, without a signature": (
        lambda here: teams_request(activity(here), unsigned_token(claims(here))),
        401,
        "teams",
        "bad_token",
    ),
    "teams, expired": (
        lambda here: teams_request(
            activity(here), genuine(claims(here, exp=int(time.time()) - _SIX_MINUTES))
        ),
        401,
        "teams",
        "expired",
    ),
    "teams, not valid yet": (
        lambda here: teams_request(
            activity(here), genuine(claims(here, nbf=int(time.time()) + _SIX_MINUTES))
        ),
        401,
        "teams",
        "bad_token",
    ),
    "teams, for another bot": (
        lambda here: teams_request(
            activity(here), genuine(claims(here, aud=teams.OTHER_APP_ID))
        ),
        401,
        "teams",
        "bad_token",
    ),
    "teams, from another issuer": (
        lambda here: teams_request(
            activity(here), genuine(claims(here, iss="https://sts.example"))
        ),
        401,
        "teams",
        "bad_token",
    ),
    "teams, answers wanted elsewhere": (
        lambda here: teams_request(
            activity(here, serviceUrl="https://evil.example/"), genuine(claims(here))
        ),
        401,
        "teams",
        "service_url",
    ),
    "teams, unsafe address in token and activity": (
        lambda here: teams_request(
            activity(here, serviceUrl="http://evil.example/"),
            genuine(claims(here, serviceurl="http://evil.example/")),
        ),
        401,
        "teams",
        "service_url",
    ),
    "teams, no JSON": (
        lambda here: teams_request(
            b'{"text": "' + WORDS.encode(), genuine(claims(here))
        ),
        400,
        "teams",
        "malformed",
    ),
    "teams, nested without end": (
        lambda here: teams_request(b"[" * 200_000, genuine(claims(here))),
        400,
        "teams",
        "malformed",
    ),
    "teams, no type": (
        lambda here: teams_request(activity(here, type=""), genuine(claims(here))),
        400,
        "teams",
        "no_activity",
    ),
    "teams, another tenant": (
        lambda here: teams_request(
            activity(here, channelData={"tenant": {"id": teams.GLOBEX}}),
            genuine(claims(here)),
        ),
        403,
        "teams",
        "tenant",
    ),
    "teams, 5 MB": (
        lambda here: teams_request(
            activity(here, text="x" * _BIG), genuine(claims(here))
        ),
        413,
        "teams",
        "too_large",
    ),
    "teams, 5 MB of untold size": (
        lambda here: teams_request(b"x" * _BIG, genuine(claims(here)), chunked=True),
        413,
        "teams",
        "too_large",
    ),
}


@pytest.mark.parametrize("what", _REFUSED)
async def test_bad_requests_are_refused_counted_and_leave_nothing(
    here: World, what: str
) -> None:
    made, status, platform, reason = _REFUSED[what]
    before = await Seen.now(here)

    answered = await sent(here, made(here))

    after = await Seen.now(here)
    assert answered == status
    assert after.refused_since(before) == {(platform, reason): 1}
    assert after.size == before.size
    [line] = _warnings(here, before)
    assert (line["event"], line["reason"]) == ("request refused", reason)
    assert WORDS not in here.stderr
    await _crosses(here)


async def test_a_request_seen_before_is_taken_once_however_fresh_it_is(
    here: World,
) -> None:
    body = slack_event("said once")
    assert await sent(here, slack_request(body)) == 200
    await here.until(lambda s: any("said once" in text for text in teams_texts(s)))
    await _settled(here)
    before = await log_size(here)

    answered = await sent(here, slack_request(body))

    assert answered == 200
    assert await log_size(here) == before
    await _crosses(here)
    assert sum("said once" in t for t in teams_texts(await here.state())) == 1


async def test_a_genuine_request_replayed_after_five_minutes_is_refused(
    here: World,
) -> None:
    body = slack_event("said long ago")
    assert await sent(here, slack_request(body)) == 200
    await here.until(lambda s: any("said long ago" in text for text in teams_texts(s)))
    await _settled(here)
    before = await log_size(here)

    answered = await sent(here, slack_request(body, age=301))

    assert answered == 401
    assert await log_size(here) == before
    await _crosses(here)


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (
            lambda _: slack_request(slack_event(type="galaxy_collapsed")),
            "galaxy_collapsed",
        ),
        (lambda _: slack_request(slack_event(subtype="whisper")), "message.whisper"),
        (
            lambda _: slack_request(slack_event() | {"type": "universe_callback"}),
            "universe_callback",
        ),
        (
            lambda here: teams_request(
                activity(here, type="galaxyCollapsed"), genuine(claims(here))
            ),
            "galaxyCollapsed",
        ),
    ],
    ids=["slack event", "slack subtype", "slack callback", "teams activity"],
)
async def test_what_is_unknown_but_well_formed_is_kept_counted_and_goes_no_further(
    here: World, made: Callable[[World], Request], kind: str
) -> None:
    before = await Seen.now(here)
    counted, said = await unknown_kinds(here), await _said(here)

    answered = await sent(here, made(here))

    page = await log_page(here, before.size - 1)
    assert answered == 200
    assert [entry["type"] for entry in page["entries"]] == ["other"]
    assert await unknown_kinds(here) == counted + 1
    assert _warnings(here, before) == []
    lines = [json.loads(each) for each in here.stderr.splitlines()[before.lines :]]
    assert [line["kind"] for line in lines if "kind" in line] == [kind]
    await _crosses(here)  # which adds two messages on each side, and only those
    assert [len(texts) - 2 for texts in await _said(here)] == [*map(len, said)]


async def test_text_that_no_database_takes_crosses_from_slack_without_it(
    here: World,
) -> None:
    name = uuid4().hex
    # Slack's JSON may hold half a character, and a NUL.
    raw = json.dumps(slack_event(f"{name} half \ud83d and \0 end")).encode()
    assert b"\\ud83d" in raw
    assert b"\\u0000" in raw

    answered = await sent(here, slack_request(raw))

    assert answered == 200
    state = await here.until(lambda s: any(name in text for text in teams_texts(s)))
    [copy] = [text for text in teams_texts(state) if name in text]
    assert "\0" not in copy
    assert copy.endswith("end")
    assert "\ud83d" not in copy
    await _settled(here)
    await _crosses(here)


async def test_text_that_no_database_takes_crosses_from_teams_without_it(
    here: World,
) -> None:
    name = uuid4().hex
    bad = activity(here, text=f"{name} half \ud83d and \0 end", textFormat="plain")

    answered = await sent(here, teams_request(bad, genuine(claims(here))))

    assert answered == 200
    state = await here.until(lambda s: any(name in text for text in slack_texts(s)))
    [copy] = [text for text in slack_texts(state) if name in text]
    assert "\0" not in copy
    assert "\ud83d" not in copy
    await _settled(here)
    await _crosses(here)


def _warnings(here: World, before: Seen) -> list[dict[str, str]]:
    """Return the warnings and errors that were logged since."""
    lines = here.stderr.splitlines()[before.lines :]
    parsed = [json.loads(line) for line in lines]
    return [line for line in parsed if line["level"] in {"warning", "error"}]


async def _crosses(here: World) -> None:
    """Say something on both sides, see it on the other, and let the log settle."""
    name = uuid4().hex
    await here.slack("post", text=f"{name} from Slack")
    await here.teams("post", text=f"{name} from Teams")
    await here.until(
        lambda s: (
            any(f"{name} from Slack" in text for text in teams_texts(s))
            and any(f"{name} from Teams" in text for text in slack_texts(s))
        )
    )
    await _settled(here)


async def _said(here: World) -> tuple[list[str], list[str]]:
    state = await here.state()
    return slack_texts(state), teams_texts(state)


async def _settled(here: World) -> None:
    """Wait until what was sent is on record too."""
    await here.quiet()
